/* The loops over a window that FEAST spends its time in. feast_kernels.c is the plain form; other folders hold faster ones with the same bits, and a
   build links one of them. */
#ifndef SPIKEPORT_FEAST_KERNELS_H
#define SPIKEPORT_FEAST_KERNELS_H

#include <stdint.h>

#define FEAST_ONE 32768
#define FEAST_MAX 32767
#define FEAST_LIVE 0x8000u
#define FEAST_TICK_MASK 0x7fffu
/* Ages from here on count as "never". */
#define FEAST_STALE 256u
/* Stamps that a kernel may read behind the last one. */
#define FEAST_STAMP_SLACK 8u

/* A window of stamps: `first` is its top left one. */
typedef struct {
  const uint16_t *first;
  uint32_t stride; /* the sensor's width */
  uint32_t side;   /* 3..31 */
  uint32_t low;    /* low 15 bits of the current tick */
  const uint8_t *table;
} feast_window_t;

/* Fills the context, 0..127 each, and returns the sum of its squares. */
uint32_t feast_read_context(const feast_window_t *window, int16_t *context);

/* scores[n] = sum of rows[n][k] context[k]; feature_rows is a multiple of 4, row_length of 8. */
void feast_scores(const int16_t *rows, const int16_t *context, uint32_t feature_rows, uint32_t row_length, int32_t *scores);

/* floor(sqrt(n)) */
uint32_t feast_root(uint32_t n);

/* w += (target - w) 2^-shift, rounded and cut to 0..32767, target = context * inverse >> 12; returns the sum of squares. */
uint64_t feast_move_weights(int16_t *weights, const int16_t *context, uint32_t length, uint32_t inverse, uint32_t shift);

/* w = (w (3 2^30 - squares) + 2^30) >> 31, cut to 0..32767; returns how many were cut. */
uint32_t feast_renormalise(int16_t *weights, uint32_t length, uint64_t squares);

/* row[k] = min(127, (weights[k] + 128) >> 8) */
void feast_round_row(const int16_t *weights, uint32_t length, int16_t *row);

/* The excess e = 2^30 - squares as e = high 2^16 + low, with which (w (2^31 + e) + 2^30) >> 31 needs 32 bits only:
   w + ((w high + (w low >> 16) + 2^14) >> 15), exact for high >= -2^15. */
typedef struct {
  int32_t high;
  uint32_t low;
} feast_excess_t;

static inline feast_excess_t feast_excess(uint64_t squares) {
  const uint64_t biased = ((uint64_t)1 << 41) + ((uint64_t)1 << 30) - squares; /* squares stay below 2^40 */
  const feast_excess_t excess = {(int32_t)(biased >> 16) - (1 << 25), (uint32_t)(biased & 0xffffu)};
  return excess;
}

#define FEAST_LEAST_EXCESS (-32768)

/* The rounded Newton step of a weight 0..32767, not yet cut. The shift is of a number made positive by a multiple of its step. */
static inline int32_t feast_scaled(int32_t weight, feast_excess_t excess) {
  const int32_t part = weight * excess.high + (int32_t)(((uint32_t)weight * excess.low) >> 16) + (1 << 14) + (1 << 30);
  return weight + (int32_t)((uint32_t)part >> 15) - (1 << 15);
}

static inline int32_t feast_cut(int32_t weight) {
  return weight < 0 ? 0 : weight > FEAST_MAX ? FEAST_MAX : weight;
}

/* Renormalises where squares are so large that feast_scaled() does not hold: only weights made by hand get there. */
uint32_t feast_renormalise_wide(int16_t *weights, uint32_t length, uint64_t squares);

#endif
