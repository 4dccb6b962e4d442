/* The SIMD128 kernels that simd128/operators.c lists; each takes its plain kernel where nothing was prepared. */
#ifndef SPIKEPORT_SIMD128_H
#define SPIKEPORT_SIMD128_H

#include "../operators.h"

DECLARE_RUN(dense_simd);
DECLARE_RUN(conv2d_simd);
DECLARE_RUN(depthwise_simd);
DECLARE_RUN(average_pool_simd);
DECLARE_RUN(max_pool_simd);
DECLARE_RUN(add_simd);
DECLARE_RUN(relu_simd);
DECLARE_RUN(general_dense_simd);
DECLARE_RUN(general_conv2d_simd);

#define DECLARE_PREPARE(name)                                                       \
  uint64_t name##_prepare_bytes(const network_t *net, const node_t *node);          \
  uint64_t name##_scratch_bytes(const network_t *net, const node_t *node, uint32_t rows); \
  void name##_prepare(const network_t *net, const node_t *node, uint8_t *prepared)
DECLARE_PREPARE(dense_simd);
DECLARE_PREPARE(conv2d_simd);
DECLARE_PREPARE(depthwise_simd);

void dense_simd_rows(const network_t *net, const node_t *node, uint8_t *arenas, size_t arena_stride, uint32_t rows, const uint8_t *prepared, uint8_t *scratch);

#endif
