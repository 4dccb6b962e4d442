/* What layers of spikes share: their sums lie in the output from the start, and each active input adds its weights to them, so that work follows
   activity (docs/spiking.md, event-driven execution). */
#ifndef SPIKEPORT_SPIKE_H
#define SPIKEPORT_SPIKE_H

#include "operators.h"

/* sums[o] += x * weights[o] for o < count; x is 1 for a spike. Each build has one. */
void spike_add(int32_t *sums, const int8_t *weights, uint32_t count, int32_t x);

/* Fills `pixels` runs of `channels` sums with the biases, or 0. */
void spike_start(int32_t *sums, const int32_t *bias, uint32_t channels, uint32_t pixels);

#endif
