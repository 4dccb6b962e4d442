/* The rare, exact half of fast_scale.h. */
#include "fast_scale.h"

int32_t fast_scale_exact(int32_t sum, uint32_t bits) {
  return soft_scale_sum(sum, soft_scale(bits));
}
