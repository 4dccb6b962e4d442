/* Costs of a sample: the forward pass, the units of every probed layer, and the sums of costs. */
#include "tune.h"

#include "../core/mem.h"
#include "kernels.h"
#include "layer.h"

/* Follows the changes of a node's output to the scores, clears them and returns the change of the loss, saturated. */
static int32_t follow(tune_t *t, int32_t node) {
  tune_delta_t *first = &t->deltas[t->layers[node].def->output];
  tune_delta_t *scores = &t->deltas[t->head->scores];
  t->counts.evaluations++;
  if (first->count == 0) {
    return 0;
  }
  t->scores_moved = false;
  for (int32_t i = node + 1; i < t->head->node_count; i++) {
    if (t->deltas[t->layers[i].def->input].count > 0) {
      tune_propagate(t, &t->layers[i]);
    }
  }
  if (scores->count > 0) {
    memcpy(t->moved_scores, t->elements[t->head->scores], (size_t)t->classes * 4);
    for (int32_t k = 0; k < scores->count; k++) {
      t->moved_scores[scores->indices[k]] = scores->elements[k];
    }
    t->scores_moved = true;
  }
  for (int32_t i = node; i < t->head->node_count; i++) {
    t->deltas[t->layers[i].def->output].count = 0;
  }
  if (!t->scores_moved) {
    return 0;
  }
  const int32_t change = tune_cross_entropy(t->head, t->moved_scores, t->classes, t->label) - t->base;
  const int32_t most = TUNE_LARGEST_UNIT_LOSS;
  return change > most ? most : (change < -most ? -most : change);
}

/* Losses of all channels at a position; false where none moves. */
static bool evaluate_units(tune_t *t, int32_t node, int32_t position) {
  tune_layer_t *layer = &t->layers[node];
  const int32_t row = layer->row;
  bool is_active = false;
  for (int32_t c = 0; c < layer->def->channels; c++) {
    tune_shift(t, layer, position, c, layer->def->radius_shift);
    const int32_t up = follow(t, node);
    tune_shift(t, layer, position, c, -layer->def->radius_shift);
    const int32_t down = follow(t, node);
    layer->losses[c] = layer->swapped[row + c] = up;
    layer->losses[row + c] = layer->swapped[c] = down;
    is_active = is_active || up != 0 || down != 0;
  }
  return is_active;
}

static void flush(tune_layer_t *layer) {
  const size_t count = (size_t)(layer->def->taps + 1) * 2 * (size_t)layer->row;
  for (size_t i = 0; i < count; i++) {
    layer->totals[i] += layer->costs[i];
    layer->costs[i] = 0;
  }
  layer->pending = 0;
}

/* One position's losses times the inputs of its taps; a negative input swaps up and down. */
static void add_position(tune_t *t, tune_layer_t *layer, int32_t position) {
  const int32_t width = 2 * layer->row;
  if (layer->pending == TUNE_FLUSH) {
    flush(layer);
  }
  layer->pending++;
  const int32_t used = tune_used_taps(t, layer, position);
  for (int32_t k = 0; k < used; k++) {
    const int32_t x = layer->used_inputs[k];
    add_costs(layer->costs + layer->used_taps[k] * width, x > 0 ? layer->losses : layer->swapped, x > 0 ? x : -x, width);
  }
  const size_t bias = (size_t)layer->def->taps * (size_t)width;
  for (int32_t i = 0; i < width; i++) {
    layer->totals[bias + (size_t)i] += (int64_t)layer->losses[i] * layer->def->input_unit;
  }
}

static void read_inputs(tune_t *t, const int8_t *inputs) {
  for (int32_t i = 0; i < t->head->input_count; i++) {
    const int32_t length = t->lengths[t->inputs[i]];
    for (int32_t k = 0; k < length; k++) {
      t->elements[t->inputs[i]][k] = *inputs++;
    }
  }
}

static bool is_right(const tune_t *t) {
  const int32_t *scores = t->elements[t->head->scores];
  int32_t best = 0;
  for (int32_t c = 1; c < t->classes; c++) {
    best = scores[c] > scores[best] ? c : best;
  }
  return best == t->label;
}

void tune_sample(tune_t *t, const int8_t *inputs, int32_t label, const int32_t *first_positions) {
  read_inputs(t, inputs);
  for (int32_t i = 0; i < t->head->node_count; i++) {
    tune_forward(t, &t->layers[i]);
  }
  t->label = label;
  t->base = tune_cross_entropy(t->head, t->elements[t->head->scores], t->classes, label);
  t->counts.loss += t->base;
  t->counts.correct += is_right(t);
  for (int32_t i = 0; i < t->head->node_count; i++) {
    tune_layer_t *layer = &t->layers[i];
    for (int32_t p = first_positions[i]; layer->def->is_probed != 0 && p < layer->def->positions; p += layer->def->stride) {
      if (evaluate_units(t, i, p)) {
        add_position(t, layer, p);
      }
    }
  }
}

void tune_set_constants(tune_t *t, int32_t node, const int8_t *weights, const int32_t *bias) {
  tune_layer_t *layer = &t->layers[node];
  const tune_node_t *d = layer->def;
  for (int32_t c = 0; c < d->channels; c++) {
    layer->bias[c] = bias == NULL ? 0 : bias[c];
    for (int32_t tap = 0; tap < d->taps; tap++) {
      layer->weights[tap * layer->row + c] = *weights++;
    }
  }
}

void tune_start(tune_t *t) {
  memset(&t->counts, 0, sizeof t->counts);
  for (int32_t i = 0; i < t->head->node_count; i++) {
    tune_layer_t *layer = &t->layers[i];
    const size_t count = layer->def->is_probed == 0 ? 0 : (size_t)(layer->def->taps + 1) * 2 * (size_t)layer->row;
    if (count > 0) {
      memset(layer->costs, 0, count * 4);
      memset(layer->totals, 0, count * 8);
      layer->pending = 0;
    }
  }
}

void tune_finish(tune_t *t) {
  for (int32_t i = 0; i < t->head->node_count; i++) {
    if (t->layers[i].def->is_probed != 0) {
      flush(&t->layers[i]);
    }
  }
}
