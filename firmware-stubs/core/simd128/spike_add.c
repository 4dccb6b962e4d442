/* spike_add() with SIMD128: sixteen sums at a time. */
#include <wasm_simd128.h>

#include "../spike.h"

static inline void add_four(int32_t *sums, v128_t four) {
  wasm_v128_store(sums, wasm_i32x4_add(wasm_v128_load(sums), four));
}

void spike_add(int32_t *sums, const int8_t *weights, uint32_t count, int32_t x) {
  const v128_t factor = wasm_i16x8_splat((int16_t)x);
  uint32_t o = 0;
  for (; o + 16 <= count; o += 16) {
    const v128_t w = wasm_v128_load(weights + o);
    const v128_t low = wasm_i16x8_mul(wasm_i16x8_extend_low_i8x16(w), factor); /* |127 * 255| < 2^15 */
    const v128_t high = wasm_i16x8_mul(wasm_i16x8_extend_high_i8x16(w), factor);
    add_four(sums + o, wasm_i32x4_extend_low_i16x8(low));
    add_four(sums + o + 4, wasm_i32x4_extend_high_i16x8(low));
    add_four(sums + o + 8, wasm_i32x4_extend_low_i16x8(high));
    add_four(sums + o + 12, wasm_i32x4_extend_high_i16x8(high));
  }
  for (; o < count; o++) {
    sums[o] += x * weights[o];
  }
}
