/* The one matrix product behind dense, conv2d and Winograd: rows of int16 inputs times repacked int16 weights, four rows by eight outputs at a
   time by i32x4.dot_i16x8, then an emission. A row need not be contiguous: it is a list of segments, so a convolution needs no im2col. */
#ifndef SPIKEPORT_SIMD128_GEMM_H
#define SPIKEPORT_SIMD128_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emit.h"

/* Outputs that are computed together. */
#define GROUP 8u

typedef struct {
  const int16_t *weights;  /* [groups, segments, pairs, GROUP, 2]: for each pair of inputs, two weights of each of eight outputs */
  const int32_t *bias;     /* [groups * GROUP] */
  const float *scales;     /* [groups * GROUP] */
  const int32_t *segments; /* where each segment of a row starts, in elements from the row's start */
  uint32_t segment_count;
  uint32_t pairs;   /* of elements in a segment */
  uint32_t outputs; /* N */
  bool is_bounded;  /* every |sum * scale| < EMIT_BOUND */
} gemm_t;

/* Elements of the weights of one group. */
static inline size_t gemm_group_elements(const gemm_t *g) {
  return (size_t)g->segment_count * g->pairs * GROUP * 2;
}

static inline uint32_t gemm_groups(uint32_t outputs) {
  return (outputs + GROUP - 1) / GROUP;
}

/* Where results go: int8 through `emit` (element r * outputs + o), or int32 sums where `emit` is NULL. */
typedef struct {
  const emit8_t *emit;
  void *out;
} gemm_target_t;

/* Row r of the product starts at input + rows[r]. */
void gemm_rows(const gemm_t *g, const int16_t *input, const int32_t *rows, uint32_t row_count, gemm_target_t target);

#endif
