/* FEAST's loops with SIMD128, the same bits as ../feast_kernels.c. Weights stay in 16 bits; i32x4.dot_i16x8 sums their products by pairs. */
#include "../feast_kernels.h"

#include <wasm_simd128.h>

/* Ages of eight stamps, 256 where there is none. */
static v128_t ages_of(v128_t low, const uint16_t *stamps) {
  const v128_t stamp = wasm_v128_load(stamps);
  const v128_t age = wasm_v128_and(wasm_i16x8_sub(low, stamp), wasm_i16x8_splat(FEAST_TICK_MASK));
  const v128_t never = wasm_i16x8_eq(stamp, wasm_i16x8_splat(0));
  return wasm_u16x8_min(wasm_v128_or(age, never), wasm_i16x8_splat(FEAST_STALE));
}

static int32_t sum_lanes(v128_t sums) {
  return wasm_i32x4_extract_lane(sums, 0) + wasm_i32x4_extract_lane(sums, 1) + wasm_i32x4_extract_lane(sums, 2) + wasm_i32x4_extract_lane(sums, 3);
}

uint32_t feast_read_context(const feast_window_t *window, int16_t *context) {
  const v128_t low = wasm_i16x8_splat((int16_t)window->low);
  const uint8_t *table = window->table;
  const uint16_t *row = window->first;
  int16_t *at = context;
  uint16_t ages[32];
  for (uint32_t y = 0; y < window->side; y++, row += window->stride) {
    for (uint32_t x = 0; x < window->side; x += 8) {
      wasm_v128_store(ages + x, ages_of(low, row + x));
    }
    for (uint32_t x = 0; x < window->side; x++) {
      *at++ = (int16_t)(ages[x] < FEAST_STALE ? table[ages[x]] : 0);
    }
  }
  const uint32_t length = (window->side * window->side + 7) & ~7u;
  v128_t squares = wasm_i32x4_splat(0);
  for (uint32_t k = 0; k < length; k += 8) {
    const v128_t values = wasm_v128_load(context + k);
    squares = wasm_i32x4_add(squares, wasm_i32x4_dot_i16x8(values, values));
  }
  return (uint32_t)sum_lanes(squares);
}

/* Lanes summed: {a, b, c, d}. */
static v128_t sum_across(v128_t a, v128_t b, v128_t c, v128_t d) {
  const v128_t ab = wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), wasm_i32x4_shuffle(a, b, 2, 6, 3, 7)); /* a b a b */
  const v128_t cd = wasm_i32x4_add(wasm_i32x4_shuffle(c, d, 0, 4, 1, 5), wasm_i32x4_shuffle(c, d, 2, 6, 3, 7));
  return wasm_i32x4_add(wasm_i64x2_shuffle(ab, cd, 0, 2), wasm_i64x2_shuffle(ab, cd, 1, 3));
}

void feast_scores(const int16_t *rows, const int16_t *context, uint32_t feature_rows, uint32_t row_length, int32_t *scores) {
  for (uint32_t n = 0; n < feature_rows; n += 4) {
    const int16_t *a = rows + n * row_length, *b = a + row_length, *c = b + row_length, *d = c + row_length;
    v128_t sum_a = wasm_i32x4_splat(0), sum_b = sum_a, sum_c = sum_a, sum_d = sum_a;
    for (uint32_t k = 0; k < row_length; k += 8) {
      const v128_t value = wasm_v128_load(context + k);
      sum_a = wasm_i32x4_add(sum_a, wasm_i32x4_dot_i16x8(value, wasm_v128_load(a + k)));
      sum_b = wasm_i32x4_add(sum_b, wasm_i32x4_dot_i16x8(value, wasm_v128_load(b + k)));
      sum_c = wasm_i32x4_add(sum_c, wasm_i32x4_dot_i16x8(value, wasm_v128_load(c + k)));
      sum_d = wasm_i32x4_add(sum_d, wasm_i32x4_dot_i16x8(value, wasm_v128_load(d + k)));
    }
    wasm_v128_store(scores + n, sum_across(sum_a, sum_b, sum_c, sum_d));
  }
}

/* A root in double is rounded correctly, and the floor of it is exact for 32 bits. */
uint32_t feast_root(uint32_t n) {
  return (uint32_t)__builtin_sqrt((double)n);
}

static v128_t cut_q15(v128_t values) {
  return wasm_i32x4_min(wasm_i32x4_max(values, wasm_i32x4_splat(0)), wasm_i32x4_splat(FEAST_MAX));
}

