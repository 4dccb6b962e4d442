/* Winograd F(4x4, 3x3) over the integers (Lavin and Gray 2016, points 0, 1, -1, 2, -2, infinity). With the rows of G multiplied by 24, 24, 24, 24,
   24, 12 every number is an integer: transformed inputs are at most 100 * 255 < 2^15, transformed weights at most 144 * 128 < 2^15, and
   the output transform gives 576 times the sum modulo 2^32. 576 = 9 * 64: a multiplication by the inverse of 9 modulo 2^32 and an arithmetic
   shift by 6 give the sum itself, exactly, as long as |sum| < 2^25. Position (1, 1) counts once in all 16 outputs: the products there start
   at 576 times the bias. */
#include "winograd.h"

#include "../mem.h"

#define UNROLL _Pragma("clang loop unroll(full)")
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
/* The position that reaches every output with factor 1. */
#define BIAS_POSITION 7u
#define POSITIONS 36u
#define BLOCK_BYTES 65536u
#define SUM_LIMIT 0x2000000u
#define INVERSE_OF_9 0x38e38e39

typedef struct {
  layer_t layer;
  uint32_t zeros_at; /* int32 [padded]: where products of the other positions start */
  uint32_t weights_at; /* int16 [36, groups, pairs, GROUP, 2] */
} winograd_prepared_t;

/* Sizes that both prepare and run derive from the geometry. */
typedef struct {
  uint32_t tiles_y, tiles_x;
  frame_t frame;
  uint32_t channels; /* input channels, rounded up to 8 */
  uint32_t outputs;  /* output channels, rounded up to GROUP */
  uint32_t block;    /* tiles that are transformed together: what they need should stay in the first cache */
  /* Elements from one position to the next: a cache line more than the tiles take, so that positions do not share one cache set. */
  size_t input_step, product_step;
  uint64_t image_bytes, inputs_bytes, products_bytes;
} sizes_t;

static sizes_t sizes_of(const geometry_t *g) {
  sizes_t s;
  s.tiles_y = ((uint32_t)g->output_height + 3) / 4;
  s.tiles_x = ((uint32_t)g->output_width + 3) / 4;
  s.frame = (frame_t){s.tiles_y * 4 + 2, s.tiles_x * 4 + 2};
  s.channels = ((uint32_t)g->input_channels + 7) & ~7u;
  s.outputs = gemm_groups(g->output_channels) * GROUP;
  const uint32_t tile_bytes = POSITIONS * (2 * s.channels + 4 * s.outputs);
  const uint32_t fitting = BLOCK_BYTES / tile_bytes & ~3u;
  const uint32_t tiles = s.tiles_y * s.tiles_x;
  s.block = fitting < 4 ? 4 : fitting;
  s.block = s.block > tiles ? tiles : s.block;
  s.input_step = (size_t)s.block * s.channels + 32;
  s.product_step = (size_t)s.block * s.outputs + 16;
  s.image_bytes = align_16(((uint64_t)s.frame.rows * s.frame.columns * g->input_channels + 16) * 2);
  s.inputs_bytes = (uint64_t)POSITIONS * s.input_step * 2;
  s.products_bytes = (uint64_t)POSITIONS * s.product_step * 4;
  return s;
}

static bool has_shape(const geometry_t *g) {
  return g->kernel_height == 3 && g->kernel_width == 3 && g->stride_y == 1 && g->stride_x == 1 && g->dilation_y == 1 && g->dilation_x == 1 &&
         g->output_height >= 2 && g->output_width >= 2;
}

/* Vector operations of both ways, roughly; the transforms' costs are counted from the code below. */
static bool gains(const geometry_t *g) {
  const sizes_t s = sizes_of(g);
  const uint64_t outputs = (uint64_t)g->output_height * g->output_width * s.outputs;
  const uint64_t direct = outputs * 3 * ((3u * g->input_channels + 1u) & ~1u) / 4;
  const uint64_t tiles = (uint64_t)s.tiles_y * s.tiles_x;
  const uint64_t winograd = tiles * (POSITIONS * (uint64_t)s.channels * s.outputs / 4 + 340 * (uint64_t)s.channels / 8 + 300 * (uint64_t)s.outputs / 4);
  return winograd < direct;
}

