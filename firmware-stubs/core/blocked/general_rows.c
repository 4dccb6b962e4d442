/* The driver of general_rows.h. Signs by signs meet as bits; everything by int8 weights meets as int8, signs being +1 and -1, levels 128 less with that
   for a zero point; int8 and levels by signs meet as int16: sum x w = 2 (sum of x where w is +1) - sum of x. */
#include "general_rows.h"

#include "../emission.h"
#include "../general.h"
#include "../mem.h"
#include "../packed.h"
#include "../window.h"

#define ROWS_CHANNELS 32u
#define ROWS_BYTES 1152u
#define ROWS_UNITS 4u

typedef enum { FORM_BITS, FORM_BYTES, FORM_HALVES } form_t;

typedef struct {
  factors_t factors;
  form_t form;
  const int32_t *bias;
  general_emission_t emission;
  int32_t zero_point; /* of the bytes that inputs are laid out as */
  int32_t padding;    /* what padding is laid out as */
  uint32_t channels, taps;
  uint32_t chunk; /* taps laid out at a time */
  uint32_t pixel, columns; /* taps of a pixel, pixels of a kernel row */
  const geometry_t *geometry; /* NULL: the whole input is the window */
} rows_t;

/* Taps of one position. */
typedef struct {
  uint32_t words[ROWS_BYTES / 4];
  int32_t total; /* FORM_HALVES: sum of them */
} taps_t;

static const uint32_t *words_of(const uint8_t *bytes) {
  return (const uint32_t *)(const void *)bytes;
}

/* ---- laying out ---- */

/* Taps `to` .. to + count - 1 from input elements `from` on. */
static void lay_out(const rows_t *r, taps_t *taps, uint32_t to, size_t from, uint32_t count) {
  const uint8_t *x = r->factors.x;
  const bool is_level = r->factors.input_kind == VALUE_KIND_LEVEL;
  if (r->form == FORM_BITS) {
    packed_copy(taps->words, to, words_of(x), from, count);
  } else if (r->form == FORM_HALVES) {
    int16_t *out = (int16_t *)(void *)taps->words + to;
    int32_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
      const int32_t value = is_level ? x[from + i] : (int8_t)x[from + i] - r->factors.zero_point;
      out[i] = (int16_t)value;
      total += value;
    }
    taps->total += total;
  } else {
    int8_t *out = (int8_t *)(void *)taps->words + to;
    if (r->factors.input_kind == VALUE_KIND_BINARY) {
      for (uint32_t i = 0; i < count; i++) {
        out[i] = (int8_t)((int32_t)(2 * packed_bit(words_of(x), from + i)) - 1);
      }
    } else {
      const uint8_t flip = is_level ? 0x80 : 0;
      for (uint32_t i = 0; i < count; i++) {
        out[i] = (int8_t)(x[from + i] ^ flip);
      }
    }
  }
}

static void lay_out_padding(const rows_t *r, taps_t *taps, uint32_t to, uint32_t count) {
  if (r->form == FORM_BITS) {
    packed_clear(taps->words, to, count);
  } else if (r->form == FORM_HALVES) {
    memset((int16_t *)(void *)taps->words + to, 0, count * sizeof(int16_t));
  } else {
    memset((int8_t *)(void *)taps->words + to, r->padding, count);
  }
}

/* Taps first .. first + count - 1 of a window. */
static void lay_out_window(const rows_t *r, const window_t *w, uint32_t first, uint32_t count, taps_t *taps) {
  const uint32_t end = first + count;
  int32_t ky = 0, kx = 0;
  taps->total = 0;
  for (uint32_t base = 0; base < end; base += r->pixel) {
    const uint32_t from = base < first ? first : base;
    const uint32_t until = base + r->pixel < end ? base + r->pixel : end;
    if (from < until) {
      if (r->geometry == NULL) {
        lay_out(r, taps, from - first, from, until - from);
      } else if (ky >= w->first_y && ky < w->end_y && kx >= w->first_x && kx < w->end_x) {
        lay_out(r, taps, from - first, window_input_index(r->geometry, w, ky, kx) + (from - base), until - from);
      } else {
        lay_out_padding(r, taps, from - first, until - from);
      }
    }
    if (++kx == (int32_t)r->columns) {
      kx = 0;
      ky++;
    }
  }
}

/* ---- sums ---- */

/* Rows that do not start at words are moved there first, 32 words at a time. */
static void add_bits(const rows_t *r, const taps_t *taps, uint32_t first, uint32_t count, uint32_t channel, uint32_t channels, int32_t *sums) {
  const uint32_t *weights = words_of(r->factors.weights);
  if (r->taps % 32 == 0 && count == r->taps) {
    sign_dots(taps->words, weights + (size_t)channel * (r->taps / 32), count / 32, channels, sums);
    return;
  }
  const int32_t spare = (int32_t)((32 - count % 32) % 32);
  for (uint32_t c = 0; c < channels; c++) {
    const size_t at = (size_t)(channel + c) * r->taps + first;
    uint32_t row[32];
    for (uint32_t done = 0; done < count; done += 1024) {
      const uint32_t run = count - done < 1024 ? count - done : 1024;
      packed_copy(row, 0, weights, at + done, run);
      sign_dots(taps->words + done / 32, row, (run + 31) / 32, 1, &sums[c]);
    }
    sums[c] -= spare;
  }
}

