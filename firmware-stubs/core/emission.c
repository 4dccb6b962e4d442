/* Reads a node's emission fields (emission.h). */
#include "emission.h"

#include "arithmetic_tflite.h"

emission_t emission_of(const network_t *net, const node_t *node, size_t fields_bytes, uint8_t *arena) {
  uint8_t *out = network_value(net, arena, node->output);
  emission_t e = {0};
  if (node->emission == EMISSION_NONE) {
    e.out_s32 = (int32_t *)(void *)out;
    return e;
  }
  const requantize_fields_t *f = (const requantize_fields_t *)(const void *)((const uint8_t *)(node + 1) + fields_bytes);
  const void *factors = network_constant(net, f->scales);
  if (net->header->rounding == EVN_ROUNDING_TFLITE) {
    e.factors = factors;
    e.shifts = (const int8_t *)factors + (size_t)f->scale_count * 4;
  } else {
    e.scales = factors;
  }
  e.scale_step = f->scale_count == 1 ? 0 : 1;
  e.zero_point = f->zero_point;
  e.low = f->low;
  e.high = f->high;
  e.out_s8 = (int8_t *)out;
  return e;
}

void emit_sum_fixed(const emission_t *e, size_t index, uint32_t channel, int32_t sum) {
  const uint32_t at = channel * e->scale_step;
  const fixed_t factor = {e->factors[at], e->shifts[at]};
  e->out_s8[index] = requantize_fixed_s8(sum, factor, e->zero_point, e->low, e->high);
}
