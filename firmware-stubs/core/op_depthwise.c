/* depthwise: weights [kh, kw, out], output channel o reads input channel o / (out / in). */
#include "emission.h"
#include "operators.h"
#include "verify.h"
#include "window.h"

status_t depthwise_verify(const network_t *net, const node_t *node) {
  const conv_fields_t *f = node_fields(node);
  VERIFY(node->record_bytes >= sizeof(node_t) + sizeof *f, STATUS_RECORD);
  VERIFY(node->input_count == 1, STATUS_OPERAND);
  const geometry_t *g = &f->geometry;
  TRY(verify_geometry(g));
  VERIFY(g->output_channels % g->input_channels == 0, STATUS_GEOMETRY);
  TRY(verify_input_s8(net, node, 0, window_input_count(g), f->input_zero_point));
  TRY(verify_emission(net, node, sizeof *f, g->output_channels, window_output_count(g)));
  const uint64_t taps = (uint64_t)g->kernel_height * g->kernel_width;
  const weights_view_t view = {f->weights, f->bias, g->output_channels, taps, 1, g->output_channels, f->input_zero_point};
  return verify_weights(net, &view);
}

static int32_t depthwise_sum(const geometry_t *g, const window_t *window, const int8_t *x, const int8_t *w, int32_t zero_point) {
  int32_t sum = 0;
  for (int32_t ky = window->first_y; ky < window->end_y; ky++) {
    for (int32_t kx = window->first_x; kx < window->end_x; kx++) {
      const size_t tap = (size_t)(ky * g->kernel_width + kx) * g->output_channels;
      sum += (x[window_input_index(g, window, ky, kx)] - zero_point) * w[tap];
    }
  }
  return sum;
}

void depthwise_s8(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const conv_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const emission_t emission = emission_of(net, node, sizeof *f, arena);
  const int8_t *x = (const int8_t *)network_value(net, arena, node->inputs[0]);
  const int8_t *weights = (const int8_t *)network_constant(net, f->weights);
  const int32_t *bias = bias_of(net, f->bias);
  const uint32_t multiplier = (uint32_t)g->output_channels / g->input_channels;
  size_t at = 0;
  for (uint32_t y = 0; y < g->output_height; y++) {
    for (uint32_t column = 0; column < g->output_width; column++) {
      const window_t window = window_at(g, y, column);
      for (uint32_t o = 0; o < g->output_channels; o++) {
        const int32_t sum = (bias == NULL ? 0 : bias[o]) + depthwise_sum(g, &window, x + o / multiplier, weights + o, f->input_zero_point);
        emit_sum(&emission, at++, o, sum);
      }
    }
  }
}
