/* averagePool and maxPool over the taps of a window that lie in the image; padding is not counted. */
#include "arithmetic.h"
#include "operators.h"
#include "verify.h"
#include "window.h"

static status_t pool_verify(const network_t *net, const node_t *node) {
  const pool_fields_t *f = node_fields(node);
  VERIFY(node->record_bytes >= sizeof(node_t) + sizeof *f, STATUS_RECORD);
  VERIFY(node->input_count == 1, STATUS_OPERAND);
  const geometry_t *g = &f->geometry;
  TRY(verify_geometry(g));
  VERIFY(g->input_channels == g->output_channels && g->dilation_y == 1 && g->dilation_x == 1, STATUS_GEOMETRY);
  VERIFY(node_output(net, node)->byte_count == window_output_count(g), STATUS_OPERAND);
  return verify_input_s8(net, node, 0, window_input_count(g), f->input_zero_point);
}

/* The least and the most valid taps along one axis. Without dilation every window holds one at least: padding is less than the extent. */
static void tap_range(uint32_t out, uint32_t stride, uint32_t kernel, uint32_t size, uint32_t before, uint32_t *least, uint32_t *most) {
  *least = kernel;
  *most = 0;
  for (uint32_t i = 0; i < out; i++) {
    const int32_t start = (int32_t)(i * stride) - (int32_t)before;
    const uint32_t taps = (uint32_t)(window_end(start, 1, (int32_t)kernel, (int32_t)size) - window_first(start, 1));
    *least = taps < *least ? taps : *least;
    *most = taps > *most ? taps : *most;
  }
}

typedef struct {
  uint32_t least, most; /* valid taps of a window; of 16 bits along each axis, so products fit */
} taps_t;

static taps_t taps_of(const geometry_t *g) {
  uint32_t least_y, most_y, least_x, most_x;
  tap_range(g->output_height, g->stride_y, g->kernel_height, g->input_height, g->pad_top, &least_y, &most_y);
  tap_range(g->output_width, g->stride_x, g->kernel_width, g->input_width, g->pad_left, &least_x, &most_x);
  return (taps_t){least_y * least_x, most_y * most_x};
}

status_t average_pool_verify(const network_t *net, const node_t *node) {
  TRY(pool_verify(net, node));
  const pool_fields_t *f = node_fields(node);
  VERIFY(node->emission == EMISSION_REQUANTIZE_BY_COUNT, STATUS_EMISSION);
  TRY(verify_record(node, sizeof *f));
  const requantize_by_count_fields_t *e = (const void *)(f + 1);
  const taps_t taps = taps_of(&f->geometry);
  VERIFY(taps.most <= EVN_MAX_AVERAGE_TAPS, STATUS_SUM_OVERFLOW);
  VERIFY(taps.least >= 1 && e->first_count <= taps.least, STATUS_EMISSION);
  VERIFY(e->scale_count > taps.most - e->first_count, STATUS_EMISSION);
  TRY(verify_scales(net, e->scales, e->scale_count));
  return verify_bounds(net, node, e->zero_point, e->low, e->high);
}

/* Rounding 'tflite': input and output have one quantization. */
static status_t average_pool_fixed_verify(const network_t *net, const node_t *node) {
  TRY(pool_verify(net, node));
  const pool_fields_t *f = node_fields(node);
  VERIFY(node->emission == EMISSION_ROUND, STATUS_EMISSION);
  TRY(verify_record(node, sizeof *f));
  const round_fields_t *e = (const void *)(f + 1);
  const taps_t taps = taps_of(&f->geometry);
  VERIFY(taps.least >= 1 && taps.most <= EVN_MAX_AVERAGE_TAPS, STATUS_SUM_OVERFLOW);
  VERIFY(e->zero_point == f->input_zero_point, STATUS_EMISSION);
  return verify_bounds(net, node, e->zero_point, e->low, e->high);
}

