/* Requantization without an FPU in a few instructions: 16-bit factors give the result with a known error, and only where that error could change
   the rounding (2.4 % of sums) the exact requantize_soft.h decides. Same numbers as requantize_s8(). */
#ifndef SPIKEPORT_FAST_SCALE_H
#define SPIKEPORT_FAST_SCALE_H

#include "../requantize_soft.h"

/* Fraction bits of the approximate result. */
#define FAST_FRACTION 22
/* Bound of the error in units of 2^-22: sum cut to 16 bits and centred (2^15), factor rounded to 16 bits (2^14), float32's two roundings of a
   result below 256 (2 * 64), halves rounded away. */
#define FAST_ERROR (32768 + 16384 + 128 + 8)
/* A sum cut to more than this gives at least 255, which is beyond every bound once the zero point is added; up to it, 31 bits hold everything. */
#define FAST_MOST 32650u

/* A scale of float32 bits `bits` is about factor * 2^-(22 + shift), 2^15 <= factor <= 2^16. shift < 0 or > 31: always exact. */
typedef struct {
  int32_t factor;
  int32_t shift;
  int32_t start; /* half of the factor (centres the cut sum) and half a unit of the result */
  uint32_t bits;
} fast_scale_t;

static inline fast_scale_t fast_scale(uint32_t bits) {
  const int32_t factor = (int32_t)((((bits & 0x7fffffu) | 0x800000u) + 0x80u) >> 8);
  return (fast_scale_t){factor, 120 - (int32_t)(bits >> 23), (factor >> 1) + (1 << (FAST_FRACTION - 1)), bits};
}

/* The exact way; not inlined, it is rare. */
int32_t fast_scale_exact(int32_t sum, uint32_t bits);

/* rne(fl32(fl32(sum) * scale)), exact below 255 in magnitude; from there on some number of at least 255 with the same sign. */
static inline int32_t fast_scale_sum(int32_t sum, const fast_scale_t *s) {
  if ((uint32_t)s->shift > 31u) {
    return fast_scale_exact(sum, s->bits);
  }
  const int32_t cut = sum >> s->shift;
  if ((uint32_t)cut + FAST_MOST > 2 * FAST_MOST) {
    return cut < 0 ? -512 : 512;
  }
  const int32_t scaled = cut * s->factor + s->start;
  if (((uint32_t)scaled + FAST_ERROR) << (32 - FAST_FRACTION) < (uint32_t)(2 * FAST_ERROR) << (32 - FAST_FRACTION)) {
    return fast_scale_exact(sum, s->bits);
  }
  return scaled >> FAST_FRACTION;
}

static inline int8_t fast_scale_s8(int32_t sum, const fast_scale_t *s, int32_t zero_point, int32_t low, int32_t high) {
  const int32_t y = fast_scale_sum(sum, s) + zero_point;
  return (int8_t)(y < low ? low : (y > high ? high : y));
}

#endif
