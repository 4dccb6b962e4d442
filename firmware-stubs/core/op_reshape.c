/* reshape and flatten: the same bytes under another shape; nothing moves where the plan put the output over the input. */
#include "mem.h"
#include "operators.h"
#include "verify.h"

status_t reshape_verify(const network_t *net, const node_t *node) {
  const reshape_fields_t *f = node_fields(node);
  VERIFY(node->emission == EMISSION_NONE, STATUS_EMISSION);
  TRY(verify_record(node, sizeof *f));
  VERIFY(node->input_count == 1, STATUS_OPERAND);
  const value_t *in = node_input(net, node, 0);
  const value_t *out = node_output(net, node);
  VERIFY(in->kind == out->kind && in->byte_count == f->byte_count && out->byte_count == f->byte_count, STATUS_OPERAND);
  return STATUS_OK;
}

void reshape_run(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const reshape_fields_t *f = node_fields(node);
  const uint8_t *from = network_value(net, arena, node->inputs[0]);
  uint8_t *to = network_value(net, arena, node->output);
  if (from != to) {
    memmove(to, from, f->byte_count);
  }
}
