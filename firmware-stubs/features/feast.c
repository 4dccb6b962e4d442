/* FEAST in fixed point: layout, clock, the rule of winning and the loop over events. The loops over a window are in feast_kernels.c. */
#include "feast.h"

#include "../core/mem.h"
#include "feast_kernels.h"

/* Within so many ticks the sweep passes every row; a longer step clears everything. Ages stay below 256 + 2 * 2^13, so 15 bits tell them. */
#define SWEEP_TICKS 8192u
#define MOST_BYTES ((uint64_t)1 << 31)

static uint64_t align_up(uint64_t bytes) {
  return (bytes + FEAST_ALIGNMENT - 1) & ~(uint64_t)(FEAST_ALIGNMENT - 1);
}

static uint32_t in_range(uint32_t value, uint32_t low, uint32_t high) {
  return value >= low && value <= high;
}

static uint32_t settings_hold(const feast_settings_t *s) {
  const uint32_t side = 2 * s->radius + 1;
  const int32_t off = s->bank_of_polarity[0], on = s->bank_of_polarity[1];
  return in_range(s->width, 1, 65536) && in_range(s->height, 1, 65536) && in_range(s->feature_count, 1, 1024) && in_range(s->radius, 1, 15) &&
         s->width >= side && s->height >= side && s->tick_shift <= 23 && in_range(s->rate_shift, 1, 15) && s->close_step <= FEAST_MAX &&
         s->open_step <= FEAST_MAX && off >= -1 && off <= 0 && on >= -1 && on <= 1 && (on < 1 || off == 0) && (off >= 0 || on >= 0);
}

/* Sizes of the regions, each aligned. */
typedef struct {
  uint32_t bank_count, window_length, row_length, feature_rows;
  uint64_t weights, thresholds, counts, stamps, rows, context, scores;
} layout_t;

static layout_t layout_of(const feast_settings_t *s) {
  const uint32_t side = 2 * s->radius + 1;
  layout_t l;
  l.bank_count = s->bank_of_polarity[1] == 1 ? 2 : 1;
  l.window_length = side * side;
  l.row_length = (l.window_length + 7) & ~7u;
  l.feature_rows = (s->feature_count + 3) & ~3u;
  l.weights = align_up((uint64_t)2 * s->feature_count * l.window_length);
  l.thresholds = align_up((uint64_t)4 * s->feature_count);
  l.counts = align_up((uint64_t)8 * (s->feature_count + 2));
  l.stamps = align_up(2 * ((uint64_t)s->width * s->height + FEAST_STAMP_SLACK));
  l.rows = align_up((uint64_t)2 * l.feature_rows * l.row_length);
  l.context = align_up((uint64_t)2 * l.row_length);
  l.scores = align_up((uint64_t)4 * l.feature_rows);
  return l;
}

static uint64_t total_bytes(const layout_t *l) {
  return l->bank_count * (l->weights + l->thresholds + l->counts + l->stamps + l->rows) + l->context + l->scores;
}

size_t feast_bytes(const feast_settings_t *settings) {
  if (!settings_hold(settings)) {
    return 0;
  }
  const layout_t layout = layout_of(settings);
  const uint64_t bytes = total_bytes(&layout);
  return bytes > MOST_BYTES ? 0 : (size_t)bytes;
}

static void *take(uint8_t **at, uint64_t bytes) {
  void *start = *at;
  *at += (size_t)bytes;
  return start;
}

static void lay_out(feast_t *feast, const layout_t *l, uint8_t *at) {
  for (uint32_t b = 0; b < l->bank_count; b++) {
    feast->banks[b].weights = take(&at, l->weights);
    feast->banks[b].thresholds = take(&at, l->thresholds);
    feast->banks[b].counts = take(&at, l->counts);
  }
  for (uint32_t b = 0; b < l->bank_count; b++) {
    feast->banks[b].stamps = take(&at, l->stamps);
  }
  for (uint32_t b = 0; b < l->bank_count; b++) {
    feast->banks[b].rows = take(&at, l->rows);
  }
  feast->context = take(&at, l->context);
  feast->scores = take(&at, l->scores);
}

status_t feast_init(feast_t *feast, const feast_settings_t *settings, const uint8_t table[FEAST_TABLE_BYTES], void *memory, size_t bytes) {
  const size_t needed = feast_bytes(settings);
  VERIFY(needed != 0, STATUS_COUNT);
  VERIFY(bytes >= needed, STATUS_TRUNCATED);
  VERIFY((uintptr_t)memory % FEAST_ALIGNMENT == 0, STATUS_MISALIGNED);
  for (uint32_t i = 0; i < FEAST_TABLE_BYTES; i++) {
    VERIFY(table[i] <= 127, STATUS_CONSTANT);
  }
  const layout_t layout = layout_of(settings);
  memset(feast, 0, sizeof *feast);
  memset(memory, 0, needed);
  feast->settings = *settings;
  feast->table = table;
  feast->bank_count = layout.bank_count;
  feast->window_length = layout.window_length;
  feast->row_length = layout.row_length;
  feast->feature_rows = layout.feature_rows;
  feast->sweep_rows = (settings->height + SWEEP_TICKS - 1) / SWEEP_TICKS;
  feast->sweep_interval = SWEEP_TICKS / ((settings->height + feast->sweep_rows - 1) / feast->sweep_rows);
  lay_out(feast, &layout, memory);
  return STATUS_OK;
}

