/* Blocks of the DSP extension: four taps are eight words, the pairs (0, 2) of four positions, then their pairs (1, 3), as SXTB16 splits a word of
   weights. A step of four taps by four positions is 13 instructions: weights are unpacked once for four positions, the block is loaded by LDM. */
#include "../blocked/blocked.h"

#define STEP_WORDS 8u

#define EXPAND(step)                                                              \
  do {                                                                            \
    const uint32_t word = load_word(run + 4 * (step));                            \
    to[(step) * STEP_WORDS] = add_even_bytes(shift, word);                        \
    to[(step) * STEP_WORDS + BLOCK_POSITIONS] = add_odd_bytes(shift, word);       \
  } while (0)

void block_expand(uint32_t *block, uint32_t tap, uint32_t position, const int8_t *run, uint32_t count, int32_t zero_point) {
  const uint32_t shift = both_halves(-zero_point);
  uint32_t *to = block + tap / 4 * STEP_WORDS + position;
  for (; count >= 16; count -= 16) {
    EXPAND(0);
    EXPAND(1);
    EXPAND(2);
    EXPAND(3);
    run += 16;
    to += 4 * STEP_WORDS;
  }
  for (; count >= 4; count -= 4) {
    EXPAND(0);
    run += 4;
    to += STEP_WORDS;
  }
  if (count != 0) {
    int16_t last[4] = {0};
    for (uint32_t i = 0; i < count; i++) { /* taps 0 2 1 3 */
      last[i % 2 * 2 + i / 2] = (int16_t)(run[i] - zero_point);
    }
    __builtin_memcpy(to, last, 4);
    __builtin_memcpy(to + BLOCK_POSITIONS, last + 2, 4);
  }
}

#define STEP                         \
  "ldr %[w], [%[weights]], #4\n\t"   \
  "ldmia %[x]!, {r8-r11}\n\t"        \
  "sxtb16 %[v], %[w]\n\t"            \
  "smlad %[s0], r8, %[v], %[s0]\n\t" \
  "smlad %[s1], r9, %[v], %[s1]\n\t" \
  "smlad %[s2], r10, %[v], %[s2]\n\t" \
  "smlad %[s3], r11, %[v], %[s3]\n\t" \
  "ldmia %[x]!, {r8-r11}\n\t"        \
  "sxtb16 %[w], %[w], ror #8\n\t"    \
  "smlad %[s0], r8, %[w], %[s0]\n\t" \
  "smlad %[s1], r9, %[w], %[s1]\n\t" \
  "smlad %[s2], r10, %[w], %[s2]\n\t" \
  "smlad %[s3], r11, %[w], %[s3]\n\t"

/* The last one to three weights of a row as a word, zeros above; no byte outside the row is read. */
static uint32_t last_weights(const int8_t *row, uint32_t taps) {
  const uint32_t rest = taps % 4;
  if (taps >= 4) {
    return load_word(row + taps - 4) >> (32 - 8 * rest);
  }
  uint32_t word = 0;
  for (uint32_t i = 0; i < rest; i++) {
    word |= (uint32_t)(uint8_t)row[i] << (8 * i);
  }
  return word;
}

