/* The stack's high-water mark: the unused part is painted, then scanned from the bottom. */
#ifndef SPIKEPORT_STACK_H
#define SPIKEPORT_STACK_H

#include <stdint.h>

#define STACK_PAINT 0xa5a5a5a5u
/* left alone below the painting function's own frame */
#define STACK_MARGIN_BYTES 64u

extern uint32_t stack_bottom[], stack_top[];

static inline void stack_paint(uintptr_t pointer) {
  for (volatile uint32_t *at = stack_bottom; (uintptr_t)at < pointer - STACK_MARGIN_BYTES; at++) {
    *at = STACK_PAINT;
  }
}

static inline uint32_t stack_used(void) {
  const uint32_t *at = stack_bottom;
  while (at < stack_top && *at == STACK_PAINT) {
    at++;
  }
  return (uint32_t)((uintptr_t)stack_top - (uintptr_t)at);
}

#endif
