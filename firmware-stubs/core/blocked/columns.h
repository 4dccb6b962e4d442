/* Parts of an output row whose image columns fit a buffer: for depthwise kernels that lay out the columns under a part once and let neighbouring
   windows share them. */
#ifndef SPIKEPORT_COLUMNS_H
#define SPIKEPORT_COLUMNS_H

#include "../window.h"

/* Outputs column .. column + count - 1 of a row, over: columns of zeros, columns in the image from `from` on, columns of zeros. */
typedef struct {
  const window_t *window; /* of the row's first output: its rows */
  uint32_t count;
  uint32_t from;
  uint32_t before, inside, after;
} part_t;

static inline part_t part_of(const geometry_t *g, const window_t *window, uint32_t column, uint32_t most) {
  const uint32_t left = g->output_width - column;
  const uint32_t count = left < most ? left : most;
  const int32_t wide = (int32_t)((count - 1) * g->stride_x) + g->kernel_width;
  const int32_t first = (int32_t)(column * g->stride_x) - g->pad_left;
  const int32_t from = first < 0 ? 0 : first;
  const int32_t end = first + wide < g->input_width ? first + wide : g->input_width;
  return (part_t){window, count, (uint32_t)from, (uint32_t)(from - first), (uint32_t)(end - from), (uint32_t)(first + wide - end)};
}

#endif
