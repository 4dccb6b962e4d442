/* depthwise of MVE: for eight channels of an output row, the columns of the image under it are laid out as 16-bit vectors (zero point taken off,
   zeros for padding); windows of neighbours share them, and two outputs at a time share the weights. */
#include "../blocked/blocked.h"
#include "../blocked/columns.h"

#define LANES 8u
#define COLUMN_VECTORS 48u
#define MOST_TAPS 32u

typedef struct {
  const geometry_t *geometry;
  const int8_t *x, *weights;
  const int32_t *bias;
  int32_t zero_point;
  uint32_t taps;
  emission_t emission;
} depth_t;

/* Sums of channels 0 2 4 6 and 1 3 5 7. */
typedef struct {
  int32x4_t even, odd;
} sums_t;

static inline sums_t add_products(sums_t sums, int16x8_t x, int16x8_t w) {
  return (sums_t){vaddq_s32(sums.even, vmullbq_int_s16(x, w)), vaddq_s32(sums.odd, vmulltq_int_s16(x, w))};
}

static const uint32_t EVEN_BYTES[4] = {0, 8, 16, 24};

/* Words `step` words apart for the even and the odd channels; channels that are not there give 0. */
static inline sums_t load_pairs(const void *from, uint32_t step, mve_pred16_t even, mve_pred16_t odd) {
  const int32_t *words = from;
  const uint32x4_t offsets = vmulq_n_u32(vld1q_u32(EVEN_BYTES), step);
  return (sums_t){vldrwq_gather_offset_z_s32(words, offsets, even), vldrwq_gather_offset_z_s32(words + step, offsets, odd)};
}

/* What eight channels share over a row. */
typedef struct {
  sums_t bias, scales;
  mve_pred16_t lanes, even, odd;
} group_t;

static group_t group_of(const depth_t *d, uint32_t channel) {
  const uint32_t count = least_of(8, d->geometry->output_channels - channel);
  group_t g;
  g.lanes = vctp16q(count);
  g.even = vctp32q((count + 1) / 2);
  g.odd = vctp32q(count / 2);
  g.bias = (sums_t){vdupq_n_s32(0), vdupq_n_s32(0)};
  if (d->bias != NULL) {
    g.bias = load_pairs(d->bias + channel, 1, g.even, g.odd);
  }
  if (d->emission.out_s8 != NULL) {
    g.scales = load_pairs(&d->emission.scales[channel * d->emission.scale_step], d->emission.scale_step, g.even, g.odd);
  } else {
    g.scales = g.bias;
  }
  return g;
}

static inline __attribute__((always_inline)) void emit(const depth_t *d, const group_t *g, sums_t sums, size_t index) {
  const emission_t *e = &d->emission;
  if (e->out_s8 == NULL) {
    const uint32x4_t offsets = vld1q_u32(EVEN_BYTES);
    vstrwq_scatter_offset_p_s32(e->out_s32 + index, offsets, sums.even, g->even);
    vstrwq_scatter_offset_p_s32(e->out_s32 + index + 1, offsets, sums.odd, g->odd);
    return;
  }
  const int32x4_t even = vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(sums.even), vreinterpretq_f32_s32(g->scales.even)));
  const int32x4_t odd = vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(sums.odd), vreinterpretq_f32_s32(g->scales.odd)));
  int16x8_t y = vqmovntq_s32(vqmovnbq_s32(vdupq_n_s16(0), even), odd);
  y = vqaddq_n_s16(y, (int16_t)e->zero_point);
  y = vminq_s16(vmaxq_s16(y, vdupq_n_s16((int16_t)e->low)), vdupq_n_s16((int16_t)e->high));
  vstrbq_p_s16(e->out_s8 + index, y, g->lanes);
}

/* Eight channels of `rows` rows of `count` columns, as [column, row]. */
static void put_rows(const int8_t *from, size_t row_step, size_t step, uint32_t rows, uint32_t count, int16_t shift, mve_pred16_t lanes, int16_t *to,
                     uint32_t height) {
  for (; rows > 0; rows--) {
    const int8_t *at = from;
    int16_t *column = to;
    if (lanes == 0xffff) {
      for (uint32_t i = count; i > 0; i--) {
        vst1q_s16(column, vsubq_n_s16(vldrbq_s16(at), shift));
        at += step;
        column += LANES * height;
      }
    } else {
      for (uint32_t i = count; i > 0; i--) {
        vst1q_s16(column, vsubq_n_s16(vldrbq_z_s16(at, lanes), shift));
        at += step;
        column += LANES * height;
      }
    }
    from += row_step;
    to += LANES;
  }
}

