/* Cortex-M55 and M85 with MVE (Helium), integer and single-precision float: 16 products of bytes an instruction. */
#ifndef SPIKEPORT_CHIP_H
#define SPIKEPORT_CHIP_H

#include <arm_mve.h>
#include <stdint.h>

#include "../arithmetic.h"

#define BLOCK_TAP_BYTES 4u
#define BLOCK_ALIGNMENT 16u

static inline int8_t *copy_run(int8_t *to, const int8_t *from, uint32_t count) {
  for (int32_t left = (int32_t)count; left > 0; left -= 16) {
    const mve_pred16_t lanes = vctp8q((uint32_t)left);
    vst1q_p_s8(to, vld1q_z_s8(from, lanes), lanes);
    to += 16;
    from += 16;
  }
  return to - (count % 16 == 0 ? 0 : 16 - count % 16);
}

/* clamp(rne(fl32(sums) * scale) + zero_point, low, high). VCVTN saturates, and so does the addition. */
static inline int32x4_t requantize_four(int32x4_t sums, float32x4_t scales, int32_t zero_point, int32_t low, int32_t high) {
  const int32x4_t y = vqaddq_n_s32(vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(sums), scales)), zero_point);
  return vminq_s32(vmaxq_s32(y, vdupq_n_s32(low)), vdupq_n_s32(high));
}

static inline int8_t requantize_one(int32_t sum, const float *scale, int32_t zero_point, int32_t low, int32_t high) {
  return requantize_s8(sum, *scale, zero_point, low, high);
}

#endif
