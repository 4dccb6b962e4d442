/* softmaxFixed: int8 scores to int8 with scale 1/256 and zero point -128, rounding 'tflite' (docs/arithmetic.md). The exponential and the
   reciprocal are those of gemmlowp's fixedpoint.h, with 31 fraction bits. */
#include "arithmetic_tflite.h"
#include "operators.h"
#include "verify.h"

/* the sum of this many exponentials with 19 fraction bits fits int32 */
#define MOST_SCORES 4095u
#define SUM_BITS 12

status_t softmax_fixed_verify(const network_t *net, const node_t *node) {
  const softmax_fixed_fields_t *f = node_fields(node);
  VERIFY(node->emission == EMISSION_NONE, STATUS_EMISSION);
  TRY(verify_record(node, sizeof *f));
  VERIFY(node->input_count == 1, STATUS_OPERAND);
  const value_t *in = node_input(net, node, 0);
  const value_t *out = node_output(net, node);
  const uint64_t elements = (uint64_t)f->rows * f->count;
  VERIFY(f->count >= 1 && f->count <= MOST_SCORES, STATUS_OPERAND);
  VERIFY(in->kind == VALUE_KIND_INT8 && in->byte_count == elements, STATUS_OPERAND);
  VERIFY(out->kind == VALUE_KIND_INT8 && out->byte_count == elements && out->zero_point == INT8_MIN, STATUS_OPERAND);
  VERIFY(f->q >= 0 && f->shift >= 0 && f->shift <= 31 && f->least <= 0, STATUS_EMISSION);
  return STATUS_OK;
}

/* Taylor's series of exp at -1/8 for -1/4 <= x < 0. */
static int32_t exp_of_quarter(int32_t x) {
  const int32_t d = x + (1 << 28);
  const int32_t square = fixed_high_multiply(d, d);
  const int32_t cube = fixed_high_multiply(square, d);
  const int32_t fourth = fixed_divide(fixed_high_multiply(square, square), 2);
  const int32_t rest = fixed_divide(fixed_high_multiply(fourth + cube, 715827883) + square, 1);
  return 1895147668 + fixed_high_multiply(1895147668, d + rest);
}

/* exp(x) with 31 fraction bits; x <= 0 has 26. */
static int32_t exp_fixed(int32_t x) {
  static const int32_t POWERS[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242}; /* exp(-2^k), k = -2..4 */
  if (x == 0) {
    return INT32_MAX;
  }
  const int32_t quarter = 1 << 24;
  const int32_t modulo = (int32_t)((uint32_t)x & (uint32_t)(quarter - 1)) - quarter;
  const uint32_t remainder = (uint32_t)modulo - (uint32_t)x;
  int32_t result = exp_of_quarter(modulo * 32);
  for (uint32_t k = 0; k < 7; k++) {
    if ((remainder >> (24 + k) & 1u) != 0) {
      result = fixed_high_multiply(result, POWERS[k]);
    }
  }
  return result;
}

static int32_t saturating_shift(int32_t x, uint32_t shift) {
  return saturate_s32((int64_t)x * ((int64_t)1 << shift));
}

/* 1 / (1 + x) for 0 <= x < 1, both with 31 fraction bits, by three steps of Newton's iteration. */
static int32_t reciprocal_of_one_plus(uint32_t x) {
  const int32_t half = (int32_t)(((uint64_t)x + INT32_MAX + 1u) / 2u);
  int32_t y = 1515870810 + fixed_high_multiply(half, -1010580540);
  for (uint32_t i = 0; i < 3; i++) {
    y += saturating_shift(fixed_high_multiply(y, (1 << 29) - fixed_high_multiply(half, y)), 2);
  }
  return saturating_shift(y, 1);
}

/* exp of a score's difference from the largest. */
static int32_t exp_of_difference(const softmax_fixed_fields_t *f, int32_t difference) {
  return exp_fixed(fixed_high_multiply(saturating_shift(difference, (uint32_t)f->shift), f->q));
}

static int32_t largest_of(const int8_t *scores, uint32_t count) {
  int32_t largest = INT8_MIN;
  for (uint32_t i = 0; i < count; i++) {
    largest = scores[i] > largest ? scores[i] : largest;
  }
  return largest;
}

static void softmax_fixed_row(const softmax_fixed_fields_t *f, const int8_t *scores, int8_t *out) {
  const int32_t largest = largest_of(scores, f->count);
  uint32_t sum = 0;
  for (uint32_t i = 0; i < f->count; i++) {
    const int32_t difference = scores[i] - largest;
    sum += difference < f->least ? 0u : (uint32_t)fixed_divide(exp_of_difference(f, difference), SUM_BITS);
  }
  uint32_t headroom = 0;
  while ((sum << headroom & 0x80000000u) == 0) { /* the largest score's exp is 1, so sum > 0 */
    headroom++;
  }
  const int32_t reciprocal = reciprocal_of_one_plus((sum << headroom) - 0x80000000u);
  const uint32_t bits = SUM_BITS + 23u - headroom;
  for (uint32_t i = 0; i < f->count; i++) {
    const int32_t difference = scores[i] - largest;
    const int32_t e = difference < f->least ? 0 : exp_of_difference(f, difference);
    const int32_t y = fixed_divide(fixed_high_multiply(reciprocal, e), bits) + INT8_MIN;
    out[i] = (int8_t)(y > INT8_MAX ? INT8_MAX : y);
  }
}

void softmax_fixed_s8(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const softmax_fixed_fields_t *f = node_fields(node);
  const int8_t *scores = (const int8_t *)network_value(net, arena, node->inputs[0]);
  int8_t *out = (int8_t *)network_value(net, arena, node->output);
  for (uint32_t row = 0; row < f->rows; row++) {
    softmax_fixed_row(f, scores + (size_t)row * f->count, out + (size_t)row * f->count);
  }
}
