/* softmax of int8 or int32 scores in float32, the same sequence of operations as src/network/arithmetic.ts: no libm, the same bits everywhere. */
#include "mem.h"
#include "arithmetic.h"
#include "operators.h"
#include "verify.h"

status_t softmax_verify(const network_t *net, const node_t *node) {
  const softmax_fields_t *f = node_fields(node);
  VERIFY(node->emission == EMISSION_NONE, STATUS_EMISSION);
  TRY(verify_record(node, sizeof *f));
  VERIFY(node->input_count == 1, STATUS_OPERAND);
  const value_t *in = node_input(net, node, 0);
  const value_t *out = node_output(net, node);
  const uint64_t elements = (uint64_t)f->rows * f->count;
  VERIFY(f->count >= 1 && out->kind == VALUE_KIND_FLOAT32 && out->byte_count == elements * 4, STATUS_OPERAND);
  VERIFY((in->kind == VALUE_KIND_INT8 && in->byte_count == elements) || (in->kind == VALUE_KIND_INT32 && in->byte_count == elements * 4), STATUS_OPERAND);
  uint32_t bits;
  memcpy(&bits, &f->scale, 4);
  VERIFY(is_scale(bits, true), STATUS_EMISSION);
  return STATUS_OK;
}

/* 2^n for -126 <= n <= 127. */
static float power_of_two(int32_t n) {
  const uint32_t bits = (uint32_t)(n + 127) << 23;
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

/* exp(x) for x <= 0; 0 below -87. Coefficients: Cephes expf. */
static float exp_float32(float x) {
  static const float COEFFICIENTS[6] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
  if (x < -87.0f) {
    return 0.0f;
  }
  const int32_t n = round_half_even(x * 1.4426950408889634f);
  const float r = (x - (float)n * 0.693359375f) - (float)n * -2.12194440e-4f;
  float p = COEFFICIENTS[0];
  for (uint32_t i = 1; i < 6; i++) {
    p = p * r + COEFFICIENTS[i];
  }
  const float y = (p * (r * r) + r) + 1.0f;
  return y * power_of_two(n);
}

static int32_t score_at(const uint8_t *scores, uint8_t kind, size_t index) {
  if (kind == VALUE_KIND_INT8) {
    return ((const int8_t *)scores)[index];
  }
  return ((const int32_t *)(const void *)scores)[index];
}

static void softmax_row(const uint8_t *scores, uint8_t kind, size_t start, uint32_t count, float scale, float *out) {
  int32_t largest = INT32_MIN;
  for (uint32_t i = 0; i < count; i++) {
    const int32_t score = score_at(scores, kind, start + i);
    largest = score > largest ? score : largest;
  }
  float sum = 0.0f;
  for (uint32_t i = 0; i < count; i++) {
    /* the difference takes 33 bits at most: exact in a double, as in the definition */
    const double scaled = (double)scale * ((double)score_at(scores, kind, start + i) - (double)largest);
    out[i] = scaled < -88.0 ? 0.0f : exp_float32((float)scaled);
    sum += out[i];
  }
  for (uint32_t i = 0; i < count; i++) {
    out[i] = out[i] / sum;
  }
}

void softmax_f32(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const softmax_fields_t *f = node_fields(node);
  const uint8_t *scores = network_value(net, arena, node->inputs[0]);
  const uint8_t kind = net->values[node->inputs[0]].kind;
  float *out = (float *)(void *)network_value(net, arena, node->output);
  for (uint32_t row = 0; row < f->rows; row++) {
    const size_t start = (size_t)row * f->count;
    softmax_row(scores, kind, start, f->count, f->scale, out + start);
  }
}
