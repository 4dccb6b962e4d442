/* spikeConv2d: each active input adds its weights [kh, kw, out] to the outputs whose windows hold it; the weights lie by input channel. */
#include "emission.h"
#include "spike.h"
#include "verify.h"
#include "window.h"

status_t spike_conv2d_verify(const network_t *net, const node_t *node) {
  const conv_fields_t *f = node_fields(node);
  VERIFY(node->emission == EMISSION_NONE, STATUS_EMISSION);
  TRY(verify_record(node, sizeof *f));
  VERIFY(node->input_count == 1, STATUS_OPERAND);
  const geometry_t *g = &f->geometry;
  TRY(verify_geometry(g));
  const value_t *in = node_input(net, node, 0);
  const value_t *out = node_output(net, node);
  VERIFY(in->kind == VALUE_KIND_LEVEL && in->byte_count == window_input_count(g) && f->input_zero_point == 0, STATUS_OPERAND);
  VERIFY(out->kind == VALUE_KIND_INT32 && out->byte_count == window_output_count(g) * 4, STATUS_OPERAND);
  const uint64_t taps = (uint64_t)g->kernel_height * g->kernel_width * g->input_channels;
  const weights_view_t view = {f->weights, f->bias, g->output_channels, taps, 1, g->output_channels, 0};
  return verify_sums(net, &view, 255);
}

/* Adds what one active input gives; tap k of a window reads position out * stride + k * dilation - pad. */
static void scatter(const geometry_t *g, int32_t y, int32_t x, const int8_t *weights, int32_t value, int32_t *sums) {
  for (int32_t ky = 0; ky < g->kernel_height; ky++) {
    const int32_t from_y = y + g->pad_top - ky * g->dilation_y;
    if (from_y < 0 || from_y % g->stride_y != 0 || from_y / g->stride_y >= g->output_height) {
      continue;
    }
    for (int32_t kx = 0; kx < g->kernel_width; kx++) {
      const int32_t from_x = x + g->pad_left - kx * g->dilation_x;
      if (from_x < 0 || from_x % g->stride_x != 0 || from_x / g->stride_x >= g->output_width) {
        continue;
      }
      const size_t pixel = (size_t)(from_y / g->stride_y) * g->output_width + (size_t)(from_x / g->stride_x);
      spike_add(sums + pixel * g->output_channels, weights + (size_t)(ky * g->kernel_width + kx) * g->output_channels, g->output_channels, value);
    }
  }
}

void spike_conv2d(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const conv_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const uint8_t *in = network_value(net, arena, node->inputs[0]);
  int32_t *sums = (int32_t *)(void *)network_value(net, arena, node->output);
  const int8_t *weights = (const int8_t *)network_constant(net, f->weights);
  const size_t by_input = (size_t)g->kernel_height * g->kernel_width * g->output_channels;
  spike_start(sums, bias_of(net, f->bias), g->output_channels, (uint32_t)g->output_height * g->output_width);
  for (int32_t y = 0; y < g->input_height; y++) {
    for (int32_t x = 0; x < g->input_width; x++) {
      for (uint32_t c = 0; c < g->input_channels; c++, in++) {
        if (*in != 0) {
          scatter(g, y, x, weights + c * by_input, *in, sums);
        }
      }
    }
  }
}
