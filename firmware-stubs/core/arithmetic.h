/* The scalar float32 arithmetic of docs/arithmetic.md, rounding 'single'. Nothing may be fused (-ffp-contract=off). A core without an FPU uses
   requantize_soft.h, which gives the same numbers. */
#ifndef SPIKEPORT_ARITHMETIC_H
#define SPIKEPORT_ARITHMETIC_H

#include <stdint.h>

/* 1.5 * 2^23: adding and subtracting it rounds |x| < 2^22 to an integer, ties to even. */
#define ROUND_SHIFT 12582912.0f

/* rne(x) for |x| < 2^22. */
static inline int32_t round_half_even(float x) {
  return (int32_t)((x + ROUND_SHIFT) - ROUND_SHIFT);
}

/* clamp(rne(x) + zero_point, low, high), -128 <= low <= high <= 127: the bounds are integers, so clamping first changes nothing and keeps
   every conversion in range. */
static inline int8_t round_s8(float x, int32_t zero_point, int32_t low, int32_t high) {
  const float least = (float)(low - zero_point);
  const float most = (float)(high - zero_point);
  const float bounded = x < least ? least : (x > most ? most : x);
  return (int8_t)(round_half_even(bounded) + zero_point);
}

/* clamp(rne(fl32(fl32(sum) * scale)) + zero_point, low, high). */
static inline int8_t requantize_s8(int32_t sum, float scale, int32_t zero_point, int32_t low, int32_t high) {
  return round_s8((float)sum * scale, zero_point, low, high);
}

#endif
