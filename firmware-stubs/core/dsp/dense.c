/* Dense dot products of the DSP extension: inputs are unpacked once for four units, 26 instructions for 16 products. */
#include "../blocked/blocked.h"

#define UNIT(sum)                    \
  "sxtb16 %[v], %[w]\n\t"            \
  "sxtb16 %[w], %[w], ror #8\n\t"    \
  "smlad " sum ", %[even], %[v], " sum "\n\t" \
  "smlad " sum ", %[odd], %[w], " sum "\n\t"

void dense_dots(const int8_t *x, const int8_t *weights, size_t step, uint32_t count, int32_t zero_point, int32_t *sums) {
  int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
  const uint32_t shift = both_halves(-zero_point);
  const size_t step3 = 3 * step;
  for (const int8_t *end = x + count / 4 * 4; x != end;) {
    uint32_t even, odd, w, v;
    __asm__ volatile(
        "ldr %[odd], [%[x]], #4\n\t"
        "sxtab16 %[even], %[shift], %[odd]\n\t"
        "sxtab16 %[odd], %[shift], %[odd], ror #8\n\t"
        "ldr %[w], [%[weights], %[step]]\n\t" UNIT("%[s1]")
        "ldr %[w], [%[weights], %[step], lsl #1]\n\t" UNIT("%[s2]")
        "ldr %[w], [%[weights], %[step3]]\n\t" UNIT("%[s3]")
        "ldr %[w], [%[weights]], #4\n\t" UNIT("%[s0]")
        : [x] "+r"(x), [weights] "+r"(weights), [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [even] "=&r"(even), [odd] "=&r"(odd),
          [w] "=&r"(w), [v] "=&r"(v)
        : [step] "r"(step), [step3] "r"(step3), [shift] "r"(shift)
        : "memory");
  }
  for (count %= 4; count > 0; count--) {
    const int32_t v = *x++ - zero_point;
    s0 += v * weights[0];
    s1 += v * weights[step];
    s2 += v * weights[2 * step];
    s3 += v * weights[step3];
    weights++;
  }
  sums[0] = s0;
  sums[1] = s1;
  sums[2] = s2;
  sums[3] = s3;
}
