/* FEAST in fixed point: a learner of spatio-temporal features and its inference, the same integers as src/features/fixed.ts (docs/feast.md, "Fixed point").
   All state lies in memory that the caller gives; feast_init() checks everything, the event loops check only where an event lies. */
#ifndef SPIKEPORT_FEAST_H
#define SPIKEPORT_FEAST_H

#include <stddef.h>
#include <stdint.h>

#include "../core/status.h"

#define FEAST_BANKS 2u
#define FEAST_TABLE_BYTES 256u
#define FEAST_MISSED (-1)
#define FEAST_UNUSED (-2)
/* What the memory of a learner must be aligned to. */
#define FEAST_ALIGNMENT 16u

typedef struct {
  uint32_t width, height;      /* pixels, 1..65536 */
  uint32_t feature_count;      /* a bank, 1..1024 */
  uint32_t radius;             /* 1..15, the window fits on the sensor */
  uint32_t tick_shift;         /* a tick is 2^tick_shift microseconds, 0..23 */
  uint32_t rate_shift;         /* eta = 2^-rate_shift, 1..15 */
  uint32_t close_step;         /* dI, 0..32767 */
  uint32_t open_step;          /* dE, 0..32767 */
  int32_t bank_of_polarity[2]; /* bank of OFF and of ON, 0 or 1, -1 = left out */
} feast_settings_t;

/* What a bank has learned. Weights and thresholds are in 1/32768, 0..32767. */
typedef struct {
  int16_t *weights;    /* [feature_count, window] */
  int32_t *thresholds; /* [feature_count] */
  uint64_t *counts;    /* wins of each feature, then missed, then weights cut; [feature_count + 2] */
  uint16_t *stamps;    /* 0 = never, else 0x8000 | low 15 bits of the tick; [height, width] and a few more that stay 0 */
  int16_t *rows;       /* weights in 8 bits, as scores want them; [feature_count up to a multiple of 4, row_length] */
} feast_bank_t;

typedef struct {
  feast_settings_t settings;
  const uint8_t *table;   /* decay by age in ticks, 0..127; [256] */
  uint32_t bank_count;    /* 1 + the highest bank of a polarity */
  uint32_t window_length; /* (2 radius + 1)^2 */
  uint32_t row_length;    /* window_length up to a multiple of 8 */
  uint32_t feature_rows;  /* feature_count up to a multiple of 4 */
  feast_bank_t banks[FEAST_BANKS];
  int16_t *context; /* [row_length], 0 behind the window */
  int32_t *scores;  /* [feature_rows] */
  /* clock and sweep of the stamps */
  int64_t latest; /* tick of the latest event */
  uint32_t has_time, low, since_sweep, sweep_row, sweep_rows, sweep_interval;
} feast_t;

/* Events as columns, in time order; a time is base_micros + offset_micros[i]. */
typedef struct {
  uint32_t count;
  int64_t base_micros;
  const int32_t *offset_micros;
  const uint16_t *x, *y;
  const uint8_t *polarity; /* 0 = OFF, else ON */
} feast_events_t;

/* Events of a batch that gave no feature, by reason, and times before the latest; each call adds. */
typedef struct {
  uint32_t outside, edge, missed, other_polarity, late;
} feast_counts_t;

/* Bytes of memory a learner needs, 0 where the settings are out of range or more than 2^31 bytes would be needed. */
size_t feast_bytes(const feast_settings_t *settings);

/* Lays a learner out in `memory` (aligned to FEAST_ALIGNMENT) with all weights, thresholds, counts and stamps 0; the caller then fills in weights and
   thresholds of the banks and calls feast_prepare(). `table` must outlive it.
   STATUS_COUNT: settings out of range; STATUS_TRUNCATED: too few bytes; STATUS_MISALIGNED; STATUS_CONSTANT: a table entry above 127. */
status_t feast_init(feast_t *feast, const feast_settings_t *settings, const uint8_t table[FEAST_TABLE_BYTES], void *memory, size_t bytes);

/* Takes over weights and thresholds that the caller wrote. STATUS_CONSTANT: one is out of 0..32767. */
status_t feast_prepare(feast_t *feast);

/* Every bank's weights, thresholds and counts lie in one run of bytes at the start of the memory; these are its bytes. */
size_t feast_learned_bytes(const feast_t *feast);

/* One feature number an event (bank * feature_count + feature), FEAST_MISSED or FEAST_UNUSED. */
void feast_learn(feast_t *feast, const feast_events_t *events, int16_t *features, feast_counts_t *counts);
void feast_infer(feast_t *feast, const feast_events_t *events, int16_t *features, feast_counts_t *counts);

/* Forgets the stamps and the time, not the features. */
void feast_clear_surface(feast_t *feast);

/* Ages of a bank's pixels, 1 + age in ticks, 0 from 256 ticks on and for never; [height, width]. */
void feast_ages(const feast_t *feast, uint32_t bank, uint16_t *ages);

/* Sets the clock; then ages to stamps, in place. */
void feast_set_clock(feast_t *feast, int64_t latest);
void feast_set_ages(feast_t *feast, uint32_t bank, const uint16_t *ages);

#endif
