/* kernels.h in wasm SIMD: 8 products of int16 at a time. */
#ifndef SPIKEPORT_TUNE_SIMD128_KERNELS_H
#define SPIKEPORT_TUNE_SIMD128_KERNELS_H

#include <stdint.h>
#include <wasm_simd128.h>

static inline void add_row(int32_t *sums, const int16_t *weights, int32_t x, int32_t row) {
  const v128_t factor = wasm_i16x8_splat((int16_t)x);
  for (int32_t i = 0; i < row; i += 8) {
    const v128_t w = wasm_v128_load(weights + i);
    wasm_v128_store(sums + i, wasm_i32x4_add(wasm_v128_load(sums + i), wasm_i32x4_extmul_low_i16x8(w, factor)));
    wasm_v128_store(sums + i + 4, wasm_i32x4_add(wasm_v128_load(sums + i + 4), wasm_i32x4_extmul_high_i16x8(w, factor)));
  }
}

static inline void add_costs(int32_t *costs, const int32_t *losses, int32_t size, int32_t row) {
  const v128_t factor = wasm_i32x4_splat(size);
  for (int32_t i = 0; i < row; i += 4) {
    wasm_v128_store(costs + i, wasm_i32x4_add(wasm_v128_load(costs + i), wasm_i32x4_mul(wasm_v128_load(losses + i), factor)));
  }
}

/* |weight| <= 128 and |x| <= 255, so the products fit int16. */
static inline uint32_t leaving(const int16_t *weights, int32_t x, const int16_t *below, const int16_t *above) {
  const v128_t change = wasm_i16x8_mul(wasm_v128_load(weights), wasm_i16x8_splat((int16_t)x));
  return wasm_i16x8_bitmask(wasm_v128_or(wasm_i16x8_lt(change, wasm_v128_load(below)), wasm_i16x8_gt(change, wasm_v128_load(above))));
}

#endif
