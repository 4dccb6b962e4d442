/* Sliding windows of convolutions and pools: which taps of a window lie in the image, and where. */
#ifndef SPIKEPORT_WINDOW_H
#define SPIKEPORT_WINDOW_H

#include <stddef.h>

#include "format.h"

/* The taps first <= k < end of one window lie in the image; tap (0, 0) lies at (y, x), which may be outside. */
typedef struct {
  int32_t y, x;
  int32_t first_y, end_y, first_x, end_x;
} window_t;

/* The first tap at or behind 0: the least k >= 0 with start + k * dilation >= 0. */
static inline int32_t window_first(int32_t start, int32_t dilation) {
  return start >= 0 ? 0 : (-start + dilation - 1) / dilation;
}

/* One behind the last tap before `size`: the least k with start + k * dilation >= size, at most kernel. */
static inline int32_t window_end(int32_t start, int32_t dilation, int32_t kernel, int32_t size) {
  const int32_t end = start >= size ? 0 : (size - start + dilation - 1) / dilation;
  return end < kernel ? end : kernel;
}

static inline window_t window_at(const geometry_t *g, uint32_t y, uint32_t x) {
  window_t w;
  w.y = (int32_t)(y * g->stride_y) - g->pad_top;
  w.x = (int32_t)(x * g->stride_x) - g->pad_left;
  w.first_y = window_first(w.y, g->dilation_y);
  w.first_x = window_first(w.x, g->dilation_x);
  w.end_y = window_end(w.y, g->dilation_y, g->kernel_height, g->input_height);
  w.end_x = window_end(w.x, g->dilation_x, g->kernel_width, g->input_width);
  return w;
}

/* Index of the first channel of a tap that lies in the image. */
static inline size_t window_input_index(const geometry_t *g, const window_t *w, int32_t ky, int32_t kx) {
  const size_t y = (size_t)(w->y + ky * g->dilation_y);
  const size_t x = (size_t)(w->x + kx * g->dilation_x);
  return (y * g->input_width + x) * g->input_channels;
}

static inline uint64_t window_input_count(const geometry_t *g) {
  return (uint64_t)g->input_height * g->input_width * g->input_channels;
}

static inline uint64_t window_output_count(const geometry_t *g) {
  return (uint64_t)g->output_height * g->output_width * g->output_channels;
}

#endif
