/* Rows of signs on 32-bit cores without SIMD and without an instruction that counts ones: sixteen words go through a carry-save adder tree for one
   count. */
#include "signs.h"

/* sum and carry of three bits in each of 32 columns; the sum is left in *sum. */
static inline uint32_t carry_save(uint32_t *sum, uint32_t a, uint32_t b) {
  const uint32_t half = *sum ^ a, other = a ^ b;
  *sum ^= other;
  return a ^ (half & other);
}

/* Adds eight words; gives the carry of the fours. */
static inline uint32_t add_eight(planes_t *p, const uint32_t *x, const uint32_t *w) {
  const uint32_t twos_a = carry_save(&p->ones, x[0] ^ w[0], x[1] ^ w[1]);
  const uint32_t twos_b = carry_save(&p->ones, x[2] ^ w[2], x[3] ^ w[3]);
  const uint32_t fours_a = carry_save(&p->twos, twos_a, twos_b);
  const uint32_t twos_c = carry_save(&p->ones, x[4] ^ w[4], x[5] ^ w[5]);
  const uint32_t twos_d = carry_save(&p->ones, x[6] ^ w[6], x[7] ^ w[7]);
  return carry_save(&p->fours, fours_a, carry_save(&p->twos, twos_c, twos_d));
}

static inline uint32_t row_differing(const uint32_t *x, const uint32_t *w, uint32_t words) {
  planes_t p = {0};
  uint32_t sixteens = 0;
  if (words & 8u) {
    p.eights = add_eight(&p, x, w);
    x += 8;
    w += 8;
  }
  for (uint32_t left = words / 16; left > 0;) {
    uint32_t carries = 0;
    for (uint32_t block = 0; block < CARRY_BLOCKS && left > 0; block++, left--) {
      const uint32_t eights = add_eight(&p, x, w);
      carries += nibble_ones(carry_save(&p.eights, eights, add_eight(&p, x + 8, w + 8)));
      x += 16;
      w += 16;
    }
    sixteens += nibble_sum(carries);
  }
  uint32_t total = 16 * sixteens + (words < 8 ? 0 : planes_sum(&p));
  for (words &= 7u; words > 0; words--) {
    total += count_ones(*x++ ^ *w++);
  }
  return total;
}

void sign_dots(const uint32_t *x, const uint32_t *weights, uint32_t words, uint32_t rows, int32_t *sums) {
  for (int32_t *end = sums + rows; sums != end; sums++) {
    *sums += (int32_t)(32 * words) - 2 * (int32_t)row_differing(x, weights, words);
    weights += words;
  }
}