bool winograd_applies(const conv_fields_t *f, const layer_weights_t *w) {
  const geometry_t *g = &f->geometry;
  if (!has_shape(g) || !gains(g)) {
    return false;
  }
  for (uint32_t c = 0; c < w->channels; c++) {
    const int64_t bias = w->bias == NULL ? 0 : w->bias[c];
    if (layer_sum_bound(w, c) + (uint64_t)(bias < 0 ? -bias : bias) >= SUM_LIMIT) {
      return false;
    }
  }
  return true;
}

uint64_t winograd_prepare_bytes(const geometry_t *g) {
  const sizes_t s = sizes_of(g);
  return align_16(sizeof(winograd_prepared_t)) + (uint64_t)s.outputs * 12 + (uint64_t)POSITIONS * s.outputs * s.channels * 2;
}

uint64_t winograd_scratch_bytes(const geometry_t *g) {
  const sizes_t s = sizes_of(g);
  return s.image_bytes + s.inputs_bytes + s.products_bytes;
}

/* u = G' w G'^T for one 3x3 kernel whose taps are `step` apart. */
static void transform_kernel(const int8_t *w, size_t step, int16_t u[POSITIONS]) {
  static const int8_t G[6][3] = {{6, 0, 0}, {-4, -4, -4}, {-4, 4, -4}, {1, 2, 4}, {1, -2, 4}, {0, 0, 12}};
  int32_t half[6][3];
  for (uint32_t i = 0; i < 6; i++) {
    for (uint32_t x = 0; x < 3; x++) {
      half[i][x] = G[i][0] * w[x * step] + G[i][1] * w[(3 + x) * step] + G[i][2] * w[(6 + x) * step];
    }
  }
  for (uint32_t i = 0; i < 6; i++) {
    for (uint32_t j = 0; j < 6; j++) {
      u[i * 6 + j] = (int16_t)(half[i][0] * G[j][0] + half[i][1] * G[j][1] + half[i][2] * G[j][2]);
    }
  }
}

/* Index of input channel `channel`'s weight for `output` in one position's repacked weights. */
static size_t packed_index(const sizes_t *s, uint32_t output, uint32_t channel) {
  const size_t group = output / GROUP, pair = channel / 2;
  return ((group * (s->channels / 2) + pair) * GROUP + output % GROUP) * 2 + channel % 2;
}

static void repack(const geometry_t *g, const sizes_t *s, const int8_t *weights, int16_t *out) {
  const size_t position = (size_t)s->outputs * s->channels;
  memset(out, 0, POSITIONS * position * sizeof *out);
  for (uint32_t o = 0; o < g->output_channels; o++) {
    for (uint32_t c = 0; c < g->input_channels; c++) {
      int16_t u[POSITIONS];
      transform_kernel(weights + (size_t)o * 9 * g->input_channels + c, g->input_channels, u);
      for (uint32_t p = 0; p < POSITIONS; p++) {
        out[p * position + packed_index(s, o, c)] = u[p];
      }
    }
  }
}

void winograd_prepare(const conv_fields_t *f, const layer_weights_t *w, uint8_t *memory) {
  const sizes_t s = sizes_of(&f->geometry);
  winograd_prepared_t *p = (winograd_prepared_t *)(void *)memory;
  p->layer.bias_at = (uint32_t)align_16(sizeof *p);
  p->layer.scales_at = p->layer.bias_at + s.outputs * 4;
  p->zeros_at = p->layer.scales_at + s.outputs * 4;
  p->weights_at = p->zeros_at + s.outputs * 4;
  layer_prepare(w, s.outputs, memory, &p->layer);
  memset(memory + p->zeros_at, 0, s.outputs * 4);
  uint32_t *bias = (uint32_t *)(void *)(memory + p->layer.bias_at);
  for (uint32_t o = 0; o < s.outputs; o++) {
    bias[o] *= 576u; /* modulo 2^32, like everything up to the division */
  }
  repack(&f->geometry, &s, w->weights, (int16_t *)(void *)(memory + p->weights_at));
}

