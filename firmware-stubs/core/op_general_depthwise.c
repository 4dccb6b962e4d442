/* generalDepthwise: depthwise convolution over any kinds; padding as in generalConv2d. */
#include "emission.h"
#include "general.h"
#include "operators.h"
#include "verify.h"
#include "window.h"

status_t general_depthwise_verify(const network_t *net, const node_t *node) {
  const general_conv_fields_t *f = node_fields(node);
  VERIFY(node->record_bytes >= sizeof(node_t) + sizeof *f, STATUS_RECORD);
  VERIFY(node->input_count == 1, STATUS_OPERAND);
  const conv_fields_t *l = &f->layer;
  const geometry_t *g = &l->geometry;
  TRY(verify_geometry(g));
  VERIFY(g->output_channels % g->input_channels == 0, STATUS_GEOMETRY);
  TRY(general_verify_emission(net, node, sizeof *f, g->output_channels, window_output_count(g)));
  const uint64_t taps = (uint64_t)g->kernel_height * g->kernel_width;
  const general_view_t view = {l->weights, l->bias, f->weights_kind, g->output_channels, taps, 1, g->output_channels, l->input_zero_point};
  return general_verify_layer(net, node, window_input_count(g), &view);
}

/* The sum of one output element of channel `o`, which reads input channel `channel`. */
static int32_t window_sum(const geometry_t *g, const window_t *window, const factors_t *factors, uint32_t channel, uint32_t o) {
  int32_t sum = 0;
  size_t w_at = o;
  for (int32_t ky = 0; ky < g->kernel_height; ky++) {
    for (int32_t kx = 0; kx < g->kernel_width; kx++) {
      const bool is_inside = ky >= window->first_y && ky < window->end_y && kx >= window->first_x && kx < window->end_x;
      sum += is_inside ? general_sum(factors, window_input_index(g, window, ky, kx) + channel, w_at, 1) : general_padding_sum(factors, w_at, 1);
      w_at += g->output_channels;
    }
  }
  return sum;
}

void general_depthwise(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const general_conv_fields_t *f = node_fields(node);
  const conv_fields_t *l = &f->layer;
  const geometry_t *g = &l->geometry;
  const general_emission_t emission = general_emission_of(net, node, sizeof *f, arena);
  const factors_t factors = general_factors(net, node, arena, l->weights, f->weights_kind, l->input_zero_point);
  const int32_t *bias = bias_of(net, l->bias);
  const uint32_t multiplier = (uint32_t)g->output_channels / g->input_channels;
  size_t at = 0;
  for (uint32_t y = 0; y < g->output_height; y++) {
    for (uint32_t column = 0; column < g->output_width; column++) {
      const window_t window = window_at(g, y, column);
      for (uint32_t o = 0; o < g->output_channels; o++) {
        general_emit(&emission, at++, o, (bias == NULL ? 0 : bias[o]) + window_sum(g, &window, &factors, o / multiplier, o));
      }
    }
  }
}