status_t feast_prepare(feast_t *feast) {
  const uint32_t features = feast->settings.feature_count;
  for (uint32_t b = 0; b < feast->bank_count; b++) {
    const feast_bank_t *bank = &feast->banks[b];
    for (uint32_t i = 0; i < features * feast->window_length; i++) {
      VERIFY(bank->weights[i] >= 0, STATUS_CONSTANT);
    }
    for (uint32_t n = 0; n < features; n++) {
      VERIFY(bank->thresholds[n] >= 0 && bank->thresholds[n] <= FEAST_MAX, STATUS_CONSTANT);
      feast_round_row(bank->weights + n * feast->window_length, feast->window_length, bank->rows + n * feast->row_length);
    }
  }
  return STATUS_OK;
}

size_t feast_learned_bytes(const feast_t *feast) {
  const layout_t layout = layout_of(&feast->settings);
  return (size_t)(feast->bank_count * (layout.weights + layout.thresholds + layout.counts));
}

/* ---- the clock ---- */

static size_t pixels_of(const feast_t *feast) {
  return (size_t)feast->settings.width * feast->settings.height;
}

static void forget(feast_t *feast) {
  for (uint32_t b = 0; b < feast->bank_count; b++) {
    memset(feast->banks[b].stamps, 0, 2 * pixels_of(feast));
  }
  feast->since_sweep = 0;
}

static void sweep_row(uint16_t *row, uint32_t width, uint32_t low) {
  for (uint32_t x = 0; x < width; x++) {
    if (((low - row[x]) & FEAST_TICK_MASK) >= FEAST_STALE) {
      row[x] = 0;
    }
  }
}

static void sweep(feast_t *feast) {
  const uint32_t width = feast->settings.width, height = feast->settings.height;
  for (uint32_t n = 0; n < feast->sweep_rows && feast->sweep_row < height; n++, feast->sweep_row++) {
    for (uint32_t b = 0; b < feast->bank_count; b++) {
      sweep_row(feast->banks[b].stamps + (size_t)feast->sweep_row * width, width, feast->low);
    }
  }
  if (feast->sweep_row == height) {
    feast->sweep_row = 0;
  }
}

/* Moves the clock; 0 where the tick lies before the latest, which then stays. */
static uint32_t advance(feast_t *feast, int64_t tick) {
  if (feast->has_time && tick <= feast->latest) {
    return tick == feast->latest;
  }
  const uint64_t step = feast->has_time ? (uint64_t)(tick - feast->latest) : SWEEP_TICKS;
  feast->latest = tick;
  feast->has_time = 1;
  feast->low = (uint32_t)tick & FEAST_TICK_MASK;
  if (step >= SWEEP_TICKS) {
    forget(feast);
    return 1;
  }
  for (feast->since_sweep += (uint32_t)step; feast->since_sweep >= feast->sweep_interval; feast->since_sweep -= feast->sweep_interval) {
    sweep(feast);
  }
  return 1;
}

/* floor(micros / 2^shift), without a shift of a negative number */
static int64_t tick_of(int64_t micros, uint32_t shift) {
  return micros >= 0 ? micros >> shift : ~(~micros >> shift);
}

void feast_clear_surface(feast_t *feast) {
  forget(feast);
  feast->has_time = 0;
}

void feast_ages(const feast_t *feast, uint32_t bank, uint16_t *ages) {
  const uint16_t *stamps = feast->banks[bank].stamps;
  for (size_t i = 0; i < pixels_of(feast); i++) {
    const uint32_t age = (feast->low - stamps[i]) & FEAST_TICK_MASK;
    ages[i] = (uint16_t)(stamps[i] == 0 || age >= FEAST_STALE ? 0 : age + 1);
  }
}

void feast_set_clock(feast_t *feast, int64_t latest) {
  feast->latest = latest;
  feast->has_time = 1;
  feast->low = (uint32_t)latest & FEAST_TICK_MASK;
  feast->since_sweep = 0;
}

void feast_set_ages(feast_t *feast, uint32_t bank, const uint16_t *ages) {
  uint16_t *stamps = feast->banks[bank].stamps;
  for (size_t i = 0; i < pixels_of(feast); i++) {
    stamps[i] = (uint16_t)(ages[i] == 0 || ages[i] > FEAST_STALE ? 0 : FEAST_LIVE | ((feast->low - ages[i] + 1) & FEAST_TICK_MASK));
  }
}

/* ---- learning ---- */

