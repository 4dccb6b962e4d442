/* Runs the FEAST learner built on this machine: run-feast INPUT OUTPUT. INPUT: settings (10 words), table (256 bytes), weights and thresholds of each bank,
   count and 0 (2 words), then times, x, y, polarity as columns. OUTPUT: the learned bytes, then a feature an event of learning and of inference. */
#include <stdio.h>
#include <stdlib.h>

#include "../../firmware-stubs/features/feast.h"

static void read_exactly(void *to, size_t bytes, FILE *file) {
  if (fread(to, 1, bytes, file) != bytes) {
    exit(2);
  }
}

static void *allocate(size_t bytes) {
  void *memory = aligned_alloc(FEAST_ALIGNMENT, (bytes + FEAST_ALIGNMENT) / FEAST_ALIGNMENT * FEAST_ALIGNMENT);
  if (memory == NULL) {
    exit(2);
  }
  return memory;
}

int main(int argc, char **argv) {
  FILE *in = argc == 3 ? fopen(argv[1], "rb") : NULL;
  FILE *out = argc == 3 ? fopen(argv[2], "wb") : NULL;
  if (in == NULL || out == NULL) {
    return 2;
  }
  feast_settings_t settings;
  uint8_t table[FEAST_TABLE_BYTES];
  read_exactly(&settings, sizeof settings, in);
  read_exactly(table, sizeof table, in);
  const size_t bytes = feast_bytes(&settings);
  void *memory = allocate(bytes);
  feast_t feast;
  const status_t status = feast_init(&feast, &settings, table, memory, bytes);
  if (status != STATUS_OK) {
    return (int)status;
  }
  for (uint32_t b = 0; b < feast.bank_count; b++) {
    read_exactly(feast.banks[b].weights, 2 * (size_t)settings.feature_count * feast.window_length, in);
    read_exactly(feast.banks[b].thresholds, 4 * (size_t)settings.feature_count, in);
  }
  const status_t prepared = feast_prepare(&feast);
  if (prepared != STATUS_OK) {
    return (int)prepared;
  }
  uint32_t head[2];
  read_exactly(head, sizeof head, in);
  const uint32_t count = head[0];
  int32_t *times = allocate(4 * (size_t)count);
  uint16_t *x = allocate(2 * (size_t)count), *y = allocate(2 * (size_t)count);
  uint8_t *polarity = allocate(count);
  int16_t *features = allocate(2 * (size_t)count);
  read_exactly(times, 4 * (size_t)count, in);
  read_exactly(x, 2 * (size_t)count, in);
  read_exactly(y, 2 * (size_t)count, in);
  read_exactly(polarity, count, in);
  const feast_events_t events = {count, 0, times, x, y, polarity};
  feast_counts_t counts = {0};
  feast_learn(&feast, &events, features, &counts);
  fwrite(memory, 1, feast_learned_bytes(&feast), out);
  fwrite(features, 2, count, out);
  feast_clear_surface(&feast);
  feast_infer(&feast, &events, features, &counts);
  fwrite(features, 2, count, out);
  fclose(in);
  fclose(out);
  free(times);
  free(x);
  free(y);
  free(polarity);
  free(features);
  free(memory);
  return 0;
}
