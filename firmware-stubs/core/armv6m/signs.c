/* Rows of signs on ARMv6-M: the carry-save adder tree with its planes in r6 and high registers. */
#include "../blocked/signs.h"

/* sum: sum of the three; a: carry; b and t are lost. */
#define CARRY_SAVE(sum, a, b, t) \
  "movs " t ", " sum "\n\t"      \
  "eors " t ", " a "\n\t"        \
  "eors " b ", " a "\n\t"        \
  "eors " sum ", " b "\n\t"      \
  "ands " t ", " b "\n\t"        \
  "eors " a ", " t "\n\t"

/* Two words into the ones; the carry is left in r2. */
#define PAIR               \
  "ldm r0!, {r2, r3}\n\t"  \
  "ldm r1!, {r4, r5}\n\t"  \
  "eors r2, r4\n\t"        \
  "eors r3, r5\n\t" CARRY_SAVE("r6", "r2", "r3", "r4")

/* Four words; the carry of the twos is left in r7. */
#define QUAD                                     \
  PAIR "movs r7, r2\n\t" PAIR "mov r3, r8\n\t" \
  CARRY_SAVE("r3", "r7", "r2", "r4") "mov r8, r3\n\t"

/* Eight words; the carry of the fours is left in r7. */
#define EIGHT                                                        \
  QUAD "mov r10, r7\n\t" QUAD "mov r3, r9\n\tmov r2, r10\n\t"        \
  CARRY_SAVE("r3", "r7", "r2", "r4") "mov r9, r3\n\t"

static inline __attribute__((always_inline)) uint32_t row_differing(const uint32_t *from, const uint32_t *weights, uint32_t words) {
  register const uint32_t *x __asm__("r0") = from;
  register const uint32_t *w __asm__("r1") = weights;
  register uint32_t ones __asm__("r6") = 0;
  register uint32_t twos __asm__("r8") = 0;
  register uint32_t fours __asm__("r9") = 0;
  register uint32_t carry __asm__("r7");
  uint32_t eights = 0, sixteens = 0;
  if (words & 8u) {
    __asm__ volatile(".syntax unified\n\t" EIGHT
                     : "+r"(x), "+r"(w), "+r"(ones), "+r"(twos), "+r"(fours), "=r"(carry)
                     :
                     : "r2", "r3", "r4", "r5", "r10", "cc", "memory");
    eights = carry;
  }
  register uint32_t plane __asm__("r12") = eights;
  for (uint32_t left = words / 16; left > 0; left--) {
    __asm__ volatile(".syntax unified\n\t" EIGHT "mov r11, r7\n\t" EIGHT "mov r3, r12\n\tmov r2, r11\n\t" CARRY_SAVE("r3", "r7", "r2", "r4") "mov r12, r3\n\t"
                     : "+r"(x), "+r"(w), "+r"(ones), "+r"(twos), "+r"(fours), "+r"(plane), "=r"(carry)
                     :
                     : "r2", "r3", "r4", "r5", "r10", "r11", "cc", "memory");
    sixteens += count_ones(carry);
  }
  const planes_t p = {ones, twos, fours, plane};
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
