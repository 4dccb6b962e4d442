/* Inner loops of the general layers (blocked/general_rows.h) in SIMD128: 128 products of signs by one xor and one count of ones. */
#include "simd128.h"

#include "../blocked/general_rows.h"
#include "../packed.h"

#include <wasm_simd128.h>

/* Vectors whose counts fit 8 bits together: 31 * 8 <= 255. */
#define MOST_VECTORS 31u
#define ROWS 4u

static inline v128_t differing(const uint32_t *a, v128_t b) {
  return wasm_i8x16_popcnt(wasm_v128_xor(wasm_v128_load(a), b));
}

static inline v128_t widen(v128_t counts) {
  return wasm_u32x4_extadd_pairwise_u16x8(wasm_u16x8_extadd_pairwise_u8x16(counts));
}

/* Sums of the lanes of a, b, c and d. */
static inline v128_t add_lanes(v128_t a, v128_t b, v128_t c, v128_t d) {
  const v128_t ab = wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), wasm_i32x4_shuffle(a, b, 2, 6, 3, 7));
  const v128_t cd = wasm_i32x4_add(wasm_i32x4_shuffle(c, d, 0, 4, 1, 5), wasm_i32x4_shuffle(c, d, 2, 6, 3, 7));
  return wasm_i32x4_add(wasm_i64x2_shuffle(ab, cd, 0, 2), wasm_i64x2_shuffle(ab, cd, 1, 3));
}

/* Four rows that lie `step` words apart, over `vectors` vectors: bits that differ. */
static v128_t four_rows(const uint32_t *x, const uint32_t *w, size_t step, uint32_t vectors) {
  v128_t total = wasm_i32x4_const_splat(0);
  while (vectors > 0) {
    const uint32_t group = vectors < MOST_VECTORS ? vectors : MOST_VECTORS;
    v128_t a = wasm_i8x16_const_splat(0), b = a, c = a, d = a;
    for (uint32_t i = 0; i < group; i++) {
      const v128_t v = wasm_v128_load(x);
      a = wasm_i8x16_add(a, differing(w, v));
      b = wasm_i8x16_add(b, differing(w + step, v));
      c = wasm_i8x16_add(c, differing(w + 2 * step, v));
      d = wasm_i8x16_add(d, differing(w + 3 * step, v));
      x += 4;
      w += 4;
    }
    total = wasm_i32x4_add(total, add_lanes(widen(a), widen(b), widen(c), widen(d)));
    vectors -= group;
  }
  return total;
}

static void add_row(const uint32_t *x, const uint32_t *w, uint32_t words, int32_t *sum) {
  uint32_t total = 0;
  for (uint32_t i = 0; i < words; i++) {
    total += (uint32_t)__builtin_popcount(x[i] ^ w[i]);
  }
  *sum -= 2 * (int32_t)total;
}

void sign_dots(const uint32_t *x, const uint32_t *weights, uint32_t words, uint32_t rows, int32_t *sums) {
  const uint32_t whole = words & ~3u;
  for (uint32_t r = 0; r < rows; r++) {
    sums[r] += (int32_t)(32 * words);
  }
  for (; rows >= ROWS; rows -= ROWS) {
    const v128_t differ = four_rows(x, weights, words, whole / 4);
    wasm_v128_store(sums, wasm_i32x4_sub(wasm_v128_load(sums), wasm_i32x4_shl(differ, 1)));
    for (uint32_t r = 0; r < ROWS && whole != words; r++) {
      add_row(x + whole, weights + r * words + whole, words - whole, sums + r);
    }
    weights += ROWS * words;
    sums += ROWS;
  }
  for (; rows > 0; rows--) {
    add_row(x, weights, words, sums++);
    weights += words;
  }
}

static inline int32_t sum_lanes(v128_t v) {
  return wasm_i32x4_extract_lane(v, 0) + wasm_i32x4_extract_lane(v, 1) + wasm_i32x4_extract_lane(v, 2) + wasm_i32x4_extract_lane(v, 3);
}

int32_t selected_sum(const int16_t *x, const uint32_t *weights, size_t at, uint32_t count) {
  const v128_t lanes = wasm_i16x8_const(1, 2, 4, 8, 16, 32, 64, 128), one = wasm_i16x8_const_splat(1);
  v128_t total = wasm_i32x4_const_splat(0);
  for (; count >= 32; count -= 32) {
    uint32_t bits = packed_run(weights, at, 32);
    for (uint32_t i = 0; i < 4; i++) {
      const v128_t selected = wasm_i16x8_eq(wasm_v128_and(wasm_i16x8_splat((int16_t)(bits & 255u)), lanes), lanes);
      total = wasm_i32x4_add(total, wasm_i32x4_dot_i16x8(wasm_v128_and(wasm_v128_load(x), selected), one));
      bits >>= 8;
      x += 8;
    }
    at += 32;
  }
  int32_t sum = sum_lanes(total);
  for (uint32_t i = 0; i < count; i++) {
    sum += (weights[(at + i) >> 5] >> ((at + i) & 31u)) & 1u ? x[i] : 0;
  }
  return sum;
}

void dense_dots(const int8_t *x, const int8_t *weights, size_t step, uint32_t count, int32_t zero_point, int32_t *sums) {
  const v128_t shift = wasm_i16x8_splat((int16_t)zero_point);
  v128_t totals[ROWS] = {wasm_i32x4_const_splat(0), wasm_i32x4_const_splat(0), wasm_i32x4_const_splat(0), wasm_i32x4_const_splat(0)};
  uint32_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const v128_t v = wasm_i16x8_sub(wasm_i16x8_load8x8(x + i), shift);
    for (uint32_t u = 0; u < ROWS; u++) {
      totals[u] = wasm_i32x4_add(totals[u], wasm_i32x4_dot_i16x8(v, wasm_i16x8_load8x8(weights + u * step + i)));
    }
  }
  for (uint32_t u = 0; u < ROWS; u++) {
    int32_t sum = sums[u] + sum_lanes(totals[u]);
    for (uint32_t k = i; k < count; k++) {
      sum += (x[k] - zero_point) * weights[u * step + k];
    }
    sums[u] = sum;
  }
}

void general_dense_simd(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (net->prepared == NULL ? general_dense : general_dense_rows)(net, node, arena, prepared, scratch);
}

void general_conv2d_simd(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (net->prepared == NULL ? general_conv2d : general_conv2d_rows)(net, node, arena, prepared, scratch);
}
