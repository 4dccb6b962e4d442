/* What the SIMD layers share: bias, scales and bounds laid out for whole groups, and inputs widened to int16. */
#ifndef SPIKEPORT_SIMD128_LAYER_H
#define SPIKEPORT_SIMD128_LAYER_H

#include "../emission.h"
#include "../format.h"
#include "../network.h"
#include "gemm.h"

/* Prepared constants and scratch of one node must not take more bytes than this; a larger node runs on its plain kernel. */
#define LAYER_LIMIT 0x8000000u

/* Bias and scales of a layer for `padded` channels (a multiple of GROUP); the rest is 0. */
typedef struct {
  uint32_t bias_at, scales_at; /* bytes from the start of the prepared memory */
  uint32_t is_bounded;
  uint32_t is_winograd; /* conv2d only: which of its two forms was prepared */
} layer_t;

static inline uint64_t align_16(uint64_t bytes) {
  return (bytes + 15) & ~(uint64_t)15;
}

/* A layer's weights as sums see them; see weights_view_t in verify.h. */
typedef struct {
  const int8_t *weights;
  const int32_t *bias; /* NULL: none */
  const float *scales; /* NULL: emission none */
  uint32_t scale_step;
  uint32_t channels;
  uint32_t taps;
  size_t channel_step, tap_step;
  int32_t input_zero_point;
} layer_weights_t;

/* True for a requantization of rounding 'tflite': the kernels give int32 sums to scratch memory, layer_emit_fixed() does the rest. */
static inline bool layer_is_fixed(const network_t *net, const node_t *node) {
  return node->emission != EMISSION_NONE && net->header->rounding == EVN_ROUNDING_TFLITE;
}

/* Scratch for the sums of a node of `count` output elements. */
static inline uint64_t layer_sums_bytes(const network_t *net, const node_t *node, uint64_t count) {
  return layer_is_fixed(net, node) ? count * 4 : 0;
}

/* Emits `count` sums, channels fastest. */
void layer_emit_fixed(const network_t *net, const node_t *node, size_t fields_bytes, uint8_t *arena, uint32_t channels, const int32_t *sums, size_t count);

/* A node's float32 requantization, or NULL where its kernel gives int32 sums. */
static inline const requantize_fields_t *layer_requantize(const network_t *net, const node_t *node, size_t fields_bytes) {
  return node->emission == EMISSION_NONE || layer_is_fixed(net, node) ? NULL : (const requantize_fields_t *)(const void *)((const uint8_t *)(node + 1) + fields_bytes);
}

/* Fills in the scales of a node's requantization. */
static inline void layer_set_scales(const network_t *net, const requantize_fields_t *e, layer_weights_t *w) {
  w->scales = e == NULL ? NULL : (const float *)(const void *)network_constant(net, e->scales);
  w->scale_step = e == NULL || e->scale_count == 1 ? 0 : 1;
}

static inline emit8_t layer_emit8(const requantize_fields_t *e) {
  return emit8_of(e->zero_point, e->low, e->high);
}

/* Largest |sum| without bias of one channel. */
uint64_t layer_sum_bound(const layer_weights_t *w, uint32_t channel);

/* Writes padded bias and scales at layer->bias_at and scales_at and decides is_bounded. */
void layer_prepare(const layer_weights_t *w, uint32_t padded, uint8_t *prepared, layer_t *layer);

/* out[i] = x[i] - zero_point, i < count rounded up to 8 (reads and writes up to 7 elements further). */
void widen_s8(const int8_t *x, size_t count, int32_t zero_point, int16_t *out);

/* An image inside a frame of zeros, widened: [rows, columns, channels]. */
typedef struct {
  uint32_t rows, columns;
} frame_t;

/* Widens a whole image into a frame whose pixel (pad_top, pad_left) is its first. `out` has 8 elements of slack behind it. */
void widen_image(const geometry_t *g, frame_t frame, const int8_t *x, int32_t zero_point, int16_t *out);

#endif
