/* The integer cross-entropy, as src/tune/units/cross-entropy.ts defines it. */
#include "tables.h"
#include "tune.h"

#define EXP_END (12 * 1024)
#define LARGEST_DIFFERENCE (1 << 22)
#define LN2_Q16 45426

/* exp(-t / 1024) in Q15, 0 <= t < EXP_END. */
static uint32_t exponential(uint32_t t) {
  return (uint32_t)(((uint64_t)TUNE_EXP_HIGH[t >> 5] * TUNE_EXP_LOW[t & 31] + (1u << 29)) >> 30);
}

/* ln(sum / 2^15) in Q12, 2^15 <= sum < 2^31. */
static int32_t log_q12(uint32_t sum) {
  const int32_t octave = 31 - __builtin_clz(sum);
  const uint32_t fraction = (sum << (31 - octave)) & 0x7fffffffu;
  const uint32_t at = fraction >> 23;
  const uint32_t low = TUNE_LOG[at];
  const uint32_t between = ((TUNE_LOG[at + 1] - low) * ((fraction >> 7) & 0xffffu)) >> 16;
  return ((octave - 15) * LN2_Q16 + (int32_t)(low + between) + 8) >> 4;
}

int32_t tune_cross_entropy(const tune_head_t *head, const int32_t *scores, int32_t classes, int32_t label) {
  int32_t largest = scores[0];
  for (int32_t c = 1; c < classes; c++) {
    largest = scores[c] > largest ? scores[c] : largest;
  }
  const uint64_t half = head->shift == 0 ? 0 : (uint64_t)1 << (head->shift - 1);
  uint32_t sum = 0;
  int64_t of_label = 0, total = 0;
  for (int32_t c = 0; c < classes; c++) {
    const uint32_t below = (uint32_t)largest - (uint32_t)scores[c];
    const uint64_t scaled = (below * (uint64_t)head->factor + half) >> head->shift;
    const uint32_t t = scaled < LARGEST_DIFFERENCE ? (uint32_t)scaled : LARGEST_DIFFERENCE;
    sum += t < EXP_END ? exponential(t) : 0;
    of_label = c == label ? t : of_label;
    total += t;
  }
  if (head->smoothing == 0) {
    return log_q12(sum) + (int32_t)(4 * of_label);
  }
  const int64_t target = 4 * ((256 - head->smoothing) * of_label * classes + head->smoothing * total) / (256 * (int64_t)classes);
  return log_q12(sum) + (int32_t)target;
}