/* The lowest score that reaches a threshold: ceil(threshold bound / 2^19) for a threshold below 2^15 and a bound below 2^23, in 32 bits. */
static int32_t needed_score(uint32_t threshold, uint32_t bound) {
  const uint32_t high = threshold * (bound >> 8), low = threshold * (bound & 0xffu);
  return (int32_t)((high + ((low + 0xffu) >> 8) + 0x7ffu) >> 11);
}

/* The highest score among features whose cosine reaches the threshold, or -1: score 2^19 >= threshold norm 127. */
static int32_t winner_above(const int32_t *scores, const int32_t *thresholds, uint32_t count, uint32_t norm) {
  int32_t winner = -1, best = -1;
  for (uint32_t n = 0; n < count; n++) {
    if (scores[n] > best && scores[n] >= needed_score((uint32_t)thresholds[n], norm * 127)) {
      best = scores[n];
      winner = (int32_t)n;
    }
  }
  return winner;
}

static int32_t highest(const int32_t *scores, uint32_t count) {
  uint32_t winner = 0;
  for (uint32_t n = 1; n < count; n++) {
    if (scores[n] > scores[winner]) {
      winner = n;
    }
  }
  return (int32_t)winner;
}

static void reward(const feast_t *feast, const feast_bank_t *bank, uint32_t winner, uint32_t norm) {
  const uint32_t length = feast->window_length, features = feast->settings.feature_count;
  int16_t *weights = bank->weights + winner * length;
  const uint64_t squares = feast_move_weights(weights, feast->context, length, (FEAST_MAX << 16) / norm, feast->settings.rate_shift);
  bank->counts[features + 1] += feast_renormalise(weights, length, squares);
  feast_round_row(weights, length, bank->rows + winner * feast->row_length);
  const int32_t threshold = bank->thresholds[winner] + (int32_t)feast->settings.close_step;
  bank->thresholds[winner] = threshold > FEAST_MAX ? FEAST_MAX : threshold;
  bank->counts[winner]++;
}

static void open_all(const feast_t *feast, const feast_bank_t *bank) {
  for (uint32_t n = 0; n < feast->settings.feature_count; n++) {
    const int32_t threshold = bank->thresholds[n] - (int32_t)feast->settings.open_step;
    bank->thresholds[n] = threshold < 0 ? 0 : threshold;
  }
  bank->counts[feast->settings.feature_count]++;
}

static int32_t learn_one(const feast_t *feast, const feast_bank_t *bank, uint32_t squares) {
  const uint32_t norm = feast_root(256 * squares); /* |context| in 1/16 */
  const int32_t winner = winner_above(feast->scores, bank->thresholds, feast->settings.feature_count, norm);
  if (winner < 0) {
    open_all(feast, bank);
  } else {
    reward(feast, bank, (uint32_t)winner, norm);
  }
  return winner;
}

/* Reads the window whose centre is `at` and scores it; returns the sum of squares of the context. */
static uint32_t look(const feast_t *feast, const feast_bank_t *bank, size_t at) {
  const feast_settings_t *s = &feast->settings;
  const size_t corner = at - (size_t)s->radius * s->width - s->radius;
  const feast_window_t window = {bank->stamps + corner, s->width, 2 * s->radius + 1, feast->low, feast->table};
  const uint32_t squares = feast_read_context(&window, feast->context);
  feast_scores(bank->rows, feast->context, feast->feature_rows, feast->row_length, feast->scores);
  return squares;
}

static inline __attribute__((always_inline)) void run(feast_t *feast, const feast_events_t *events, int16_t *features, feast_counts_t *counts,
                                                      uint32_t is_learning) {
  const feast_settings_t *s = &feast->settings;
  const uint32_t width = s->width, height = s->height, radius = s->radius;
  for (uint32_t i = 0; i < events->count; i++) {
    const uint32_t x = events->x[i], y = events->y[i];
    features[i] = FEAST_UNUSED;
    if (x >= width || y >= height) {
      counts->outside++;
      continue;
    }
    counts->late += !advance(feast, tick_of(events->base_micros + events->offset_micros[i], s->tick_shift));
    const int32_t b = s->bank_of_polarity[events->polarity[i] != 0];
    if (b < 0) {
      counts->other_polarity++;
      continue;
    }
    const feast_bank_t *bank = &feast->banks[b];
    const size_t at = (size_t)y * width + x;
    bank->stamps[at] = (uint16_t)(FEAST_LIVE | feast->low);
    if (x < radius || y < radius || x >= width - radius || y >= height - radius) {
      counts->edge++;
      continue;
    }
    const uint32_t squares = look(feast, bank, at);
    const int32_t winner = is_learning ? learn_one(feast, bank, squares) : highest(feast->scores, s->feature_count);
    counts->missed += winner < 0;
    features[i] = (int16_t)(winner < 0 ? FEAST_MISSED : b * (int32_t)s->feature_count + winner);
  }
}

void feast_learn(feast_t *feast, const feast_events_t *events, int16_t *features, feast_counts_t *counts) {
  run(feast, events, features, counts, 1);
}

void feast_infer(feast_t *feast, const feast_events_t *events, int16_t *features, feast_counts_t *counts) {
  run(feast, events, features, counts, 0);
}
