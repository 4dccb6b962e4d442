/* Nodes of the incremental engine: the cached pass of a sample and what changes of their inputs do to their outputs. */
#ifndef SPIKEPORT_TUNE_LAYER_H
#define SPIKEPORT_TUNE_LAYER_H

#include "tune.h"

/* Elements of a node's output from those of its input. */
void tune_forward(tune_t *t, tune_layer_t *layer);

/* Changes of a node's output from those of its input. */
void tune_propagate(tune_t *t, tune_layer_t *layer);

/* Sum `channel` of a position moves by `shift`: the output's change. */
void tune_shift(tune_t *t, tune_layer_t *layer, int32_t position, int32_t channel, int32_t shift);

/* Taps of a position whose input is not 0, into used_taps and used_inputs; returns how many. */
int32_t tune_used_taps(tune_t *t, tune_layer_t *layer, int32_t position);

#endif
