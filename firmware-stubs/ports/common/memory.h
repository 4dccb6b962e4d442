/* Places that the linker script (common/sections.ld, or a port's own) defines. */
#ifndef SPIKEPORT_MEMORY_H
#define SPIKEPORT_MEMORY_H

#include <stdint.h>

extern uint32_t __data_load, __data_start, __data_end, __bss_start, __bss_end;
extern uint32_t __stack_bottom, __stack_top;
extern uint8_t __image_start, __image_end;
extern uint8_t __arena_start, __arena_end;
extern uint8_t __flash_base, __flash_config, __flash_slot0, __flash_slot1, __flash_end;

/* The stack is painted with this word at reset; what is no longer painted was in use. */
#define STACK_PAINT 0xa5a5a5a5u
/* Reset code itself uses less than this. */
#define STACK_IN_USE_BYTES 256u

/* Fills .data and .bss and paints the stack. Inlined, since it runs before anything else may. */
static inline void memory_start(void) {
  uint32_t *const unused_end = (uint32_t *)((uintptr_t)&__stack_top - STACK_IN_USE_BYTES);
  const uint32_t *from = &__data_load;
  for (uint32_t *to = &__data_start; to < &__data_end; to++) {
    *to = *from++;
  }
  for (uint32_t *to = &__bss_start; to < &__bss_end; to++) {
    *to = 0;
  }
  for (uint32_t *to = &__stack_bottom; to < unused_end; to++) {
    *to = STACK_PAINT;
  }
}

#endif
