/* Sums, emissions and checks of the general operators (general.h). */
#include "general.h"

#include "packed.h"
#include "verify.h"

/* ---- packed elements ---- */

static const uint32_t *words_of(const uint8_t *bytes) {
  return (const uint32_t *)(const void *)bytes;
}

/* A bit of three inputs' sum and of its carry, in each of 32 columns. */
static uint32_t carry_save(uint32_t *sum, uint32_t a, uint32_t b) {
  const uint32_t half = *sum ^ a;
  const uint32_t carry = (*sum & a) | (half & b);
  *sum = half ^ b;
  return carry;
}

#define TREE_WORDS 8u

/* Eight words at a time go through a carry-save adder tree, so that one count serves eight words (Harley and Seal). */
uint32_t bits_differing(const uint32_t *a, size_t a_at, const uint32_t *b, size_t b_at, uint32_t count) {
  uint32_t ones = 0, twos = 0, fours = 0, eights = 0;
  for (; count >= TREE_WORDS * 32; count -= TREE_WORDS * 32) {
    uint32_t d[TREE_WORDS];
    for (uint32_t i = 0; i < TREE_WORDS; i++) {
      d[i] = packed_run(a, a_at, 32) ^ packed_run(b, b_at, 32);
      a_at += 32;
      b_at += 32;
    }
    const uint32_t twos_a = carry_save(&ones, d[0], d[1]);
    const uint32_t twos_b = carry_save(&ones, d[2], d[3]);
    const uint32_t fours_a = carry_save(&twos, twos_a, twos_b);
    const uint32_t twos_c = carry_save(&ones, d[4], d[5]);
    const uint32_t twos_d = carry_save(&ones, d[6], d[7]);
    const uint32_t fours_b = carry_save(&twos, twos_c, twos_d);
    eights += count_ones(carry_save(&fours, fours_a, fours_b));
  }
  uint32_t total = 8 * eights + 4 * count_ones(fours) + 2 * count_ones(twos) + count_ones(ones);
  while (count > 0) {
    const uint32_t run = count < 32 ? count : 32;
    total += count_ones(packed_run(a, a_at, run) ^ packed_run(b, b_at, run));
    a_at += run;
    b_at += run;
    count -= run;
  }
  return total;
}

static uint32_t ones_among(const uint32_t *words, size_t at, uint32_t count) {
  uint32_t total = 0;
  while (count > 0) {
    const uint32_t run = count < 32 ? count : 32;
    total += count_ones(packed_run(words, at, run));
    at += run;
    count -= run;
  }
  return total;
}

/* ---- sums ---- */

/* +1 or -1. */
static int32_t packed_sign(const uint8_t *bytes, size_t at) {
  return (int32_t)(2 * packed_bit(words_of(bytes), at)) - 1;
}

static int32_t sum_bytes(const factors_t *f, size_t x_at, size_t w_at, uint32_t count) {
  const int8_t *w = (const int8_t *)f->weights + w_at;
  const uint8_t *x = f->x + x_at;
  int32_t sum = 0;
  for (uint32_t i = 0; i < count; i++) {
    const int32_t value = f->input_kind == VALUE_KIND_LEVEL ? x[i] : (int8_t)x[i] - f->zero_point;
    sum += value * w[i];
  }
  return sum;
}

static int32_t sum_by_signs(const factors_t *f, size_t x_at, size_t w_at, uint32_t count) {
  const uint8_t *x = f->x + x_at;
  int32_t sum = 0;
  for (uint32_t i = 0; i < count; i++) {
    const int32_t value = f->input_kind == VALUE_KIND_LEVEL ? x[i] : (int8_t)x[i] - f->zero_point;
    sum += value * packed_sign(f->weights, w_at + i);
  }
  return sum;
}

static int32_t sum_of_signs(const factors_t *f, size_t x_at, size_t w_at, uint32_t count) {
  const int8_t *w = (const int8_t *)f->weights + w_at;
  int32_t sum = 0;
  for (uint32_t i = 0; i < count; i++) {
    sum += packed_sign(f->x, x_at + i) * w[i];
  }
  return sum;
}

int32_t general_sum(const factors_t *f, size_t x_at, size_t w_at, uint32_t count) {
  if (f->input_kind != VALUE_KIND_BINARY) {
    return f->weights_kind == VALUE_KIND_BINARY ? sum_by_signs(f, x_at, w_at, count) : sum_bytes(f, x_at, w_at, count);
  }
  if (f->weights_kind != VALUE_KIND_BINARY) {
    return sum_of_signs(f, x_at, w_at, count);
  }
  return (int32_t)count - 2 * (int32_t)bits_differing(words_of(f->x), x_at, words_of(f->weights), w_at, count);
}

int32_t general_padding_sum(const factors_t *f, size_t w_at, uint32_t count) {
  if (f->input_kind != VALUE_KIND_BINARY) {
    return 0;
  }
  if (f->weights_kind == VALUE_KIND_BINARY) {
    return (int32_t)count - 2 * (int32_t)ones_among(words_of(f->weights), w_at, count);
  }
  const int8_t *w = (const int8_t *)f->weights + w_at;
  int32_t sum = 0;
  for (uint32_t i = 0; i < count; i++) {
    sum -= w[i];
  }
  return sum;
}

factors_t general_factors(const network_t *net, const node_t *node, uint8_t *arena, uint32_t weights, uint32_t weights_kind, int32_t zero_point) {
  return (factors_t){
      .x = network_value(net, arena, node->inputs[0]),
      .weights = network_constant(net, weights),
      .input_kind = net->values[node->inputs[0]].kind,
      .weights_kind = (uint8_t)weights_kind,
      .zero_point = zero_point,
  };
}

