/* Linear layers (dense, convolutions) of rows of channels, pools of maxima, and nodes that only rename elements. */
#include "layer.h"

#include "../core/arithmetic.h"
#include "../core/mem.h"
#include "kernels.h"

static int32_t add_wrapped(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a + (uint32_t)b);
}

static int32_t emit(const tune_layer_t *layer, int32_t channel, int32_t sum) {
  const tune_node_t *d = layer->def;
  return d->emission == TUNE_EMIT_NONE ? sum : requantize_s8(sum, layer->scales[channel], d->out_zero_point, d->low, d->high);
}

static void push(tune_delta_t *delta, int32_t index, int32_t element) {
  delta->indices[delta->count] = index;
  delta->elements[delta->count++] = element;
}

int32_t tune_used_taps(tune_t *t, tune_layer_t *layer, int32_t position) {
  const tune_node_t *d = layer->def;
  const int32_t *input = t->elements[d->input];
  const int32_t *input_of = layer->input_of + (size_t)position * (size_t)d->taps;
  int32_t used = 0;
  for (int32_t tap = 0; tap < d->taps; tap++) {
    const int32_t x = input_of[tap] < 0 ? 0 : input[input_of[tap]] - d->zero_point;
    layer->used_taps[used] = tap;
    layer->used_inputs[used] = x;
    used += x != 0;
  }
  return used;
}

static void linear_forward(tune_t *t, tune_layer_t *layer) {
  const tune_node_t *d = layer->def;
  int32_t *out = t->elements[d->output];
  for (int32_t position = 0; position < d->positions; position++) {
    int32_t *sums = layer->sums + position * layer->row;
    memcpy(sums, layer->bias, (size_t)layer->row * 4);
    const int32_t used = tune_used_taps(t, layer, position);
    for (int32_t k = 0; k < used; k++) {
      add_row(sums, layer->weights + layer->used_taps[k] * layer->row, layer->used_inputs[k], layer->row);
    }
    for (int32_t c = 0; c < d->channels; c++) {
      out[position * d->channels + c] = emit(layer, c, sums[c]);
    }
  }
  memcpy(layer->moved, layer->sums, (size_t)(d->positions * layer->row) * 4);
  layer->has_ranges = false;
}

static int16_t bounded(float x) {
  return (int16_t)(x < -32768.0f ? -32768.0f : (x > 32767.0f ? 32767.0f : x));
}

/* Half a step away from a sum's output, less what the rounding of float32 may do on the way: surely no change in between. */
static void refresh_ranges(tune_t *t, tune_layer_t *layer) {
  const tune_node_t *d = layer->def;
  const int32_t *out = t->elements[d->output];
  layer->has_ranges = true;
  for (int32_t position = 0; position < d->positions; position++) {
    const int32_t *sums = layer->sums + position * layer->row;
    int16_t *below = layer->below + position * layer->row, *above = layer->above + position * layer->row;
    for (int32_t c = 0; c < d->channels; c++) {
      const int32_t element = out[position * d->channels + c];
      if (d->emission == TUNE_EMIT_NONE) {
        below[c] = above[c] = 0;
        continue;
      }
      const float inverse = 1.0f / layer->scales[c], sum = (float)sums[c];
      const float from = ((float)(element - d->out_zero_point) - 0.5f) * inverse, to = ((float)(element - d->out_zero_point) + 0.5f) * inverse;
      const float margin = 2.0f + ((from < 0 ? -from : from) + (to < 0 ? -to : to) + (sum < 0 ? -sum : sum)) * 0x1p-18f;
      below[c] = element == d->low ? INT16_MIN : bounded(from - sum + margin);
      above[c] = element == d->high ? INT16_MAX : bounded(to - sum - margin);
    }
  }
}

