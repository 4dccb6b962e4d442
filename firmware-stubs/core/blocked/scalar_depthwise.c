/* depthwise of cores without SIMD: for one channel of an output row, the columns of the image under it are laid out with the zero point taken off
   and zeros for padding; windows of neighbours share them, and each is one dot product of consecutive numbers. */
#include "blocked.h"
#include "fast_scale.h"

#define MOST_TAPS 32u
#define COLUMN_WORDS 128u
#define MOST_COLUMNS 32u

typedef struct {
  const geometry_t *geometry;
  const int8_t *x, *weights;
  const int32_t *bias;
  int32_t zero_point;
  uint32_t multiplier;
  uint32_t taps;
  uint32_t most; /* output columns whose image columns fit COLUMN_WORDS */
  emission_t emission;
} depth_t;

/* weights [kh, kw, out] of a channel, as [kw, kh]. */
static void pack_weights(const geometry_t *g, const int8_t *from, int32_t *to) {
  for (uint32_t ky = 0; ky < g->kernel_height; ky++) {
    for (uint32_t kx = 0; kx < g->kernel_width; kx++) {
      to[kx * g->kernel_height + ky] = *from;
      from += g->output_channels;
    }
  }
}

/* Columns of three rows that all lie in the image: the common case. */
static void expand_three(const int8_t *from, size_t row, size_t step, int32_t count, int32_t zero_point, int32_t *to) {
  for (; count > 0; count--) {
    to[0] = from[0] - zero_point;
    to[1] = from[row] - zero_point;
    to[2] = from[2 * row] - zero_point;
    to += 3;
    from += step;
  }
}

/* Lays out columns first .. first + count - 1 of the image, [column, kh]. */
static void expand_columns(const depth_t *d, const window_t *w, const int8_t *x, int32_t first, int32_t count, int32_t *to) {
  const geometry_t *g = d->geometry;
  const int32_t height = g->kernel_height;
  const size_t row = (size_t)g->input_width * g->input_channels;
  const int32_t from = first < 0 ? 0 : first;
  const int32_t end = first + count < g->input_width ? first + count : g->input_width;
  const int32_t inside = end - from;
  const int has_all = w->first_y == 0 && w->end_y == height;
  if (inside < count || !has_all) {
    for (int32_t i = 0; i < count * height; i++) {
      to[i] = 0;
    }
  }
  to += (from - first) * height;
  const int8_t *column = x + (size_t)from * g->input_channels;
  if (has_all && height == 3) {
    expand_three(column + (size_t)w->y * row, row * g->dilation_y, g->input_channels, inside, d->zero_point, to);
    return;
  }
  for (int32_t ky = w->first_y; ky < w->end_y; ky++) {
    const int8_t *at = column + (size_t)(w->y + ky * g->dilation_y) * row;
    for (int32_t i = 0; i < inside; i++) {
      to[i * height + ky] = *at - d->zero_point;
      at += g->input_channels;
    }
  }
}

/* Requantizes sums of one channel at neighbouring positions. */
static void emit_columns(const emission_t *e, const int32_t *sums, uint32_t count, uint32_t channel, int8_t *out, size_t step) {
  const fast_scale_t scale = fast_scale(((const uint32_t *)(const void *)e->scales)[channel * e->scale_step]);
  const int32_t zero_point = e->zero_point, low = e->low, high = e->high;
  for (const int32_t *end = sums + count; sums < end; sums++) {
    *out = fast_scale_s8(*sums, &scale, zero_point, low, high);
    out += step;
  }
}

static void emit_raw(const int32_t *sums, uint32_t count, int32_t *out, size_t step) {
  for (; count > 0; count--) {
    *out = *sums++;
    out += step;
  }
}

/* One channel of an output row; x is its input channel. */
static void run_channel(const depth_t *d, const window_t *w, const int8_t *x, uint32_t channel, size_t index) {
  int32_t weights[MOST_TAPS + 2];
  int32_t columns[COLUMN_WORDS + 2];
  int32_t sums[MOST_COLUMNS];
  const geometry_t *g = d->geometry;
  const emission_t *e = &d->emission;
  pack_weights(g, d->weights + channel, weights);
  weights[d->taps] = weights[d->taps + 1] = 0;
  columns[COLUMN_WORDS] = columns[COLUMN_WORDS + 1] = 0;
  for (uint32_t column = 0; column < g->output_width; column += d->most) {
    const uint32_t count = least_of(d->most, g->output_width - column);
    const int32_t wide = (int32_t)((count - 1) * g->stride_x) + g->kernel_width;
    expand_columns(d, w, x, (int32_t)(column * g->stride_x) - g->pad_left, wide, columns);
    depth_dots(columns, (size_t)g->stride_x * g->kernel_height, weights, d->taps, d->bias == NULL ? 0 : d->bias[channel], sums, count);
    if (e->out_s8 != NULL) {
      emit_columns(e, sums, count, channel, e->out_s8 + index, g->output_channels);
    } else {
      emit_raw(sums, count, e->out_s32 + index, g->output_channels);
    }
    index += (size_t)count * g->output_channels;
  }
}

bool depthwise_is_unit(const geometry_t *g) {
  return g->dilation_x == 1 && (uint32_t)g->kernel_height * g->kernel_width <= MOST_TAPS;
}

void depthwise_unit(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const conv_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const uint32_t taps = (uint32_t)g->kernel_height * g->kernel_width;
  const depth_t d = {
      .geometry = g,
      .x = (const int8_t *)network_value(net, arena, node->inputs[0]),
      .weights = (const int8_t *)network_constant(net, f->weights),
      .bias = bias_of(net, f->bias),
      .zero_point = f->input_zero_point,
      .multiplier = (uint32_t)g->output_channels / g->input_channels,
      .taps = taps,
      .most = least_of(MOST_COLUMNS, (COLUMN_WORDS / g->kernel_height - g->kernel_width) / g->stride_x + 1),
      .emission = emission_of(net, node, sizeof *f, arena),
  };
  for (uint32_t y = 0; y < g->output_height; y++) {
    const window_t w = window_at(g, y, 0);
    const size_t index = (size_t)y * g->output_width * g->output_channels;
    const int8_t *x = d.x;
    for (uint32_t channel = 0; channel < g->output_channels; x++) {
      for (uint32_t i = 0; i < d.multiplier; i++) {
        run_channel(&d, &w, x, channel, index + channel);
        channel++;
      }
    }
  }
}
