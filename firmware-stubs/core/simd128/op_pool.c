/* Pools with SIMD128: eight (average) or sixteen (max) channels at a time; channels that do not fill a vector take a narrower step. Rows are
   written in order and an output row lies in front of the input rows that are still read, so nothing is copied first. */
#include "../arithmetic.h"
#include "../operators.h"
#include "../window.h"
#include "emit.h"

/* Taps that int16 lanes can add: 255 * 128 < 2^15. */
#define LANE_TAPS 255

/* Sums of eight channels over the taps of a window, reading eight bytes a tap. */
static void window_sums(const geometry_t *g, const window_t *w, const int8_t *x, v128_t sums[2]) {
  v128_t lanes = wasm_i16x8_const_splat(0);
  int32_t taps = 0;
  sums[0] = sums[1] = wasm_i32x4_const_splat(0);
  for (int32_t ky = w->first_y; ky < w->end_y; ky++) {
    const int8_t *from = x + window_input_index(g, w, ky, w->first_x);
    for (int32_t kx = w->first_x; kx < w->end_x; kx++) {
      lanes = wasm_i16x8_add(lanes, wasm_i16x8_load8x8(from));
      from += g->input_channels;
      if (++taps == LANE_TAPS) {
        sums[0] = wasm_i32x4_add(sums[0], wasm_i32x4_extend_low_i16x8(lanes));
        sums[1] = wasm_i32x4_add(sums[1], wasm_i32x4_extend_high_i16x8(lanes));
        lanes = wasm_i16x8_const_splat(0);
        taps = 0;
      }
    }
  }
  sums[0] = wasm_i32x4_add(sums[0], wasm_i32x4_extend_low_i16x8(lanes));
  sums[1] = wasm_i32x4_add(sums[1], wasm_i32x4_extend_high_i16x8(lanes));
}

/* Stores eight bytes, or as many as are left. */
static void store_bytes(int8_t *out, v128_t bytes, uint32_t rest) {
  if (rest >= 8) {
    emit_store8(out, bytes);
  } else {
    emit_store_part(out, bytes, rest);
  }
}

typedef struct {
  const geometry_t *g;
  const emit8_t *e;
  const float *scales; /* by number of taps - first_count */
  uint32_t first_count;
  int32_t zero_point;
} average_t;

static void average_pixel(const average_t *a, const window_t *w, const int8_t *x, int8_t *out) {
  const int32_t count = (w->end_y - w->first_y) * (w->end_x - w->first_x);
  const v128_t scale = wasm_f32x4_splat(a->scales[(uint32_t)count - a->first_count]);
  const v128_t zero = wasm_i32x4_splat(count * a->zero_point);
  for (uint32_t c = 0; c < a->g->output_channels; c += 8) {
    v128_t sums[2];
    window_sums(a->g, w, x + c, sums);
    const v128_t half = emit_sums(a->e, wasm_i32x4_sub(sums[0], zero), wasm_i32x4_sub(sums[1], zero), scale, scale, false);
    store_bytes(out + c, emit_narrow(a->e, half, half), a->g->output_channels - c);
  }
}

void average_pool_simd(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  if (net->prepared == NULL || node->emission == EMISSION_ROUND) {
    average_pool_s8(net, node, arena, prepared, scratch);
    return;
  }
  const pool_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const requantize_by_count_fields_t *e = (const void *)(f + 1);
  const emit8_t emit = emit8_of(e->zero_point, e->low, e->high);
  const average_t average = {g, &emit, (const float *)(const void *)network_constant(net, e->scales), e->first_count, f->input_zero_point};
  const int8_t *x = (const int8_t *)network_value(net, arena, node->inputs[0]);
  int8_t *out = (int8_t *)network_value(net, arena, node->output);
  for (uint32_t y = 0; y < g->output_height; y++) {
    for (uint32_t column = 0; column < g->output_width; column++) {
      const window_t w = window_at(g, y, column);
      average_pixel(&average, &w, x, out);
      out += g->output_channels;
    }
  }
}

static v128_t window_max(const geometry_t *g, const window_t *w, const int8_t *x) {
  v128_t best = wasm_i8x16_const_splat(INT8_MIN);
  for (int32_t ky = w->first_y; ky < w->end_y; ky++) {
    const int8_t *from = x + window_input_index(g, w, ky, w->first_x);
    for (int32_t kx = w->first_x; kx < w->end_x; kx++) {
      best = wasm_i8x16_max(best, wasm_v128_load(from));
      from += g->input_channels;
    }
  }
  return best;
}

void max_pool_simd(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  if (net->prepared == NULL) {
    max_pool_s8(net, node, arena, prepared, scratch);
    return;
  }
  const pool_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const int8_t *x = (const int8_t *)network_value(net, arena, node->inputs[0]);
  int8_t *out = (int8_t *)network_value(net, arena, node->output);
  for (uint32_t y = 0; y < g->output_height; y++) {
    for (uint32_t column = 0; column < g->output_width; column++) {
      const window_t w = window_at(g, y, column);
      for (uint32_t c = 0; c < g->output_channels; c += 16) {
        const v128_t best = window_max(g, &w, x + c);
        const uint32_t rest = g->output_channels - c;
        if (rest >= 16) {
          wasm_v128_store(out + c, best);
        } else {
          store_bytes(out + c, best, rest);
          if (rest > 8) {
            emit_store_part(out + c + 8, emit_upper(best), rest - 8);
          }
        }
      }
      out += g->output_channels;
    }
  }
}
