/* conv2d of a chip (blocked.h): four positions at a time are laid out with the zero point taken off and zeros for padding, then meet every channel. */
#include "blocked.h"

/* A range of taps [o, kh, kw, in] of one output channel, and where it starts in the kernel. */
typedef struct {
  uint32_t first, count;
  int32_t ky;      /* kernel row of the first tap */
  uint32_t column; /* its place in that row of kw * in taps */
} taps_t;

typedef struct {
  const geometry_t *geometry;
  const int8_t *x, *weights;
  const int32_t *bias;
  int32_t zero_point;
  uint32_t taps;     /* of an output channel */
  uint32_t row_taps; /* kw * in */
  uint32_t chunk;    /* taps of a block */
  bool has_aligned_rows; /* of a multiple of BLOCK_ALIGNMENT taps */
  emission_t emission;
} conv_t;

/* The zero point stands for padding: block_expand() makes zeros of it. */
static int8_t *fill_run(int8_t *to, uint32_t count, int32_t zero_point) {
  for (; count > 0; count--) {
    *to++ = (int8_t)zero_point;
  }
  return to;
}

/* Taps first .. end - 1 of a run of which those from inside to outside - 1 lie in the image, as bytes. */
static int8_t *collect_run(const int8_t *run, uint32_t inside, uint32_t outside, uint32_t first, uint32_t end, int32_t zero_point, int8_t *to) {
  const uint32_t left = inside < first ? first : least_of(inside, end);
  const uint32_t right = outside < left ? left : least_of(outside, end);
  to = fill_run(to, left - first, zero_point);
  to = copy_run(to, run + left, right - left);
  return fill_run(to, end - right, zero_point);
}

/* Taps first .. end - 1 of a kernel row that lies in the image: one run of kw * in bytes, or kw runs where the taps lie apart. */
static int8_t *collect_row(const conv_t *conv, const window_t *w, const int8_t *row, uint32_t first, uint32_t end, int8_t *to) {
  const geometry_t *g = conv->geometry;
  const uint32_t channels = g->input_channels;
  if (g->dilation_x == 1) {
    return collect_run(row, (uint32_t)w->first_x * channels, (uint32_t)w->end_x * channels, first, end, conv->zero_point, to);
  }
  uint32_t start = 0;
  for (int32_t kx = 0; kx < g->kernel_width; kx++) {
    const uint32_t from = start < first ? first - start : 0;
    const uint32_t until = end < start ? 0 : least_of(channels, end - start);
    if (from < until) {
      const bool is_inside = kx >= w->first_x && kx < w->end_x;
      to = collect_run(row, 0, is_inside ? channels : 0, from, until, conv->zero_point, to);
    }
    row += g->dilation_x * channels;
    start += channels;
  }
  return to;
}

/* Where kernel row ky starts in the image; it may be outside. */
static const int8_t *window_row(const conv_t *conv, const window_t *w, int32_t ky) {
  const geometry_t *g = conv->geometry;
  const int32_t pixel = (w->y + ky * g->dilation_y) * g->input_width + w->x;
  return conv->x + pixel * g->input_channels;
}

/* A range of taps of a window that crosses the border, or whose taps lie apart. */
static void collect_window(const conv_t *conv, const window_t *w, const taps_t *taps, int8_t *to) {
  uint32_t column = taps->column;
  const int8_t *stop = to + taps->count;
  for (int32_t ky = taps->ky; to < stop; ky++) {
    const uint32_t end = least_of(conv->row_taps, column + (uint32_t)(stop - to));
    if (ky < w->first_y || ky >= w->end_y) {
      to = fill_run(to, end - column, conv->zero_point);
    } else {
      to = collect_row(conv, w, window_row(conv, w, ky), column, end, to);
    }
    column = 0;
  }
}

static bool is_inside(const geometry_t *g, const window_t *w) {
  return w->first_y == 0 && w->first_x == 0 && w->end_y == g->kernel_height && w->end_x == g->kernel_width;
}