static inline __attribute__((always_inline)) block_sums_t dots(const uint32_t *x, const int8_t *weights, uint32_t taps, block_sums_t sums) {
  int32_t s0 = sums.at[0], s1 = sums.at[1], s2 = sums.at[2], s3 = sums.at[3];
  const int8_t *row = weights;
  uint32_t steps = taps / 4;
  uint32_t w, v;
  if (steps % 2 != 0) {
    __asm__ volatile(STEP
                     : [x] "+r"(x), [weights] "+r"(weights), [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [w] "=&r"(w), [v] "=&r"(v)
                     :
                     : "r8", "r9", "r10", "r11", "memory");
  }
  steps /= 2;
  if (steps != 0) {
    __asm__ volatile("1:\n\t" STEP STEP
                     "subs %[steps], #1\n\t"
                     "bne 1b\n\t"
                     : [x] "+r"(x), [weights] "+r"(weights), [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), [s3] "+r"(s3), [w] "=&r"(w), [v] "=&r"(v),
                       [steps] "+r"(steps)
                     :
                     : "r8", "r9", "r10", "r11", "cc", "memory");
  }
  if (taps % 4 != 0) {
    const uint32_t last = last_weights(row, taps);
    const uint32_t even = even_bytes(last), odd = odd_bytes(last);
    s0 = dot_halves(x[4], odd, dot_halves(x[0], even, s0));
    s1 = dot_halves(x[5], odd, dot_halves(x[1], even, s1));
    s2 = dot_halves(x[6], odd, dot_halves(x[2], even, s2));
    s3 = dot_halves(x[7], odd, dot_halves(x[3], even, s3));
  }
  return (block_sums_t){{s0, s1, s2, s3}};
}

void block_dots(const uint32_t *block, const block_weights_t *weights, uint32_t channels, block_sums_t *sums) {
  const int8_t *at = weights->weights;
  for (; channels > 0; channels--) {
    *sums = dots(block, at, weights->taps, *sums);
    sums++;
    at += weights->step;
  }
}

/* Where four positions of channel 0 go, from the last to the first: positions that are not there are written to position 0 before it. */
typedef struct {
  int8_t *at;
  size_t step1, step2, step3;
} outputs_t;

static outputs_t outputs_of(const emission_t *e, const block_target_t *t) {
  const size_t step = t->step;
  int8_t *at = e->out_s8 + t->index + t->channel;
  return (outputs_t){at, t->count > 1 ? step : 0, t->count > 2 ? 2 * step : 0, t->count > 3 ? 3 * step : 0};
}

/* Saturation to int8 is all the clamping that most layers need. */
static inline void emit_saturated(int8_t *out, const outputs_t *o, block_sums_t sums, float scale, int32_t zero_point) {
  const int32_t y3 = round_saturated((float)sums.at[3] * scale), y2 = round_saturated((float)sums.at[2] * scale);
  const int32_t y1 = round_saturated((float)sums.at[1] * scale), y0 = round_saturated((float)sums.at[0] * scale);
  out[o->step3] = (int8_t)add_saturated_s8(y3, zero_point);
  out[o->step2] = (int8_t)add_saturated_s8(y2, zero_point);
  out[o->step1] = (int8_t)add_saturated_s8(y1, zero_point);
  out[0] = (int8_t)add_saturated_s8(y0, zero_point);
}

static void emit_clamped(int8_t *out, const outputs_t *o, block_sums_t sums, const float *scale, const emission_t *e) {
  const size_t steps[BLOCK_POSITIONS] = {0, o->step1, o->step2, o->step3};
  for (uint32_t p = BLOCK_POSITIONS; p-- > 0;) {
    out[steps[p]] = requantize_one(sums.at[p], scale, e->zero_point, e->low, e->high);
  }
}

void block_emit(const emission_t *e, const block_target_t *target, const block_sums_t *sums) {
  const outputs_t o = outputs_of(e, target);
  const bool saturates = e->low == INT8_MIN && e->high == INT8_MAX;
  const float *scale = &e->scales[target->channel * e->scale_step];
  for (uint32_t c = 0; c < target->channels; c++) {
    if (saturates) {
      emit_saturated(o.at + c, &o, sums[c], *scale, e->zero_point);
    } else {
      emit_clamped(o.at + c, &o, sums[c], scale, e);
    }
    scale += e->scale_step;
  }
}

/* What layer_loop() keeps in memory: its inner loop needs every register. Fields are read in pairs; offsets are in the assembly below. */
typedef struct {
  const uint32_t *block; /* 0 */
  uint32_t steps;
  uint32_t tail_shift; /* 8: bits to drop of the last four weights; 0: taps are a multiple of four */
  uint32_t tail_back;  /* bytes that the last four weights start before the last one to three */
  const int32_t *bias; /* 16 */
  uint32_t bias_step;
  const float *scale; /* 24 */
  uint32_t scale_step;
  int8_t *out; /* 32 */
  int8_t *end;
  size_t step1; /* 40 */
  size_t step2;
  size_t step3; /* 48 */
  int32_t zero_point;
} layer_t;

#define LAYER_STEP                   \
  "ldmia r0!, {r8-r11}\n\t"          \
  "sxtb16 r3, r2\n\t"               \
  "smlad r4, r8, r3, r4\n\t"        \
  "smlad r5, r9, r3, r5\n\t"        \
  "smlad r6, r10, r3, r6\n\t"       \
  "smlad r7, r11, r3, r7\n\t"       \
  "ldmia r0!, {r8-r11}\n\t"          \
  "sxtb16 r2, r2, ror #8\n\t"       \
  "smlad r4, r8, r2, r4\n\t"        \
  "smlad r5, r9, r2, r5\n\t"        \
  "smlad r6, r10, r2, r6\n\t"       \
  "smlad r7, r11, r2, r7\n\t"

/* Every channel: bias, steps, the last taps, then requantization of four sums with saturation. taps >= 4. */
static void layer_loop(layer_t *layer, const int8_t *weights) {
  register layer_t *l __asm__("lr") = layer;
  register const int8_t *w __asm__("r1") = weights;
  __asm__ volatile(
      "1:\n\t"
      "ldrd r2, r3, [lr, #16]\n\t"
      "ldr r4, [r2]\n\t"
      "add r2, r3\n\t"
      "str r2, [lr, #16]\n\t"
      "ldrd r0, r12, [lr]\n\t"
      "mov r5, r4\n\t"
      "mov r6, r4\n\t"
      "mov r7, r4\n\t"
      "lsrs r12, r12, #1\n\t"
      "bcc 2f\n\t"
      "ldr r2, [r1], #4\n\t" LAYER_STEP
      "2:\n\t"
      "beq 4f\n\t"
      "3:\n\t"
      "ldr r2, [r1], #4\n\t" LAYER_STEP
      "ldr r2, [r1], #4\n\t" LAYER_STEP
      "subs r12, #1\n\t"
      "bne 3b\n\t"
      "4:\n\t"
      "ldrd r3, r12, [lr, #8]\n\t"
      "cbz r3, 5f\n\t"
      "sub r1, r12\n\t"
      "ldr r2, [r1], #4\n\t"
      "lsr r2, r3\n\t" LAYER_STEP
      "5:\n\t"
      "vmov s0, s1, r4, r5\n\t"
      "vmov s2, s3, r6, r7\n\t"
      "ldrd r2, r3, [lr, #24]\n\t"
      "vldr s4, [r2]\n\t"
      "add r2, r3\n\t"
      "str r2, [lr, #24]\n\t"
      "vcvt.f32.s32 s0, s0\n\t"
      "vcvt.f32.s32 s1, s1\n\t"
      "vcvt.f32.s32 s2, s2\n\t"
      "vcvt.f32.s32 s3, s3\n\t"
      "vmul.f32 s0, s0, s4\n\t"
      "vmul.f32 s1, s1, s4\n\t"
      "vmul.f32 s2, s2, s4\n\t"
      "vmul.f32 s3, s3, s4\n\t"
      "vcvtr.s32.f32 s0, s0\n\t"
      "vcvtr.s32.f32 s1, s1\n\t"
      "vcvtr.s32.f32 s2, s2\n\t"
      "vcvtr.s32.f32 s3, s3\n\t"
      "ldrd r8, r9, [lr, #32]\n\t"
      "ldrd r10, r11, [lr, #40]\n\t"
      "ldrd r2, r3, [lr, #48]\n\t"
      "vmov r4, r5, s0, s1\n\t"
      "vmov r6, r7, s2, s3\n\t"
      "qadd r7, r7, r3\n\t"
      "qadd r6, r6, r3\n\t"
      "qadd r5, r5, r3\n\t"
      "qadd r4, r4, r3\n\t"
      "ssat r7, #8, r7\n\t"
      "ssat r6, #8, r6\n\t"
      "ssat r5, #8, r5\n\t"
      "ssat r4, #8, r4\n\t"
      "strb r7, [r8, r2]\n\t"
      "strb r6, [r8, r11]\n\t"
      "strb r5, [r8, r10]\n\t"
      "strb r4, [r8], #1\n\t"
      "str r8, [lr, #32]\n\t"
      "cmp r8, r9\n\t"
      "bne 1b\n\t"
      : "+r"(w)
      : "r"(l)
      : "r0", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "s0", "s1", "s2", "s3", "s4", "cc", "memory");
}

/* Layers with other bounds, or fewer than four taps. */
static void layer_by_channel(const uint32_t *block, const block_weights_t *weights, const int32_t *bias, const emission_t *e,
                             const block_target_t *target) {
  block_target_t one = *target;
  block_weights_t at = *weights;
  for (one.channels = 1; one.channel < target->channels; one.channel++) {
    block_sums_t sums;
    start_sums(bias == NULL ? NULL : bias + one.channel, 1, &sums);
    block_dots(block, &at, 1, &sums);
    block_emit(e, &one, &sums);
    at.weights += at.step;
  }
}

void block_layer(const uint32_t *block, const block_weights_t *weights, const int32_t *bias, const emission_t *e, const block_target_t *target) {
  static const int32_t NO_BIAS = 0;
  if (weights->taps < 4 || e->low != INT8_MIN || e->high != INT8_MAX) {
    layer_by_channel(block, weights, bias, e, target);
    return;
  }
  const outputs_t o = outputs_of(e, target);
  const uint32_t rest = weights->taps % 4;
  layer_t layer = {
      .block = block,
      .steps = weights->taps / 4,
      .tail_shift = rest == 0 ? 0 : 32 - 8 * rest,
      .tail_back = 4 - rest,
      .bias = bias == NULL ? &NO_BIAS : bias,
      .bias_step = bias == NULL ? 0 : 4,
      .scale = e->scales,
      .scale_step = 4 * e->scale_step,
      .out = o.at,
      .end = o.at + target->channels,
      .step1 = o.step1,
      .step2 = o.step2,
      .step3 = o.step3,
      .zero_point = e->zero_point,
  };
  layer_loop(&layer, weights->weights);
}
