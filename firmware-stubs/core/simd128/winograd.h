/* 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3) in exact integers: 36 products for 16 outputs instead of 144. See winograd.c. */
#ifndef SPIKEPORT_SIMD128_WINOGRAD_H
#define SPIKEPORT_SIMD128_WINOGRAD_H

#include "layer.h"

/* True where the convolution has the shape for it, gains by it, and every sum stays below 2^25 (so that the result is exact). */
bool winograd_applies(const conv_fields_t *f, const layer_weights_t *w);

uint64_t winograd_prepare_bytes(const geometry_t *g);
uint64_t winograd_scratch_bytes(const geometry_t *g);
void winograd_prepare(const conv_fields_t *f, const layer_weights_t *w, uint8_t *memory);

/* out: int8 [h, w, channels], or int32 where e is NULL; both are written after the whole input has been read. */
void winograd_run(const conv_fields_t *f, const uint8_t *memory, uint8_t *scratch, const int8_t *x, const emit8_t *e, uint8_t *out);

#endif
