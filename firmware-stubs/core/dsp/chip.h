/* Cortex-M4F, M7 and M33 with DSP extension and a single-precision FPU: SMLAD on pairs of 16 bits, unaligned word loads. */
#ifndef SPIKEPORT_CHIP_H
#define SPIKEPORT_CHIP_H

#include <stdint.h>

#define BLOCK_TAP_BYTES 8u
#define BLOCK_ALIGNMENT 4u

/* Four bytes at any address. */
static inline uint32_t load_word(const int8_t *from) {
  uint32_t word;
  __builtin_memcpy(&word, from, 4);
  return word;
}

static inline int8_t *copy_run(int8_t *to, const int8_t *from, uint32_t count) {
  for (; count >= 4; count -= 4) {
    const uint32_t word = load_word(from);
    __builtin_memcpy(to, &word, 4);
    to += 4;
    from += 4;
  }
  for (; count > 0; count--) {
    *to++ = *from++;
  }
  return to;
}

/* Bytes 0 and 2 of x, sign-extended, added to the halves of a. */
static inline uint32_t add_even_bytes(uint32_t a, uint32_t x) {
  uint32_t y;
  __asm__("sxtab16 %0, %1, %2" : "=r"(y) : "r"(a), "r"(x));
  return y;
}

/* Bytes 1 and 3. */
static inline uint32_t add_odd_bytes(uint32_t a, uint32_t x) {
  uint32_t y;
  __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(y) : "r"(a), "r"(x));
  return y;
}

static inline uint32_t even_bytes(uint32_t x) {
  uint32_t y;
  __asm__("sxtb16 %0, %1" : "=r"(y) : "r"(x));
  return y;
}

static inline uint32_t odd_bytes(uint32_t x) {
  uint32_t y;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(y) : "r"(x));
  return y;
}

/* sum + a.low * b.low + a.high * b.high */
static inline int32_t dot_halves(uint32_t a, uint32_t b, int32_t sum) {
  int32_t y;
  __asm__("smlad %0, %1, %2, %3" : "=r"(y) : "r"(a), "r"(b), "r"(sum));
  return y;
}

/* The low halves of a and b, b on top. */
static inline uint32_t join_low(uint32_t a, uint32_t b) {
  uint32_t y;
  __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(y) : "r"(a), "r"(b));
  return y;
}

/* The high halves of a and b, b on top. */
static inline uint32_t join_high(uint32_t a, uint32_t b) {
  uint32_t y;
  __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(y) : "r"(b), "r"(a));
  return y;
}

/* x in both halves. */
static inline uint32_t both_halves(int32_t x) {
  return join_low((uint32_t)x, (uint32_t)x);
}

/* rne(x), saturated to int32: VCVTR rounds as FPSCR says, which is to even unless a program changed it. */
static inline int32_t round_saturated(float x) {
  float bits;
  int32_t y;
  __asm__("vcvtr.s32.f32 %0, %1" : "=t"(bits) : "t"(x));
  __builtin_memcpy(&y, &bits, 4);
  return y;
}

/* a + b saturated to int32, then to int8. */
static inline int32_t add_saturated_s8(int32_t a, int32_t b) {
  int32_t y;
  __asm__("qadd %0, %1, %2\n\tssat %0, #8, %0" : "=r"(y) : "r"(a), "r"(b));
  return y;
}

static inline int8_t requantize_one(int32_t sum, const float *scale, int32_t zero_point, int32_t low, int32_t high) {
  const int32_t y = add_saturated_s8(round_saturated((float)sum * *scale), zero_point);
  return (int8_t)(y < low ? low : (y > high ? high : y));
}

#endif
