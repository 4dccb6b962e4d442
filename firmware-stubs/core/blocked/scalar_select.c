/* Sums of selected inputs, without a branch: a bit of the weights becomes a mask. */
#include "../packed.h"
#include "general_rows.h"

#define SELECT(i) sum += x[i] & -(int32_t)((bits >> (i)) & 1u)

int32_t selected_sum(const int16_t *x, const uint32_t *weights, size_t at, uint32_t count) {
  int32_t sum = 0;
  for (; count >= 32; count -= 32) {
    uint32_t bits = packed_run(weights, at, 32);
    for (uint32_t i = 0; i < 4; i++) {
      SELECT(0), SELECT(1), SELECT(2), SELECT(3), SELECT(4), SELECT(5), SELECT(6), SELECT(7);
      bits >>= 8;
      x += 8;
    }
    at += 32;
  }
  for (uint32_t i = 0; i < count; i++) {
    sum += x[i] & -(int32_t)((weights[(at + i) >> 5] >> ((at + i) & 31u)) & 1u);
  }
  return sum;
}
