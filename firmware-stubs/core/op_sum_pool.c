/* sumPool: the sum of a window's valid taps, levels to levels. */
#include "operators.h"
#include "verify.h"
#include "window.h"

status_t sum_pool_verify(const network_t *net, const node_t *node) {
  const pool_fields_t *f = node_fields(node);
  VERIFY(node->record_bytes >= sizeof(node_t) + sizeof *f, STATUS_RECORD);
  VERIFY(node->input_count == 1, STATUS_OPERAND);
  const geometry_t *g = &f->geometry;
  TRY(verify_geometry(g));
  VERIFY(g->input_channels == g->output_channels && g->dilation_y == 1 && g->dilation_x == 1, STATUS_GEOMETRY);
  const value_t *in = node_input(net, node, 0);
  const value_t *out = node_output(net, node);
  VERIFY(in->kind == VALUE_KIND_LEVEL && out->kind == VALUE_KIND_LEVEL && f->input_zero_point == 0, STATUS_OPERAND);
  VERIFY((uint64_t)in->levels * g->kernel_height * g->kernel_width == out->levels, STATUS_OPERAND);
  VERIFY(in->byte_count == window_input_count(g) && out->byte_count == window_output_count(g), STATUS_OPERAND);
  VERIFY(node->emission == EMISSION_NONE, STATUS_EMISSION);
  return verify_record(node, sizeof *f);
}

void sum_pool_run(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const pool_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const uint8_t *x = network_value(net, arena, node->inputs[0]);
  uint8_t *out = network_value(net, arena, node->output);
  for (uint32_t y = 0; y < g->output_height; y++) {
    for (uint32_t column = 0; column < g->output_width; column++) {
      const window_t w = window_at(g, y, column);
      for (uint32_t c = 0; c < g->output_channels; c++) {
        uint32_t sum = 0;
        for (int32_t ky = w.first_y; ky < w.end_y; ky++) {
          for (int32_t kx = w.first_x; kx < w.end_x; kx++) {
            sum += x[window_input_index(g, &w, ky, kx) + c];
          }
        }
        *out++ = (uint8_t)sum;
      }
    }
  }
}
