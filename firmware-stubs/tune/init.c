/* Verifies a program and lays out its memory, so that the loops need no check. */
#include "../core/mem.h"
#include "tune.h"

#define REQUIRE(condition) \
  do { \
    if (!(condition)) return false; \
  } while (0)

#define MOST_ELEMENTS (1 << 24)

typedef struct {
  const int32_t *program;
  size_t words;
  const uint8_t *data;
  size_t data_bytes;
} source_t;

static bool has_data(const source_t *s, int32_t offset, int64_t count) {
  return offset >= 0 && offset % 4 == 0 && count >= 0 && offset + count * 4 <= (int64_t)s->data_bytes;
}

static bool all_in(const int32_t *values, int64_t count, int32_t least, int32_t end) {
  for (int64_t i = 0; i < count; i++) {
    REQUIRE(values[i] >= least && values[i] < end);
  }
  return true;
}

static const int32_t *data_at(const source_t *s, int32_t offset) {
  return (const int32_t *)(const void *)(s->data + offset);
}

/* Where elements are read: starts rise from 0, readers lie within positions * taps. */
static bool verify_tables(const source_t *s, const tune_node_t *d, int32_t length) {
  const int64_t reads = (int64_t)d->positions * d->taps;
  REQUIRE(reads <= MOST_ELEMENTS && has_data(s, d->input_of, reads) && has_data(s, d->starts, (int64_t)length + 1));
  const int32_t last = d->kind == TUNE_MAX_POOL ? d->channels - 1 : 0;
  REQUIRE(all_in(data_at(s, d->input_of), reads, -1, length - last));
  const int32_t *starts = data_at(s, d->starts);
  REQUIRE(starts[0] == 0);
  for (int32_t e = 0; e < length; e++) {
    REQUIRE(starts[e + 1] >= starts[e]);
  }
  REQUIRE(has_data(s, d->readers, starts[length]));
  return all_in(data_at(s, d->readers), starts[length], 0, (int32_t)reads);
}

static bool verify_linear(const source_t *s, const tune_node_t *d) {
  REQUIRE(d->zero_point >= -128 && d->zero_point <= 127 && (d->emission == TUNE_EMIT_NONE || d->emission == TUNE_EMIT_REQUANTIZE));
  REQUIRE((int64_t)(d->taps + 1) * (d->channels + 7) <= MOST_ELEMENTS && has_data(s, d->scales, d->channels));
  REQUIRE(d->out_zero_point >= -128 && d->out_zero_point <= 127 && d->low >= -128 && d->low <= d->high && d->high <= 127);
  const float *scales = (const float *)(const void *)(s->data + d->scales);
  for (int32_t c = 0; c < d->channels; c++) {
    REQUIRE(scales[c] > 0 && scales[c] < 0x1p100f);
  }
  const int64_t most_shift = (int64_t)1 << 30;
  return d->is_probed == 0 ||
         (d->stride >= 1 && d->radius_shift >= 1 && d->radius_shift < most_shift && d->input_unit >= 1 && d->input_unit < (1 << 24));
}

static bool verify_node(const source_t *s, const tune_head_t *head, const int32_t *lengths, const tune_node_t *d, int32_t index) {
  /* values are numbered in the order of their making: inputs, then the output of each node */
  REQUIRE(d->output == head->input_count + index && d->input >= 0 && d->input < d->output);
  REQUIRE(d->kind >= TUNE_LINEAR && d->kind <= TUNE_MAX_POOL);
  if (d->kind == TUNE_PASS) {
    return d->is_probed == 0 && lengths[d->input] == lengths[d->output];
  }
  REQUIRE(d->positions >= 1 && d->positions <= MOST_ELEMENTS && d->channels >= 1 && d->channels <= 65536 && d->taps >= 1 && d->taps <= MOST_ELEMENTS);
  REQUIRE((int64_t)d->positions * (d->channels + 7) <= MOST_ELEMENTS && lengths[d->output] == d->positions * d->channels);
  REQUIRE(verify_tables(s, d, lengths[d->input]));
  if (d->kind == TUNE_MAX_POOL) {
    return d->is_probed == 0 && lengths[d->input] % d->channels == 0;
  }
  return verify_linear(s, d);
}

static bool verify(const source_t *s) {
  const size_t head_words = sizeof(tune_head_t) / 4, node_words = sizeof(tune_node_t) / 4;
  REQUIRE(s->words >= head_words);
  const tune_head_t *h = (const tune_head_t *)(const void *)s->program;
  REQUIRE(h->version == TUNE_VERSION && h->node_count >= 1 && h->node_count <= TUNE_MAX_NODES);
  REQUIRE(h->input_count >= 1 && h->input_count <= TUNE_MAX_INPUTS && h->value_count == h->input_count + h->node_count);
  REQUIRE(s->words == head_words + (size_t)h->value_count + (size_t)h->input_count + (size_t)h->node_count * node_words);
  REQUIRE(h->factor >= 1 && h->factor < (1 << 17) && h->shift >= 0 && h->shift <= 46 && h->smoothing >= 0 && h->smoothing <= 256);
  const int32_t *lengths = s->program + head_words, *inputs = lengths + h->value_count;
  REQUIRE(all_in(lengths, h->value_count, 1, MOST_ELEMENTS));
  for (int32_t i = 0; i < h->input_count; i++) {
    REQUIRE(inputs[i] == i);
  }
  REQUIRE(h->scores == h->value_count - 1 && lengths[h->scores] <= TUNE_MAX_CLASSES);
  const tune_node_t *nodes = (const tune_node_t *)(const void *)(inputs + h->input_count);
  for (int32_t i = 0; i < h->node_count; i++) {
    REQUIRE(verify_node(s, h, lengths, &nodes[i], i));
    REQUIRE(nodes[i].kind != TUNE_LINEAR || nodes[i].emission != TUNE_EMIT_NONE || i == h->node_count - 1);
  }
  return true;
}

