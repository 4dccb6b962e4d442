/* add: clamp(rne(fl32(fl32((a - za) ra) + fl32((b - zb) rb))) + zc, low, high), each step rounded to float32 (docs/arithmetic.md). */
#include "mem.h"
#include "arithmetic.h"
#include "operators.h"
#include "verify.h"

static bool is_stored_scale(const float *scale) {
  uint32_t bits;
  memcpy(&bits, scale, 4);
  return is_scale(bits, false);
}

status_t add_verify(const network_t *net, const node_t *node) {
  const add_fields_t *f = node_fields(node);
  VERIFY(node->record_bytes >= sizeof(node_t) + sizeof *f, STATUS_RECORD);
  VERIFY(node->input_count == 2, STATUS_OPERAND);
  TRY(verify_input_s8(net, node, 0, f->count, f->zero_point_a));
  TRY(verify_input_s8(net, node, 1, f->count, f->zero_point_b));
  VERIFY(node_output(net, node)->byte_count == f->count, STATUS_OPERAND);
  VERIFY(is_stored_scale(&f->scale_a) && is_stored_scale(&f->scale_b), STATUS_EMISSION);
  VERIFY(node->emission == EMISSION_ROUND, STATUS_EMISSION);
  TRY(verify_record(node, sizeof *f));
  const round_fields_t *e = (const void *)(f + 1);
  return verify_bounds(net, node, e->zero_point, e->low, e->high);
}

void add_s8(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const add_fields_t *f = node_fields(node);
  const round_fields_t *e = (const void *)(f + 1);
  const int8_t *a = (const int8_t *)network_value(net, arena, node->inputs[0]);
  const int8_t *b = (const int8_t *)network_value(net, arena, node->inputs[1]);
  int8_t *out = (int8_t *)network_value(net, arena, node->output);
  for (uint32_t i = 0; i < f->count; i++) {
    const float left = (float)(a[i] - f->zero_point_a) * f->scale_a;
    const float right = (float)(b[i] - f->zero_point_b) * f->scale_b;
    out[i] = round_s8(left + right, e->zero_point, e->low, e->high);
  }
}
