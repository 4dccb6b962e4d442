/* The part of FEAST's renormalisation that every build shares: weights far longer than 1. */
#include "feast_kernels.h"

uint32_t feast_renormalise_wide(int16_t *weights, uint32_t length, uint64_t squares) {
  const int64_t factor = 3 * ((int64_t)1 << 30) - (int64_t)squares; /* at most 0 here */
  uint32_t cut = 0;
  for (uint32_t k = 0; k < length; k++) {
    if (weights[k] * factor + ((int64_t)1 << 30) < 0) {
      cut++;
    }
    weights[k] = 0;
  }
  return cut;
}
