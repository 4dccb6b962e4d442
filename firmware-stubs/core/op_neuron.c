/* neuron: leaky integrate-and-fire units and leaky integrators (docs/spiking.md, neurons): one step of membranes, and of synaptic currents where there
   are any. Integers only; every product fits int32. */
#include "operators.h"
#include "verify.h"

#define MEMBRANE_LIMIT 65535
#define LEAK_UNIT 32768
#define NEURON_MAX_SHIFT 16u
/* Sums beyond this saturate any membrane, whatever it was. */
#define INPUT_LIMIT (1 << 20)

static status_t verify_parameter(const network_t *net, const parameter_t *p, uint32_t units, int32_t low, int32_t high) {
  if (p->values == 0) {
    VERIFY(p->count == 0, STATUS_RECORD);
    return STATUS_OK;
  }
  VERIFY(p->count >= 1 && p->count <= units && units % p->count == 0, STATUS_CONSTANT);
  TRY(verify_constant(net, p->values, p->count, 4));
  const int32_t *values = (const int32_t *)(const void *)network_constant(net, p->values);
  for (uint32_t i = 0; i < p->count; i++) {
    VERIFY(values[i] >= low && values[i] <= high, STATUS_CONSTANT);
  }
  return STATUS_OK;
}

static status_t verify_membrane(const network_t *net, uint16_t state, uint32_t units) {
  VERIFY(state < net->header->value_count, STATUS_OPERAND);
  const value_t *value = &net->values[state];
  VERIFY(value->state == 1 && value->kind == VALUE_KIND_MEMBRANE && value->byte_count == (uint64_t)units * 4, STATUS_OPERAND);
  return STATUS_OK;
}

status_t neuron_verify(const network_t *net, const node_t *node) {
  const neuron_fields_t *f = node_fields(node);
  VERIFY(node->emission == EMISSION_NONE, STATUS_EMISSION);
  TRY(verify_record(node, sizeof *f));
  VERIFY(node->input_count == 1 && f->count >= 1 && f->count <= EVN_MAX_ELEMENTS, STATUS_OPERAND);
  const value_t *in = node_input(net, node, 0);
  const value_t *out = node_output(net, node);
  const uint64_t units = f->count;
  VERIFY(in->kind == VALUE_KIND_INT32 ? in->byte_count == units * 4 : in->kind == VALUE_KIND_LEVEL && in->byte_count == units, STATUS_OPERAND);
  const bool fires = f->threshold.values != 0;
  VERIFY(fires ? out->kind == VALUE_KIND_LEVEL && out->levels == 1 && out->byte_count == units : out->kind == VALUE_KIND_MEMBRANE && out->byte_count == units * 4,
         STATUS_OPERAND);
  TRY(verify_membrane(net, f->membrane, f->count));
  VERIFY(f->membrane != node->inputs[0] && f->membrane != node->output, STATUS_OPERAND);
  const bool has_current = f->current != EVN_NO_VALUE;
  if (has_current) {
    TRY(verify_membrane(net, f->current, f->count));
    VERIFY(f->current != f->membrane && f->current != node->inputs[0] && f->current != node->output, STATUS_OPERAND);
  }
  VERIFY(f->shift <= NEURON_MAX_SHIFT && f->subtracts <= 1, STATUS_RECORD);
  VERIFY(f->leak.values != 0 && has_current == (f->current_leak.values != 0), STATUS_CONSTANT);
  VERIFY(f->reset_to.values == 0 || (fires && f->subtracts == 0), STATUS_RECORD);
  TRY(verify_parameter(net, &f->leak, f->count, 0, LEAK_UNIT));
  TRY(verify_parameter(net, &f->drive, f->count, -MEMBRANE_LIMIT, MEMBRANE_LIMIT));
  TRY(verify_parameter(net, &f->current_leak, f->count, 0, LEAK_UNIT));
  TRY(verify_parameter(net, &f->threshold, f->count, 1, MEMBRANE_LIMIT));
  return verify_parameter(net, &f->reset_to, f->count, -MEMBRANE_LIMIT, MEMBRANE_LIMIT);
}

