/* dense: sums[o] = bias[o] + sum_i (x[i] - zero point) w[o, i], then an emission. */
#include "emission.h"
#include "operators.h"
#include "verify.h"

status_t dense_verify(const network_t *net, const node_t *node) {
  const dense_fields_t *f = node_fields(node);
  VERIFY(node->record_bytes >= sizeof(node_t) + sizeof *f, STATUS_RECORD);
  VERIFY(node->input_count == 1, STATUS_OPERAND);
  VERIFY(f->input_size >= 1 && f->units >= 1, STATUS_GEOMETRY);
  TRY(verify_input_s8(net, node, 0, f->input_size, f->input_zero_point));
  TRY(verify_emission(net, node, sizeof *f, f->units, f->units));
  const weights_view_t view = {f->weights, f->bias, f->units, f->input_size, f->input_size, 1, f->input_zero_point};
  return verify_weights(net, &view);
}

void dense_s8(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const dense_fields_t *f = node_fields(node);
  const emission_t emission = emission_of(net, node, sizeof *f, arena);
  const int8_t *x = (const int8_t *)network_value(net, arena, node->inputs[0]);
  const int8_t *w = (const int8_t *)network_constant(net, f->weights);
  const int32_t *bias = bias_of(net, f->bias);
  for (uint32_t o = 0; o < f->units; o++) {
    int32_t sum = bias == NULL ? 0 : bias[o];
    for (uint32_t i = 0; i < f->input_size; i++) {
      sum += (x[i] - f->input_zero_point) * w[i];
    }
    emit_sum(&emission, o, o, sum);
    w += f->input_size;
  }
}