/* Hands out memory from a running offset; without memory it only counts. */
typedef struct {
  uint8_t *memory;
  size_t used;
} bump_t;

static void *take(bump_t *bump, size_t bytes) {
  uint8_t *at = bump->memory == NULL ? NULL : bump->memory + bump->used;
  bump->used += (bytes + 15) & ~(size_t)15;
  return at;
}

static void lay_out_linear(tune_layer_t *layer, bump_t *bump) {
  const tune_node_t *d = layer->def;
  const size_t row = (size_t)layer->row, taps = (size_t)d->taps, sums = (size_t)d->positions * row;
  layer->weights = take(bump, taps * row * 2);
  layer->bias = take(bump, row * 4);
  layer->sums = take(bump, sums * 4);
  layer->moved = take(bump, sums * 4);
  layer->below = take(bump, sums * 2);
  layer->above = take(bump, sums * 2);
  layer->used_taps = take(bump, (taps + 1) * 4);
  layer->used_inputs = take(bump, (taps + 1) * 4);
  layer->touched = take(bump, (size_t)d->positions * 4);
  layer->stamps = take(bump, (size_t)d->positions * 4);
  if (d->is_probed != 0) {
    layer->losses = take(bump, 2 * row * 4);
    layer->swapped = take(bump, 2 * row * 4);
    layer->costs = take(bump, (taps + 1) * 2 * row * 4);
    layer->totals = take(bump, (taps + 1) * 2 * row * 8);
  }
}

static void lay_out_layer(tune_t *t, tune_layer_t *layer, const source_t *s, const tune_node_t *d, bump_t *bump) {
  layer->def = d;
  if (d->kind == TUNE_PASS) {
    return;
  }
  layer->row = (d->channels + 7) / 8 * 8;
  layer->input_of = data_at(s, d->input_of);
  layer->starts = data_at(s, d->starts);
  layer->readers = data_at(s, d->readers);
  if (d->kind == TUNE_LINEAR) {
    layer->scales = (const float *)(const void *)(s->data + d->scales);
    lay_out_linear(layer, bump);
    return;
  }
  layer->moved = take(bump, (size_t)t->lengths[d->input] * 4);
  layer->touched = take(bump, (size_t)t->lengths[d->output] * 4);
  layer->stamps = take(bump, (size_t)t->lengths[d->output] * 4);
}

static size_t lay_out(tune_t *t, const source_t *s, uint8_t *memory) {
  bump_t bump = {memory, 0};
  const tune_head_t *h = (const tune_head_t *)(const void *)s->program;
  memset(t, 0, sizeof *t);
  t->head = h;
  t->lengths = s->program + sizeof *h / 4;
  t->inputs = t->lengths + h->value_count;
  t->classes = t->lengths[h->scores];
  for (int32_t v = 0; v < h->value_count; v++) {
    const size_t bytes = (size_t)t->lengths[v] * 4;
    t->elements[v] = take(&bump, bytes);
    t->deltas[v] = (tune_delta_t){0, take(&bump, bytes), take(&bump, bytes)};
  }
  t->moved_scores = take(&bump, (size_t)t->classes * 4);
  const tune_node_t *nodes = (const tune_node_t *)(const void *)(t->inputs + h->input_count);
  for (int32_t i = 0; i < h->node_count; i++) {
    lay_out_layer(t, &t->layers[i], s, &nodes[i], &bump);
  }
  return bump.used;
}

size_t tune_memory_bytes(const int32_t *program, size_t words, const uint8_t *data, size_t data_bytes) {
  const source_t s = {program, words, data, data_bytes};
  tune_t t;
  return verify(&s) ? lay_out(&t, &s, NULL) : 0;
}

/* Channels that fill a row up are never probed and never leave their ranges. */
static void fill_rows(tune_layer_t *layer) {
  for (int32_t i = 0; i < layer->def->positions * layer->row; i++) {
    layer->below[i] = INT16_MIN;
    layer->above[i] = INT16_MAX;
  }
  for (int32_t p = 0; p < layer->def->positions; p++) {
    layer->stamps[p] = -1;
  }
}

int tune_init(tune_t *t, const int32_t *program, size_t words, const uint8_t *data, size_t data_bytes, uint8_t *memory, size_t memory_bytes) {
  const source_t s = {program, words, data, data_bytes};
  if (!verify(&s)) {
    return TUNE_BAD_PROGRAM;
  }
  const size_t bytes = lay_out(t, &s, NULL);
  if (memory == NULL || bytes > memory_bytes) {
    return TUNE_NO_MEMORY;
  }
  memset(memory, 0, bytes);
  lay_out(t, &s, memory);
  for (int32_t i = 0; i < t->head->node_count; i++) {
    if (t->layers[i].def->kind == TUNE_LINEAR) {
      fill_rows(&t->layers[i]);
    }
  }
  return TUNE_OK;
}
