/* Rows of signs and of selected inputs in MVE: ones of 128 bits are counted in bytes, within the vector. */
#include "../blocked/general_rows.h"
#include "../packed.h"
#include "chip.h"

/* Ones of each byte. */
static inline uint8x16_t byte_ones(uint32x4_t v) {
  uint8x16_t x = vreinterpretq_u8_u32(v);
  x = vsubq_u8(x, vandq_u8(vshrq_n_u8(x, 1), vdupq_n_u8(0x55)));
  x = vaddq_u8(vandq_u8(x, vdupq_n_u8(0x33)), vandq_u8(vshrq_n_u8(x, 2), vdupq_n_u8(0x33)));
  return vandq_u8(vaddq_u8(x, vshrq_n_u8(x, 4)), vdupq_n_u8(0x0f));
}

void sign_dots(const uint32_t *x, const uint32_t *weights, uint32_t words, uint32_t rows, int32_t *sums) {
  for (; rows > 0; rows--) {
    uint32_t total = 0;
    const uint32_t *at = x;
    for (int32_t left = (int32_t)words; left > 0; left -= 4) {
      const mve_pred16_t lanes = vctp32q((uint32_t)left);
      total = vaddvaq_u8(total, byte_ones(veorq_u32(vld1q_z_u32(at, lanes), vld1q_z_u32(weights, lanes))));
      at += 4;
      weights += 4;
    }
    weights -= (4 - words % 4) % 4;
    *sums++ += (int32_t)(32 * words - 2 * total);
  }
}

int32_t selected_sum(const int16_t *x, const uint32_t *weights, size_t at, uint32_t count) {
  static const uint16_t LANES[8] = {1, 2, 4, 8, 16, 32, 64, 128};
  const uint16x8_t lanes = vld1q_u16(LANES);
  int32_t sum = 0;
  while (count > 0) {
    const uint32_t run = count < 32 ? count : 32;
    uint32_t bits = packed_run(weights, at, run);
    for (uint32_t i = 0; i < run; i += 8) {
      const mve_pred16_t selected = vcmpneq_n_u16(vandq_u16(lanes, vdupq_n_u16((uint16_t)bits)), 0);
      sum = vaddvaq_p_s16(sum, vld1q_z_s16(x + i, selected), selected);
      bits >>= 8;
    }
    x += run;
    at += run;
    count -= run;
  }
  return sum;
}
