/* Cortex-M under QEMU (machine.h): vector table, reset, semihosting by BKPT 0xAB, SysTick as the clock. */
#include "machine.h"
#include "stack.h"

#define SYS_WRITE0 0x04u
#define SYS_EXIT_EXTENDED 0x20u
#define APPLICATION_EXIT 0x20026u
#define CPACR (*(volatile uint32_t *)0xe000ed88u)
#define SYSTICK_CONTROL (*(volatile uint32_t *)0xe000e010u)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xe000e014u)
#define SYSTICK_VALUE (*(volatile uint32_t *)0xe000e018u)
#define SYSTICK_MASK 0xffffffu

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[];

static uint32_t semihost(uint32_t operation, const void *argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
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

void machine_start_ticks(void) {
  SYSTICK_RELOAD = SYSTICK_MASK;
  SYSTICK_VALUE = 0;
  SYSTICK_CONTROL = 5;
}

uint32_t machine_ticks(void) {
  return (SYSTICK_MASK - SYSTICK_VALUE) & SYSTICK_MASK;
}

void machine_paint_stack(void) {
  stack_paint((uintptr_t)__builtin_frame_address(0));
}

uint32_t machine_stack_bytes(void) {
  return stack_used();
}

/* Not inlined into reset(): the compiler may use vector registers there, before CPACR allows them. */
__attribute__((noinline)) static void start(void) {
  const uint32_t *from = data_load;
  for (volatile uint32_t *to = data_start; to < data_end; to++) {
    *to = *from++;
  }
  for (volatile uint32_t *to = bss_start; to < bss_end; to++) {
    *to = 0;
  }
  machine_exit((uint32_t)main());
}

void reset(void);
void reset(void) {
  CPACR |= 0xfu << 20; /* FPU and MVE; ignored by cores without */
  __asm__ volatile("dsb\n\tisb" ::: "memory");
  start();
}

static void fault(void) {
  machine_print("fault\n");
  machine_exit(3);
}

__attribute__((section(".vectors"), used)) static const void *const VECTORS[16] = {
    stack_top, (const void *)reset, (const void *)fault, (const void *)fault, (const void *)fault, (const void *)fault, (const void *)fault,
};
