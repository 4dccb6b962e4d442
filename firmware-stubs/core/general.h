/* Layers over any inputs (int8, level, binary) with any weights (int8, binary) that give int32 sums or thresholds: what the general operators share
   (docs/arithmetic.md, accumulate and emit). A layer of int8 all through is not one of these; it has kernels of its own. */
#ifndef SPIKEPORT_GENERAL_H
#define SPIKEPORT_GENERAL_H

#include <stdbool.h>

#include "network.h"

/* The two factors of a layer's sums. */
typedef struct {
  const uint8_t *x;
  const uint8_t *weights;
  uint8_t input_kind;
  uint8_t weights_kind;
  int32_t zero_point;
} factors_t;

/* Turns sums into output elements, in index order: of thresholds, or the sums themselves. */
typedef struct {
  const int32_t *thresholds; /* [channels, levels]; NULL: none */
  uint32_t levels;
  int32_t *out_s32;
  uint8_t *out_levels; /* NULL: packed */
  uint32_t *out_bits;
} general_emission_t;

/* sum over i < count of input[x_at + i] * weights[w_at + i]. */
int32_t general_sum(const factors_t *f, size_t x_at, size_t w_at, uint32_t count);

/* The same where the inputs are padding: -1 each where inputs are binary, otherwise nothing. */
int32_t general_padding_sum(const factors_t *f, size_t w_at, uint32_t count);

/* Bits that differ among `count` packed elements from a_at and b_at on. */
uint32_t bits_differing(const uint32_t *a, size_t a_at, const uint32_t *b, size_t b_at, uint32_t count);

factors_t general_factors(const network_t *net, const node_t *node, uint8_t *arena, uint32_t weights, uint32_t weights_kind, int32_t zero_point);
general_emission_t general_emission_of(const network_t *net, const node_t *node, size_t fields_bytes, uint8_t *arena);

/* Emits element `index`; packed elements must come in order of their index. */
void general_emit(const general_emission_t *e, size_t index, uint32_t channel, int32_t sum);

/* A layer's weights, bias and input as its verify sees them. */
typedef struct {
  uint32_t offset, bias, weights_kind;
  uint32_t channels;
  uint64_t taps, channel_step, tap_step;
  int32_t zero_point;
} general_view_t;

/* The input is of a kind that sums take and has `count` elements; weights and bias lie in the file; no sum can leave int32. */
status_t general_verify_layer(const network_t *net, const node_t *node, uint64_t count, const general_view_t *view);

/* The emission is none or thresholds and fits `channels` channels and an output of `count` elements. */
status_t general_verify_emission(const network_t *net, const node_t *node, uint32_t fields_bytes, uint32_t channels, uint64_t count);

/* Element `at` of packed elements: 1 or 0. */
static inline uint32_t packed_bit(const uint32_t *words, size_t at) {
  return (words[at >> 5] >> (at & 31u)) & 1u;
}

#endif
