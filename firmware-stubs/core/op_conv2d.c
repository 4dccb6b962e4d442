/* conv2d: input [h, w, in], weights [out, kh, kw, in]; padding adds nothing (it stands for the zero point). */
#include "emission.h"
#include "operators.h"
#include "verify.h"
#include "window.h"

status_t conv2d_verify(const network_t *net, const node_t *node) {
  const conv_fields_t *f = node_fields(node);
  VERIFY(node->record_bytes >= sizeof(node_t) + sizeof *f, STATUS_RECORD);
  VERIFY(node->input_count == 1, STATUS_OPERAND);
  const geometry_t *g = &f->geometry;
  TRY(verify_geometry(g));
  TRY(verify_input_s8(net, node, 0, window_input_count(g), f->input_zero_point));
  TRY(verify_emission(net, node, sizeof *f, g->output_channels, window_output_count(g)));
  const uint64_t taps = (uint64_t)g->kernel_height * g->kernel_width * g->input_channels;
  const weights_view_t view = {f->weights, f->bias, g->output_channels, taps, taps, 1, f->input_zero_point};
  return verify_weights(net, &view);
}

/* The sum of one output element over the taps that lie in the image. */
static int32_t conv_sum(const geometry_t *g, const window_t *window, const int8_t *x, const int8_t *w, int32_t zero_point) {
  int32_t sum = 0;
  for (int32_t ky = window->first_y; ky < window->end_y; ky++) {
    for (int32_t kx = window->first_x; kx < window->end_x; kx++) {
      const int8_t *from = x + window_input_index(g, window, ky, kx);
      const int8_t *tap = w + (size_t)(ky * g->kernel_width + kx) * g->input_channels;
      for (uint32_t i = 0; i < g->input_channels; i++) {
        sum += (from[i] - zero_point) * tap[i];
      }
    }
  }
  return sum;
}

void conv2d_s8(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const conv_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const emission_t emission = emission_of(net, node, sizeof *f, arena);
  const int8_t *x = (const int8_t *)network_value(net, arena, node->inputs[0]);
  const int8_t *weights = (const int8_t *)network_constant(net, f->weights);
  const int32_t *bias = bias_of(net, f->bias);
  const size_t taps = (size_t)g->kernel_height * g->kernel_width * g->input_channels;
  size_t at = 0;
  for (uint32_t y = 0; y < g->output_height; y++) {
    for (uint32_t column = 0; column < g->output_width; column++) {
      const window_t window = window_at(g, y, column);
      for (uint32_t o = 0; o < g->output_channels; o++) {
        const int32_t sum = (bias == NULL ? 0 : bias[o]) + conv_sum(g, &window, x, weights + o * taps, f->input_zero_point);
        emit_sum(&emission, at++, o, sum);
      }
    }
  }
}
