/* Shared parts of the SIMD layers (layer.h). */
#include "layer.h"

#include "../mem.h"

uint64_t layer_sum_bound(const layer_weights_t *w, uint32_t channel) {
  const int32_t z = w->input_zero_point;
  const uint64_t most = (uint64_t)(z < 0 ? 127 - z : z + 128);
  const int8_t *weights = w->weights + channel * w->channel_step;
  uint64_t sum = 0;
  for (uint32_t t = 0; t < w->taps; t++) {
    const int32_t value = weights[t * w->tap_step];
    sum += (uint64_t)(value < 0 ? -value : value);
  }
  return sum * most;
}

void layer_prepare(const layer_weights_t *w, uint32_t padded, uint8_t *prepared, layer_t *layer) {
  int32_t *bias = (int32_t *)(void *)(prepared + layer->bias_at);
  float *scales = (float *)(void *)(prepared + layer->scales_at);
  memset(bias, 0, padded * sizeof *bias);
  memset(scales, 0, padded * sizeof *scales);
  layer->is_bounded = 1;
  for (uint32_t c = 0; c < w->channels; c++) {
    bias[c] = w->bias == NULL ? 0 : w->bias[c];
    if (w->scales == NULL) {
      continue;
    }
    scales[c] = w->scales[c * w->scale_step];
    const double magnitude = (double)layer_sum_bound(w, c) + (bias[c] < 0 ? -(double)bias[c] : (double)bias[c]);
    if (magnitude * (double)scales[c] >= EMIT_BOUND) {
      layer->is_bounded = 0;
    }
  }
}

void widen_s8(const int8_t *x, size_t count, int32_t zero_point, int16_t *out) {
  const v128_t zero = wasm_i16x8_splat((int16_t)zero_point);
  for (size_t i = 0; i < count; i += 8) {
    wasm_v128_store(out + i, wasm_i16x8_sub(wasm_i16x8_load8x8(x + i), zero));
  }
}

/* Writes `count` zeros, rounded up to 8. */
static void fill_zero(int16_t *out, size_t count) {
  for (size_t i = 0; i < count; i += 8) {
    wasm_v128_store(out + i, wasm_i16x8_const_splat(0));
  }
}

void widen_image(const geometry_t *g, frame_t frame, const int8_t *x, int32_t zero_point, int16_t *out) {
  const size_t channels = g->input_channels;
  const size_t row = frame.columns * channels;
  const size_t inner = g->input_width * channels;
  const size_t left = g->pad_left * channels;
  fill_zero(out, g->pad_top * row);
  for (uint32_t y = 0; y < g->input_height; y++) {
    int16_t *to = out + (g->pad_top + y) * row;
    fill_zero(to, left);
    widen_s8(x + y * inner, inner, zero_point, to + left);
    fill_zero(to + left + inner, row - left - inner);
  }
  const uint32_t below = frame.rows - g->pad_top - g->input_height;
  fill_zero(out + (size_t)(g->pad_top + g->input_height) * row, below * row);
}