/* Appends the output of a sum where it differs. */
static void emit_moved(tune_t *t, tune_layer_t *layer, int32_t position, int32_t channel, int32_t sum) {
  const int32_t at = position * layer->def->channels + channel;
  const int32_t element = emit(layer, channel, sum);
  if (element != t->elements[layer->def->output][at]) {
    push(&t->deltas[layer->def->output], at, element);
  }
}

/* A single changed element reaches a position by one tap: its sums are compared at once. */
static void propagate_one(tune_t *t, tune_layer_t *layer, int32_t element, int32_t difference) {
  const tune_node_t *d = layer->def;
  const int32_t row = layer->row;
  for (int32_t k = layer->starts[element]; k < layer->starts[element + 1]; k++) {
    const int32_t at = layer->readers[k], position = at / d->taps;
    const int16_t *weights = layer->weights + (at - position * d->taps) * row;
    const int32_t *sums = layer->sums + position * row;
    const int16_t *below = layer->below + position * row, *above = layer->above + position * row;
    for (int32_t c = 0; c < row; c += 8) {
      for (uint32_t bits = leaving(weights + c, difference, below + c, above + c); bits != 0; bits &= bits - 1) {
        const int32_t channel = c + __builtin_ctz(bits);
        emit_moved(t, layer, position, channel, add_wrapped(sums[channel], weights[channel] * difference));
      }
    }
  }
}

/* The scores of a dense layer: there is no output to compare, the loss will tell. */
static void propagate_scores(tune_t *t, tune_layer_t *layer, const tune_delta_t *changed) {
  const int32_t *input = t->elements[layer->def->input];
  memcpy(layer->moved, layer->sums, (size_t)layer->row * 4);
  for (int32_t k = 0; k < changed->count; k++) {
    const int32_t element = changed->indices[k];
    add_row(layer->moved, layer->weights + element * layer->row, changed->elements[k] - input[element], layer->row);
  }
  memcpy(t->moved_scores, layer->moved, (size_t)t->classes * 4);
  t->scores_moved = true;
}

static void touch(tune_layer_t *layer, int32_t position) {
  if (layer->stamps[position] != layer->stamp) {
    layer->stamps[position] = layer->stamp;
    layer->touched[layer->touched_count++] = position;
  }
}

static void restart_touches(tune_layer_t *layer) {
  layer->stamp = add_wrapped(layer->stamp, 1);
  layer->touched_count = 0;
}

static void propagate_many(tune_t *t, tune_layer_t *layer, const tune_delta_t *changed) {
  const tune_node_t *d = layer->def;
  const int32_t *input = t->elements[d->input];
  restart_touches(layer);
  for (int32_t k = 0; k < changed->count; k++) {
    const int32_t element = changed->indices[k], difference = changed->elements[k] - input[element];
    for (int32_t r = layer->starts[element]; r < layer->starts[element + 1]; r++) {
      const int32_t at = layer->readers[r], position = at / d->taps;
      touch(layer, position);
      add_row(layer->moved + position * layer->row, layer->weights + (at - position * d->taps) * layer->row, difference, layer->row);
    }
  }
  for (int32_t k = 0; k < layer->touched_count; k++) {
    const int32_t position = layer->touched[k], from = position * layer->row;
    for (int32_t c = 0; c < d->channels; c++) {
      if (layer->moved[from + c] != layer->sums[from + c]) {
        emit_moved(t, layer, position, c, layer->moved[from + c]);
      }
    }
    memcpy(layer->moved + from, layer->sums + from, (size_t)layer->row * 4);
  }
}

static void linear_propagate(tune_t *t, tune_layer_t *layer) {
  const tune_node_t *d = layer->def;
  const tune_delta_t *changed = &t->deltas[d->input];
  for (int32_t k = 0; k < changed->count; k++) {
    const int32_t element = changed->indices[k];
    t->counts.macs += (int64_t)(layer->starts[element + 1] - layer->starts[element]) * d->channels;
  }
  if (d->output == t->head->scores && d->positions == 1 && d->emission == TUNE_EMIT_NONE) {
    propagate_scores(t, layer, changed);
  } else if (changed->count == 1) {
    if (!layer->has_ranges) {
      refresh_ranges(t, layer);
    }
    propagate_one(t, layer, changed->indices[0], changed->elements[0] - t->elements[d->input][changed->indices[0]]);
  } else {
    propagate_many(t, layer, changed);
  }
}