/* B^T d for six vectors of eight int16. */
INLINE void transform_inputs(const v128_t d[6], v128_t t[6]) {
  const v128_t a = wasm_i16x8_sub(d[4], wasm_i16x8_shl(d[2], 2));
  const v128_t b = wasm_i16x8_sub(d[3], wasm_i16x8_shl(d[1], 2));
  const v128_t c = wasm_i16x8_sub(d[4], d[2]);
  const v128_t odd = wasm_i16x8_sub(d[3], d[1]);
  const v128_t e = wasm_i16x8_add(odd, odd);
  t[0] = wasm_i16x8_sub(wasm_i16x8_add(a, wasm_i16x8_shl(d[0], 2)), d[2]);
  t[1] = wasm_i16x8_add(a, b);
  t[2] = wasm_i16x8_sub(a, b);
  t[3] = wasm_i16x8_add(c, e);
  t[4] = wasm_i16x8_sub(c, e);
  t[5] = wasm_i16x8_sub(wasm_i16x8_sub(d[5], d[3]), wasm_i16x8_add(e, e));
}

/* Transforms one tile: eight channels of 6x6 pixels at `from` to positions at `to`. */
NOINLINE void transform_tile(const int16_t *from, size_t pixel, size_t row, int16_t *to, size_t position) {
  v128_t half[6][6];
  for (uint32_t x = 0; x < 6; x++) {
    v128_t d[6], t[6];
    UNROLL for (uint32_t y = 0; y < 6; y++) {
      d[y] = wasm_v128_load(from + y * row + x * pixel);
    }
    transform_inputs(d, t);
    UNROLL for (uint32_t y = 0; y < 6; y++) {
      half[y][x] = t[y];
    }
  }
  for (uint32_t y = 0; y < 6; y++) {
    v128_t t[6];
    transform_inputs(half[y], t);
    UNROLL for (uint32_t x = 0; x < 6; x++) {
      wasm_v128_store(to + (y * 6 + x) * position, t[x]);
    }
  }
}

/* A'^T m for six vectors of four int32. */
INLINE void transform_outputs(const v128_t m[6], v128_t y[4]) {
  const v128_t sum1 = wasm_i32x4_add(m[1], m[2]), difference1 = wasm_i32x4_sub(m[1], m[2]);
  const v128_t sum2 = wasm_i32x4_add(m[3], m[4]), difference2 = wasm_i32x4_sub(m[3], m[4]);
  y[0] = wasm_i32x4_add(wasm_i32x4_add(m[0], sum1), sum2);
  y[1] = wasm_i32x4_add(difference1, wasm_i32x4_add(difference2, difference2));
  y[2] = wasm_i32x4_add(sum1, wasm_i32x4_shl(sum2, 2));
  y[3] = wasm_i32x4_add(wasm_i32x4_add(difference1, wasm_i32x4_shl(difference2, 3)), wasm_i32x4_add(m[5], m[5]));
}

/* The tiles of one position times its weights: [tiles, channels] x [groups, pairs, GROUP, 2] -> int32 [tiles, outputs]. */
typedef struct {
  const int16_t *inputs;
  const int16_t *weights;
  const int32_t *start; /* [outputs] */
  int32_t *products;
  uint32_t tiles, channels, outputs;
} product_t;

/* Four rows by one group; the rows are `channels` apart. */
INLINE void product_tile(const int16_t *x, size_t channels, const int16_t *w, const int32_t *start, int32_t *out, size_t outputs, uint32_t rows) {
  v128_t sums[4][2];
  UNROLL for (uint32_t r = 0; r < 4; r++) {
    sums[r][0] = wasm_v128_load(start);
    sums[r][1] = wasm_v128_load(start + 4);
  }
  const int16_t *at[4] = {x, x + (rows > 1 ? channels : 0), x + (rows > 2 ? 2 * channels : 0), x + (rows > 3 ? 3 * channels : 0)};
  for (size_t c = 0; c < channels; c += 2) {
    const v128_t w0 = wasm_v128_load(w), w1 = wasm_v128_load(w + 8);
    w += 2 * GROUP;
    UNROLL for (uint32_t r = 0; r < 4; r++) {
      const v128_t pair = wasm_v128_load32_splat(at[r]);
      sums[r][0] = wasm_i32x4_add(sums[r][0], wasm_i32x4_dot_i16x8(pair, w0));
      sums[r][1] = wasm_i32x4_add(sums[r][1], wasm_i32x4_dot_i16x8(pair, w1));
      at[r] += 2;
    }
  }
  UNROLL for (uint32_t r = 0; r < 4; r++) {
    if (r < rows) {
      wasm_v128_store(out + r * outputs, sums[r][0]);
      wasm_v128_store(out + r * outputs + 4, sums[r][1]);
    }
  }
}

