/* Requantization with integers alone: for cores without an FPU. Gives requantize_s8()'s numbers for every int32 sum and every finite
   scale >= 0 (tested on random and edge inputs). Three roundings to even, as in float32: the sum to 24 bits, the product to 24 bits, then the integer. */
#ifndef SPIKEPORT_REQUANTIZE_SOFT_H
#define SPIKEPORT_REQUANTIZE_SOFT_H

#include <stdint.h>

/* A float32 scale taken apart: scale = mantissa * 2^exponent, mantissa 0 or 2^23 <= mantissa < 2^24. */
typedef struct {
  uint32_t mantissa;
  int32_t exponent;
} soft_scale_t;

/* Takes the bits of a finite float32 >= 0 apart; once per channel. */
soft_scale_t soft_scale(uint32_t float_bits);

/* rne(fl32(fl32(sum) * scale)), limited to -65536..65536. */
int32_t soft_scale_sum(int32_t sum, soft_scale_t scale);

/* clamp(soft_scale_sum(sum, scale) + zero_point, low, high). */
static inline int8_t requantize_soft_s8(int32_t sum, soft_scale_t scale, int32_t zero_point, int32_t low, int32_t high) {
  const int32_t y = soft_scale_sum(sum, scale) + zero_point;
  return (int8_t)(y < low ? low : (y > high ? high : y));
}

#endif