static void add_bytes(const rows_t *r, const taps_t *taps, uint32_t first, uint32_t count, uint32_t channel, uint32_t channels, int32_t *sums) {
  const int8_t *weights = (const int8_t *)r->factors.weights + (size_t)channel * r->taps + first;
  const int8_t *x = (const int8_t *)taps->words;
  /* the last four channels overlap those before; fewer than four are taken one by one, each four times */
  const uint32_t together = channels < ROWS_UNITS ? 1 : ROWS_UNITS;
  for (uint32_t next = 0; next < channels; next += together) {
    const uint32_t c = next < channels - together ? next : channels - together;
    int32_t dots[ROWS_UNITS] = {0};
    dense_dots(x, weights + (size_t)c * r->taps, together == 1 ? 0 : r->taps, count, r->zero_point, dots);
    for (uint32_t u = next - c; u < together; u++) {
      sums[c + u] += dots[u];
    }
  }
}

static void add_halves(const rows_t *r, const taps_t *taps, uint32_t first, uint32_t count, uint32_t channel, uint32_t channels, int32_t *sums) {
  size_t at = (size_t)channel * r->taps + first;
  for (uint32_t c = 0; c < channels; c++) {
    sums[c] += 2 * selected_sum((const int16_t *)(const void *)taps->words, words_of(r->factors.weights), at, count) - taps->total;
    at += r->taps;
  }
}

static void add_taps(const rows_t *r, const taps_t *taps, uint32_t first, uint32_t count, uint32_t channel, uint32_t channels, int32_t *sums) {
  (r->form == FORM_BITS ? add_bits : (r->form == FORM_BYTES ? add_bytes : add_halves))(r, taps, first, count, channel, channels, sums);
}

/* ---- emission ---- */

/* Signs of up to 32 channels, as bits. */
static uint32_t reached_of(const int32_t *thresholds, const int32_t *sums, uint32_t channels) {
  uint32_t bits = 0, bit = 1;
  for (const int32_t *end = sums + channels; sums != end; bit <<= 1) {
    if (*sums++ >= *thresholds++) {
      bits |= bit;
    }
  }
  return bits;
}

static void emit_channels(const rows_t *r, size_t index, uint32_t channel, uint32_t channels, const int32_t *sums) {
  const general_emission_t *e = &r->emission;
  if (e->out_bits != NULL) {
    packed_append(e->out_bits, index, reached_of(e->thresholds + channel, sums, channels), channels);
    return;
  }
  for (uint32_t c = 0; c < channels; c++) {
    general_emit(e, index + c, channel + c, sums[c]);
  }
}

static const int32_t NO_BIAS[ROWS_CHANNELS] = {0};

/* All channels of one position. */
static void run_position(const rows_t *r, const window_t *w, size_t index) {
  taps_t taps;
  const bool is_whole = r->chunk >= r->taps;
  if (is_whole) {
    lay_out_window(r, w, 0, r->taps, &taps);
  }
  for (uint32_t channel = 0; channel < r->channels; channel += ROWS_CHANNELS) {
    const uint32_t channels = r->channels - channel < ROWS_CHANNELS ? r->channels - channel : ROWS_CHANNELS;
    int32_t sums[ROWS_CHANNELS];
    const int32_t *bias = r->bias == NULL ? NO_BIAS : r->bias + channel;
    for (uint32_t c = 0; c < channels; c++) {
      sums[c] = bias[c];
    }
    for (uint32_t first = 0; first < r->taps; first += r->chunk) {
      const uint32_t count = r->taps - first < r->chunk ? r->taps - first : r->chunk;
      if (!is_whole) {
        lay_out_window(r, w, first, count, &taps);
      }
      add_taps(r, &taps, first, count, channel, channels, sums);
    }
    emit_channels(r, index + channel, channel, channels, sums);
  }
}

/* Fills in what depends on the kinds. */
static rows_t rows_of(const factors_t *factors, const general_emission_t *emission, const int32_t *bias) {
  const bool is_binary = factors->input_kind == VALUE_KIND_BINARY, is_level = factors->input_kind == VALUE_KIND_LEVEL;
  rows_t r = {.factors = *factors, .emission = *emission, .bias = bias};
  if (factors->weights_kind == VALUE_KIND_BINARY) {
    r.form = is_binary ? FORM_BITS : FORM_HALVES;
    r.chunk = is_binary ? ROWS_BYTES * 8 : ROWS_BYTES / 2;
    return r;
  }
  r.form = FORM_BYTES;
  r.chunk = ROWS_BYTES;
  r.zero_point = is_binary ? 0 : (is_level ? -128 : factors->zero_point);
  r.padding = is_binary ? -1 : r.zero_point;
  return r;
}

void general_dense_rows(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const general_dense_fields_t *f = node_fields(node);
  const dense_fields_t *l = &f->layer;
  const general_emission_t emission = general_emission_of(net, node, sizeof *f, arena);
  const factors_t factors = general_factors(net, node, arena, l->weights, f->weights_kind, l->input_zero_point);
  rows_t r = rows_of(&factors, &emission, bias_of(net, l->bias));
  r.channels = l->units;
  r.taps = r.pixel = l->input_size;
  r.columns = 1;
  run_position(&r, NULL, 0);
}

void general_conv2d_rows(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const general_conv_fields_t *f = node_fields(node);
  const conv_fields_t *l = &f->layer;
  const geometry_t *g = &l->geometry;
  const general_emission_t emission = general_emission_of(net, node, sizeof *f, arena);
  const factors_t factors = general_factors(net, node, arena, l->weights, f->weights_kind, l->input_zero_point);
  rows_t r = rows_of(&factors, &emission, bias_of(net, l->bias));
  r.geometry = g;
  r.channels = g->output_channels;
  r.pixel = g->input_channels;
  r.columns = g->kernel_width;
  r.taps = (uint32_t)g->kernel_height * g->kernel_width * r.pixel;
  size_t index = 0;
  for (uint32_t y = 0; y < g->output_height; y++) {
    for (uint32_t x = 0; x < g->output_width; x++) {
      const window_t window = window_at(g, y, x);
      run_position(&r, &window, index);
      index += r.channels;
    }
  }
}
