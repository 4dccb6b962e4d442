/* Emissions of layers with int32 sums: the second half of accumulate, then emit (docs/arithmetic.md). */
#ifndef SPIKEPORT_EMISSION_H
#define SPIKEPORT_EMISSION_H

#include "arithmetic.h"
#include "network.h"

/* Turns sums into output elements; filled once per node, read in the kernel's innermost place. */
typedef struct {
  const float *scales;
  uint32_t scale_step; /* 1: a scale for each channel; 0: one for all */
  int32_t zero_point, low, high;
  int8_t *out_s8;   /* requantize */
  int32_t *out_s32; /* none */
  /* rounding 'tflite': instead of scales; otherwise NULL */
  const int32_t *factors;
  const int8_t *shifts;
} emission_t;

/* The emission of a node whose accumulator fields take `fields_bytes`. */
emission_t emission_of(const network_t *net, const node_t *node, size_t fields_bytes, uint8_t *arena);

/* emit_sum() of rounding 'tflite'. */
void emit_sum_fixed(const emission_t *e, size_t index, uint32_t channel, int32_t sum);

/* Emits one sum: element `index` of the output, which belongs to `channel`. */
static inline void emit_sum(const emission_t *e, size_t index, uint32_t channel, int32_t sum) {
  if (e->factors != NULL) {
    emit_sum_fixed(e, index, channel, sum);
  } else if (e->out_s8 != NULL) {
    e->out_s8[index] = requantize_s8(sum, e->scales[channel * e->scale_step], e->zero_point, e->low, e->high);
  } else {
    e->out_s32[index] = sum;
  }
}

/* The bias of a layer, or NULL. */
static inline const int32_t *bias_of(const network_t *net, uint32_t offset) {
  return offset == 0 ? NULL : (const int32_t *)(const void *)network_constant(net, offset);
}

#endif
