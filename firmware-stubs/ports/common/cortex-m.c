/* Reset code, vector table and SysTick counter of every Cortex-M port. */
#include "cortex-m.h"

#include "board.h"
#include "memory.h"

void reset_handler(void);
void systick_handler(void);
void fault_handler(void);
void memory_and_main(void);

typedef void (*handler_t)(void);

typedef struct {
  uint32_t *stack;
  handler_t handlers[15];
} vectors_t;

__attribute__((section(".vectors"), used)) const vectors_t VECTORS = {
    .stack = &__stack_top,
    .handlers = {reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, 0, 0, 0, 0, fault_handler, fault_handler, 0,
                 fault_handler, systick_handler},
};

/* Not inlined: with FPU or MVE code enabled, the compiler may use their registers in any prologue behind this one. */
__attribute__((noinline, used)) void memory_and_main(void) {
  memory_start();
  firmware_run();
}

__attribute__((naked, used)) void reset_handler(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  __asm volatile(
      "ldr r0, =0xe000ed88\n" /* CPACR: full access to coprocessors 10 and 11 */
      "ldr r1, [r0]\n"
      "orr r1, r1, #0xf00000\n"
      "str r1, [r0]\n"
      "dsb\n"
      "isb\n");
#endif
  __asm volatile("bl memory_and_main");
}

/* A fault is a bug of ours: restart, the host is told by the boot message. */
void fault_handler(void) {
  system_reset();
}

#define TOP 0xffffffu
/* What counting a wrap takes away from the work that is measured: five instructions at 6.4 ticks each in QEMU's MPS boards, about as much on silicon.
   A build may say otherwise. */
#ifndef WRAP_COST_TICKS
#define WRAP_COST_TICKS 32u
#endif

static volatile uint32_t wraps;

void systick_handler(void) {
  wraps++;
}

void systick_start(void) {
  SYST_RVR = TOP;
  SYST_CVR = 0;
  SYST_CSR = 7; /* processor clock, interrupt, on */
}

uint64_t systick_counter(void) {
  uint32_t count, left;
  do {
    count = wraps;
    left = SYST_CVR;
    if ((SCB_ICSR & ICSR_SYSTICK_PENDING) != 0 && left > TOP / 2u) {
      count++;
      break;
    }
  } while (count != wraps);
  return (uint64_t)count * (TOP + 1u - WRAP_COST_TICKS) + (TOP - left);
}

void system_reset(void) {
  __asm volatile("dsb");
  SCB_AIRCR = AIRCR_RESET_REQUEST;
  for (;;) {
  }
}
