/* spikeDense: sums[o] = bias[o] + sum over active inputs i of x[i] w[i, o]; the weights lie by input. */
#include "emission.h"
#include "spike.h"
#include "verify.h"

status_t spike_dense_verify(const network_t *net, const node_t *node) {
  const dense_fields_t *f = node_fields(node);
  VERIFY(node->emission == EMISSION_NONE, STATUS_EMISSION);
  TRY(verify_record(node, sizeof *f));
  VERIFY(node->input_count == 1, STATUS_OPERAND);
  VERIFY(f->input_size >= 1 && f->units >= 1 && f->units <= EVN_MAX_ELEMENTS, STATUS_GEOMETRY);
  const value_t *in = node_input(net, node, 0);
  const value_t *out = node_output(net, node);
  VERIFY(in->kind == VALUE_KIND_LEVEL && in->byte_count == f->input_size && f->input_zero_point == 0, STATUS_OPERAND);
  VERIFY(out->kind == VALUE_KIND_INT32 && out->byte_count == (uint64_t)f->units * 4, STATUS_OPERAND);
  const weights_view_t view = {f->weights, f->bias, f->units, f->input_size, 1, f->units, 0};
  return verify_sums(net, &view, 255); /* a caller may write any byte into an input */
}

void spike_dense(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const dense_fields_t *f = node_fields(node);
  const uint8_t *x = network_value(net, arena, node->inputs[0]);
  int32_t *sums = (int32_t *)(void *)network_value(net, arena, node->output);
  const int8_t *weights = (const int8_t *)network_constant(net, f->weights);
  spike_start(sums, bias_of(net, f->bias), f->units, 1);
  for (uint32_t i = 0; i < f->input_size; i++) {
    if (x[i] != 0) {
      spike_add(sums, weights + (size_t)i * f->units, f->units, x[i]);
    }
  }
}
