/* What an operator gives to the interpreter, and the table of operators that a build links: operators.c (plain) or simd128/operators.c. */
#ifndef SPIKEPORT_OPERATORS_H
#define SPIKEPORT_OPERATORS_H

#include <stdbool.h>

#include "network.h"

typedef struct {
  /* Checks everything that run() relies on; values, plan and the node's head are valid by then. NULL: the operator is absent. */
  status_t (*verify)(const network_t *net, const node_t *node);
  void (*run)(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch);
  /* Bytes by which the output must start in front of input i for the two to overlap (docs/arithmetic.md, memory order), or NEVER.
     A kernel that gives a distance writes no byte of an output row while that row, or a later one, still reads what lies there. NULL: NEVER. */
  uint64_t (*overlap)(const network_t *net, const node_t *node, uint32_t input);
  /* Bytes of constants laid out anew; NULL or 0: none, run() gets NULL and takes its plain kernel. */
  uint64_t (*prepare_bytes)(const network_t *net, const node_t *node);
  void (*prepare)(const network_t *net, const node_t *node, uint8_t *prepared);
  /* Bytes of scratch while `rows` samples run; NULL: none. */
  uint64_t (*scratch_bytes)(const network_t *net, const node_t *node, uint32_t rows);
  /* run() for several samples at once, arena_stride bytes apart; NULL: run() for each. */
  void (*run_rows)(const network_t *net, const node_t *node, uint8_t *arenas, size_t arena_stride, uint32_t rows, const uint8_t *prepared, uint8_t *scratch);
  /* The roundings whose networks this entry runs: ROUNDING_BIT()s; 0 stands for 'single' alone. */
  uint32_t roundings;
} operator_t;

#define ROUNDING_BIT(rounding) (1u << (rounding))
#define ROUNDING_BITS (ROUNDING_BIT(EVN_ROUNDING_SINGLE) | ROUNDING_BIT(EVN_ROUNDING_TFLITE))

/* True where an entry runs networks of a rounding. */
static inline bool operator_has_rounding(const operator_t *operator, uint32_t rounding) {
  const uint32_t bits = operator->roundings == 0 ? ROUNDING_BIT(EVN_ROUNDING_SINGLE) : operator->roundings;
  return rounding < 32 && (bits >> rounding & 1u) != 0;
}

/* overlap() of an operator whose output must not touch an input. */
#define NEVER UINT64_MAX

/* overlap() of elementwise operators: element i is written when elements i have been read. */
uint64_t overlap_elementwise(const network_t *net, const node_t *node, uint32_t input);

/* overlap() of windows that move over rows in order. */
uint64_t overlap_rows(const network_t *net, const node_t *node, uint32_t input);

/* overlap() of spiking units. */
uint64_t overlap_neuron(const network_t *net, const node_t *node, uint32_t input);

/* The operator of a code, or NULL. */
const operator_t *operator_find(uint16_t code);

/* Samples per node of a batch in this build, where every costly node has run_rows. */
uint32_t operator_batch_rows(void);

status_t dense_verify(const network_t *net, const node_t *node);
status_t conv2d_verify(const network_t *net, const node_t *node);
status_t depthwise_verify(const network_t *net, const node_t *node);
/* For tables without rounding 'tflite', and for those with both. */
status_t average_pool_verify(const network_t *net, const node_t *node);
status_t average_pool_any_verify(const network_t *net, const node_t *node);
status_t max_pool_verify(const network_t *net, const node_t *node);
status_t add_verify(const network_t *net, const node_t *node);
status_t concat_verify(const network_t *net, const node_t *node);
status_t reshape_verify(const network_t *net, const node_t *node);
status_t relu_verify(const network_t *net, const node_t *node);
status_t softmax_verify(const network_t *net, const node_t *node);
status_t add_fixed_verify(const network_t *net, const node_t *node);
status_t softmax_fixed_verify(const network_t *net, const node_t *node);