NOINLINE void part_of_product(const product_t *p, uint32_t output, const int16_t *weights, uint32_t tile) {
  product_tile(p->inputs + tile * p->channels, p->channels, weights, p->start + output, p->products + tile * p->outputs + output, p->outputs, p->tiles - tile);
}

NOINLINE void multiply(const product_t *p) {
  const int16_t *weights = p->weights;
  const size_t channels = p->channels, outputs = p->outputs;
  for (uint32_t output = 0; output < p->outputs; output += GROUP) {
    const int16_t *x = p->inputs;
    int32_t *out = p->products + output;
    uint32_t tile = 0;
    for (; tile + 4 <= p->tiles; tile += 4) {
      product_tile(x, channels, weights, p->start + output, out, outputs, 4);
      x += 4 * channels;
      out += 4 * outputs;
    }
    if (tile < p->tiles) {
      part_of_product(p, output, weights, tile);
    }
    weights += channels * GROUP;
  }
}

typedef struct {
  const geometry_t *g;
  const emit8_t *e; /* NULL: int32 */
  const float *scales;
  bool is_bounded;
  uint8_t *out;
} target_t;

/* Four channels of one tile: products of 36 positions -> half-transformed sums [4 rows, 6]. */
INLINE void finish_columns(const int32_t *products, size_t position, v128_t half[4][6]) {
  UNROLL for (uint32_t x = 0; x < 6; x++) {
    v128_t m[6], y[4];
    UNROLL for (uint32_t i = 0; i < 6; i++) {
      m[i] = wasm_v128_load(products + (i * 6 + x) * position);
    }
    transform_outputs(m, y);
    UNROLL for (uint32_t i = 0; i < 4; i++) {
      half[i][x] = y[i];
    }
  }
}

/* A row of four pixels: half-transformed sums -> exact sums. */
INLINE void finish_row(const v128_t half[6], v128_t sums[4]) {
  transform_outputs(half, sums);
  UNROLL for (uint32_t x = 0; x < 4; x++) {
    sums[x] = wasm_i32x4_shr(wasm_i32x4_mul(sums[x], wasm_i32x4_const_splat(INVERSE_OF_9)), 6);
  }
}

INLINE v128_t scaled(const target_t *t, v128_t sums, v128_t scale) {
  return emit_scaled(t->e, wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums), scale), t->is_bounded);
}

/* A whole tile of four channels, requantized and stored four bytes a pixel. */
NOINLINE void finish_whole(const target_t *t, const int32_t *products, size_t position, v128_t scale, int8_t *out) {
  v128_t half[4][6];
  finish_columns(products, position, half);
  const size_t pixel = t->g->output_channels, row = pixel * t->g->output_width;
  for (uint32_t y = 0; y < 4; y++, out += row) {
    v128_t s[4];
    finish_row(half[y], s);
    const v128_t left = wasm_i16x8_narrow_i32x4(scaled(t, s[0], scale), scaled(t, s[1], scale));
    const v128_t right = wasm_i16x8_narrow_i32x4(scaled(t, s[2], scale), scaled(t, s[3], scale));
    const v128_t bytes = emit_narrow(t->e, left, right);
    wasm_v128_store32_lane(out, bytes, 0);
    wasm_v128_store32_lane(out + pixel, bytes, 1);
    wasm_v128_store32_lane(out + 2 * pixel, bytes, 2);
    wasm_v128_store32_lane(out + 3 * pixel, bytes, 3);
  }
}

/* A tile of four channels of which some pixels or channels do not exist, or whose sums leave as int32; `at` is its first element. */
NOINLINE void finish_part(const target_t *t, const int32_t *products, size_t position, v128_t scale, size_t at, uint32_t rows, uint32_t columns, uint32_t width) {
  v128_t half[4][6];
  finish_columns(products, position, half);
  const size_t pixel = t->g->output_channels, row = pixel * t->g->output_width;
  for (uint32_t y = 0; y < 4 && y < rows; y++) {
    v128_t s[4];
    finish_row(half[y], s);
    for (uint32_t x = 0; x < 4 && x < columns; x++) {
      const size_t element = at + y * row + x * pixel;
      if (t->e == NULL) {
        emit_store_sums((int32_t *)(void *)t->out + element, s[x], s[x], width);
        continue;
      }
      const v128_t words = wasm_i16x8_narrow_i32x4(scaled(t, s[x], scale), s[x]);
      emit_store_part((int8_t *)t->out + element, emit_narrow(t->e, words, words), width);
    }
  }
}

