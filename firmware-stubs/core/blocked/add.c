/* add: both products in fixed point with a known error; only where that error could change the rounding, the float32 steps of the definition
   decide. About 15 instructions an element instead of a conversion of each number. */
#include "../arithmetic.h"
#include "blocked.h"

#define FRACTION 19
/* A fixed-point scale is wrong by three quarters of a unit at most, times 255, twice; float32 rounds two products below 2^10 by 16 units at most and
   their sum by 32. */
#define ERROR_UNITS 456
/* Scales below this keep both products and their sum in 31 bits: 2 * 255 * 4 * 2^19 < 2^31. */
#define MOST_SCALE 4.0f

typedef struct {
  int32_t scale_a, scale_b;
  int32_t start; /* takes the zero points off and half a unit of the result on */
  int32_t zero_point, low, high;
} fixed_add_t;

static int8_t add_exactly(const add_fields_t *f, const round_fields_t *e, int32_t a, int32_t b) {
  const float left = (float)(a - f->zero_point_a) * f->scale_a;
  const float right = (float)(b - f->zero_point_b) * f->scale_b;
  return round_s8(left + right, e->zero_point, e->low, e->high);
}

static fixed_add_t fixed_add(const add_fields_t *f, const round_fields_t *e) {
  fixed_add_t fixed;
  fixed.scale_a = (int32_t)(f->scale_a * (float)(1 << FRACTION) + 0.5f);
  fixed.scale_b = (int32_t)(f->scale_b * (float)(1 << FRACTION) + 0.5f);
  fixed.start = (1 << (FRACTION - 1)) - f->zero_point_a * fixed.scale_a - f->zero_point_b * fixed.scale_b;
  fixed.zero_point = e->zero_point;
  fixed.low = e->low;
  fixed.high = e->high;
  return fixed;
}

void add_blocked(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  const add_fields_t *f = node_fields(node);
  const round_fields_t *e = (const void *)(f + 1);
  if (f->scale_a >= MOST_SCALE || f->scale_b >= MOST_SCALE) {
    add_s8(net, node, arena, prepared, scratch);
    return;
  }
  const fixed_add_t fixed = fixed_add(f, e);
  const int8_t *a = (const int8_t *)network_value(net, arena, node->inputs[0]);
  const int8_t *b = (const int8_t *)network_value(net, arena, node->inputs[1]);
  int8_t *out = (int8_t *)network_value(net, arena, node->output);
  for (const int8_t *end = out + f->count; out < end; out++) {
    const int32_t sum = *a++ * fixed.scale_a + (*b++ * fixed.scale_b + fixed.start);
    if (((uint32_t)sum + ERROR_UNITS) << (32 - FRACTION) < (2u * ERROR_UNITS) << (32 - FRACTION)) {
      *out = add_exactly(f, e, a[-1], b[-1]);
      continue;
    }
    const int32_t y = (sum >> FRACTION) + fixed.zero_point;
    *out = (int8_t)(y < fixed.low ? fixed.low : (y > fixed.high ? fixed.high : y));
  }
}
