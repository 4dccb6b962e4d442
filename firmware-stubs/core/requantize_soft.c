/* Integer requantization (requantize_soft.h): 32-bit operations only, four 12-bit by 13-bit products, so that a Cortex-M0 needs no library call. */
#include "requantize_soft.h"

#define MANTISSA_BITS 24
#define LIMIT 65536

/* Leading zeros of x > 0. */
static uint32_t leading_zeros(uint32_t x) {
#if defined(__GNUC__)
  return (uint32_t)__builtin_clz(x);
#else
  uint32_t zeros = 0;
  while ((x & 0x80000000u) == 0) {
    x <<= 1;
    zeros++;
  }
  return zeros;
#endif
}

/* x / 2^shift rounded to even, 1 <= shift <= 31. */
static uint32_t shift_half_even(uint32_t x, uint32_t shift) {
  const uint32_t half = 1u << (shift - 1);
  const uint32_t rest = x & ((half << 1) - 1u);
  const uint32_t quotient = x >> shift;
  return quotient + (uint32_t)(rest > half || (rest == half && (quotient & 1u) != 0));
}

soft_scale_t soft_scale(uint32_t float_bits) {
  const uint32_t exponent = float_bits >> 23;
  const uint32_t fraction = float_bits & 0x7fffffu;
  if (exponent != 0) {
    return (soft_scale_t){fraction | 0x800000u, (int32_t)exponent - 150};
  }
  if (fraction == 0) {
    return (soft_scale_t){0, 0};
  }
  const uint32_t shift = leading_zeros(fraction) - (32 - MANTISSA_BITS);
  return (soft_scale_t){fraction << shift, -149 - (int32_t)shift};
}

/* The 24 most significant bits of a * b rounded to even; *exponent grows by what was cut. 2^23 <= b < 2^24, 2^23 <= a <= 2^24. */
static uint32_t multiply_half_even(uint32_t a, uint32_t b, int32_t *exponent) {
  const uint32_t a_high = a >> 12, a_low = a & 0xfffu;
  const uint32_t b_high = b >> 12, b_low = b & 0xfffu;
  const uint32_t middle = a_high * b_low + a_low * b_high;
  const uint32_t low_sum = a_low * b_low + ((middle & 0xfffu) << 12);
  uint32_t high = a_high * b_high + (middle >> 12) + (low_sum >> 24);
  uint32_t low = low_sum & 0xffffffu;
  *exponent += 24;
  if (high < 0x800000u) { /* 47 bits: take one more from below */
    high = (high << 1) | (low >> 23);
    low = (low << 1) & 0xffffffu;
    *exponent -= 1;
  }
  return high + (uint32_t)(low > 0x800000u || (low == 0x800000u && (high & 1u) != 0));
}

int32_t soft_scale_sum(int32_t sum, soft_scale_t scale) {
  if (sum == 0 || scale.mantissa == 0) {
    return 0;
  }
  uint32_t magnitude = sum < 0 ? 0u - (uint32_t)sum : (uint32_t)sum;
  int32_t exponent = scale.exponent;
  const int32_t excess = (32 - MANTISSA_BITS) - (int32_t)leading_zeros(magnitude);
  magnitude = excess > 0 ? shift_half_even(magnitude, (uint32_t)excess) : magnitude << (uint32_t)-excess;
  exponent += excess;
  uint32_t product = multiply_half_even(magnitude, scale.mantissa, &exponent);
  if (exponent > -7) { /* product >= 2^23, so the result is at least 2^17 */
    product = LIMIT;
  } else if (exponent < -31) {
    product = 0; /* product <= 2^24: below one half */
  } else {
    product = shift_half_even(product, (uint32_t)-exponent);
    product = product > LIMIT ? LIMIT : product;
  }
  return sum < 0 ? -(int32_t)product : (int32_t)product;
}