/* Spikes are written over sums that they overlap: one byte an element, at or in front of where its element is read. */
uint64_t overlap_neuron(const network_t *net, const node_t *node, uint32_t input) {
  return node_input(net, node, input)->byte_count >= node_output(net, node)->byte_count ? 0 : NEVER;
}

/* A parameter as it is walked: unit after unit, over and over. */
typedef struct {
  const int32_t *values; /* NULL: absent */
  uint32_t count, at;
} walk_t;

static walk_t walk_of(const network_t *net, const parameter_t *p) {
  return (walk_t){p->values == 0 ? NULL : (const int32_t *)(const void *)network_constant(net, p->values), p->count, 0};
}

static inline int32_t walk_next(walk_t *w, int32_t absent) {
  if (w->values == NULL) {
    return absent;
  }
  const int32_t value = w->values[w->at];
  w->at = w->at + 1 == w->count ? 0 : w->at + 1;
  return value;
}

static inline int32_t clamp_to(int32_t x, int32_t limit) {
  return x > limit ? limit : x < -limit ? -limit : x;
}

/* floor(x / 2^15) without relying on how a negative number shifts. */
static inline int32_t floor_shift(int32_t x, uint32_t shift) {
  return x < 0 ? -(int32_t)(((uint32_t)-(x + 1) >> shift)) - 1 : (int32_t)((uint32_t)x >> shift);
}

/* Halves up; x may be any int32. */
static inline int32_t rounded_shift(int32_t x, uint32_t shift) {
  if (shift == 0) {
    return x;
  }
  const int32_t twice = floor_shift(x, shift - 1);
  return floor_shift(twice, 1) + (twice & 1);
}

static inline int32_t decayed(int32_t state, int32_t leak) {
  return floor_shift(state * (LEAK_UNIT - leak), 15);
}

void neuron_run(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const neuron_fields_t *f = node_fields(node);
  const bool reads_levels = net->values[node->inputs[0]].kind == VALUE_KIND_LEVEL;
  const bool fires = f->threshold.values != 0;
  const uint8_t *in = network_value(net, arena, node->inputs[0]);
  uint8_t *out = network_value(net, arena, node->output);
  int32_t *membrane = (int32_t *)(void *)network_value(net, arena, f->membrane);
  int32_t *current = f->current == EVN_NO_VALUE ? NULL : (int32_t *)(void *)network_value(net, arena, f->current);
  walk_t leak = walk_of(net, &f->leak), drive = walk_of(net, &f->drive), current_leak = walk_of(net, &f->current_leak);
  walk_t threshold = walk_of(net, &f->threshold), reset_to = walk_of(net, &f->reset_to);
  for (uint32_t i = 0; i < f->count; i++) {
    int32_t x = reads_levels ? in[i] : ((const int32_t *)(const void *)in)[i];
    x = clamp_to(rounded_shift(x, f->shift), INPUT_LIMIT);
    if (current != NULL) {
      x = clamp_to(decayed(current[i], walk_next(&current_leak, 0)) + x, MEMBRANE_LIMIT);
      current[i] = x;
    }
    int32_t u = clamp_to(decayed(membrane[i], walk_next(&leak, 0)) + x + walk_next(&drive, 0), MEMBRANE_LIMIT);
    if (!fires) {
      membrane[i] = u;
      ((int32_t *)(void *)out)[i] = u;
      continue;
    }
    const int32_t theta = walk_next(&threshold, 1);
    const int32_t after_reset = walk_next(&reset_to, 0);
    const bool spike = u >= theta;
    if (spike) {
      u = f->subtracts ? u - theta : after_reset;
    }
    membrane[i] = u;
    out[i] = spike;
  }
}
