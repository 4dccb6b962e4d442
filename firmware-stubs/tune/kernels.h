/* The three loops that take the time, over rows of a multiple of 8 channels: plain C here, wasm SIMD in simd128/kernels.h. Both give the same. */
#ifndef SPIKEPORT_TUNE_KERNELS_H
#define SPIKEPORT_TUNE_KERNELS_H

#include <stdint.h>

#if defined(__wasm_simd128__) && !defined(TUNE_PLAIN)
#include "simd128/kernels.h"
#else

/* sums[i] += weights[i] * x, modulo 2^32. */
static inline void add_row(int32_t *sums, const int16_t *weights, int32_t x, int32_t row) {
  for (int32_t i = 0; i < row; i++) {
    sums[i] = (int32_t)((uint32_t)sums[i] + (uint32_t)(weights[i] * x));
  }
}

/* costs[i] += losses[i] * size. */
static inline void add_costs(int32_t *costs, const int32_t *losses, int32_t size, int32_t row) {
  for (int32_t i = 0; i < row; i++) {
    costs[i] += losses[i] * size;
  }
}

/* Bit i: the change weights[i] * x of a sum leaves below[i]..above[i], for 8 channels. */
static inline uint32_t leaving(const int16_t *weights, int32_t x, const int16_t *below, const int16_t *above) {
  uint32_t bits = 0;
  for (uint32_t i = 0; i < 8; i++) {
    const int32_t change = weights[i] * x;
    bits |= (uint32_t)(change < below[i] || change > above[i]) << i;
  }
  return bits;
}

#endif
#endif
