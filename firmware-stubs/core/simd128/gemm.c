/* The matrix product of gemm.h. Weights of a group stay in the cache while all rows pass; sums stay in registers from bias to emission. Loops of
   whole tiles (four rows by eight outputs) contain nothing else: what is left over goes through functions that are not inlined, because
   V8 would spill the registers of the whole loop around them. The innermost loops are not unrolled: V8 spills then, too. */
#include "gemm.h"

#define UNROLL _Pragma("clang loop unroll(full)")
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))

/* How sums leave. */
typedef enum { BOUNDED, CLAMPED, SUMS } mode_t;

/* Four rows by two vectors of four outputs. */
typedef struct {
  v128_t sums[4][2];
} tile_t;

/* The sums of one tile; at[r] is where row r starts. */
INLINE tile_t tile_sums(const gemm_t *g, uint32_t group, const int16_t *const rows[4]) {
  const v128_t b0 = wasm_v128_load(g->bias + group * GROUP), b1 = wasm_v128_load(g->bias + group * GROUP + 4);
  tile_t t = {{{b0, b1}, {b0, b1}, {b0, b1}, {b0, b1}}};
  const int16_t *w = g->weights + group * gemm_group_elements(g);
  for (uint32_t s = 0; s < g->segment_count; s++) {
    const int32_t offset = g->segments[s];
    const int16_t *at[4] = {rows[0] + offset, rows[1] + offset, rows[2] + offset, rows[3] + offset};
    for (uint32_t pairs = g->pairs; pairs > 0; pairs--) {
      const v128_t w0 = wasm_v128_load(w), w1 = wasm_v128_load(w + 8);
      w += 2 * GROUP;
      UNROLL for (int r = 0; r < 4; r++) {
        const v128_t x = wasm_v128_load32_splat(at[r]);
        t.sums[r][0] = wasm_i32x4_add(t.sums[r][0], wasm_i32x4_dot_i16x8(x, w0));
        t.sums[r][1] = wasm_i32x4_add(t.sums[r][1], wasm_i32x4_dot_i16x8(x, w1));
        at[r] += 2;
      }
    }
  }
  return t;
}

/* Eight requantized sums as int16. */
INLINE v128_t emit_group(const gemm_t *g, const emit8_t *e, uint32_t group, const v128_t sums[2], mode_t mode) {
  const float *scales = g->scales + group * GROUP;
  return emit_sums(e, sums[0], sums[1], wasm_v128_load(scales), wasm_v128_load(scales + 4), mode == BOUNDED);
}

INLINE void store_whole(const gemm_t *g, uint32_t group, const tile_t *t, uint32_t first, gemm_target_t target, mode_t mode) {
  const size_t stride = g->outputs, at = first * stride + group * GROUP;
  if (mode == SUMS) {
    int32_t *out = (int32_t *)target.out + at;
    UNROLL for (uint32_t r = 0; r < 4; r++) {
      wasm_v128_store(out + r * stride, t->sums[r][0]);
      wasm_v128_store(out + r * stride + 4, t->sums[r][1]);
    }
    return;
  }
  int8_t *out = (int8_t *)target.out + at;
  UNROLL for (uint32_t r = 0; r < 4; r += 2) {
    const v128_t one = emit_group(g, target.emit, group, t->sums[r], mode);
    const v128_t bytes = emit_narrow(target.emit, one, emit_group(g, target.emit, group, t->sums[r + 1], mode));
    emit_store8(out + r * stride, bytes);
    emit_store8(out + (r + 1) * stride, emit_upper(bytes));
  }
}

/* Rows first..first + 3 of a whole group, as often as they fit. Returns the number of rows done. */
INLINE uint32_t whole_tiles(const gemm_t *g, uint32_t group, const int16_t *input, const int32_t *rows, uint32_t row_count, gemm_target_t target, mode_t mode) {
  uint32_t first = 0;
  for (; first + 4 <= row_count; first += 4) {
    const int16_t *const at[4] = {input + rows[first], input + rows[first + 1], input + rows[first + 2], input + rows[first + 3]};
    const tile_t t = tile_sums(g, group, at);
    store_whole(g, group, &t, first, target, mode);
  }
  return first;
}

NOINLINE uint32_t whole_bounded(const gemm_t *g, uint32_t group, const int16_t *input, const int32_t *rows, uint32_t row_count, gemm_target_t target) {
  return whole_tiles(g, group, input, rows, row_count, target, BOUNDED);
}

NOINLINE uint32_t whole_clamped(const gemm_t *g, uint32_t group, const int16_t *input, const int32_t *rows, uint32_t row_count, gemm_target_t target) {
  return whole_tiles(g, group, input, rows, row_count, target, CLAMPED);
}

NOINLINE uint32_t whole_sums(const gemm_t *g, uint32_t group, const int16_t *input, const int32_t *rows, uint32_t row_count, gemm_target_t target) {
  return whole_tiles(g, group, input, rows, row_count, target, SUMS);
}

