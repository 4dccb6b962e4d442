/* depthwise with SIMD128: eight channels at a time; two taps of four channels a dot product, by interleaving the pixels of both taps. */
#include "../operators.h"
#include "../window.h"
#include "layer.h"

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
/* Windows that slide_line() computes in a step. */
#define STEP 2u

typedef struct {
  layer_t layer;
  uint32_t pairs_at;   /* int32 [pairs, 2]: where each tap of a pair lies in the frame, from the window's start */
  uint32_t weights_at; /* int16 [blocks, pairs, 8 channels, 2] */
} depthwise_prepared_t;

typedef struct {
  uint32_t taps, pairs, blocks;
  frame_t frame;
  bool slides;       /* 3x3, stride 1, no dilation: slide_line() */
  bool slides_down;  /* along y rather than along x, where that leaves fewer windows over */
} sizes_t;

/* Windows that are computed twice because STEP does not divide a line, in 1/256 of all; much for lines that are shorter than a step. */
static uint32_t waste(uint32_t count) {
  return count < STEP ? 1024 : (STEP - count % STEP) % STEP * 256 / count;
}


static sizes_t sizes_of(const geometry_t *g) {
  sizes_t s;
  s.taps = (uint32_t)g->kernel_height * g->kernel_width;
  s.pairs = (s.taps + 1) / 2;
  s.blocks = ((uint32_t)g->output_channels + 7) / 8;
  s.frame = (frame_t){(uint32_t)g->input_height + g->pad_top + g->pad_bottom, (uint32_t)g->input_width + g->pad_left + g->pad_right};
  s.slides = g->kernel_height == 3 && g->kernel_width == 3 && g->stride_y == 1 && g->stride_x == 1 && g->dilation_y == 1 && g->dilation_x == 1;
  s.slides_down = waste(g->output_height) < waste(g->output_width);
  return s;
}

/* Slack behind the frame: the last block reads eight channels. */
static uint64_t scratch_of(const geometry_t *g) {
  const sizes_t s = sizes_of(g);
  return ((uint64_t)s.frame.rows * s.frame.columns * g->input_channels + 16) * 2;
}

uint64_t depthwise_simd_prepare_bytes(const network_t *net, const node_t *node) {
  (void)net;
  const conv_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const sizes_t s = sizes_of(g);
  const uint64_t bytes = align_16(sizeof(depthwise_prepared_t)) + (uint64_t)s.blocks * 64 + align_16((size_t)s.pairs * 8) + (uint64_t)s.blocks * s.pairs * 32;
  const bool has_multiplier = g->output_channels != g->input_channels;
  return has_multiplier || bytes > LAYER_LIMIT || scratch_of(g) > LAYER_LIMIT ? 0 : bytes;
}

uint64_t depthwise_simd_scratch_bytes(const network_t *net, const node_t *node, uint32_t rows) {
  (void)rows;
  const conv_fields_t *f = node_fields(node);
  const uint64_t bytes = align_16(scratch_of(&f->geometry)) + layer_sums_bytes(net, node, window_output_count(&f->geometry));
  return depthwise_simd_prepare_bytes(net, node) == 0 ? 0 : bytes;
}

static int32_t tap_offset(const geometry_t *g, const sizes_t *s, uint32_t tap) {
  const size_t y = (size_t)(tap / g->kernel_width) * g->dilation_y, x = (size_t)(tap % g->kernel_width) * g->dilation_x;
  return (int32_t)((y * s->frame.columns + x) * g->input_channels);
}

/* The taps of pair `pair` in slide_line(): two of one line across for lines 0..2, then the third of lines 0 and 1, then that of line 2. A line is
   a row of the kernel where windows slide along y, a column otherwise. 9 stands for a tap of weight 0. */
static uint32_t sliding_tap(const sizes_t *s, uint32_t pair, uint32_t second) {
  static const uint8_t LINES[5][2] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {2, 3}}, ACROSS[5][2] = {{0, 1}, {0, 1}, {0, 1}, {2, 2}, {2, 2}};
  const uint32_t line = LINES[pair][second], across = ACROSS[pair][second];
  return line == 3 ? 9u : (s->slides_down ? line * 3 + across : across * 3 + line);
}

/* The second tap of the last pair of an odd number has weight 0 and reads where the first does. */
static void repack(const geometry_t *g, const sizes_t *s, const int8_t *weights, int32_t *pairs, int16_t *out) {
  for (uint32_t pair = 0; pair < s->pairs; pair++) {
    const uint32_t second = 2 * pair + 1 < s->taps ? 2 * pair + 1 : 2 * pair;
    pairs[2 * pair] = tap_offset(g, s, 2 * pair);
    pairs[2 * pair + 1] = tap_offset(g, s, second);
  }
  for (uint32_t block = 0; block < s->blocks; block++) {
    for (uint32_t i = 0; i < s->pairs * 16; i++) {
      const uint32_t channel = block * 8 + i % 16 / 2, tap = s->slides ? sliding_tap(s, i / 16, i % 2) : i / 16 * 2 + i % 2;
      *out++ = channel < g->output_channels && tap < s->taps ? weights[(size_t)tap * g->output_channels + channel] : 0;
    }
  }
}

