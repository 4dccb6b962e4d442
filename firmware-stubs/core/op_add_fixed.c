/* addFixed: a residual add of rounding 'tflite' (docs/arithmetic.md): both inputs are shifted left by 20 and brought to one scale, their sum is
   an accumulator with a requantization of its own. */
#include "arithmetic_tflite.h"
#include "emission.h"
#include "operators.h"
#include "verify.h"

#define INPUT_SHIFT 20

static bool is_below_one(int32_t q, int32_t shift) {
  return q >= 0 && shift >= -31 && shift <= 0;
}

status_t add_fixed_verify(const network_t *net, const node_t *node) {
  const add_fixed_fields_t *f = node_fields(node);
  VERIFY(node->record_bytes >= sizeof(node_t) + sizeof *f, STATUS_RECORD);
  VERIFY(node->input_count == 2, STATUS_OPERAND);
  TRY(verify_input_s8(net, node, 0, f->count, f->zero_point_a));
  TRY(verify_input_s8(net, node, 1, f->count, f->zero_point_b));
  VERIFY(is_below_one(f->q_a, f->shift_a) && is_below_one(f->q_b, f->shift_b), STATUS_EMISSION);
  VERIFY(node->emission == EMISSION_REQUANTIZE, STATUS_EMISSION);
  return verify_emission(net, node, sizeof *f, 1, f->count);
}

void add_fixed_s8(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const add_fixed_fields_t *f = node_fields(node);
  const emission_t emission = emission_of(net, node, sizeof *f, arena);
  const fixed_t scale_a = {f->q_a, f->shift_a}, scale_b = {f->q_b, f->shift_b};
  const int8_t *a = (const int8_t *)network_value(net, arena, node->inputs[0]);
  const int8_t *b = (const int8_t *)network_value(net, arena, node->inputs[1]);
  for (uint32_t i = 0; i < f->count; i++) {
    const int32_t left = fixed_multiply((a[i] - f->zero_point_a) * (1 << INPUT_SHIFT), scale_a);
    const int32_t right = fixed_multiply((b[i] - f->zero_point_b) * (1 << INPUT_SHIFT), scale_b);
    emit_sum(&emission, i, 0, left + right);
  }
}
