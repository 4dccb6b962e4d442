/* Reads a node's emission fields (emission.h). */
#include "emission.h"

emission_t emission_of(const network_t *net, const node_t *node, size_t fields_bytes, uint8_t *arena) {
  uint8_t *out = network_value(net, arena, node->output);
  emission_t e = {0};
  if (node->emission == EMISSION_NONE) {
    e.out_s32 = (int32_t *)(void *)out;
    return e;
  }
  const requantize_fields_t *f = (const requantize_fields_t *)(const void *)((const uint8_t *)(node + 1) + fields_bytes);
  e.scales = (const float *)(const void *)network_constant(net, f->scales);
  e.scale_step = f->scale_count == 1 ? 0 : 1;
  e.zero_point = f->zero_point;
  e.low = f->low;
  e.high = f->high;
  e.out_s8 = (int8_t *)out;
  return e;
}
