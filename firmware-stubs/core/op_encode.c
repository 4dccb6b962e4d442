/* encode: numbers as spikes over time (docs/spiking.md, encoders): rate, latency and delta codes. */
#include "operators.h"
#include "philox.h"
#include "verify.h"

enum { CODE_RATE, CODE_LATENCY, CODE_DELTA };

#define TABLE_ENTRIES 256u
#define ALWAYS 0xffffffffu
#define MAX_DELTA 65535

status_t encode_verify(const network_t *net, const node_t *node) {
  const encode_fields_t *f = node_fields(node);
  VERIFY(node->emission == EMISSION_NONE, STATUS_EMISSION);
  TRY(verify_record(node, sizeof *f));
  VERIFY(node->input_count == 1 && f->count >= 1 && f->count <= EVN_MAX_ELEMENTS / 2, STATUS_OPERAND);
  VERIFY(f->code <= CODE_DELTA, STATUS_RECORD);
  const bool is_delta = f->code == CODE_DELTA;
  const value_t *in = node_input(net, node, 0);
  const value_t *out = node_output(net, node);
  VERIFY((in->kind == VALUE_KIND_INT8 || in->kind == VALUE_KIND_LEVEL) && in->byte_count == f->count, STATUS_OPERAND);
  VERIFY(out->kind == VALUE_KIND_LEVEL && out->levels == 1 && out->byte_count == (is_delta ? 2 * f->count : f->count), STATUS_OPERAND);
  VERIFY(f->state < net->header->value_count && f->state != node->inputs[0] && f->state != node->output, STATUS_OPERAND);
  const value_t *state = &net->values[f->state];
  VERIFY(state->state == 1 && state->kind == VALUE_KIND_INT32 && state->byte_count == (is_delta ? (uint64_t)f->count * 4 : 4), STATUS_OPERAND);
  if (is_delta) {
    VERIFY(f->table == 0 && f->threshold >= 1 && f->threshold <= MAX_DELTA, STATUS_CONSTANT);
    return STATUS_OK;
  }
  return verify_constant(net, f->table, TABLE_ENTRIES, 4);
}

/* The table's entry of stored input i. */
static int32_t entry_at(const uint8_t *x, uint32_t i, bool is_signed, const int32_t *table) {
  return table[is_signed ? (uint32_t)((int32_t)(int8_t)x[i] + 128) : x[i]];
}

static void encode_rate(const encode_fields_t *f, const uint8_t *x, bool is_signed, const int32_t *table, uint32_t step, uint8_t *out) {
  uint32_t words[4] = {0};
  for (uint32_t i = 0; i < f->count; i++) {
    if (i % 4 == 0) {
      philox_words(f->seed, step, PHILOX_STREAM_ENCODE, i / 4, words);
    }
    const uint32_t threshold = (uint32_t)entry_at(x, i, is_signed, table);
    out[i] = words[i % 4] < threshold || threshold == ALWAYS;
  }
}

/* References stay within the range of what moved them: the input and a threshold around it. */
static void encode_delta(const encode_fields_t *f, const uint8_t *x, bool is_signed, int32_t zero_point, int32_t *reference, uint8_t *out) {
  for (uint32_t i = 0; i < f->count; i++) {
    const int32_t value = (is_signed ? (int8_t)x[i] : x[i]) - zero_point;
    const int64_t distance = (int64_t)value - reference[i]; /* a state may be written from outside */
    const int32_t moved = (int32_t)(distance / f->threshold);
    reference[i] = (int32_t)((int64_t)reference[i] + (int64_t)moved * f->threshold);
    out[2 * i] = moved > 0;
    out[2 * i + 1] = moved < 0;
  }
}

void encode_run(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const encode_fields_t *f = node_fields(node);
  const value_t *in = &net->values[node->inputs[0]];
  const bool is_signed = in->kind == VALUE_KIND_INT8;
  const uint8_t *x = network_value(net, arena, node->inputs[0]);
  uint8_t *out = network_value(net, arena, node->output);
  int32_t *state = (int32_t *)(void *)network_value(net, arena, (uint16_t)f->state);
  if (f->code == CODE_DELTA) {
    encode_delta(f, x, is_signed, in->zero_point, state, out);
    return;
  }
  const int32_t *table = (const int32_t *)(const void *)network_constant(net, f->table);
  const uint32_t step = (uint32_t)*state;
  if (f->code == CODE_RATE) {
    encode_rate(f, x, is_signed, table, step, out);
  } else {
    for (uint32_t i = 0; i < f->count; i++) {
      out[i] = entry_at(x, i, is_signed, table) == (int32_t)step;
    }
  }
  *state = (int32_t)(step + 1);
}