/* The largest element of a window, of the elements in `moved`. */
static int32_t largest_of(const tune_layer_t *layer, int32_t at) {
  const tune_node_t *d = layer->def;
  const int32_t window = at / d->channels, channel = at % d->channels;
  int32_t best = INT32_MIN;
  for (int32_t tap = 0; tap < d->taps; tap++) {
    const int32_t pixel = layer->input_of[window * d->taps + tap];
    const int32_t x = pixel < 0 ? INT32_MIN : layer->moved[pixel + channel];
    best = x > best ? x : best;
  }
  return best;
}

static void pool_forward(tune_t *t, tune_layer_t *layer) {
  const tune_node_t *d = layer->def;
  memcpy(layer->moved, t->elements[d->input], (size_t)t->lengths[d->input] * 4);
  for (int32_t at = 0; at < t->lengths[d->output]; at++) {
    t->elements[d->output][at] = largest_of(layer, at);
  }
}

/* starts and readers are by pixel and give position * taps + tap. */
static void pool_propagate(tune_t *t, tune_layer_t *layer) {
  const tune_node_t *d = layer->def;
  const tune_delta_t *changed = &t->deltas[d->input];
  const int32_t *input = t->elements[d->input];
  restart_touches(layer);
  for (int32_t k = 0; k < changed->count; k++) {
    const int32_t element = changed->indices[k], channel = element % d->channels;
    layer->moved[element] = changed->elements[k];
    for (int32_t r = layer->starts[element - channel]; r < layer->starts[element - channel + 1]; r++) {
      touch(layer, layer->readers[r] / d->taps * d->channels + channel);
    }
  }
  for (int32_t k = 0; k < layer->touched_count; k++) {
    const int32_t at = layer->touched[k], element = largest_of(layer, at);
    if (element != t->elements[d->output][at]) {
      push(&t->deltas[d->output], at, element);
    }
  }
  for (int32_t k = 0; k < changed->count; k++) {
    layer->moved[changed->indices[k]] = input[changed->indices[k]];
  }
}

void tune_forward(tune_t *t, tune_layer_t *layer) {
  const tune_node_t *d = layer->def;
  if (d->kind == TUNE_LINEAR) {
    linear_forward(t, layer);
  } else if (d->kind == TUNE_MAX_POOL) {
    pool_forward(t, layer);
  } else {
    memcpy(t->elements[d->output], t->elements[d->input], (size_t)t->lengths[d->input] * 4);
  }
}

void tune_propagate(tune_t *t, tune_layer_t *layer) {
  const tune_node_t *d = layer->def;
  if (d->kind == TUNE_LINEAR) {
    linear_propagate(t, layer);
  } else if (d->kind == TUNE_MAX_POOL) {
    pool_propagate(t, layer);
  } else {
    const tune_delta_t *changed = &t->deltas[d->input];
    for (int32_t k = 0; k < changed->count; k++) {
      push(&t->deltas[d->output], changed->indices[k], changed->elements[k]);
    }
  }
}

void tune_shift(tune_t *t, tune_layer_t *layer, int32_t position, int32_t channel, int32_t shift) {
  const int64_t sum = (int64_t)layer->sums[position * layer->row + channel] + shift;
  const int32_t least = sum < INT32_MIN ? INT32_MIN : (sum > INT32_MAX ? INT32_MAX : (int32_t)sum);
  emit_moved(t, layer, position, channel, layer->def->emission == TUNE_EMIT_NONE ? (int32_t)(uint32_t)(uint64_t)sum : least);
}