/* ---- emission ---- */

general_emission_t general_emission_of(const network_t *net, const node_t *node, size_t fields_bytes, uint8_t *arena) {
  uint8_t *out = network_value(net, arena, node->output);
  general_emission_t e = {0};
  if (node->emission == EMISSION_NONE) {
    e.out_s32 = (int32_t *)(void *)out;
    return e;
  }
  const thresholds_fields_t *f = (const thresholds_fields_t *)(const void *)((const uint8_t *)(node + 1) + fields_bytes);
  e.thresholds = (const int32_t *)(const void *)network_constant(net, f->thresholds);
  e.levels = f->levels;
  if (net->values[node->output].kind == VALUE_KIND_BINARY) {
    e.out_bits = (uint32_t *)(void *)out;
  } else {
    e.out_levels = out;
  }
  return e;
}

void general_emit(const general_emission_t *e, size_t index, uint32_t channel, int32_t sum) {
  if (e->thresholds == NULL) {
    e->out_s32[index] = sum;
    return;
  }
  const int32_t *thresholds = e->thresholds + (size_t)channel * e->levels;
  uint32_t reached = 0;
  for (uint32_t k = 0; k < e->levels; k++) {
    reached += sum >= thresholds[k];
  }
  if (e->out_levels != NULL) {
    e->out_levels[index] = (uint8_t)reached;
    return;
  }
  const uint32_t bit = (uint32_t)(index & 31u);
  e->out_bits[index >> 5] = (bit == 0 ? 0 : e->out_bits[index >> 5]) | (reached << bit);
}

/* ---- checks ---- */

/* The largest magnitude of an input, 0 where its kind is none that sums take. */
static uint64_t largest_input(const value_t *value, int32_t zero_point) {
  switch (value->kind) {
    case VALUE_KIND_INT8:
      return (uint64_t)(zero_point < 0 ? 127 - zero_point : zero_point + 128);
    case VALUE_KIND_LEVEL:
      return 255; /* a caller may write any byte into an input */
    case VALUE_KIND_BINARY:
      return 1;
    default:
      return 0;
  }
}

static status_t verify_packed(const network_t *net, const general_view_t *view, uint64_t most) {
  const uint64_t weights = (uint64_t)view->channels * view->taps;
  VERIFY(weights <= EVN_MAX_ELEMENTS && view->taps * most < 0x80000000u, STATUS_SUM_OVERFLOW);
  TRY(verify_constant(net, view->offset, packed_bytes(weights) / 4, 4));
  if (view->bias == 0) {
    return STATUS_OK;
  }
  TRY(verify_constant(net, view->bias, view->channels, 4));
  const int32_t *bias = (const int32_t *)(const void *)network_constant(net, view->bias);
  for (uint32_t c = 0; c < view->channels; c++) {
    const int64_t b = bias[c];
    VERIFY((uint64_t)(b < 0 ? -b : b) + view->taps * most < 0x80000000u, STATUS_SUM_OVERFLOW);
  }
  return STATUS_OK;
}

status_t general_verify_layer(const network_t *net, const node_t *node, uint64_t count, const general_view_t *view) {
  const value_t *input = node_input(net, node, 0);
  const uint64_t most = largest_input(input, view->zero_point);
  VERIFY(most != 0 && input->zero_point == view->zero_point, STATUS_OPERAND);
  VERIFY(input->byte_count == (input->kind == VALUE_KIND_BINARY ? packed_bytes(count) : count), STATUS_OPERAND);
  if (view->weights_kind == VALUE_KIND_BINARY) {
    return verify_packed(net, view, most);
  }
  VERIFY(view->weights_kind == VALUE_KIND_INT8, STATUS_OPERAND);
  const weights_view_t bytes = {view->offset, view->bias, view->channels, view->taps, view->channel_step, view->tap_step, 0};
  return verify_sums(net, &bytes, most);
}

static status_t verify_thresholds(const network_t *net, const thresholds_fields_t *f, uint32_t channels) {
  VERIFY(f->levels >= 1 && f->levels <= 255, STATUS_EMISSION);
  TRY(verify_constant(net, f->thresholds, (uint64_t)channels * f->levels, 4));
  const int32_t *thresholds = (const int32_t *)(const void *)network_constant(net, f->thresholds);
  for (uint64_t i = 0; i < (uint64_t)channels * f->levels; i++) {
    VERIFY(i % f->levels == 0 || thresholds[i] >= thresholds[i - 1], STATUS_EMISSION);
  }
  return STATUS_OK;
}

status_t general_verify_emission(const network_t *net, const node_t *node, uint32_t fields_bytes, uint32_t channels, uint64_t count) {
  TRY(verify_record(node, fields_bytes));
  const value_t *out = node_output(net, node);
  if (node->emission == EMISSION_NONE) {
    VERIFY(out->kind == VALUE_KIND_INT32 && out->byte_count == count * 4, STATUS_OPERAND);
    return STATUS_OK;
  }
  VERIFY(node->emission == EMISSION_THRESHOLDS, STATUS_EMISSION);
  const thresholds_fields_t *f = (const void *)((const uint8_t *)(node + 1) + fields_bytes);
  if (out->kind == VALUE_KIND_BINARY) {
    VERIFY(f->levels == 1 && out->byte_count == packed_bytes(count), STATUS_OPERAND);
  } else {
    VERIFY(out->kind == VALUE_KIND_LEVEL && out->levels == f->levels && out->byte_count == count, STATUS_OPERAND);
  }
  return verify_thresholds(net, f, channels);
}
