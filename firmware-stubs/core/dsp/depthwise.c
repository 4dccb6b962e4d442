/* depthwise of the DSP extension: for four channels of an output row, the columns of the image under it are laid out as pairs of rows (zero point
   taken off, zeros for padding), so that SMLAD takes two taps; windows of neighbours share the columns. A pair of rows by four channels is 6
   instructions: two LDM, four SMLAD. */
#include "../blocked/blocked.h"
#include "../blocked/columns.h"

#define COLUMN_WORDS 128u
#define MOST_GROUP_WORDS 64u
#define WEIGHT_WORDS 384u /* all channels of a layer, or of four */

typedef struct {
  const geometry_t *geometry;
  const int8_t *x, *weights;
  const int32_t *bias;
  uint32_t shift;        /* minus the zero point, in both halves */
  uint32_t pairs;        /* of kernel rows, the last one filled with zeros */
  uint32_t column_words; /* of four channels */
  uint32_t most;         /* output columns whose image columns fit COLUMN_WORDS */
  bool is_common;        /* 3x3, bounds of int8 */
  uint32_t *packed;      /* weights: of every group of four channels (holds_all), or of one at a time */
  uint32_t group_words;
  bool holds_all;
  emission_t emission;
} depth_t;

/* Two rows of four channels, c0 c1 c2 c3, as pairs. */
static inline void put_pairs(uint32_t *to, uint32_t even_a, uint32_t odd_a, uint32_t even_b, uint32_t odd_b) {
  to[0] = join_low(even_a, even_b);
  to[1] = join_low(odd_a, odd_b);
  to[2] = join_high(even_a, even_b);
  to[3] = join_high(odd_a, odd_b);
}

/* Two rows of the image, or one with a row of zeros (NULL) above or below. */
typedef struct {
  const int8_t *a, *b;
} rows_t;

/* Lays out `count` columns, `step` bytes apart, of four channels. shift: what is added to every number, in both halves. */
static void put_columns(rows_t rows, size_t step, uint32_t count, uint32_t shift, uint32_t *to, uint32_t to_step) {
  const int8_t *a = rows.a, *b = rows.b;
  if (a != NULL && b != NULL) {
    for (; count > 0; count--) {
      const uint32_t v = load_word(a), w = load_word(b);
      put_pairs(to, add_even_bytes(shift, v), add_odd_bytes(shift, v), add_even_bytes(shift, w), add_odd_bytes(shift, w));
      a += step;
      b += step;
      to += to_step;
    }
  } else if (a != NULL) {
    for (; count > 0; count--) {
      const uint32_t v = load_word(a);
      put_pairs(to, add_even_bytes(shift, v), add_odd_bytes(shift, v), 0, 0);
      a += step;
      to += to_step;
    }
  } else {
    for (; count > 0; count--) {
      const uint32_t w = b == NULL ? 0 : load_word(b);
      put_pairs(to, 0, 0, b == NULL ? 0 : add_even_bytes(shift, w), b == NULL ? 0 : add_odd_bytes(shift, w));
      b = b == NULL ? NULL : b + step;
      to += to_step;
    }
  }
}

/* Weights [kh, kw, out] of four channels, as [kw, pair]. */
static void pack_weights(const depth_t *d, const int8_t *weights, uint32_t *to) {
  const geometry_t *g = d->geometry;
  const size_t row = (size_t)g->kernel_width * g->output_channels;
  for (uint32_t pair = 0; pair < d->pairs; pair++) {
    const int8_t *a = weights + 2 * pair * row;
    const rows_t rows = {a, 2 * pair + 1 < g->kernel_height ? a + row : NULL};
    put_columns(rows, g->output_channels, g->kernel_width, 0, to + 4 * pair, d->column_words);
  }
}

/* The zeros of a part; they stay while channel after channel is laid out between them. */
static void put_zeros(const depth_t *d, const part_t *part, uint32_t *columns) {
  for (uint32_t i = 0; i < part->before * d->column_words; i++) {
    columns[i] = 0;
  }
  uint32_t *after = columns + (part->before + part->inside) * d->column_words;
  for (uint32_t i = 0; i < part->after * d->column_words; i++) {
    after[i] = 0;
  }
}

/* Lays out the columns in the image of four channels. */
static void expand_columns(const depth_t *d, const part_t *part, const int8_t *x, uint32_t *columns) {
  const geometry_t *g = d->geometry;
  const window_t *w = part->window;
  const ptrdiff_t row = (ptrdiff_t)g->input_width * g->input_channels;
  uint32_t *to = columns + part->before * d->column_words;
  const int8_t *at = x + w->y * row + (ptrdiff_t)(part->from * g->input_channels);
  for (int32_t ky = 0; ky < (int32_t)(2 * d->pairs); ky += 2) {
    const bool has_a = ky >= w->first_y && ky < w->end_y, has_b = ky + 1 >= w->first_y && ky + 1 < w->end_y;
    const int8_t *next = at + g->dilation_y * row;
    put_columns((rows_t){has_a ? at : NULL, has_b ? next : NULL}, g->input_channels, part->inside, d->shift, to, d->column_words);
    at = next + g->dilation_y * row;
    to += 4;
  }
}

