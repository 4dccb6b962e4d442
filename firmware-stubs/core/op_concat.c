/* concat: joins values along one axis by moving bytes; chunk by chunk, one from each input in turn. */
#include "mem.h"
#include "operators.h"
#include "verify.h"

status_t concat_verify(const network_t *net, const node_t *node) {
  const concat_fields_t *f = node_fields(node);
  VERIFY(node->input_count >= 2 && node->input_count <= EVN_MAX_PORTS, STATUS_OPERAND);
  const uint32_t fields_bytes = (uint32_t)(sizeof *f + node->input_count * sizeof(concat_part_t));
  VERIFY(node->emission == EMISSION_NONE, STATUS_EMISSION);
  TRY(verify_record(node, fields_bytes));
  const concat_part_t *parts = (const void *)(f + 1);
  VERIFY(parts[0].value == node->inputs[0] && parts[1].value == node->inputs[1], STATUS_OPERAND);
  uint64_t chunk = 0;
  for (uint32_t i = 0; i < node->input_count; i++) {
    const value_t *value = &net->values[parts[i].value];
    VERIFY(value->kind == node_output(net, node)->kind, STATUS_OPERAND);
    VERIFY((uint64_t)f->outer * parts[i].chunk_bytes == value->byte_count, STATUS_GEOMETRY);
    chunk += parts[i].chunk_bytes;
  }
  VERIFY(chunk == f->chunk_bytes && (uint64_t)f->outer * chunk == node_output(net, node)->byte_count, STATUS_GEOMETRY);
  return STATUS_OK;
}

void concat_run(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const concat_fields_t *f = node_fields(node);
  const concat_part_t *parts = (const void *)(f + 1);
  uint8_t *out = network_value(net, arena, node->output);
  for (uint32_t i = 0; i < node->input_count; i++) {
    const uint8_t *from = network_value(net, arena, parts[i].value);
    uint8_t *to = out;
    for (uint32_t chunk = 0; chunk < f->outer; chunk++) {
      memcpy(to, from, parts[i].chunk_bytes);
      from += parts[i].chunk_bytes;
      to += f->chunk_bytes;
    }
    out += parts[i].chunk_bytes;
  }
}