/* All channels of one tile. */
static void finish_tile(const target_t *t, const int32_t *products, size_t position, uint32_t tile_y, uint32_t tile_x) {
  const geometry_t *g = t->g;
  const uint32_t rows = g->output_height - tile_y * 4, columns = g->output_width - tile_x * 4;
  const size_t first = ((size_t)tile_y * 4 * g->output_width + tile_x * 4) * g->output_channels;
  for (uint32_t c = 0; c < g->output_channels; c += 4) {
    const uint32_t width = g->output_channels - c < 4 ? g->output_channels - c : 4;
    const v128_t scale = wasm_v128_load(t->scales + c);
    if (rows >= 4 && columns >= 4 && width == 4 && t->e != NULL) {
      finish_whole(t, products + c, position, scale, (int8_t *)t->out + first + c);
    } else {
      finish_part(t, products + c, position, scale, first + c, rows, columns, width);
    }
  }
}

/* What one block of tiles needs. */
typedef struct {
  const geometry_t *g;
  const uint8_t *memory;
  const int16_t *image;
  int16_t *inputs;
  int32_t *products;
  sizes_t s;
} work_t;

static void transform_block(const work_t *w, uint32_t first, uint32_t count) {
  const size_t pixel = w->g->input_channels, row = w->s.frame.columns * pixel;
  for (uint32_t t = 0; t < count; t++) {
    const int16_t *from = w->image + (first + t) / w->s.tiles_x * 4 * row + (first + t) % w->s.tiles_x * 4 * pixel;
    for (uint32_t c = 0; c < w->s.channels; c += 8) {
      transform_tile(from + c, pixel, row, w->inputs + t * w->s.channels + c, w->s.input_step);
    }
  }
}

static void multiply_block(const work_t *w, uint32_t count) {
  const winograd_prepared_t *p = (const winograd_prepared_t *)(const void *)w->memory;
  const int16_t *weights = (const int16_t *)(const void *)(w->memory + p->weights_at);
  for (uint32_t position = 0; position < POSITIONS; position++) {
    const uint32_t start_at = position == BIAS_POSITION ? p->layer.bias_at : p->zeros_at;
    const product_t product = {.inputs = w->inputs + position * w->s.input_step,
                               .weights = weights + position * (size_t)w->s.outputs * w->s.channels,
                               .start = (const int32_t *)(const void *)(w->memory + start_at),
                               .products = w->products + position * w->s.product_step,
                               .tiles = count,
                               .channels = w->s.channels,
                               .outputs = w->s.outputs};
    multiply(&product);
  }
}

void winograd_run(const conv_fields_t *f, const uint8_t *memory, uint8_t *scratch, const int8_t *x, const emit8_t *e, uint8_t *out) {
  const geometry_t *g = &f->geometry;
  const sizes_t s = sizes_of(g);
  const winograd_prepared_t *p = (const winograd_prepared_t *)(const void *)memory;
  int16_t *image = (int16_t *)(void *)scratch;
  const work_t w = {g, memory, image, (int16_t *)(void *)(scratch + s.image_bytes), (int32_t *)(void *)(scratch + s.image_bytes + s.inputs_bytes), s};
  const target_t target = {g, e, (const float *)(const void *)(memory + p->layer.scales_at), p->layer.is_bounded != 0, out};
  widen_image(g, s.frame, x, f->input_zero_point, image);
  const uint32_t tiles = s.tiles_y * s.tiles_x;
  for (uint32_t first = 0; first < tiles; first += s.block) {
    const uint32_t count = tiles - first < s.block ? tiles - first : s.block;
    transform_block(&w, first, count);
    multiply_block(&w, count);
    for (uint32_t t = 0; t < count; t++) {
      finish_tile(&target, w.products + t * s.outputs, s.product_step, (first + t) / s.tiles_x, (first + t) % s.tiles_x);
    }
  }
}
