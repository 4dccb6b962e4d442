/* Blocks of cores without SIMD: a tap is four 32-bit numbers, one a position, so that a multiply needs no unpacking. */
#include "blocked.h"

void block_expand(uint32_t *block, uint32_t tap, uint32_t position, const int8_t *run, uint32_t count, int32_t zero_point) {
  int32_t *to = (int32_t *)(void *)block + tap * BLOCK_POSITIONS + position;
  for (; count >= 4; count -= 4) {
    to[0] = run[0] - zero_point;
    to[BLOCK_POSITIONS] = run[1] - zero_point;
    to[2 * BLOCK_POSITIONS] = run[2] - zero_point;
    to[3 * BLOCK_POSITIONS] = run[3] - zero_point;
    run += 4;
    to += 4 * BLOCK_POSITIONS;
  }
  for (; count > 0; count--) {
    *to = *run++ - zero_point;
    to += BLOCK_POSITIONS;
  }
}
