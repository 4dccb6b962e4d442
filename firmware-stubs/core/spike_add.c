/* spike_add() for any machine, four sums at a time. */
#include "spike.h"

void spike_add(int32_t *sums, const int8_t *weights, uint32_t count, int32_t x) {
  const int8_t *end = weights + (count & ~3u);
  if (x == 1) {
    while (weights != end) {
      sums[0] += weights[0];
      sums[1] += weights[1];
      sums[2] += weights[2];
      sums[3] += weights[3];
      sums += 4;
      weights += 4;
    }
  } else {
    for (; weights != end; weights += 4, sums += 4) {
      sums[0] += x * weights[0];
      sums[1] += x * weights[1];
      sums[2] += x * weights[2];
      sums[3] += x * weights[3];
    }
  }
  for (uint32_t o = 0; o < (count & 3u); o++) {
    sums[o] += x * weights[o];
  }
}