/* The columns in the image under a part; rows outside it were filled with zeros. */
static void expand_columns(const depth_t *d, const part_t *part, const int8_t *x, mve_pred16_t lanes, int16_t *columns) {
  const geometry_t *g = d->geometry;
  const window_t *w = part->window;
  if (w->end_y <= w->first_y) {
    return;
  }
  const size_t row = (size_t)g->input_width * g->input_channels;
  const int8_t *from = x + (size_t)(w->y + w->first_y * g->dilation_y) * row + (size_t)part->from * g->input_channels;
  int16_t *to = columns + LANES * (part->before * g->kernel_height + (uint32_t)w->first_y);
  const uint32_t rows = (uint32_t)(w->end_y - w->first_y);
  put_rows(from, row * g->dilation_y, g->input_channels, rows, part->inside, (int16_t)d->zero_point, lanes, to, g->kernel_height);
}

static void put_zeros(const geometry_t *g, const part_t *part, int16_t *columns) {
  const uint32_t vectors = (part->before + part->inside + part->after) * g->kernel_height;
  for (uint32_t i = 0; i < vectors; i++) {
    vst1q_s16(columns + LANES * i, vdupq_n_s16(0));
  }
}

/* Two outputs, `apart` numbers of the columns from each other. */
static inline __attribute__((always_inline)) void run_two(const depth_t *d, const group_t *group, const int16_t *x, size_t apart, const int16_t *w, size_t index) {
  sums_t left = group->bias, right = group->bias;
  for (uint32_t t = d->taps; t > 0; t--) {
    const int16x8_t weights = vld1q_s16(w);
    left = add_products(left, vld1q_s16(x), weights);
    right = add_products(right, vld1q_s16(x + apart), weights);
    x += LANES;
    w += LANES;
  }
  emit(d, group, left, index);
  emit(d, group, right, index + d->geometry->output_channels);
}

static inline __attribute__((always_inline)) void run_one(const depth_t *d, const group_t *group, const int16_t *x, const int16_t *w, size_t index) {
  sums_t sums = group->bias;
  for (uint32_t t = d->taps; t > 0; t--) {
    sums = add_products(sums, vld1q_s16(x), vld1q_s16(w));
    x += LANES;
    w += LANES;
  }
  emit(d, group, sums, index);
}

/* Every channel of a part of an output row. */
static void run_part(const depth_t *d, const part_t *part, size_t index) {
  int16_t columns[COLUMN_VECTORS * LANES];
  int16_t weights[MOST_TAPS * LANES];
  const geometry_t *g = d->geometry;
  const size_t apart = (size_t)LANES * g->stride_x * g->kernel_height;
  const size_t weight_row = (size_t)g->kernel_width * g->output_channels;
  put_zeros(g, part, columns);
  for (uint32_t channel = 0; channel < g->output_channels; channel += LANES) {
    const group_t group = group_of(d, channel);
    put_rows(d->weights + channel, weight_row, g->output_channels, g->kernel_height, g->kernel_width, 0, group.lanes, weights, g->kernel_height);
    expand_columns(d, part, d->x + channel, group.lanes, columns);
    const int16_t *x = columns;
    size_t at = index + channel;
    uint32_t left = part->count;
    for (; left >= 2; left -= 2) {
      run_two(d, &group, x, apart, weights, at);
      x += 2 * apart;
      at += 2 * (size_t)g->output_channels;
    }
    if (left != 0) {
      run_one(d, &group, x, weights, at);
    }
  }
}

bool depthwise_is_unit(const geometry_t *g) {
  return g->dilation_x == 1 && g->output_channels == g->input_channels && (uint32_t)g->kernel_height * g->kernel_width <= MOST_TAPS;
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
      .taps = taps,
      .emission = emission_of(net, node, sizeof *f, arena),
  };
  const uint32_t most = (COLUMN_VECTORS / g->kernel_height - g->kernel_width) / g->stride_x + 1;
  for (uint32_t y = 0; y < g->output_height; y++) {
    const window_t w = window_at(g, y, 0);
    for (uint32_t column = 0; column < g->output_width; column += most) {
      const part_t part = part_of(g, &w, column, most);
      run_part(&d, &part, ((size_t)y * g->output_width + column) * g->output_channels);
    }
  }
}
