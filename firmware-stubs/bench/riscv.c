/* RISC-V under QEMU's virt machine (machine.h): semihosting by its marked EBREAK, minstret as the clock. */
#include "machine.h"
#include "stack.h"

#define SYS_WRITE0 0x04u
#define SYS_EXIT_EXTENDED 0x20u
#define APPLICATION_EXIT 0x20026u

extern uint32_t bss_start[], bss_end[];

static uint32_t semihost(uint32_t operation, const void *argument) {
  register uint32_t a0 __asm__("a0") = operation;
  register const void *a1 __asm__("a1") = argument;
  __asm__ volatile(
      ".balign 16\n\t.option push\n\t.option norvc\n\tslli zero, zero, 0x1f\n\tebreak\n\tsrai zero, zero, 7\n\t.option pop"
      : "+r"(a0)
      : "r"(a1)
      : "memory");
  return a0;
}

void machine_print(const char *text) {
  semihost(SYS_WRITE0, text);
}

_Noreturn void machine_exit(uint32_t code) {
  const uint32_t block[2] = {APPLICATION_EXIT, code};
  semihost(SYS_EXIT_EXTENDED, block);
  for (;;) {
  }
}

static uint32_t instructions(void) {
  uint32_t count;
  __asm__ volatile(".option push\n\t.option arch, +zicsr\n\tcsrr %0, minstret\n\t.option pop" : "=r"(count));
  return count;
}

static uint32_t started_at;

void machine_start_ticks(void) {
  started_at = instructions();
}

uint32_t machine_ticks(void) {
  return instructions() - started_at;
}

void machine_paint_stack(void) {
  stack_paint((uintptr_t)__builtin_frame_address(0));
}

uint32_t machine_stack_bytes(void) {
  return stack_used();
}

__attribute__((used)) static void start(void) {
  for (volatile uint32_t *to = bss_start; to < bss_end; to++) {
    *to = 0;
  }
  machine_exit((uint32_t)main());
}

static void fault(void) {
  machine_print("fault\n");
  machine_exit(3);
}

__attribute__((section(".vectors"), naked, used)) void reset(void);
void reset(void) {
  __asm__ volatile(
      ".option push\n\t.option arch, +zicsr\n\tla sp, stack_top\n\tla t0, %0\n\tcsrw mtvec, t0\n\t.option pop\n\tj start" ::"i"(fault));
}
