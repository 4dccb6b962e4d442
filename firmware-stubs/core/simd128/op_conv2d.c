/* conv2d with SIMD128: the input widened once into a frame of zeros; a row of the product (gemm.h) is a window, read in place as segments (the
   elements of one kernel row lie together); gathering windows first was slower. 3x3 of stride 1 goes to winograd.c where that gains. */
#include "../operators.h"
#include "../window.h"
#include "layer.h"
#include "winograd.h"

typedef struct {
  layer_t layer;
  uint32_t segments_at; /* int32 [segment_count] */
  uint32_t rows_at;     /* int32 [output pixels] */
  uint32_t weights_at;
} conv_prepared_t;

/* How a window falls into segments, and how many windows there are. */
typedef struct {
  uint32_t segments, elements, pairs;
  frame_t frame;
  uint64_t pixels;
} sizes_t;

static sizes_t sizes_of(const geometry_t *g) {
  const bool joins_columns = g->dilation_x == 1;
  sizes_t s;
  s.segments = (uint32_t)g->kernel_height * (joins_columns ? 1u : g->kernel_width);
  s.elements = (uint32_t)g->input_channels * (joins_columns ? g->kernel_width : 1u);
  s.pairs = (s.elements + 1) / 2;
  s.frame = (frame_t){(uint32_t)g->input_height + g->pad_top + g->pad_bottom, (uint32_t)g->input_width + g->pad_left + g->pad_right};
  s.pixels = (uint64_t)g->output_height * g->output_width;
  return s;
}

static layer_weights_t weights_of(const network_t *net, const node_t *node, const conv_fields_t *f) {
  const geometry_t *g = &f->geometry;
  const uint32_t taps = (uint32_t)g->kernel_height * g->kernel_width * g->input_channels;
  layer_weights_t w = {.weights = (const int8_t *)network_constant(net, f->weights),
                       .bias = bias_of(net, f->bias),
                       .channels = g->output_channels,
                       .taps = taps,
                       .channel_step = taps,
                       .tap_step = 1,
                       .input_zero_point = f->input_zero_point};
  layer_set_scales(net, layer_requantize(net, node, sizeof *f), &w);
  return w;
}

static uint64_t direct_prepare_bytes(const geometry_t *g) {
  const sizes_t s = sizes_of(g);
  const uint64_t outputs = gemm_groups(g->output_channels) * GROUP;
  return align_16(sizeof(conv_prepared_t)) + outputs * 8 + align_16((uint64_t)s.segments * 4) + align_16(s.pixels * 4) + outputs * s.segments * s.pairs * 4;
}

static uint64_t direct_scratch_bytes(const geometry_t *g) {
  const sizes_t s = sizes_of(g);
  return ((uint64_t)s.frame.rows * s.frame.columns * g->input_channels + 16) * 2;
}

static bool is_too_large(uint64_t prepared, uint64_t scratch) {
  return prepared > LAYER_LIMIT || scratch > LAYER_LIMIT;
}

uint64_t conv2d_simd_prepare_bytes(const network_t *net, const node_t *node) {
  const conv_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  if (is_too_large(direct_prepare_bytes(g), direct_scratch_bytes(g)) || is_too_large(winograd_prepare_bytes(g), winograd_scratch_bytes(g))) {
    return 0;
  }
  const layer_weights_t w = weights_of(net, node, f);
  return winograd_applies(f, &w) ? winograd_prepare_bytes(g) : direct_prepare_bytes(g);
}

/* Bytes of a kernel's scratch; sums of rounding 'tflite' follow. */
static uint64_t kernel_scratch_bytes(const network_t *net, const node_t *node) {
  const conv_fields_t *f = node_fields(node);
  const layer_weights_t w = weights_of(net, node, f);
  return align_16(winograd_applies(f, &w) ? winograd_scratch_bytes(&f->geometry) : direct_scratch_bytes(&f->geometry));
}

uint64_t conv2d_simd_scratch_bytes(const network_t *net, const node_t *node, uint32_t rows) {
  (void)rows;
  const conv_fields_t *f = node_fields(node);
  if (conv2d_simd_prepare_bytes(net, node) == 0) {
    return 0;
  }
  return kernel_scratch_bytes(net, node) + layer_sums_bytes(net, node, window_output_count(&f->geometry));
}

static void fill_tables(const geometry_t *g, const sizes_t *s, int32_t *segments, int32_t *rows) {
  const size_t row = (size_t)s->frame.columns * g->input_channels;
  const uint32_t across = s->segments / g->kernel_height;
  for (uint32_t i = 0; i < s->segments; i++) {
    segments[i] = (int32_t)(i / across * g->dilation_y * row + i % across * g->dilation_x * g->input_channels);
  }
  for (uint32_t y = 0; y < g->output_height; y++) {
    for (uint32_t x = 0; x < g->output_width; x++) {
      *rows++ = (int32_t)(y * g->stride_y * row + (size_t)x * g->stride_x * g->input_channels);
    }
  }
}