/* A range of taps of a window that lies in the image, where kernel rows are bytes in a row: straight into the block where their length fits its
   alignment, otherwise collected on the stack first. */
static void fill_inside(const conv_t *conv, const window_t *w, uint32_t position, const taps_t *taps, uint32_t *block) {
  const geometry_t *g = conv->geometry;
  int8_t bytes[BLOCK_TAPS];
  int8_t *to = bytes;
  const int8_t *row = window_row(conv, w, taps->ky) + taps->column;
  const ptrdiff_t step = (ptrdiff_t)g->dilation_y * g->input_width * g->input_channels;
  uint32_t run = least_of(conv->row_taps - taps->column, taps->count);
  for (uint32_t tap = 0; tap < taps->count;) {
    if (conv->has_aligned_rows) {
      block_expand(block, tap, position, row, run, conv->zero_point);
    } else {
      to = copy_run(to, row, run);
    }
    tap += run;
    row += step - (tap == run ? (ptrdiff_t)taps->column : 0);
    run = least_of(conv->row_taps, taps->count - tap);
  }
  if (!conv->has_aligned_rows) {
    block_expand(block, 0, position, bytes, taps->count, conv->zero_point);
  }
}

static void fill_across_border(const conv_t *conv, const window_t *w, uint32_t position, const taps_t *taps, uint32_t *block) {
  int8_t bytes[BLOCK_TAPS];
  collect_window(conv, w, taps, bytes);
  block_expand(block, 0, position, bytes, taps->count, conv->zero_point);
}

/* Lays out a range of taps of up to four positions. */
static void fill_block(const conv_t *conv, const window_t *windows, uint32_t count, const taps_t *taps, uint32_t *block) {
  for (uint32_t p = 0; p < count; p++) {
    const bool has_runs = conv->geometry->dilation_x == 1 && is_inside(conv->geometry, &windows[p]);
    (has_runs ? fill_inside : fill_across_border)(conv, &windows[p], p, taps, block);
  }
}

/* Steps to the next range of taps. */
static void advance(const conv_t *conv, taps_t *taps) {
  taps->first += taps->count;
  taps->column += taps->count;
  while (taps->column >= conv->row_taps) {
    taps->column -= conv->row_taps;
    taps->ky++;
  }
  taps->count = least_of(conv->chunk, conv->taps - taps->first);
}

static void emit_raw(const emission_t *e, const block_target_t *t, const block_sums_t *sums) {
  for (uint32_t c = 0; c < t->channels; c++) {
    for (uint32_t p = 0; p < t->count; p++) {
      e->out_s32[t->index + p * t->step + t->channel + c] = sums[c].at[p];
    }
  }
}

/* All channels of up to four positions where a block holds a part of the taps, group of channels by group: each lays the taps out anew. */
static void run_parts(const conv_t *conv, const window_t *windows, block_target_t target, uint32_t *block) {
  block_sums_t sums[BLOCK_CHANNELS];
  const uint32_t all = conv->geometry->output_channels;
  for (uint32_t first = 0; first < all; first += BLOCK_CHANNELS) {
    target.channel = first;
    target.channels = least_of(BLOCK_CHANNELS, all - first);
    start_sums(conv->bias == NULL ? NULL : conv->bias + first, target.channels, sums);
    for (taps_t taps = {0, conv->chunk, 0, 0}; taps.count != 0; advance(conv, &taps)) {
      fill_block(conv, windows, target.count, &taps, block);
      const block_weights_t weights = {conv->weights + (size_t)first * conv->taps + taps.first, conv->taps, taps.count, conv->zero_point};
      block_dots(block, &weights, target.channels, sums);
    }
    if (conv->emission.out_s8 != NULL) {
      block_emit(&conv->emission, &target, sums);
    } else {
      emit_raw(&conv->emission, &target, sums);
    }
  }
}

