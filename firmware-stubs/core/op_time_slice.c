/* timeSlice: copies the part of an input [steps, ...] that belongs to the present step. */
#include "mem.h"
#include "operators.h"
#include "verify.h"

status_t time_slice_verify(const network_t *net, const node_t *node) {
  const time_slice_fields_t *f = node_fields(node);
  VERIFY(node->emission == EMISSION_NONE, STATUS_EMISSION);
  TRY(verify_record(node, sizeof *f));
  VERIFY(node->input_count == 1 && f->steps >= 1, STATUS_OPERAND);
  const value_t *in = node_input(net, node, 0);
  const value_t *out = node_output(net, node);
  VERIFY(in->kind == out->kind && in->kind != VALUE_KIND_BINARY && in->levels == out->levels && in->zero_point == out->zero_point, STATUS_OPERAND);
  VERIFY(out->byte_count == f->slice_bytes && (uint64_t)f->steps * f->slice_bytes == in->byte_count, STATUS_OPERAND);
  VERIFY(f->counter < net->header->value_count && f->counter != node->inputs[0] && f->counter != node->output, STATUS_OPERAND);
  const value_t *counter = &net->values[f->counter];
  VERIFY(counter->state == 1 && counter->kind == VALUE_KIND_INT32 && counter->byte_count == 4, STATUS_OPERAND);
  return STATUS_OK;
}

void time_slice_run(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const time_slice_fields_t *f = node_fields(node);
  uint32_t *counter = (uint32_t *)(void *)network_value(net, arena, (uint16_t)f->counter);
  const uint32_t step = *counter < f->steps ? *counter : 0; /* a state may be written from outside */
  memcpy(network_value(net, arena, node->output), network_value(net, arena, node->inputs[0]) + (size_t)step * f->slice_bytes, f->slice_bytes);
  *counter = step + 1 == f->steps ? 0 : step + 1;
}
