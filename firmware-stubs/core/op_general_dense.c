/* generalDense: sums[o] = bias[o] + sum_i x[i] w[o, i] over any kinds, then thresholds or the sums themselves. */
#include "emission.h"
#include "general.h"
#include "operators.h"
#include "verify.h"

status_t general_dense_verify(const network_t *net, const node_t *node) {
  const general_dense_fields_t *f = node_fields(node);
  VERIFY(node->record_bytes >= sizeof(node_t) + sizeof *f, STATUS_RECORD);
  VERIFY(node->input_count == 1, STATUS_OPERAND);
  const dense_fields_t *l = &f->layer;
  VERIFY(l->input_size >= 1 && l->units >= 1, STATUS_GEOMETRY);
  TRY(general_verify_emission(net, node, sizeof *f, l->units, l->units));
  const general_view_t view = {l->weights, l->bias, f->weights_kind, l->units, l->input_size, l->input_size, 1, l->input_zero_point};
  return general_verify_layer(net, node, l->input_size, &view);
}

void general_dense(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const general_dense_fields_t *f = node_fields(node);
  const dense_fields_t *l = &f->layer;
  const general_emission_t emission = general_emission_of(net, node, sizeof *f, arena);
  const factors_t factors = general_factors(net, node, arena, l->weights, f->weights_kind, l->input_zero_point);
  const int32_t *bias = bias_of(net, l->bias);
  for (uint32_t o = 0; o < l->units; o++) {
    const int32_t sum = (bias == NULL ? 0 : bias[o]) + general_sum(&factors, 0, (size_t)o * l->input_size, l->input_size);
    general_emit(&emission, o, o, sum);
  }
}
