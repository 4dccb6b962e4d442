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

static const int32_t ABSENT = 0;

/* A parameter as a run of units reads it: values[i & mask]. */
typedef struct {
  const int32_t *values;
  uint32_t mask; /* 0: one number for all units */
} read_t;

static read_t read_of(const network_t *net, const parameter_t *p, uint32_t first) {
  if (p->values == 0) {
    return (read_t){&ABSENT, 0};
  }
  const int32_t *values = (const int32_t *)(const void *)network_constant(net, p->values);
  return p->count == 1 ? (read_t){values, 0} : (read_t){values + first % p->count, UINT32_MAX};
}

static inline int32_t read_at(const read_t *r, uint32_t i) {
  return r->values[i & r->mask];
}

static inline int32_t clamp_to(int32_t x, int32_t limit) {
  return x > limit ? limit : x < -limit ? -limit : x;
}

/* floor(x / 2^shift), 0 <= shift <= 31, without relying on how a negative number shifts. */
static inline int32_t floor_shift(int32_t x, uint32_t shift) {
  return (int32_t)(((uint32_t)x ^ 0x80000000u) >> shift) - (int32_t)(0x80000000u >> shift);
}

/* Halves up; x may be any int32. */
static inline int32_t rounded_shift(int32_t x, uint32_t shift) {
  if (shift == 0) {
    return x;
  }
  const int32_t twice = shift == 1 ? x : floor_shift(x, shift - 1);
  const int32_t half = floor_shift(twice, 1);
  return half + (twice - 2 * half);
}

static inline int32_t decayed(int32_t state, int32_t leak) {
  return floor_shift(state * (LEAK_UNIT - leak), 15);
}

/* Units first..first + count - 1, over which no parameter starts again. */
typedef struct {
  const neuron_fields_t *fields;
  const uint8_t *in;
  uint8_t *out;
  int32_t *membrane;
  int32_t *current; /* NULL: none */
  bool reads_levels;
} layer_t;

static inline int32_t input_at(const layer_t *l, uint32_t i) {
  const int32_t x = l->reads_levels ? l->in[i] : ((const int32_t *)(const void *)l->in)[i];
  return clamp_to(rounded_shift(x, l->fields->shift), INPUT_LIMIT);
}

/* The input of a run's units where they have synaptic currents: the currents' next values. */
static void step_currents(const network_t *net, const layer_t *l, uint32_t first, uint32_t count) {
  const read_t leak = read_of(net, &l->fields->current_leak, first);
  for (uint32_t i = 0; i < count; i++) {
    int32_t *current = &l->current[first + i];
    *current = clamp_to(decayed(*current, read_at(&leak, i)) + input_at(l, first + i), MEMBRANE_LIMIT);
  }
}

static void step_run(const network_t *net, const layer_t *l, uint32_t first, uint32_t count) {
  const neuron_fields_t *f = l->fields;
  const read_t leak = read_of(net, &f->leak, first), drive = read_of(net, &f->drive, first);
  const read_t threshold = read_of(net, &f->threshold, first), reset_to = read_of(net, &f->reset_to, first);
  const bool fires = f->threshold.values != 0;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t unit = first + i;
    const int32_t x = l->current == NULL ? input_at(l, unit) : l->current[unit];
    int32_t u = clamp_to(decayed(l->membrane[unit], read_at(&leak, i)) + x + read_at(&drive, i), MEMBRANE_LIMIT);
    if (!fires) {
      ((int32_t *)(void *)l->out)[unit] = u;
    } else {
      const int32_t theta = read_at(&threshold, i);
      const bool spike = u >= theta;
      if (spike) {
        u = f->subtracts ? u - theta : read_at(&reset_to, i);
      }
      l->out[unit] = spike;
    }
    l->membrane[unit] = u;
  }
}

/* Units until a parameter starts again: the least number of values above 1. */
static uint32_t run_length(const neuron_fields_t *f) {
  const uint32_t counts[] = {f->leak.count, f->drive.count, f->current_leak.count, f->threshold.count, f->reset_to.count};
  uint32_t length = f->count;
  for (uint32_t k = 0; k < sizeof counts / sizeof *counts; k++) {
    length = counts[k] > 1 && counts[k] < length ? counts[k] : length;
  }
  return length;
}

void neuron_run(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const neuron_fields_t *f = node_fields(node);
  const layer_t layer = {
      .fields = f,
      .in = network_value(net, arena, node->inputs[0]),
      .out = network_value(net, arena, node->output),
      .membrane = (int32_t *)(void *)network_value(net, arena, f->membrane),
      .current = f->current == EVN_NO_VALUE ? NULL : (int32_t *)(void *)network_value(net, arena, f->current),
      .reads_levels = net->values[node->inputs[0]].kind == VALUE_KIND_LEVEL,
  };
  const uint32_t length = run_length(f);
  for (uint32_t first = 0; first < f->count; first += length) {
    const uint32_t left = f->count - first;
    const uint32_t count = left < length ? left : length;
    if (layer.current != NULL) {
      step_currents(net, &layer, first, count); /* before spikes overwrite the sums they overlap: those lie further behind */
    }
    step_run(net, &layer, first, count);
  }
}
