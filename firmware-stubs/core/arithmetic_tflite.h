/* Rounding 'tflite' of docs/arithmetic.md: the fixed-point steps of TensorFlow Lite Micro's reference kernels, the same numbers as
   src/network/arithmetic-tflite.ts. A left shift saturates, so that nothing is undefined. */
#ifndef SPIKEPORT_ARITHMETIC_TFLITE_H
#define SPIKEPORT_ARITHMETIC_TFLITE_H

#include <stdint.h>

/* A factor q * 2^(shift - 31): 0 <= q, -31 <= shift <= 31. */
typedef struct {
  int32_t q;
  int32_t shift;
} fixed_t;

static inline int32_t saturate_s32(int64_t x) {
  return x > INT32_MAX ? INT32_MAX : (x < INT32_MIN ? INT32_MIN : (int32_t)x);
}

/* floor((a * b + 2^30) / 2^31) for |a * b| < 2^62; the sum is made positive, so that its shift is defined. */
static inline int32_t fixed_high_multiply(int32_t a, int32_t b) {
  const int64_t product = (int64_t)a * b + ((int64_t)1 << 30);
  return (int32_t)((int64_t)((uint64_t)(product + ((int64_t)1 << 62)) >> 31) - ((int64_t)1 << 31));
}

/* x / 2^exponent, half away from zero, 0 <= exponent <= 62. */
static inline int32_t fixed_divide(int32_t x, uint32_t exponent) {
  const uint64_t magnitude = x < 0 ? 0u - (uint64_t)(int64_t)x : (uint64_t)x;
  const int32_t quotient = (int32_t)((magnitude + (((uint64_t)1 << exponent) >> 1)) >> exponent);
  return x < 0 ? -quotient : quotient;
}

/* x * q * 2^(shift - 31) in two roundings. */
static inline int32_t fixed_multiply(int32_t x, fixed_t f) {
  if (f.shift > 0) {
    return fixed_high_multiply(saturate_s32((int64_t)x * ((int64_t)1 << f.shift)), f.q);
  }
  return fixed_divide(fixed_high_multiply(x, f.q), (uint32_t)-f.shift);
}

/* clamp(fixed_multiply(sum, f) + zero_point, low, high). */
static inline int8_t requantize_fixed_s8(int32_t sum, fixed_t f, int32_t zero_point, int32_t low, int32_t high) {
  const int64_t y = (int64_t)fixed_multiply(sum, f) + zero_point;
  return (int8_t)(y < low ? low : (y > high ? high : y));
}

#endif
