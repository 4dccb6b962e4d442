/* Emission of eight channels at a time: sums -> int8, the same numbers as requantize_s8() (arithmetic.h). */
#ifndef SPIKEPORT_SIMD128_EMIT_H
#define SPIKEPORT_SIMD128_EMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <wasm_simd128.h>

/* 1.5 * 2^23, and its bits: adding it rounds |x| < 2^22 to even and leaves the integer in the low bits. */
#define SHIFT_FLOAT 12582912.0f
#define SHIFT_BITS 0x4b400000

/* The largest |sum * scale| for which no float clamp is needed: below 2^22 with room for rounding. */
#define EMIT_BOUND 4000000.0

typedef struct {
  v128_t unshift;    /* SHIFT_BITS - zero point */
  v128_t low, high;  /* int8 bounds */
  v128_t least, most; /* the same bounds as floats, zero point subtracted */
} emit8_t;

static inline emit8_t emit8_of(int32_t zero_point, int32_t low, int32_t high) {
  const emit8_t e = {
      .unshift = wasm_i32x4_splat(SHIFT_BITS - zero_point),
      .low = wasm_i8x16_splat((int8_t)low),
      .high = wasm_i8x16_splat((int8_t)high),
      .least = wasm_f32x4_splat((float)(low - zero_point)),
      .most = wasm_f32x4_splat((float)(high - zero_point)),
  };
  return e;
}

/* rne(x) + zero point as int32, for |x| < 2^22. */
static inline v128_t emit_round(const emit8_t *e, v128_t x) {
  return wasm_i32x4_sub(wasm_f32x4_add(x, wasm_f32x4_const_splat(SHIFT_FLOAT)), e->unshift);
}

/* Clamps any float but NaN, so that emit_round() may follow. */
static inline v128_t emit_clamp(const emit8_t *e, v128_t x) {
  return wasm_f32x4_pmin(e->most, wasm_f32x4_pmax(e->least, x));
}

static inline v128_t emit_scaled(const emit8_t *e, v128_t x, bool is_bounded) {
  return emit_round(e, is_bounded ? x : emit_clamp(e, x));
}

/* Eight sums -> eight int16 that hold the result before its int8 bounds. */
static inline v128_t emit_sums(const emit8_t *e, v128_t sums_low, v128_t sums_high, v128_t scale_low, v128_t scale_high, bool is_bounded) {
  const v128_t low = emit_scaled(e, wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums_low), scale_low), is_bounded);
  const v128_t high = emit_scaled(e, wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums_high), scale_high), is_bounded);
  return wasm_i16x8_narrow_i32x4(low, high);
}

/* Two times eight int16 -> sixteen int8 within the bounds. */
static inline v128_t emit_narrow(const emit8_t *e, v128_t first, v128_t second) {
  const v128_t bytes = wasm_i8x16_narrow_i16x8(first, second);
  return wasm_i8x16_min(e->high, wasm_i8x16_max(e->low, bytes));
}

/* The second half of a vector in the place of the first. */
static inline v128_t emit_upper(v128_t x) {
  return wasm_i64x2_shuffle(x, x, 1, 1);
}

/* Stores the first eight bytes. */
static inline void emit_store8(int8_t *out, v128_t bytes) {
  wasm_v128_store64_lane(out, bytes, 0);
}

/* Stores the first `count` <= 8 bytes. Not inlined: a loop of byte stores would cost the registers of the loop around it. */
void emit_store_part(int8_t *out, v128_t bytes, uint32_t count);

/* Stores the first `count` <= 8 sums. */
void emit_store_sums(int32_t *out, v128_t low, v128_t high, uint32_t count);

#endif
