/* add and relu with SIMD128, sixteen elements at a time in ascending order: the output may start at or in front of an input. */
#include "../arithmetic.h"
#include "../operators.h"
#include "emit.h"

#define INLINE static inline __attribute__((always_inline))

/* fl32((x - zero point) * scale) of four elements. The barrier keeps clang 14 from converting lane by lane what it knows to be 16 bits wide. */
INLINE v128_t scaled(v128_t wide, v128_t scale) {
  __asm__("" : "+r"(wide));
  return wasm_f32x4_mul(wasm_f32x4_convert_i32x4(wide), scale);
}

typedef struct {
  v128_t zero_a, zero_b, scale_a, scale_b;
  emit8_t e;
} add_t;

/* Eight elements as int16 before their bounds. */
INLINE v128_t add_eight(const add_t *s, const int8_t *a, const int8_t *b) {
  const v128_t x = wasm_i16x8_sub(wasm_i16x8_load8x8(a), s->zero_a), y = wasm_i16x8_sub(wasm_i16x8_load8x8(b), s->zero_b);
  const v128_t low = wasm_f32x4_add(scaled(wasm_i32x4_extend_low_i16x8(x), s->scale_a), scaled(wasm_i32x4_extend_low_i16x8(y), s->scale_b));
  const v128_t high = wasm_f32x4_add(scaled(wasm_i32x4_extend_high_i16x8(x), s->scale_a), scaled(wasm_i32x4_extend_high_i16x8(y), s->scale_b));
  return wasm_i16x8_narrow_i32x4(emit_scaled(&s->e, low, false), emit_scaled(&s->e, high, false));
}

void add_simd(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  if (net->prepared == NULL) {
    add_s8(net, node, arena, prepared, scratch);
    return;
  }
  const add_fields_t *f = node_fields(node);
  const round_fields_t *e = (const void *)(f + 1);
  const add_t s = {.zero_a = wasm_i16x8_splat(f->zero_point_a),
                   .zero_b = wasm_i16x8_splat(f->zero_point_b),
                   .scale_a = wasm_f32x4_splat(f->scale_a),
                   .scale_b = wasm_f32x4_splat(f->scale_b),
                   .e = emit8_of(e->zero_point, e->low, e->high)};
  const int8_t *a = (const int8_t *)network_value(net, arena, node->inputs[0]);
  const int8_t *b = (const int8_t *)network_value(net, arena, node->inputs[1]);
  int8_t *out = (int8_t *)network_value(net, arena, node->output);
  uint32_t i = 0;
  for (; i + 16 <= f->count; i += 16) {
    const v128_t first = add_eight(&s, a + i, b + i), second = add_eight(&s, a + i + 8, b + i + 8);
    wasm_v128_store(out + i, emit_narrow(&s.e, first, second));
  }
  for (; i < f->count; i++) {
    const float left = (float)(a[i] - f->zero_point_a) * f->scale_a;
    const float right = (float)(b[i] - f->zero_point_b) * f->scale_b;
    out[i] = round_s8(left + right, e->zero_point, e->low, e->high);
  }
}

void relu_simd(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  if (net->prepared == NULL) {
    relu_s8(net, node, arena, prepared, scratch);
    return;
  }
  const relu_fields_t *f = node_fields(node);
  const v128_t low = wasm_i8x16_splat((int8_t)f->low), high = wasm_i8x16_splat((int8_t)f->high);
  const int8_t *x = (const int8_t *)network_value(net, arena, node->inputs[0]);
  int8_t *out = (int8_t *)network_value(net, arena, node->output);
  uint32_t i = 0;
  for (; i + 16 <= f->count; i += 16) {
    wasm_v128_store(out + i, wasm_i8x16_min(high, wasm_i8x16_max(low, wasm_v128_load(x + i))));
  }
  for (; i < f->count; i++) {
    const int32_t bounded = x[i] < f->low ? f->low : x[i];
    out[i] = (int8_t)(bounded > f->high ? f->high : bounded);
  }
}
