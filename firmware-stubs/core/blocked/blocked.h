/* Kernels for chips, in two halves: the C of this folder walks over images, channels and taps in blocks, and each chip's folder (armv6m, rv32, dsp,
   mve) gives the inner loops declared here. A block is four positions of an output row and a range of taps; sums of it are kept on the stack for
   a group of channels. Same bytes as the plain kernels, in the memory order of docs/arithmetic.md: rows in order, a block is read before it is
   written. */
#ifndef SPIKEPORT_BLOCKED_H
#define SPIKEPORT_BLOCKED_H

#include <stdbool.h>

#include "../emission.h"
#include "../operators.h"
#include "../window.h"
/* The chip's folder: BLOCK_TAP_BYTES (a block's bytes per tap), BLOCK_ALIGNMENT (taps), requantize_one(), and copy_run(), which copies bytes and
   returns the end of the copy. */
#include "chip.h"

#define BLOCK_POSITIONS 4u
#define BLOCK_BYTES 1152u
#define BLOCK_TAPS (BLOCK_BYTES / BLOCK_TAP_BYTES)
#define BLOCK_CHANNELS 32u
#define DENSE_UNITS 4u

/* Sums of one channel at the four positions. */
typedef struct {
  int32_t at[BLOCK_POSITIONS];
} block_sums_t;

/* Where the outputs of a block go. */
typedef struct {
  size_t index;     /* of channel 0 at position 0 */
  size_t step;      /* elements from one position to the next */
  uint32_t count;   /* positions in use */
  uint32_t channel; /* the first of the group */
  uint32_t channels;
} block_target_t;

/* Lays taps tap .. tap + count - 1 of a position into a block as x - zero_point, with zeros up to BLOCK_ALIGNMENT, of which tap is a multiple. A
   chip may lay out x itself and take the zero point off in its dots instead. */
void block_expand(uint32_t *block, uint32_t tap, uint32_t position, const int8_t *run, uint32_t count, int32_t zero_point);

/* What a block meets: weights[c * step + t] for t < taps; padding stands for zero_point. */
typedef struct {
  const int8_t *weights;
  size_t step;
  uint32_t taps;
  int32_t zero_point;
} block_weights_t;

/* sums[c] += sum over t of (x[t] - zero_point) * weights[c * step + t], for c < channels. */
void block_dots(const uint32_t *block, const block_weights_t *weights, uint32_t channels, block_sums_t *sums);

/* Requantizes a group of channels. */
void block_emit(const emission_t *e, const block_target_t *target, const block_sums_t *sums);

/* All of a layer's channels over a block that holds all of its taps: start with the bias, dots, then emit; for emissions that requantize. */
void block_layer(const uint32_t *block, const block_weights_t *weights, const int32_t *bias, const emission_t *e, const block_target_t *target);

/* sums[c] = bias[c] at each position, or 0. */
static inline void start_sums(const int32_t *bias, uint32_t channels, block_sums_t *sums) {
  for (uint32_t c = 0; c < channels; c++) {
    const int32_t start = bias == NULL ? 0 : bias[c];
    sums[c] = (block_sums_t){{start, start, start, start}};
  }
}

/* sums[u] += sum over i < count of (x[i] - zero_point) * weights[u * step + i], for DENSE_UNITS units. */
void dense_dots(const int8_t *x, const int8_t *weights, size_t step, uint32_t count, int32_t zero_point, int32_t *sums);

/* sums[i] = start + sum over t of columns[i * step + t] * weights[t], for i < count. Weights are zero from `taps` to the next multiple of three. */
void depth_dots(const int32_t *columns, size_t step, const int32_t *weights, uint32_t taps, int32_t start, int32_t *sums, uint32_t count);

/* Emits one sum; requantize_one() is the chip's. */
static inline void emit_one(const emission_t *e, size_t index, uint32_t channel, int32_t sum) {
  if (e->out_s8 != NULL) {
    e->out_s8[index] = requantize_one(sum, &e->scales[channel * e->scale_step], e->zero_point, e->low, e->high);
  } else {
    e->out_s32[index] = sum;
  }
}

static inline uint32_t least_of(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

/* The geometries that depthwise_unit() runs; a build for one network that has no other can leave the plain kernel out. */
bool depthwise_is_unit(const geometry_t *g);
status_t depthwise_unit_verify(const network_t *net, const node_t *node);

DECLARE_RUN(depthwise_unit);
DECLARE_RUN(conv2d_blocked);
DECLARE_RUN(dense_blocked);
DECLARE_RUN(depthwise_blocked);
DECLARE_RUN(average_pool_blocked);
DECLARE_RUN(add_blocked);

#endif
