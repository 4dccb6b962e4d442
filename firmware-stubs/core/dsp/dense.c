/* Dense dot products of the DSP extension: inputs are unpacked once for four units. */
#include "../blocked/blocked.h"

void dense_dots(const int8_t *x, const int8_t *const *weights, uint32_t count, int32_t zero_point, int32_t *sums) {
  const int8_t *a = weights[0], *b = weights[1], *c = weights[2], *d = weights[3];
  int32_t sum_a = sums[0], sum_b = sums[1], sum_c = sums[2], sum_d = sums[3];
  const uint32_t shift = both_halves(-zero_point);
  for (const int8_t *end = x + count / 4 * 4; x != end; x += 4) {
    const uint32_t word = load_word(x);
    const uint32_t even = add_even_bytes(shift, word), odd = add_odd_bytes(shift, word);
    uint32_t w = load_word(a);
    a += 4;
    sum_a = dot_halves(even, even_bytes(w), sum_a);
    sum_a = dot_halves(odd, odd_bytes(w), sum_a);
    w = load_word(b);
    b += 4;
    sum_b = dot_halves(even, even_bytes(w), sum_b);
    sum_b = dot_halves(odd, odd_bytes(w), sum_b);
    w = load_word(c);
    c += 4;
    sum_c = dot_halves(even, even_bytes(w), sum_c);
    sum_c = dot_halves(odd, odd_bytes(w), sum_c);
    w = load_word(d);
    d += 4;
    sum_d = dot_halves(even, even_bytes(w), sum_d);
    sum_d = dot_halves(odd, odd_bytes(w), sum_d);
  }
  for (count %= 4; count > 0; count--) {
    const int32_t v = *x++ - zero_point;
    sum_a += v * *a++;
    sum_b += v * *b++;
    sum_c += v * *c++;
    sum_d += v * *d++;
  }
  sums[0] = sum_a;
  sums[1] = sum_b;
  sums[2] = sum_c;
  sums[3] = sum_d;
}