void depthwise_simd_prepare(const network_t *net, const node_t *node, uint8_t *memory) {
  const conv_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const sizes_t s = sizes_of(g);
  depthwise_prepared_t *p = (depthwise_prepared_t *)(void *)memory;
  p->layer.bias_at = (uint32_t)align_16(sizeof *p);
  p->layer.scales_at = p->layer.bias_at + s.blocks * 32;
  p->pairs_at = p->layer.scales_at + s.blocks * 32;
  p->weights_at = p->pairs_at + (uint32_t)align_16((size_t)s.pairs * 8);
  layer_weights_t w = {.weights = (const int8_t *)network_constant(net, f->weights),
                       .bias = bias_of(net, f->bias),
                       .channels = g->output_channels,
                       .taps = s.taps,
                       .channel_step = 1,
                       .tap_step = g->output_channels,
                       .input_zero_point = f->input_zero_point};
  layer_set_scales(net, layer_requantize(net, node, sizeof *f), &w);
  layer_prepare(&w, s.blocks * 8, memory, &p->layer);
  repack(g, &s, w.weights, (int32_t *)(void *)(memory + p->pairs_at), (int16_t *)(void *)(memory + p->weights_at));
}

/* Two vectors of four channels: sums, or the pixels of two taps interleaved. */
typedef struct {
  v128_t low, high;
} pair_t;

/* Everything the loops read. */
typedef struct {
  const geometry_t *g;
  const int16_t *image;
  const int16_t *weights; /* of the block */
  const int32_t *pairs;
  uint32_t pair_count;
  pair_t bias, scale;
  const emit8_t *e; /* NULL: int32 */
  bool is_bounded;
  uint32_t width; /* channels of the block that exist */
} block_t;

INLINE pair_t interleave(v128_t a, v128_t b) {
  const pair_t p = {wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11), wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15)};
  return p;
}

INLINE pair_t add_dot(pair_t sums, pair_t taps, const int16_t *weights) {
  const pair_t p = {wasm_i32x4_add(sums.low, wasm_i32x4_dot_i16x8(taps.low, wasm_v128_load(weights))),
                    wasm_i32x4_add(sums.high, wasm_i32x4_dot_i16x8(taps.high, wasm_v128_load(weights + 8)))};
  return p;
}

/* Stores the sums of one window, whatever the emission and the width; `at` is the element of its first channel. Not inlined: see gemm.c. */
NOINLINE void store_any(const block_t *b, pair_t sums, uint8_t *out, size_t at) {
  if (b->e == NULL) {
    emit_store_sums((int32_t *)(void *)out + at, sums.low, sums.high, b->width);
    return;
  }
  const v128_t half = emit_sums(b->e, sums.low, sums.high, b->scale.low, b->scale.high, false);
  emit_store_part((int8_t *)out + at, emit_narrow(b->e, half, half), b->width);
}

/* Two windows of eight channels, requantized without a clamp: first window in the lower half. */
INLINE v128_t emit_two(const block_t *b, pair_t first, pair_t second) {
  const v128_t one = emit_sums(b->e, first.low, first.high, b->scale.low, b->scale.high, true);
  return emit_narrow(b->e, one, emit_sums(b->e, second.low, second.high, b->scale.low, b->scale.high, true));
}

/* The sums of one window of any kernel. */
INLINE pair_t window_sums(const block_t *b, const int16_t *window) {
  pair_t sums = b->bias;
  for (uint32_t i = 0; i < b->pair_count; i++) {
    const v128_t first = wasm_v128_load(window + b->pairs[2 * i]), second = wasm_v128_load(window + b->pairs[2 * i + 1]);
    sums = add_dot(sums, interleave(first, second), b->weights + 16 * i);
  }
  return sums;
}

/* Two windows of any kernel, which share the loads of weights. */
INLINE void two_windows(const block_t *b, const int16_t *window, size_t step, pair_t sums[2]) {
  pair_t s0 = b->bias, s1 = b->bias;
  for (uint32_t i = 0; i < b->pair_count; i++) {
    const int16_t *first = window + b->pairs[2 * i], *second = window + b->pairs[2 * i + 1];
    s0 = add_dot(s0, interleave(wasm_v128_load(first), wasm_v128_load(second)), b->weights + 16 * i);
    s1 = add_dot(s1, interleave(wasm_v128_load(first + step), wasm_v128_load(second + step)), b->weights + 16 * i);
  }
  sums[0] = s0;
  sums[1] = s1;
}

