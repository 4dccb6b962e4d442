/* dense with SIMD128: inputs widened to int16, weights repacked, one row or several samples as rows of one product (gemm.h). */
#include "../operators.h"
#include "layer.h"

typedef struct {
  layer_t layer;
  uint32_t weights_at;
} dense_prepared_t;

static uint32_t pairs_of(const dense_fields_t *f) {
  return (f->input_size + 1) / 2;
}

/* Elements from one widened row to the next. */
static size_t row_elements(const dense_fields_t *f) {
  return ((size_t)f->input_size + 15) & ~(size_t)7;
}

uint64_t dense_simd_prepare_bytes(const network_t *net, const node_t *node) {
  (void)net;
  const dense_fields_t *f = node_fields(node);
  const uint64_t groups = gemm_groups(f->units);
  const uint64_t bytes = align_16(sizeof(dense_prepared_t)) + groups * GROUP * 8 + groups * GROUP * pairs_of(f) * 4;
  return bytes > LAYER_LIMIT ? 0 : bytes;
}

uint64_t dense_simd_scratch_bytes(const network_t *net, const node_t *node, uint32_t rows) {
  const dense_fields_t *f = node_fields(node);
  return align_16((uint64_t)rows * row_elements(f) * 2) + layer_sums_bytes(net, node, f->units);
}

/* [groups, pairs, GROUP, 2] from [units, inputs]. */
static void repack(const dense_fields_t *f, const int8_t *weights, int16_t *out) {
  for (uint32_t group = 0; group < gemm_groups(f->units); group++) {
    for (uint32_t pair = 0; pair < pairs_of(f); pair++) {
      for (uint32_t i = 0; i < GROUP * 2; i++) {
        const uint32_t unit = group * GROUP + i / 2, input = pair * 2 + i % 2;
        *out++ = unit < f->units && input < f->input_size ? weights[(size_t)unit * f->input_size + input] : 0;
      }
    }
  }
}

void dense_simd_prepare(const network_t *net, const node_t *node, uint8_t *memory) {
  const dense_fields_t *f = node_fields(node);
  const uint32_t padded = gemm_groups(f->units) * GROUP;
  dense_prepared_t *p = (dense_prepared_t *)(void *)memory;
  p->layer.bias_at = (uint32_t)align_16(sizeof *p);
  p->layer.scales_at = p->layer.bias_at + padded * 4;
  p->weights_at = p->layer.scales_at + padded * 4;
  layer_weights_t w = {.weights = (const int8_t *)network_constant(net, f->weights),
                       .bias = bias_of(net, f->bias),
                       .channels = f->units,
                       .taps = f->input_size,
                       .channel_step = f->input_size,
                       .tap_step = 1,
                       .input_zero_point = f->input_zero_point};
  layer_set_scales(net, layer_requantize(net, node, sizeof *f), &w);
  layer_prepare(&w, padded, memory, &p->layer);
  repack(f, w.weights, (int16_t *)(void *)(memory + p->weights_at));
}

/* The only segment of a row, and the only row of a sample. */
static const int32_t START[1] = {0};

static gemm_t gemm_of(const dense_fields_t *f, const uint8_t *memory) {
  const dense_prepared_t *p = (const dense_prepared_t *)(const void *)memory;
  const gemm_t g = {.weights = (const int16_t *)(const void *)(memory + p->weights_at),
                    .bias = (const int32_t *)(const void *)(memory + p->layer.bias_at),
                    .scales = (const float *)(const void *)(memory + p->layer.scales_at),
                    .segments = START,
                    .segment_count = 1,
                    .pairs = pairs_of(f),
                    .outputs = f->units,
                    .is_bounded = p->layer.is_bounded != 0};
  return g;
}

void dense_simd(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  if (prepared == NULL) {
    dense_s8(net, node, arena, prepared, scratch);
    return;
  }
  const dense_fields_t *f = node_fields(node);
  const gemm_t g = gemm_of(f, prepared);
  int16_t *row = (int16_t *)(void *)scratch;
  const requantize_fields_t *e = layer_requantize(net, node, sizeof *f);
  const emit8_t emit = e == NULL ? (emit8_t){0} : layer_emit8(e);
  const bool is_fixed = layer_is_fixed(net, node);
  uint8_t *sums = scratch + align_16(row_elements(f) * 2);
  uint8_t *out = is_fixed ? sums : network_value(net, arena, node->output);
  widen_s8((const int8_t *)network_value(net, arena, node->inputs[0]), f->input_size, f->input_zero_point, row);
  gemm_rows(&g, row, START, 1, (gemm_target_t){e == NULL ? NULL : &emit, out});
  if (is_fixed) {
    layer_emit_fixed(net, node, sizeof *f, arena, f->units, (const int32_t *)(const void *)sums, f->units);
  }
}

/* Samples that one product takes; more would not fit the small buffer of results. */
#define ROWS 8u
#define CHUNK_UNITS 256u

void dense_simd_rows(const network_t *net, const node_t *node, uint8_t *arenas, size_t arena_stride, uint32_t rows, const uint8_t *prepared, uint8_t *scratch) {
  const dense_fields_t *f = node_fields(node);
  const requantize_fields_t *e = layer_requantize(net, node, sizeof *f);
  if (prepared == NULL || e == NULL || rows > ROWS || f->units > CHUNK_UNITS) {
    for (uint32_t r = 0; r < rows; r++) {
      dense_simd(net, node, arenas + r * arena_stride, prepared, scratch);
    }
    return;
  }
  const gemm_t g = gemm_of(f, prepared);
  const emit8_t emit = layer_emit8(e);
  int16_t *input = (int16_t *)(void *)scratch;
  int32_t starts[ROWS];
  int8_t results[ROWS * CHUNK_UNITS];
  for (uint32_t r = 0; r < rows; r++) {
    starts[r] = (int32_t)(r * row_elements(f));
    widen_s8((const int8_t *)network_value(net, arenas + r * arena_stride, node->inputs[0]), f->input_size, f->input_zero_point, input + starts[r]);
  }
  gemm_rows(&g, input, starts, rows, (gemm_target_t){&emit, results});
  for (uint32_t r = 0; r < rows; r++) {
    uint8_t *out = network_value(net, arenas + r * arena_stride, node->output);
    __builtin_memcpy(out, results + r * f->units, f->units);
  }
}
