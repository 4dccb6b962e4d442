/* The plain forms of spike.h. */
#include "spike.h"

void spike_start(int32_t *sums, const int32_t *bias, uint32_t channels, uint32_t pixels) {
  for (uint32_t p = 0; p < pixels; p++) {
    for (uint32_t o = 0; o < channels; o++) {
      *sums++ = bias == NULL ? 0 : bias[o];
    }
  }
}