/* A row of windows of any kernel that have eight channels and need no clamp, two at a time. Returns the number done. */
NOINLINE uint32_t whole_windows(const block_t *b, const int16_t *from, uint8_t *out, size_t at) {
  const geometry_t *g = b->g;
  const size_t step = (size_t)g->stride_x * g->input_channels;
  uint32_t x = 0;
  for (; x + 2 <= g->output_width; x += 2) {
    pair_t sums[2];
    two_windows(b, from + x * step, step, sums);
    const v128_t bytes = emit_two(b, sums[0], sums[1]);
    int8_t *to = (int8_t *)out + at + x * (size_t)g->output_channels;
    emit_store8(to, bytes);
    emit_store8(to + g->output_channels, emit_upper(bytes));
  }
  return x;
}

static bool is_whole(const block_t *b) {
  return b->width == 8 && b->e != NULL && b->is_bounded;
}

/* One block of eight channels over the whole image, any kernel. */
static void run_block(const block_t *b, size_t row, uint8_t *out) {
  const geometry_t *g = b->g;
  for (uint32_t y = 0; y < g->output_height; y++) {
    const int16_t *from = b->image + (size_t)y * g->stride_y * row;
    const size_t at = (size_t)y * g->output_width * g->output_channels;
    uint32_t x = is_whole(b) ? whole_windows(b, from, out, at) : 0;
    for (; x < g->output_width; x++) {
      const pair_t sums = window_sums(b, from + (size_t)x * g->stride_x * g->input_channels);
      store_any(b, sums, out, at + (size_t)x * g->output_channels);
    }
  }
}

/* Steps in elements: from window to window and across, in the frame and in the output. */
typedef struct {
  size_t along, across, out_along, out_across;
  uint32_t lines, count; /* lines of windows, windows in a line */
} slide_t;

static slide_t slide_of(const geometry_t *g, size_t row, bool slides_down) {
  const size_t pixel = g->input_channels, out_pixel = g->output_channels, out_row = out_pixel * g->output_width;
  if (slides_down) {
    return (slide_t){row, pixel, out_row, out_pixel, g->output_width, g->output_height};
  }
  return (slide_t){pixel, row, out_pixel, out_row, g->output_height, g->output_width};
}

/* Keeps clang from moving loads up across this point: V8 has 15 vector registers and spills what lives too long. */
#define LOAD_BARRIER() __asm__ volatile("" ::: "memory")

/* A line of three pixels across: the first two, interleaved. */
INLINE pair_t line_pair(const int16_t *at, size_t across) {
  return interleave(wasm_v128_load(at), wasm_v128_load(at + across));
}

/* Sums of two windows. */
typedef struct {
  pair_t first, second;
} step_t;

INLINE step_t add_step(step_t sums, pair_t first, pair_t second, const int16_t *weights) {
  const v128_t low = wasm_v128_load(weights), high = wasm_v128_load(weights + 8);
  sums.first.low = wasm_i32x4_add(sums.first.low, wasm_i32x4_dot_i16x8(first.low, low));
  sums.first.high = wasm_i32x4_add(sums.first.high, wasm_i32x4_dot_i16x8(first.high, high));
  sums.second.low = wasm_i32x4_add(sums.second.low, wasm_i32x4_dot_i16x8(second.low, low));
  sums.second.high = wasm_i32x4_add(sums.second.high, wasm_i32x4_dot_i16x8(second.high, high));
  LOAD_BARRIER();
  return sums;
}

/* Two windows of 3x3 along a line; `w` holds pairs as sliding_tap() orders them. */
INLINE step_t step_sums(pair_t bias, const slide_t *s, const int16_t *from, const int16_t *w) {
  const size_t along = s->along, across = s->across;
  step_t sums = {bias, bias};
  const pair_t p0 = line_pair(from, across), p1 = line_pair(from + along, across);
  sums = add_step(sums, p0, p1, w);
  const pair_t p2 = line_pair(from + 2 * along, across);
  sums = add_step(sums, p1, p2, w + 16);
  const pair_t p3 = line_pair(from + 3 * along, across);
  sums = add_step(sums, p2, p3, w + 32);
  const int16_t *third = from + 2 * across;
  const v128_t t1 = wasm_v128_load(third + along), t2 = wasm_v128_load(third + 2 * along), t3 = wasm_v128_load(third + 3 * along);
  sums = add_step(sums, interleave(wasm_v128_load(third), t1), interleave(t1, t2), w + 48);
  return add_step(sums, interleave(t2, t3), interleave(t3, t3), w + 64);
}

