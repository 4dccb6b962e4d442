/* Inner loops of RV32: four positions by two channels in registers, loads with immediate offsets, so that a step costs four pointer updates in all. */
#include "../blocked/blocked.h"

/* Adds one tap: the block's four numbers by a weight of each channel. */
#define TAP(t)                                                                \
  do {                                                                        \
    const int32_t x0 = x[4 * (t)], x1 = x[4 * (t) + 1];                       \
    const int32_t x2 = x[4 * (t) + 2], x3 = x[4 * (t) + 3];                   \
    const int32_t v = a[t], w = b[t];                                         \
    a0 += x0 * v, a1 += x1 * v, a2 += x2 * v, a3 += x3 * v;                   \
    b0 += x0 * w, b1 += x1 * w, b2 += x2 * w, b3 += x3 * w;                   \
    __asm__ volatile("" ::: "memory"); /* no load of the next tap yet: it would need more registers than there are */ \
  } while (0)

static void dots_two(const int32_t *x, const int8_t *a, const int8_t *b, uint32_t taps, block_sums_t *to_a, block_sums_t *to_b) {
  int32_t a0 = to_a->at[0], a1 = to_a->at[1], a2 = to_a->at[2], a3 = to_a->at[3];
  int32_t b0 = to_b->at[0], b1 = to_b->at[1], b2 = to_b->at[2], b3 = to_b->at[3];
  const int32_t *end = x + 4 * taps;
  for (const int32_t *fast = x + 4 * (taps & ~3u); x != fast; x += 16, a += 4, b += 4) {
    TAP(0);
    TAP(1);
    TAP(2);
    TAP(3);
  }
  for (; x != end; x += 4, a++, b++) {
    TAP(0);
  }
  *to_a = (block_sums_t){{a0, a1, a2, a3}};
  *to_b = (block_sums_t){{b0, b1, b2, b3}};
}

void block_dots(const uint32_t *block, const block_weights_t *weights, uint32_t channels, block_sums_t *sums) {
  const int32_t *x = (const int32_t *)(const void *)block;
  const int8_t *at = weights->weights;
  for (; channels >= 2; channels -= 2) {
    dots_two(x, at, at + weights->step, weights->taps, sums, sums + 1);
    at += 2 * weights->step;
    sums += 2;
  }
  if (channels != 0) { /* the last channel with itself; its second sums are dropped */
    block_sums_t dropped = *sums;
    dots_two(x, at, at, weights->taps, sums, &dropped);
  }
}

void dense_dots(const int8_t *x, const int8_t *weights, size_t step, uint32_t count, int32_t zero_point, int32_t *sums) {
  const int8_t *a = weights, *b = a + step, *c = b + step, *d = c + step;
  int32_t sum_a = sums[0], sum_b = sums[1], sum_c = sums[2], sum_d = sums[3];
  for (const int8_t *end = x + count; x != end; x++) {
    const int32_t v = *x - zero_point;
    sum_a += v * *a++;
    sum_b += v * *b++;
    sum_c += v * *c++;
    sum_d += v * *d++;
  }
  sums[0] = sum_a;
  sums[1] = sum_b;
  sums[2] = sum_c;
  sums[3] = sum_d;
}

void depth_dots(const int32_t *columns, size_t step, const int32_t *weights, uint32_t taps, int32_t start, int32_t *sums, uint32_t count) {
  const int32_t *end = weights + taps;
  for (; count > 0; count--) {
    int32_t sum = start;
    const int32_t *x = columns;
    for (const int32_t *w = weights; w < end; w += 3, x += 3) {
      sum += x[0] * w[0] + x[1] * w[1] + x[2] * w[2];
    }
    *sums++ = sum;
    columns += step;
  }
}