/* All channels of up to four positions. */
static void run_block(const conv_t *conv, const window_t *windows, uint32_t count, size_t index) {
  uint32_t block[BLOCK_BYTES / 4];
  const uint32_t channels = conv->geometry->output_channels;
  const block_target_t target = {index, channels, count, 0, channels};
  if (conv->chunk == conv->taps && conv->emission.out_s8 != NULL) {
    const taps_t taps = {0, conv->taps, 0, 0};
    fill_block(conv, windows, count, &taps, block);
    const block_weights_t weights = {conv->weights, conv->taps, conv->taps, conv->zero_point};
    block_layer(block, &weights, conv->bias, &conv->emission, &target);
  } else {
    run_parts(conv, windows, target, block);
  }
}

/* The taps of a block: as few blocks as possible, of equal length. */
static uint32_t chunk_of(uint32_t taps) {
  const uint32_t blocks = (taps + BLOCK_TAPS - 1) / BLOCK_TAPS;
  const uint32_t even = (taps + blocks - 1) / blocks;
  return least_of(taps, (even + BLOCK_ALIGNMENT - 1) / BLOCK_ALIGNMENT * BLOCK_ALIGNMENT);
}

/* True where a block may hold positions of several rows: its outputs end where the input rows start that its last row still needs, so they must be
   written after everything that the block reads was laid out, once. A 1x1 kernel reads nothing in front of its own position. */
static bool may_cross_rows(const conv_t *conv) {
  const geometry_t *g = conv->geometry;
  const bool is_pointwise = g->kernel_height == 1 && g->kernel_width == 1 && g->stride_y == 1 && g->stride_x == 1;
  const bool is_laid_out_once = conv->chunk == conv->taps && conv->emission.out_s8 != NULL;
  return is_laid_out_once || g->output_channels <= BLOCK_CHANNELS || (is_pointwise && g->output_width >= BLOCK_POSITIONS);
}

/* Steps to the next window of a row; only the columns change. */
static void move_right(const geometry_t *g, window_t *w) {
  w->x += g->stride_x;
  w->first_x = w->x >= 0 ? 0 : window_first(w->x, g->dilation_x);
  const bool fits = w->x + (g->kernel_width - 1) * g->dilation_x < g->input_width;
  w->end_x = fits ? g->kernel_width : window_end(w->x, g->dilation_x, g->kernel_width, g->input_width);
}

void conv2d_blocked(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const conv_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const uint32_t row_taps = (uint32_t)g->kernel_width * g->input_channels;
  const uint32_t taps = row_taps * g->kernel_height;
  const conv_t conv = {
      .geometry = g,
      .x = (const int8_t *)network_value(net, arena, node->inputs[0]),
      .weights = (const int8_t *)network_constant(net, f->weights),
      .bias = bias_of(net, f->bias),
      .zero_point = f->input_zero_point,
      .taps = taps,
      .row_taps = row_taps,
      .chunk = chunk_of(taps),
      .has_aligned_rows = row_taps % BLOCK_ALIGNMENT == 0,
      .emission = emission_of(net, node, sizeof *f, arena),
  };
  const bool crosses_rows = may_cross_rows(&conv);
  size_t index = 0;
  window_t window = window_at(g, 0, 0);
  for (uint32_t y = 0, x = 0; y < g->output_height;) {
    window_t windows[BLOCK_POSITIONS];
    uint32_t count = 0;
    for (bool is_open = true; is_open && count < BLOCK_POSITIONS; count++) {
      windows[count] = window;
      if (++x < g->output_width) {
        move_right(g, &window);
        continue;
      }
      x = 0;
      is_open = ++y < g->output_height && crosses_rows;
      window = window_at(g, y, 0);
    }
    run_block(&conv, windows, count, index);
    index += (size_t)count * g->output_channels;
  }
}