status_t average_pool_any_verify(const network_t *net, const node_t *node) {
  return net->header->rounding == EVN_ROUNDING_TFLITE ? average_pool_fixed_verify(net, node) : average_pool_verify(net, node);
}

status_t max_pool_verify(const network_t *net, const node_t *node) {
  TRY(pool_verify(net, node));
  VERIFY(node->emission == EMISSION_NONE, STATUS_EMISSION);
  VERIFY(node_output(net, node)->kind == VALUE_KIND_INT8, STATUS_OPERAND);
  return verify_record(node, sizeof(pool_fields_t));
}

static int32_t window_total(const geometry_t *g, const window_t *w, const int8_t *x) {
  int32_t sum = 0;
  for (int32_t ky = w->first_y; ky < w->end_y; ky++) {
    for (int32_t kx = w->first_x; kx < w->end_x; kx++) {
      sum += x[window_input_index(g, w, ky, kx)];
    }
  }
  return sum;
}

/* The mean of `count` elements, half away from zero. */
static int32_t average_fixed(int32_t sum, int32_t count) {
  return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

static void average_pool_fixed(const network_t *net, const node_t *node, uint8_t *arena) {
  const pool_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const round_fields_t *e = (const void *)(f + 1);
  const int8_t *x = (const int8_t *)network_value(net, arena, node->inputs[0]);
  int8_t *out = (int8_t *)network_value(net, arena, node->output);
  for (uint32_t y = 0; y < g->output_height; y++) {
    for (uint32_t column = 0; column < g->output_width; column++) {
      const window_t w = window_at(g, y, column);
      const int32_t count = (w.end_y - w.first_y) * (w.end_x - w.first_x);
      for (uint32_t c = 0; c < g->output_channels; c++) {
        const int32_t mean = average_fixed(window_total(g, &w, x + c), count);
        *out++ = (int8_t)(mean < e->low ? e->low : (mean > e->high ? e->high : mean));
      }
    }
  }
}

void average_pool_s8(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  if (node->emission == EMISSION_ROUND) {
    average_pool_fixed(net, node, arena);
    return;
  }
  const pool_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const requantize_by_count_fields_t *e = (const void *)(f + 1);
  const float *scales = (const float *)(const void *)network_constant(net, e->scales);
  const int8_t *x = (const int8_t *)network_value(net, arena, node->inputs[0]);
  int8_t *out = (int8_t *)network_value(net, arena, node->output);
  for (uint32_t y = 0; y < g->output_height; y++) {
    for (uint32_t column = 0; column < g->output_width; column++) {
      const window_t w = window_at(g, y, column);
      const int32_t count = (w.end_y - w.first_y) * (w.end_x - w.first_x);
      const float scale = scales[(uint32_t)count - e->first_count];
      for (uint32_t c = 0; c < g->output_channels; c++) {
        const int32_t sum = window_total(g, &w, x + c) - count * f->input_zero_point;
        *out++ = requantize_s8(sum, scale, e->zero_point, e->low, e->high);
      }
    }
  }
}

static int8_t window_largest(const geometry_t *g, const window_t *w, const int8_t *x) {
  int8_t best = INT8_MIN;
  for (int32_t ky = w->first_y; ky < w->end_y; ky++) {
    for (int32_t kx = w->first_x; kx < w->end_x; kx++) {
      const int8_t tap = x[window_input_index(g, w, ky, kx)];
      best = tap > best ? tap : best;
    }
  }
  return best;
}

void max_pool_s8(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const pool_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const int8_t *x = (const int8_t *)network_value(net, arena, node->inputs[0]);
  int8_t *out = (int8_t *)network_value(net, arena, node->output);
  for (uint32_t y = 0; y < g->output_height; y++) {
    for (uint32_t column = 0; column < g->output_width; column++) {
      const window_t w = window_at(g, y, column);
      for (uint32_t c = 0; c < g->output_channels; c++) {
        *out++ = window_largest(g, &w, x + c);
      }
    }
  }
}