/* [groups, segments, pairs, GROUP, 2] from [out, taps]. */
static void repack(const geometry_t *g, const sizes_t *s, const int8_t *weights, int16_t *out) {
  const size_t taps = (size_t)s->segments * s->elements;
  for (uint32_t group = 0; group < gemm_groups(g->output_channels); group++) {
    for (uint32_t segment = 0; segment < s->segments; segment++) {
      for (uint32_t i = 0; i < s->pairs * GROUP * 2; i++) {
        const uint32_t output = group * GROUP + i / 2 % GROUP, element = i / (2 * GROUP) * 2 + i % 2;
        const bool exists = output < g->output_channels && element < s->elements;
        *out++ = exists ? weights[output * taps + segment * (size_t)s->elements + element] : 0;
      }
    }
  }
}

static void direct_prepare(const conv_fields_t *f, const layer_weights_t *w, uint8_t *memory) {
  const geometry_t *g = &f->geometry;
  const sizes_t s = sizes_of(g);
  const uint32_t outputs = gemm_groups(g->output_channels) * GROUP;
  conv_prepared_t *p = (conv_prepared_t *)(void *)memory;
  p->layer.bias_at = (uint32_t)align_16(sizeof *p);
  p->layer.scales_at = p->layer.bias_at + outputs * 4;
  p->segments_at = p->layer.scales_at + outputs * 4;
  p->rows_at = p->segments_at + (uint32_t)align_16((uint64_t)s.segments * 4);
  p->weights_at = p->rows_at + (uint32_t)align_16(s.pixels * 4);
  layer_prepare(w, outputs, memory, &p->layer);
  fill_tables(g, &s, (int32_t *)(void *)(memory + p->segments_at), (int32_t *)(void *)(memory + p->rows_at));
  repack(g, &s, w->weights, (int16_t *)(void *)(memory + p->weights_at));
}

void conv2d_simd_prepare(const network_t *net, const node_t *node, uint8_t *memory) {
  const conv_fields_t *f = node_fields(node);
  const layer_weights_t w = weights_of(net, node, f);
  const bool is_winograd = winograd_applies(f, &w);
  (is_winograd ? winograd_prepare : direct_prepare)(f, &w, memory);
  ((layer_t *)(void *)memory)->is_winograd = is_winograd;
}

static void direct_run(const conv_fields_t *f, const uint8_t *memory, uint8_t *scratch, const int8_t *x, const emit8_t *e, uint8_t *out) {
  const geometry_t *g = &f->geometry;
  const sizes_t s = sizes_of(g);
  const conv_prepared_t *p = (const conv_prepared_t *)(const void *)memory;
  const int32_t *rows = (const int32_t *)(const void *)(memory + p->rows_at);
  int16_t *image = (int16_t *)(void *)scratch;
  const gemm_t gemm = {.weights = (const int16_t *)(const void *)(memory + p->weights_at),
                       .bias = (const int32_t *)(const void *)(memory + p->layer.bias_at),
                       .scales = (const float *)(const void *)(memory + p->layer.scales_at),
                       .segments = (const int32_t *)(const void *)(memory + p->segments_at),
                       .segment_count = s.segments,
                       .pairs = s.pairs,
                       .outputs = g->output_channels,
                       .is_bounded = p->layer.is_bounded != 0};
  widen_image(g, s.frame, x, f->input_zero_point, image);
  gemm_rows(&gemm, image, rows, (uint32_t)s.pixels, (gemm_target_t){e, out});
}

void conv2d_simd(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  if (prepared == NULL) {
    conv2d_s8(net, node, arena, prepared, scratch);
    return;
  }
  const conv_fields_t *f = node_fields(node);
  const requantize_fields_t *e = layer_requantize(net, node, sizeof *f);
  const emit8_t emit = e == NULL ? (emit8_t){0} : layer_emit8(e);
  const int8_t *x = (const int8_t *)network_value(net, arena, node->inputs[0]);
  const bool is_winograd = ((const layer_t *)(const void *)prepared)->is_winograd != 0, is_fixed = layer_is_fixed(net, node);
  uint8_t *sums = scratch + align_16(is_winograd ? winograd_scratch_bytes(&f->geometry) : direct_scratch_bytes(&f->geometry));
  uint8_t *out = is_fixed ? sums : network_value(net, arena, node->output);
  (is_winograd ? winograd_run : direct_run)(f, prepared, scratch, x, e == NULL ? NULL : &emit, out);
  if (is_fixed) {
    const size_t count = (size_t)window_output_count(&f->geometry);
    layer_emit_fixed(net, node, sizeof *f, arena, f->geometry.output_channels, (const int32_t *)(const void *)sums, count);
  }
}