/* weight + ((context inverse >> 12) - weight + half) >> shift, cut. */
static v128_t moved(v128_t weight, v128_t context, v128_t inverse, v128_t half, uint32_t shift) {
  const v128_t target = wasm_u32x4_shr(wasm_i32x4_mul(context, inverse), 12);
  return cut_q15(wasm_i32x4_add(weight, wasm_i32x4_shr(wasm_i32x4_add(wasm_i32x4_sub(target, weight), half), shift)));
}

uint64_t feast_move_weights(int16_t *weights, const int16_t *context, uint32_t length, uint32_t inverse, uint32_t shift) {
  const v128_t inverses = wasm_i32x4_splat((int32_t)inverse), half = wasm_i32x4_splat(1 << (shift - 1));
  v128_t squares = wasm_i64x2_splat(0);
  uint32_t k = 0;
  for (; k + 8 <= length; k += 8) {
    const v128_t w = wasm_v128_load(weights + k), c = wasm_v128_load(context + k);
    const v128_t first = moved(wasm_u32x4_extend_low_u16x8(w), wasm_u32x4_extend_low_u16x8(c), inverses, half, shift);
    const v128_t second = moved(wasm_u32x4_extend_high_u16x8(w), wasm_u32x4_extend_high_u16x8(c), inverses, half, shift);
    const v128_t both = wasm_i16x8_narrow_i32x4(first, second);
    wasm_v128_store(weights + k, both);
    const v128_t pairs = wasm_i32x4_dot_i16x8(both, both); /* below 2^31 */
    squares = wasm_i64x2_add(squares, wasm_i64x2_add(wasm_u64x2_extend_low_u32x4(pairs), wasm_u64x2_extend_high_u32x4(pairs)));
  }
  uint64_t sum = (uint64_t)(wasm_i64x2_extract_lane(squares, 0) + wasm_i64x2_extract_lane(squares, 1));
  for (; k < length; k++) {
    const int32_t target = (int32_t)(((uint32_t)context[k] * inverse) >> 12);
    const int32_t step = (int32_t)((uint32_t)(target - weights[k] + (1 << (shift - 1)) + (1 << 16)) >> shift) - ((1 << 16) >> shift);
    const int32_t weight = feast_cut(weights[k] + step);
    weights[k] = (int16_t)weight;
    sum += (uint32_t)(weight * weight);
  }
  return sum;
}

static v128_t scaled(v128_t weight, v128_t high, v128_t low) {
  const v128_t part = wasm_i32x4_add(wasm_i32x4_mul(weight, high), wasm_u32x4_shr(wasm_i32x4_mul(weight, low), 16));
  return wasm_i32x4_add(weight, wasm_i32x4_shr(wasm_i32x4_add(part, wasm_i32x4_splat(1 << 14)), 15));
}

uint32_t feast_renormalise(int16_t *weights, uint32_t length, uint64_t squares) {
  const feast_excess_t excess = feast_excess(squares);
  if (excess.high < FEAST_LEAST_EXCESS) {
    return feast_renormalise_wide(weights, length, squares);
  }
  const v128_t high = wasm_i32x4_splat(excess.high), low = wasm_i32x4_splat((int32_t)excess.low);
  v128_t cuts = wasm_i32x4_splat(0); /* -1 for each weight that was cut */
  uint32_t k = 0;
  for (; k + 8 <= length; k += 8) {
    const v128_t w = wasm_v128_load(weights + k);
    const v128_t first = scaled(wasm_u32x4_extend_low_u16x8(w), high, low), second = scaled(wasm_u32x4_extend_high_u16x8(w), high, low);
    const v128_t kept_first = cut_q15(first), kept_second = cut_q15(second);
    cuts = wasm_i32x4_add(cuts, wasm_i32x4_add(wasm_i32x4_ne(first, kept_first), wasm_i32x4_ne(second, kept_second)));
    wasm_v128_store(weights + k, wasm_i16x8_narrow_i32x4(kept_first, kept_second));
  }
  uint32_t cut = (uint32_t)-sum_lanes(cuts);
  for (; k < length; k++) {
    const int32_t value = feast_scaled(weights[k], excess);
    const int32_t kept = feast_cut(value);
    cut += kept != value;
    weights[k] = (int16_t)kept;
  }
  return cut;
}

void feast_round_row(const int16_t *weights, uint32_t length, int16_t *row) {
  uint32_t k = 0;
  for (; k + 8 <= length; k += 8) {
    const v128_t rounded = wasm_u16x8_shr(wasm_i16x8_add(wasm_v128_load(weights + k), wasm_i16x8_splat(128)), 8);
    wasm_v128_store(row + k, wasm_i16x8_min(rounded, wasm_i16x8_splat(127)));
  }
  for (; k < length; k++) {
    const int32_t rounded = (weights[k] + 128) >> 8;
    row[k] = (int16_t)(rounded > 127 ? 127 : rounded);
  }
}