/* A line of at least STEP windows of eight channels, STEP at a time; the last step moves back so far that it ends with the line. */
NOINLINE void slide_whole(const block_t *b, const slide_t *s, const int16_t *from, int8_t *out) {
  const size_t along = s->along, out_along = s->out_along;
  const int16_t *const w = b->weights;
  const pair_t bias = b->bias, scale = b->scale;
  const emit8_t *const e = b->e;
  for (uint32_t left = s->count;;) {
    const step_t sums = step_sums(bias, s, from, w);
    const v128_t first = emit_sums(e, sums.first.low, sums.first.high, scale.low, scale.high, true);
    const v128_t bytes = emit_narrow(e, first, emit_sums(e, sums.second.low, sums.second.high, scale.low, scale.high, true));
    emit_store8(out, bytes);
    emit_store8(out + out_along, emit_upper(bytes));
    left -= STEP;
    if (left == 0) {
      return;
    }
    const uint32_t next = left < STEP ? left : STEP;
    left = left < STEP ? STEP : left;
    from += next * along;
    out += next * out_along;
  }
}

/* One window of 3x3 by the pairs of sliding_tap(). */
static pair_t slide_one(const block_t *b, const slide_t *s, const int16_t *from) {
  const int16_t *w = b->weights, *third = from + 2 * s->across;
  pair_t sums = b->bias;
  for (uint32_t i = 0; i < 3; i++) {
    sums = add_dot(sums, interleave(wasm_v128_load(from + i * s->along), wasm_v128_load(from + i * s->along + s->across)), w + 16 * i);
  }
  const v128_t t0 = wasm_v128_load(third), t1 = wasm_v128_load(third + s->along), t2 = wasm_v128_load(third + 2 * s->along);
  return add_dot(add_dot(sums, interleave(t0, t1), w + 48), interleave(t2, t2), w + 64);
}

/* One block over the whole image. */
static void slide_block(const block_t *b, const slide_t *s, uint8_t *out) {
  for (uint32_t line = 0; line < s->lines; line++) {
    const int16_t *from = b->image + line * s->across;
    const size_t at = line * s->out_across;
    if (is_whole(b) && s->count >= STEP) {
      slide_whole(b, s, from, (int8_t *)out + at);
      continue;
    }
    for (uint32_t i = 0; i < s->count; i++) {
      store_any(b, slide_one(b, s, from + i * s->along), out, at + i * s->out_along);
    }
  }
}

void depthwise_simd(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  if (prepared == NULL) {
    depthwise_s8(net, node, arena, prepared, scratch);
    return;
  }
  const conv_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const sizes_t s = sizes_of(g);
  const depthwise_prepared_t *p = (const depthwise_prepared_t *)(const void *)prepared;
  const requantize_fields_t *e = layer_requantize(net, node, sizeof *f);
  const emit8_t emit = e == NULL ? (emit8_t){0} : layer_emit8(e);
  const int32_t *bias = (const int32_t *)(const void *)(prepared + p->layer.bias_at);
  const float *scales = (const float *)(const void *)(prepared + p->layer.scales_at);
  int16_t *image = (int16_t *)(void *)scratch;
  const bool is_fixed = layer_is_fixed(net, node);
  uint8_t *sums = scratch + align_16(scratch_of(g));
  uint8_t *out = is_fixed ? sums : network_value(net, arena, node->output);
  widen_image(g, s.frame, (const int8_t *)network_value(net, arena, node->inputs[0]), f->input_zero_point, image);
  for (uint32_t block = 0; block < s.blocks; block++) {
    const uint32_t channel = block * 8, rest = g->output_channels - channel;
    const block_t b = {.g = g,
                       .image = image + channel,
                       .weights = (const int16_t *)(const void *)(prepared + p->weights_at) + (size_t)block * s.pairs * 16,
                       .pairs = (const int32_t *)(const void *)(prepared + p->pairs_at),
                       .pair_count = s.pairs,
                       .bias = {wasm_v128_load(bias + channel), wasm_v128_load(bias + channel + 4)},
                       .scale = {wasm_v128_load(scales + channel), wasm_v128_load(scales + channel + 4)},
                       .e = e == NULL ? NULL : &emit,
                       .is_bounded = p->layer.is_bounded != 0,
                       .width = rest < 8 ? rest : 8};
    const size_t row = (size_t)s.frame.columns * g->input_channels;
    uint8_t *to = out + channel * (e == NULL ? 4u : 1u);
    if (s.slides) {
      const slide_t slide = slide_of(g, row, s.slides_down);
      slide_block(&b, &slide, to);
    } else {
      run_block(&b, row, to);
    }
  }
  if (is_fixed) {
    layer_emit_fixed(net, node, sizeof *f, arena, g->output_channels, (const int32_t *)(const void *)sums, (size_t)window_output_count(g));
  }
}