/* Stores one row of `width` outputs. */
static void store_row(const gemm_t *g, uint32_t group, const v128_t sums[2], uint32_t row, uint32_t width, gemm_target_t target) {
  const size_t at = row * (size_t)g->outputs + group * GROUP;
  if (target.emit == NULL) {
    emit_store_sums((int32_t *)target.out + at, sums[0], sums[1], width);
    return;
  }
  const v128_t half = emit_group(g, target.emit, group, sums, CLAMPED);
  const v128_t bytes = emit_narrow(target.emit, half, half);
  if (width == GROUP) {
    emit_store8((int8_t *)target.out + at, bytes);
  } else {
    emit_store_part((int8_t *)target.out + at, bytes, width);
  }
}

/* One tile of any width and 1..4 rows. */
NOINLINE void part_of_tile(const gemm_t *g, uint32_t group, const int16_t *input, const int32_t *rows, uint32_t first, uint32_t count, uint32_t width, gemm_target_t target) {
  const int16_t *at[4];
  UNROLL for (uint32_t r = 0; r < 4; r++) {
    at[r] = input + rows[first + (r < count ? r : 0)];
  }
  const tile_t t = tile_sums(g, group, at);
  UNROLL for (uint32_t r = 0; r < 4; r++) {
    if (r < count) {
      store_row(g, group, t.sums[r], first + r, width, target);
    }
  }
}

/* Outputs of a group that exist: GROUP, or fewer in the last. */
static uint32_t group_width(const gemm_t *g, uint32_t group) {
  const uint32_t rest = g->outputs - group * GROUP;
  return rest < GROUP ? rest : GROUP;
}

/* One row by three groups: a dense layer of one sample. */
NOINLINE void row_of_groups(const gemm_t *g, uint32_t group, const int16_t *row, v128_t sums[6]) {
  const size_t step = gemm_group_elements(g);
  const int32_t *bias = g->bias + group * GROUP;
  const int16_t *w = g->weights + group * step;
  v128_t s[6];
  UNROLL for (size_t v = 0; v < 6; v++) {
    s[v] = wasm_v128_load(bias + 4 * v);
  }
  for (uint32_t pair = 0; pair < g->pairs; pair++) {
    const v128_t x = wasm_v128_load32_splat(row + 2 * pair);
    UNROLL for (size_t v = 0; v < 6; v++) {
      s[v] = wasm_i32x4_add(s[v], wasm_i32x4_dot_i16x8(x, wasm_v128_load(w + (v / 2) * step + (v % 2) * 8)));
    }
    w += 2 * GROUP;
  }
  UNROLL for (size_t v = 0; v < 6; v++) {
    sums[v] = s[v];
  }
}

/* One row by one group. */
NOINLINE void row_of_group(const gemm_t *g, uint32_t group, const int16_t *row, v128_t sums[2]) {
  v128_t s0 = wasm_v128_load(g->bias + group * GROUP), s1 = wasm_v128_load(g->bias + group * GROUP + 4);
  const int16_t *w = g->weights + group * gemm_group_elements(g);
  for (uint32_t pair = 0; pair < g->pairs; pair++) {
    const v128_t x = wasm_v128_load32_splat(row + 2 * pair);
    s0 = wasm_i32x4_add(s0, wasm_i32x4_dot_i16x8(x, wasm_v128_load(w)));
    s1 = wasm_i32x4_add(s1, wasm_i32x4_dot_i16x8(x, wasm_v128_load(w + 8)));
    w += 2 * GROUP;
  }
  sums[0] = s0;
  sums[1] = s1;
}

static void one_row(const gemm_t *g, const int16_t *row, gemm_target_t target) {
  const uint32_t groups = gemm_groups(g->outputs);
  v128_t sums[6];
  uint32_t group = 0;
  for (; group + 3 <= groups; group += 3) {
    row_of_groups(g, group, row, sums);
    for (uint32_t i = 0; i < 3; i++) {
      store_row(g, group + i, sums + 2 * i, 0, group_width(g, group + i), target);
    }
  }
  for (; group < groups; group++) {
    row_of_group(g, group, row, sums);
    store_row(g, group, sums, 0, group_width(g, group), target);
  }
}

void gemm_rows(const gemm_t *g, const int16_t *input, const int32_t *rows, uint32_t row_count, gemm_target_t target) {
  if (row_count == 1 && g->segment_count == 1) {
    one_row(g, input + rows[0], target);
    return;
  }
  const uint32_t groups = gemm_groups(g->outputs);
  for (uint32_t group = 0; group < groups; group++) {
    const uint32_t width = group_width(g, group);
    uint32_t first = 0;
    if (width == GROUP) {
      first = (target.emit == NULL ? whole_sums : (g->is_bounded ? whole_bounded : whole_clamped))(g, group, input, rows, row_count, target);
    }
    for (; first < row_count; first += 4) {
      part_of_tile(g, group, input, rows, first, row_count - first < 4 ? row_count - first : 4, width, target);
    }
  }
}
