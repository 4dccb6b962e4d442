/* add and averagePool of MVE, four elements at a time. */
#include "../blocked/blocked.h"

void add_blocked(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const add_fields_t *f = node_fields(node);
  const round_fields_t *e = (const void *)(f + 1);
  const int8_t *a = (const int8_t *)network_value(net, arena, node->inputs[0]);
  const int8_t *b = (const int8_t *)network_value(net, arena, node->inputs[1]);
  int8_t *out = (int8_t *)network_value(net, arena, node->output);
  const int32x4_t low = vdupq_n_s32(e->low), high = vdupq_n_s32(e->high);
  for (int32_t left = (int32_t)f->count; left > 0; left -= 4) {
    const mve_pred16_t lanes = vctp32q((uint32_t)left);
    const float32x4_t x = vcvtq_f32_s32(vsubq_n_s32(vldrbq_z_s32(a, lanes), f->zero_point_a));
    const float32x4_t y = vcvtq_f32_s32(vsubq_n_s32(vldrbq_z_s32(b, lanes), f->zero_point_b));
    const float32x4_t sum = vaddq_f32(vmulq_n_f32(x, f->scale_a), vmulq_n_f32(y, f->scale_b));
    const int32x4_t rounded = vqaddq_n_s32(vcvtnq_s32_f32(sum), e->zero_point);
    vstrbq_p_s32(out, vminq_s32(vmaxq_s32(rounded, low), high), lanes);
    a += 4;
    b += 4;
    out += 4;
  }
}

/* Adds up four channels over the taps in the image. */
static int32x4_t window_totals(const geometry_t *g, const window_t *w, const int8_t *x, mve_pred16_t lanes) {
  int32x4_t sums = vdupq_n_s32(0);
  for (int32_t ky = w->first_y; ky < w->end_y; ky++) {
    const int8_t *from = x + window_input_index(g, w, ky, w->first_x);
    for (int32_t kx = w->first_x; kx < w->end_x; kx++) {
      sums = vaddq_s32(sums, vldrbq_z_s32(from, lanes));
      from += g->input_channels;
    }
  }
  return sums;
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
      const float32x4_t scale = vdupq_n_f32(scales[(uint32_t)count - e->first_count]);
      for (uint32_t first = 0; first < g->output_channels; first += 4) {
        const mve_pred16_t lanes = vctp32q(g->output_channels - first);
        const int32x4_t sums = vsubq_n_s32(window_totals(g, &w, x + first, lanes), count * f->input_zero_point);
        vstrbq_p_s32(out + first, requantize_four(sums, scale, e->zero_point, e->low, e->high), lanes);
      }
      out += g->output_channels;
    }
  }
}
