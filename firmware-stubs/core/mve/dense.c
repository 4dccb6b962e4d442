/* Dense dot products of MVE: each vector of inputs meets four units. */
#include "../blocked/blocked.h"

void dense_dots(const int8_t *x, const int8_t *weights, size_t step, uint32_t count, int32_t zero_point, int32_t *sums) {
  const int8_t *a = weights, *b = a + step, *c = b + step, *d = c + step;
  int32_t total_a = 0, total_b = 0, total_c = 0, total_d = 0;
  for (int32_t left = (int32_t)count; left > 0; left -= 16) {
    const mve_pred16_t lanes = vctp8q((uint32_t)left);
    const int8x16_t v = vld1q_z_s8(x, lanes);
    const int8x16_t wa = vld1q_z_s8(a, lanes), wb = vld1q_z_s8(b, lanes), wc = vld1q_z_s8(c, lanes), wd = vld1q_z_s8(d, lanes);
    sums[0] = vmladavaq_s8(sums[0], v, wa);
    sums[1] = vmladavaq_s8(sums[1], v, wb);
    sums[2] = vmladavaq_s8(sums[2], v, wc);
    sums[3] = vmladavaq_s8(sums[3], v, wd);
    total_a = vaddvaq_s8(total_a, wa);
    total_b = vaddvaq_s8(total_b, wb);
    total_c = vaddvaq_s8(total_c, wc);
    total_d = vaddvaq_s8(total_d, wd);
    x += 16;
    a += 16;
    b += 16;
    c += 16;
    d += 16;
  }
  sums[0] -= zero_point * total_a;
  sums[1] -= zero_point * total_b;
  sums[2] -= zero_point * total_c;
  sums[3] -= zero_point * total_d;
}
