/* generalMaxPool: the largest level of a window, or the or of its packed signs. */
#include "general.h"
#include "operators.h"
#include "verify.h"
#include "window.h"

static uint64_t kind_bytes(uint8_t kind, uint64_t count) {
  return kind == VALUE_KIND_BINARY ? packed_bytes(count) : count;
}

status_t general_max_pool_verify(const network_t *net, const node_t *node) {
  const pool_fields_t *f = node_fields(node);
  VERIFY(node->record_bytes >= sizeof(node_t) + sizeof *f, STATUS_RECORD);
  VERIFY(node->input_count == 1, STATUS_OPERAND);
  const geometry_t *g = &f->geometry;
  TRY(verify_geometry(g));
  VERIFY(g->input_channels == g->output_channels && g->dilation_y == 1 && g->dilation_x == 1, STATUS_GEOMETRY);
  const value_t *in = node_input(net, node, 0);
  const value_t *out = node_output(net, node);
  VERIFY(in->kind == VALUE_KIND_LEVEL || in->kind == VALUE_KIND_BINARY, STATUS_OPERAND);
  VERIFY(out->kind == in->kind && out->levels == in->levels && f->input_zero_point == 0, STATUS_OPERAND);
  VERIFY(in->byte_count == kind_bytes(in->kind, window_input_count(g)), STATUS_OPERAND);
  VERIFY(out->byte_count == kind_bytes(out->kind, window_output_count(g)), STATUS_OPERAND);
  VERIFY(node->emission == EMISSION_NONE, STATUS_EMISSION);
  return verify_record(node, sizeof *f);
}

static uint8_t largest_level(const geometry_t *g, const window_t *w, const uint8_t *x, uint32_t channel) {
  uint8_t best = 0;
  for (int32_t ky = w->first_y; ky < w->end_y; ky++) {
    for (int32_t kx = w->first_x; kx < w->end_x; kx++) {
      const uint8_t tap = x[window_input_index(g, w, ky, kx) + channel];
      best = tap > best ? tap : best;
    }
  }
  return best;
}

static uint32_t any_sign(const geometry_t *g, const window_t *w, const uint32_t *x, uint32_t channel) {
  uint32_t any = 0;
  for (int32_t ky = w->first_y; ky < w->end_y; ky++) {
    for (int32_t kx = w->first_x; kx < w->end_x; kx++) {
      any |= packed_bit(x, window_input_index(g, w, ky, kx) + channel);
    }
  }
  return any;
}

void general_max_pool(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const pool_fields_t *f = node_fields(node);
  const geometry_t *g = &f->geometry;
  const uint8_t *x = network_value(net, arena, node->inputs[0]);
  uint8_t *out = network_value(net, arena, node->output);
  const bool is_packed = net->values[node->output].kind == VALUE_KIND_BINARY;
  uint32_t *words = (uint32_t *)(void *)out;
  size_t at = 0;
  for (uint32_t y = 0; y < g->output_height; y++) {
    for (uint32_t column = 0; column < g->output_width; column++) {
      const window_t w = window_at(g, y, column);
      for (uint32_t c = 0; c < g->output_channels; c++, at++) {
        if (!is_packed) {
          out[at] = largest_level(g, &w, x, c);
          continue;
        }
        const uint32_t bit = any_sign(g, &w, (const uint32_t *)(const void *)x, c) << (at & 31u);
        words[at >> 5] = ((at & 31u) == 0 ? 0 : words[at >> 5]) | bit;
      }
    }
  }
}
