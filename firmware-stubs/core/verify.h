/* Checks that several operators share; each returns a status and changes nothing. */
#ifndef SPIKEPORT_VERIFY_H
#define SPIKEPORT_VERIFY_H

#include <stdbool.h>

#include "network.h"

/* The weights of a layer as its sums see them: channel c takes weights[c * channel_step + t * tap_step] for t < taps. */
typedef struct {
  uint32_t offset; /* file offset */
  uint32_t bias;   /* file offset; 0: none */
  uint32_t channels;
  uint64_t taps;
  uint64_t channel_step;
  uint64_t tap_step;
  int32_t input_zero_point;
} weights_view_t;

/* count * size bytes at a file offset lie inside one constants section, aligned to size. */
status_t verify_constant(const network_t *net, uint32_t offset, uint64_t count, uint32_t size);

/* The record is exactly as long as its operator's and emission's fields. */
status_t verify_record(const node_t *node, uint32_t fields_bytes);

/* Weights and bias lie in the file, and |bias| + sum |w| max|x - zero point| < 2^31 in every channel. */
status_t verify_weights(const network_t *net, const weights_view_t *view);

/* The same where inputs are at most `most` in magnitude; the view's zero point is not read. */
status_t verify_sums(const network_t *net, const weights_view_t *view, uint64_t most);

/* An input is int8 with `count` elements and this zero point. */
status_t verify_input_s8(const network_t *net, const node_t *node, uint32_t input, uint64_t count, int32_t zero_point);

/* The output window count of a geometry, its padding and its channels. */
status_t verify_geometry(const geometry_t *g);

/* The emission that follows `fields_bytes` of accumulator fields fits `channels` channels and the node's output of `count` elements. */
status_t verify_emission(const network_t *net, const node_t *node, uint32_t fields_bytes, uint32_t channels, uint64_t count);

/* A requantization table: finite float32 numbers >= 0. */
status_t verify_scales(const network_t *net, uint32_t offset, uint32_t count);

/* The same table of rounding 'tflite': int32 q >= 0 [count], then int8 shift [count], -31 to 30. */
status_t verify_multipliers(const network_t *net, uint32_t offset, uint32_t count);

/* Bounds and zero point of an int8 output. */
status_t verify_bounds(const network_t *net, const node_t *node, int32_t zero_point, int32_t low, int32_t high);

static inline const value_t *node_input(const network_t *net, const node_t *node, uint32_t input) {
  return &net->values[node->inputs[input]];
}

static inline const value_t *node_output(const network_t *net, const node_t *node) {
  return &net->values[node->output];
}

/* Bytes of `elements` packed into words of 32. */
static inline uint64_t packed_bytes(uint64_t elements) {
  return (elements + 31) / 32 * 4;
}

/* True for a finite float32 > 0 (not_zero) or >= 0. */
static inline bool is_scale(uint32_t float_bits, bool not_zero) {
  return float_bits < 0x7f800000u && !(not_zero && float_bits == 0);
}

#endif
