/* FEAST's loops, plain: the definition in C, and the form for cores without vectors. */
#include "feast_kernels.h"

uint32_t feast_read_context(const feast_window_t *window, int16_t *context) {
  const uint16_t *row = window->first;
  uint32_t squares = 0;
  for (uint32_t y = 0; y < window->side; y++, row += window->stride) {
    for (uint32_t x = 0; x < window->side; x++) {
      const uint32_t stamp = row[x];
      const uint32_t age = (window->low - stamp) & FEAST_TICK_MASK;
      const uint32_t value = stamp != 0 && age < FEAST_STALE ? window->table[age] : 0;
      *context++ = (int16_t)value;
      squares += value * value;
    }
  }
  return squares;
}

/* Four features a pass, so that a value of the context is loaded once for all of them; pixels without events are left out. */
void feast_scores(const int16_t *rows, const int16_t *context, uint32_t feature_rows, uint32_t row_length, int32_t *scores) {
  for (uint32_t n = 0; n < feature_rows; n += 4) {
    const int16_t *a = rows + n * row_length, *b = a + row_length, *c = b + row_length, *d = c + row_length;
    int32_t sum_a = 0, sum_b = 0, sum_c = 0, sum_d = 0;
    for (uint32_t k = 0; k < row_length; k++) {
      const int32_t value = context[k];
      if (value == 0) {
        continue;
      }
      sum_a += a[k] * value;
      sum_b += b[k] * value;
      sum_c += c[k] * value;
      sum_d += d[k] * value;
    }
    scores[n] = sum_a;
    scores[n + 1] = sum_b;
    scores[n + 2] = sum_c;
    scores[n + 3] = sum_d;
  }
}

uint32_t feast_root(uint32_t n) {
  uint32_t root = 0;
  for (uint32_t bit = 1u << 15; bit > 0; bit >>= 1) {
    const uint32_t next = root | bit;
    if (next * next <= n) {
      root = next;
    }
  }
  return root;
}

uint64_t feast_move_weights(int16_t *weights, const int16_t *context, uint32_t length, uint32_t inverse, uint32_t shift) {
  const int32_t half = 1 << (shift - 1);
  uint64_t squares = 0;
  for (uint32_t k = 0; k < length; k++) {
    const int32_t target = (int32_t)(((uint32_t)context[k] * inverse) >> 12);
    /* made positive by 2^16, a multiple of 2^shift, before it is shifted */
    const int32_t step = (int32_t)((uint32_t)(target - weights[k] + half + (1 << 16)) >> shift) - ((1 << 16) >> shift);
    const int32_t moved = feast_cut(weights[k] + step);
    weights[k] = (int16_t)moved;
    squares += (uint32_t)(moved * moved);
  }
  return squares;
}

uint32_t feast_renormalise(int16_t *weights, uint32_t length, uint64_t squares) {
  const feast_excess_t excess = feast_excess(squares);
  if (excess.high < FEAST_LEAST_EXCESS) {
    return feast_renormalise_wide(weights, length, squares);
  }
  uint32_t cut = 0;
  for (uint32_t k = 0; k < length; k++) {
    const int32_t scaled = feast_scaled(weights[k], excess);
    const int32_t kept = feast_cut(scaled);
    cut += kept != scaled;
    weights[k] = (int16_t)kept;
  }
  return cut;
}

void feast_round_row(const int16_t *weights, uint32_t length, int16_t *row) {
  for (uint32_t k = 0; k < length; k++) {
    const int32_t rounded = (weights[k] + 128) >> 8;
    row[k] = (int16_t)(rounded > 127 ? 127 : rounded);
  }
}
