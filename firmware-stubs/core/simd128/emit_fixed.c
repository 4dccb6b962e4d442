/* Emission of rounding 'tflite' behind SIMD sums: four channels at a time by 64-bit products, the same numbers as requantize_fixed_s8()
   (arithmetic_tflite.h), which does the channels that are left over and the layers with a left shift. */
#include "../arithmetic_tflite.h"
#include "layer.h"

#define LANES 4u

typedef struct {
  v128_t factor;      /* q of four channels */
  v128_t power;       /* 2^(31 + shift) of four channels */
  v128_t least, most; /* bounds, zero point subtracted */
  v128_t zero_point;
} group_t;

/* (product + 2^30) / 2^31 of two pairs of 64-bit products, the low 32 bits of each. */
static inline v128_t high_halves(v128_t low, v128_t high) {
  const v128_t half = wasm_i64x2_const_splat(1 << 30);
  const v128_t a = wasm_u64x2_shr(wasm_i64x2_add(low, half), 31), b = wasm_u64x2_shr(wasm_i64x2_add(high, half), 31);
  return wasm_i32x4_shuffle(a, b, 0, 2, 4, 6);
}

/* Four sums as int32 within the bounds. The magnitude is divided, so that ties go away from zero. */
static inline v128_t requantize_four(const group_t *g, v128_t sums) {
  const v128_t scaled = high_halves(wasm_i64x2_extmul_low_i32x4(sums, g->factor), wasm_i64x2_extmul_high_i32x4(sums, g->factor));
  const v128_t sign = wasm_i32x4_shr(scaled, 31), magnitude = wasm_i32x4_abs(scaled);
  const v128_t divided = high_halves(wasm_u64x2_extmul_low_u32x4(magnitude, g->power), wasm_u64x2_extmul_high_u32x4(magnitude, g->power));
  const v128_t rounded = wasm_i32x4_sub(wasm_v128_xor(divided, sign), sign);
  return wasm_i32x4_add(wasm_i32x4_min(g->most, wasm_i32x4_max(g->least, rounded)), g->zero_point);
}

static group_t group_of(const emission_t *e, uint32_t channel) {
  uint32_t factors[LANES], powers[LANES];
  for (uint32_t i = 0; i < LANES; i++) {
    const uint32_t at = (channel + i) * e->scale_step;
    factors[i] = (uint32_t)e->factors[at];
    powers[i] = 1u << (31 + e->shifts[at]);
  }
  const group_t g = {wasm_v128_load(factors), wasm_v128_load(powers), wasm_i32x4_splat(e->low - e->zero_point), wasm_i32x4_splat(e->high - e->zero_point),
                     wasm_i32x4_splat(e->zero_point)};
  return g;
}

static void emit_group(const emission_t *e, uint32_t channel, uint32_t channels, const int32_t *sums, size_t count) {
  const group_t g = group_of(e, channel);
  for (size_t at = channel; at < count; at += channels) {
    const v128_t words = requantize_four(&g, wasm_v128_load(sums + at));
    const v128_t halves = wasm_i16x8_narrow_i32x4(words, words);
    wasm_v128_store32_lane(e->out_s8 + at, wasm_i8x16_narrow_i16x8(halves, halves), 0);
  }
}

static void emit_channel(const emission_t *e, uint32_t channel, uint32_t channels, const int32_t *sums, size_t count) {
  const fixed_t factor = {e->factors[channel * e->scale_step], e->shifts[channel * e->scale_step]};
  for (size_t at = channel; at < count; at += channels) {
    e->out_s8[at] = requantize_fixed_s8(sums[at], factor, e->zero_point, e->low, e->high);
  }
}

static bool has_left_shift(const emission_t *e, uint32_t channels) {
  for (uint32_t c = 0; c < channels; c++) {
    if (e->shifts[c * e->scale_step] > 0) {
      return true;
    }
  }
  return false;
}

void layer_emit_fixed(const network_t *net, const node_t *node, size_t fields_bytes, uint8_t *arena, uint32_t channels, const int32_t *sums, size_t count) {
  const emission_t e = emission_of(net, node, fields_bytes, arena);
  const bool is_plain = has_left_shift(&e, channels);
  uint32_t c = 0;
  for (; !is_plain && c + LANES <= channels; c += LANES) {
    emit_group(&e, c, channels, sums, count);
  }
  for (; c < channels; c++) {
    emit_channel(&e, c, channels, sums, count);
  }
}
