/* relu: stored integers clamped to [low, high]; low is the zero point, high the integer of the upper bound. */
#include "operators.h"
#include "verify.h"

status_t relu_verify(const network_t *net, const node_t *node) {
  const relu_fields_t *f = node_fields(node);
  VERIFY(node->emission == EMISSION_NONE, STATUS_EMISSION);
  TRY(verify_record(node, sizeof *f));
  VERIFY(node->input_count == 1, STATUS_OPERAND);
  const value_t *in = node_input(net, node, 0);
  const value_t *out = node_output(net, node);
  VERIFY(in->kind == VALUE_KIND_INT8 && out->kind == VALUE_KIND_INT8, STATUS_OPERAND);
  VERIFY(in->byte_count == f->count && out->byte_count == f->count, STATUS_OPERAND);
  VERIFY(f->low >= -128 && f->low <= f->high && f->high <= 127, STATUS_EMISSION);
  return STATUS_OK;
}

void relu_s8(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const relu_fields_t *f = node_fields(node);
  const int8_t *x = (const int8_t *)network_value(net, arena, node->inputs[0]);
  int8_t *out = (int8_t *)network_value(net, arena, node->output);
  for (uint32_t i = 0; i < f->count; i++) {
    const int32_t low = x[i] < f->low ? f->low : x[i];
    out[i] = (int8_t)(low > f->high ? f->high : low);
  }
}
