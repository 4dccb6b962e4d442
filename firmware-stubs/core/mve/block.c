/* Blocks of MVE: sixteen taps are four vectors of bytes, one a position. A step is four VMLADAVA for 64 products; the zero point is taken off by the
   sum of the weights, which the same loop adds up. */
#include "../blocked/blocked.h"

#define STEP_BYTES 64u
#define STEP_TAPS 16u

void block_expand(uint32_t *block, uint32_t tap, uint32_t position, const int8_t *run, uint32_t count, int32_t zero_point) {
  (void)zero_point;
  int8_t *to = (int8_t *)(void *)block + tap * BLOCK_POSITIONS + position * STEP_TAPS;
  __asm__ volatile(
      "dlstp.8 lr, %[count]\n\t"
      "1:\n\t"
      "vldrb.8 q0, [%[run]], #16\n\t"
      "vstrb.8 q0, [%[to]]\n\t"
      "add %[to], #64\n\t"
      "letp lr, 1b\n\t"
      : [run] "+r"(run), [to] "+r"(to)
      : [count] "r"(count)
      : "lr", "q0", "memory");
}

/* The dot products of one channel at four positions, and the sum of its weights. */
typedef struct {
  int32_t at[BLOCK_POSITIONS];
  int32_t weights;
} dots_t;

static inline __attribute__((always_inline)) dots_t dots(const uint32_t *block, const int8_t *weights, uint32_t taps) {
  register int32_t s0 __asm__("r4") = 0;
  register int32_t s1 __asm__("r6") = 0;
  register int32_t s2 __asm__("r8") = 0;
  register int32_t s3 __asm__("r10") = 0;
  register int32_t total __asm__("r12") = 0;
  const uint32_t *x = block;
  const int8_t *w = weights;
  __asm__ volatile(
      "dlstp.8 lr, %[taps]\n\t"
      "1:\n\t"
      "vldrb.8 q4, [%[w]], #16\n\t"
      "vldrb.8 q0, [%[x]]\n\t"
      "vmladava.s8 %[s0], q0, q4\n\t"
      "vldrb.8 q1, [%[x], #16]\n\t"
      "vmladava.s8 %[s1], q1, q4\n\t"
      "vldrb.8 q2, [%[x], #32]\n\t"
      "vmladava.s8 %[s2], q2, q4\n\t"
      "vldrb.8 q3, [%[x], #48]\n\t"
      "vmladava.s8 %[s3], q3, q4\n\t"
      "add %[x], #64\n\t"
      "vaddva.s8 %[total], q4\n\t"
      "letp lr, 1b\n\t"
      : [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [total] "+r"(total), [x] "+r"(x), [w] "+r"(w)
      : [taps] "r"(taps)
      : "lr", "q0", "q1", "q2", "q3", "q4", "memory");
  return (dots_t){{s0, s1, s2, s3}, total};
}

void block_dots(const uint32_t *block, const block_weights_t *weights, uint32_t channels, block_sums_t *sums) {
  const int8_t *at = weights->weights;
  for (; channels > 0; channels--) {
    const dots_t d = dots(block, at, weights->taps);
    const int32_t zero = weights->zero_point * d.weights;
    for (uint32_t p = 0; p < BLOCK_POSITIONS; p++) {
      sums->at[p] += d.at[p] - zero;
    }
    sums++;
    at += weights->step;
  }
}

/* Where four positions go: those that are not there are left out. */
typedef struct {
  uint32x4_t offsets;
  mve_pred16_t lanes;
} outputs_t;

static outputs_t outputs_of(const block_target_t *t) {
  return (outputs_t){vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)t->step), vctp32q(t->count)};
}

void block_emit(const emission_t *e, const block_target_t *target, const block_sums_t *sums) {
  const outputs_t o = outputs_of(target);
  int8_t *out = e->out_s8 + target->index + target->channel;
  const float *scale = &e->scales[target->channel * e->scale_step];
  for (uint32_t c = 0; c < target->channels; c++) {
    const int32x4_t y = requantize_four(vld1q_s32(sums[c].at), vdupq_n_f32(*scale), e->zero_point, e->low, e->high);
    vstrbq_scatter_offset_p_s32(out++, o.offsets, y, o.lanes);
    scale += e->scale_step;
  }
}

void block_layer(const uint32_t *block, const block_weights_t *weights, const int32_t *bias, const emission_t *e, const block_target_t *target) {
  static const int32_t NO_BIAS = 0;
  const outputs_t o = outputs_of(target);
  const int32x4_t low = vdupq_n_s32(e->low), high = vdupq_n_s32(e->high);
  const int32_t zero_point = e->zero_point, input_zero_point = weights->zero_point;
  const uint32_t taps = weights->taps, scale_step = e->scale_step, bias_step = bias == NULL ? 0 : 1;
  const float *scale = e->scales;
  const int8_t *at = weights->weights;
  int8_t *out = e->out_s8 + target->index;
  bias = bias == NULL ? &NO_BIAS : bias;
  for (const int8_t *end = out + target->channels; out < end; out++) {
    const dots_t d = dots(block, at, taps);
    int32x4_t sums;
    __asm__("vmov %q0[2], %q0[0], %1, %2\n\tvmov %q0[3], %q0[1], %3, %4" : "=w"(sums) : "r"(d.at[0]), "r"(d.at[2]), "r"(d.at[1]), "r"(d.at[3]));
    sums = vaddq_n_s32(sums, *bias - input_zero_point * d.weights);
    int32x4_t y = vqaddq_n_s32(vcvtnq_s32_f32(vmulq_n_f32(vcvtq_f32_s32(sums), *scale)), zero_point);
    y = vminq_s32(vmaxq_s32(y, low), high);
    vstrbq_scatter_offset_p_s32(out, o.offsets, y, o.lanes);
    at += taps;
    bias += bias_step;
    scale += scale_step;
  }
}
