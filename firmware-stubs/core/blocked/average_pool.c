/* averagePool: rows of channels are added up, so that each tap costs a load and an add. */
#include "../arithmetic.h"
#include "blocked.h"

/* Adds up a group of channels over the taps in the image. */
static void window_totals(const geometry_t *g, const window_t *w, const int8_t *x, uint32_t channels, int32_t *sums) {
  for (uint32_t c = 0; c < channels; c++) {
    sums[c] = 0;
  }
  for (int32_t ky = w->first_y; ky < w->end_y; ky++) {
    const int8_t *from = x + window_input_index(g, w, ky, w->first_x);
    for (int32_t kx = w->first_x; kx < w->end_x; kx++) {
      for (uint32_t c = 0; c < channels; c++) {
        sums[c] += from[c];
      }
      from += g->input_channels;
    }
  }
}

void average_pool_blocked(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const pool_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const requantize_by_count_fields_t *e = (const void *)(f + 1);
  const float *scales = (const float *)(const void *)network_constant(net, e->scales);
  const int8_t *x = (const int8_t *)network_value(net, arena, node->inputs[0]);
  int8_t *out = (int8_t *)network_value(net, arena, node->output);
  for (uint32_t y = 0; y < g->output_height; y++) {
    for (uint32_t column = 0; column < g->output_width; column++) {
      const window_t w = window_at(g, y, column);
      const int32_t count = (w.end_y - w.first_y) * (w.end_x - w.first_x);
      const float *scale = &scales[(uint32_t)count - e->first_count];
      for (uint32_t first = 0; first < g->output_channels; first += BLOCK_CHANNELS) {
        int32_t sums[BLOCK_CHANNELS];
        const uint32_t channels = least_of(BLOCK_CHANNELS, g->output_channels - first);
        window_totals(g, &w, x + first, channels, sums);
        for (uint32_t c = 0; c < channels; c++) {
          *out++ = requantize_one(sums[c] - count * f->input_zero_point, scale, e->zero_point, e->low, e->high);
        }
      }
    }
  }
}