status_t general_dense_verify(const network_t *net, const node_t *node);
status_t general_conv2d_verify(const network_t *net, const node_t *node);
status_t general_depthwise_verify(const network_t *net, const node_t *node);
status_t general_max_pool_verify(const network_t *net, const node_t *node);

status_t neuron_verify(const network_t *net, const node_t *node);
status_t time_slice_verify(const network_t *net, const node_t *node);
status_t sum_pool_verify(const network_t *net, const node_t *node);
status_t spike_dense_verify(const network_t *net, const node_t *node);
status_t spike_conv2d_verify(const network_t *net, const node_t *node);
status_t encode_verify(const network_t *net, const node_t *node);

#define DECLARE_RUN(name) \
  void name(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch)
DECLARE_RUN(dense_s8);
DECLARE_RUN(conv2d_s8);
DECLARE_RUN(depthwise_s8);
DECLARE_RUN(average_pool_s8);
DECLARE_RUN(max_pool_s8);
DECLARE_RUN(add_s8);
DECLARE_RUN(concat_run);
DECLARE_RUN(reshape_run);
DECLARE_RUN(relu_s8);
DECLARE_RUN(softmax_f32);
DECLARE_RUN(add_fixed_s8);
DECLARE_RUN(softmax_fixed_s8);
DECLARE_RUN(general_dense);
DECLARE_RUN(general_conv2d);
DECLARE_RUN(general_depthwise);
DECLARE_RUN(general_max_pool);
DECLARE_RUN(neuron_run);
DECLARE_RUN(time_slice_run);
DECLARE_RUN(sum_pool_run);
DECLARE_RUN(spike_dense);
DECLARE_RUN(spike_conv2d);
DECLARE_RUN(encode_run);

/* The rows of the operators over levels and signs, for a table without kernels of its own for them. */
#define ROW_GENERAL_DENSE {.verify = general_dense_verify, .run = general_dense, .roundings = ROUNDING_BITS}
#define ROW_GENERAL_CONV2D {.verify = general_conv2d_verify, .run = general_conv2d, .overlap = overlap_rows, .roundings = ROUNDING_BITS}
#define ROW_GENERAL_DEPTHWISE {.verify = general_depthwise_verify, .run = general_depthwise, .overlap = overlap_rows, .roundings = ROUNDING_BITS}
#define ROW_GENERAL_MAX_POOL {.verify = general_max_pool_verify, .run = general_max_pool, .overlap = overlap_rows, .roundings = ROUNDING_BITS}

/* The rows of networks over time: the same in every build. */
#define ROW_NEURON {.verify = neuron_verify, .run = neuron_run, .overlap = overlap_neuron, .roundings = ROUNDING_BITS}
#define ROW_TIME_SLICE {.verify = time_slice_verify, .run = time_slice_run, .roundings = ROUNDING_BITS}
#define ROW_SUM_POOL {.verify = sum_pool_verify, .run = sum_pool_run, .overlap = overlap_rows, .roundings = ROUNDING_BITS}
#define ROW_ENCODE {.verify = encode_verify, .run = encode_run, .roundings = ROUNDING_BITS}
#define ROW_SPIKE_DENSE {.verify = spike_dense_verify, .run = spike_dense, .roundings = ROUNDING_BITS}
#define ROW_SPIKE_CONV2D {.verify = spike_conv2d_verify, .run = spike_conv2d, .roundings = ROUNDING_BITS}

/* Their places in a table. */
#define ROWS_OVER_TIME \
  [OPERATOR_NEURON] = ROW_NEURON, [OPERATOR_TIME_SLICE] = ROW_TIME_SLICE, [OPERATOR_SUM_POOL] = ROW_SUM_POOL, \
  [OPERATOR_SPIKE_DENSE] = ROW_SPIKE_DENSE, [OPERATOR_SPIKE_CONV2D] = ROW_SPIKE_CONV2D, [OPERATOR_ENCODE] = ROW_ENCODE

/* The accumulator's fields of a record. */
static inline const void *node_fields(const node_t *node) {
  return node + 1;
}

#endif
