/* Cortex-M0 and M0+: no SIMD, no FPU, no unaligned loads. */
#ifndef SPIKEPORT_CHIP_H
#define SPIKEPORT_CHIP_H

#include "../blocked/fast_scale.h"

#define BLOCK_TAP_BYTES 16u
#define BLOCK_ALIGNMENT 1u

static inline int8_t *copy_run(int8_t *to, const int8_t *from, uint32_t count) {
  for (; count > 0; count--) {
    *to++ = *from++;
  }
  return to;
}

/* requantize_s8() by a scale's bits; exact without an FPU. */
static inline int8_t requantize_one(int32_t sum, const float *scale, int32_t zero_point, int32_t low, int32_t high) {
  const fast_scale_t s = fast_scale(*(const uint32_t *)(const void *)scale);
  return fast_scale_s8(sum, &s, zero_point, low, high);
}

#endif