#define STEP                    \
  "ldmia r0!, {r4-r7}\n\t"      \
  "ldmia r1!, {r8-r11}\n\t"     \
  "smlad r2, r4, r8, r2\n\t"    \
  "smlad r3, r5, r9, r3\n\t"    \
  "smlad r12, r6, r10, r12\n\t" \
  "smlad lr, r7, r11, lr\n\t"

/* The dot products of four channels. All registers are in use: the end of the weights waits in the FPU. */
static void dots(const uint32_t *columns, const uint32_t *weights, uint32_t steps, int32_t *sums) {
  register const uint32_t *x __asm__("r0") = columns;
  register const uint32_t *w __asm__("r1") = weights;
  register int32_t s0 __asm__("r2") = sums[0];
  register int32_t s1 __asm__("r3") = sums[1];
  register int32_t s2 __asm__("r12") = sums[2];
  register int32_t s3 __asm__("lr") = sums[3];
  const uint32_t *last = weights + 4 * steps;
  float end;
  __builtin_memcpy(&end, &last, 4);
  __asm__ volatile("1:\n\t" STEP
                   "vmov r4, %[end]\n\t"
                   "cmp r1, r4\n\t"
                   "bne 1b\n\t"
                   : "+r"(x), "+r"(w), "+r"(s0), "+r"(s1), "+r"(s2), "+r"(s3)
                   : [end] "t"(end)
                   : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "cc", "memory");
  sums[0] = s0;
  sums[1] = s1;
  sums[2] = s2;
  sums[3] = s3;
}

/* Outputs of four channels in a row of the common kind: 3x3, bounds of int8. Fields are read in pairs; offsets are in the assembly below. */
typedef struct {
  const uint32_t *columns; /* 0 */
  const uint32_t *weights;
  int8_t *out; /* 8 */
  int8_t *end;
  uint32_t column_bytes; /* 16 */
  uint32_t channels;
  int32_t zero_point; /* 24 */
  int32_t bias[4];    /* 28 */
  float scales[4];    /* 44 */
} strip_t;

static void strip_3x3(strip_t *strip) {
  register strip_t *s __asm__("r0") = strip;
  __asm__ volatile(
      "vmov s15, r0\n\t"
      "add r1, r0, #44\n\t"
      "vldmia r1, {s4-s7}\n\t"
      "1:\n\t"
      "add r1, r0, #28\n\t"
      "ldmia r1, {r2, r3, r12, lr}\n\t"
      "ldrd r0, r1, [r0]\n\t" STEP STEP STEP STEP STEP STEP
      "vmov r0, s15\n\t"
      "vmov s0, s1, r2, r3\n\t"
      "vmov s2, s3, r12, lr\n\t"
      "vcvt.f32.s32 s0, s0\n\t"
      "vcvt.f32.s32 s1, s1\n\t"
      "vcvt.f32.s32 s2, s2\n\t"
      "vcvt.f32.s32 s3, s3\n\t"
      "vmul.f32 s0, s0, s4\n\t"
      "vmul.f32 s1, s1, s5\n\t"
      "vmul.f32 s2, s2, s6\n\t"
      "vmul.f32 s3, s3, s7\n\t"
      "vcvtr.s32.f32 s0, s0\n\t"
      "vcvtr.s32.f32 s1, s1\n\t"
      "vcvtr.s32.f32 s2, s2\n\t"
      "vcvtr.s32.f32 s3, s3\n\t"
      "ldmia r0, {r4-r10}\n\t"
      "vmov r2, r3, s0, s1\n\t"
      "vmov r12, lr, s2, s3\n\t"
      "qadd r2, r2, r10\n\t"
      "qadd r3, r3, r10\n\t"
      "qadd r12, r12, r10\n\t"
      "qadd lr, lr, r10\n\t"
      "ssat r2, #8, r2\n\t"
      "ssat r3, #8, r3\n\t"
      "ssat r12, #8, r12\n\t"
      "ssat lr, #8, lr\n\t"
      "strb r2, [r6]\n\t"
      "strb r3, [r6, #1]\n\t"
      "strb r12, [r6, #2]\n\t"
      "strb lr, [r6, #3]\n\t"
      "add r4, r8\n\t"
      "add r6, r9\n\t"
      "str r4, [r0]\n\t"
      "str r6, [r0, #8]\n\t"
      "cmp r6, r7\n\t"
      "bne 1b\n\t"
      : "+r"(s)
      :
      : "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s15", "cc",
        "memory");
}

static void start_bias(const depth_t *d, uint32_t channel, int32_t *sums) {
  for (uint32_t c = 0; c < 4; c++) {
    sums[c] = d->bias == NULL ? 0 : d->bias[channel + c];
  }
}

/* Four channels of neighbouring outputs, from element `index`. */
static void emit_columns(const depth_t *d, const uint32_t *columns, const uint32_t *weights, uint32_t channel, size_t index, uint32_t count) {
  const geometry_t *g = d->geometry;
  const emission_t *e = &d->emission;
  for (; count > 0; count--) {
    int32_t sums[4];
    start_bias(d, channel, sums);
    dots(columns, weights, d->pairs * g->kernel_width, sums);
    for (uint32_t c = 0; c < 4; c++) {
      emit_one(e, index + c, channel + c, sums[c]);
    }
    columns += d->column_words * g->stride_x;
    index += g->output_channels;
  }
}

static void emit_strip(const depth_t *d, const uint32_t *columns, const uint32_t *weights, uint32_t channel, size_t index, uint32_t count) {
  const geometry_t *g = d->geometry;
  const emission_t *e = &d->emission;
  const float *scale = &e->scales[channel * e->scale_step];
  int8_t *out = e->out_s8 + index;
  strip_t strip;
  strip.columns = columns;
  strip.weights = weights;
  strip.out = out;
  strip.end = out + (size_t)count * g->output_channels;
  strip.column_bytes = 4 * d->column_words * g->stride_x;
  strip.channels = g->output_channels;
  strip.zero_point = e->zero_point;
  for (uint32_t c = 0; c < 4; c++) {
    strip.scales[c] = scale[c * e->scale_step];
  }
  start_bias(d, channel, strip.bias);
  strip_3x3(&strip);
}

/* The channel with which the group of `next` starts: the last four overlap the group before and repeat it. */
static uint32_t group_start(const depth_t *d, uint32_t next) {
  return least_of(next, d->geometry->output_channels - 4u);
}

/* Every channel of a part of an output row. */
static void run_part(const depth_t *d, const part_t *part, size_t index) {
  uint32_t *weights = d->packed;
  uint32_t columns[COLUMN_WORDS];
  const geometry_t *g = d->geometry;
  put_zeros(d, part, columns);
  for (uint32_t next = 0; next < g->output_channels; next += 4) {
    const uint32_t channel = group_start(d, next);
    if (!d->holds_all) {
      pack_weights(d, d->weights + channel, weights);
    }
    expand_columns(d, part, d->x + channel, columns);
    (d->is_common ? emit_strip : emit_columns)(d, columns, weights, channel, index + channel, part->count);
    weights += d->holds_all ? d->group_words : 0;
  }
}

/* Pairs of kernel rows. */
static uint32_t pairs_of(const geometry_t *g) {
  return (g->kernel_height + 1u) / 2;
}

bool depthwise_is_unit(const geometry_t *g) {
  const bool has_groups = g->output_channels == g->input_channels && g->output_channels >= 4;
  return g->dilation_x == 1 && has_groups && 4 * pairs_of(g) * g->kernel_width <= MOST_GROUP_WORDS;
}

void depthwise_unit(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const conv_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const uint32_t channels = g->output_channels;
  const uint32_t pairs = pairs_of(g);
  uint32_t packed[WEIGHT_WORDS];
  depth_t d = {
      .geometry = g,
      .x = (const int8_t *)network_value(net, arena, node->inputs[0]),
      .weights = (const int8_t *)network_constant(net, f->weights),
      .bias = bias_of(net, f->bias),
      .shift = both_halves(-f->input_zero_point),
      .pairs = pairs,
      .column_words = 4 * pairs,
      .packed = packed,
      .group_words = 4 * pairs * g->kernel_width,
      .holds_all = (channels + 3) / 4 * 4 * pairs * g->kernel_width <= WEIGHT_WORDS,
      .most = (COLUMN_WORDS / (4 * pairs) - g->kernel_width) / g->stride_x + 1,
      .emission = emission_of(net, node, sizeof *f, arena),
  };
  const emission_t *e = &d.emission;
  d.is_common = g->kernel_width == 3 && pairs == 2 && e->out_s8 != NULL && e->low == INT8_MIN && e->high == INT8_MAX;
  for (uint32_t next = 0; d.holds_all && next < channels; next += 4) {
    pack_weights(&d, d.weights + group_start(&d, next), packed + next / 4 * d.group_words);
  }
  for (uint32_t y = 0; y < g->output_height; y++) {
    const window_t w = window_at(g, y, 0);
    for (uint32_t column = 0; column < g->output_width; column += d.most) {
      const part_t part = part_of(g, &w, column, d.most);
      run_part(&d, &part, ((size_t)y * g->output_width + column) * channels);
    }
  }
}
