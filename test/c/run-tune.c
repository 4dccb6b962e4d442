/* Runs a case of tune.test.ts through the plain C tuner, in memory of exactly its size, and prints counters and costs. Then every word of the
   program is broken once: it must be refused or at least lay out memory without a report. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../firmware-stubs/tune/tune.h"

typedef struct {
  uint8_t *bytes;
  size_t length;
} part_t;

/* The next part of the file, in memory of exactly its size. */
static part_t next_part(FILE *file) {
  int32_t length = 0;
  part_t part = {NULL, 0};
  if (fread(&length, 4, 1, file) != 1) {
    exit(2);
  }
  part.length = (size_t)length;
  const size_t padded = (part.length + 3) / 4 * 4;
  if (posix_memalign((void **)&part.bytes, 16, padded + 1) != 0 || fread(part.bytes, 1, padded, file) != padded) {
    exit(2);
  }
  return part;
}

static const int32_t *words_of(part_t part) {
  return (const int32_t *)(const void *)part.bytes;
}

static void print_costs(const tune_layer_t *layer) {
  for (int32_t tap = 0; tap <= layer->def->taps; tap++) {
    const int64_t *up = layer->totals + tap * 2 * layer->row;
    for (int32_t c = 0; c < layer->def->channels; c++) {
      printf("%" PRId64 " %" PRId64 "\n", up[c], up[layer->row + c]);
    }
  }
}

static void break_words(part_t program, part_t data) {
  static const int32_t VALUES[] = {-1, 0, 1, 7, 1 << 20, INT32_MAX, INT32_MIN};
  const part_t copy = {malloc(program.length), program.length};
  for (size_t i = 0; i < program.length / 4; i++) {
    for (size_t k = 0; k < sizeof VALUES / 4; k++) {
      memcpy(copy.bytes, program.bytes, program.length);
      memcpy(copy.bytes + 4 * i, &VALUES[k], 4);
      (void)tune_memory_bytes(words_of(copy), copy.length / 4, data.bytes, data.length);
    }
  }
  free(copy.bytes);
}

int main(int count, char **paths) {
  FILE *file = count == 2 ? fopen(paths[1], "rb") : NULL;
  if (file == NULL) {
    return 2;
  }
  const part_t program = next_part(file), data = next_part(file), labels = next_part(file), first = next_part(file);
  const size_t bytes = tune_memory_bytes(words_of(program), program.length / 4, data.bytes, data.length);
  uint8_t *memory = NULL;
  tune_t *t = malloc(sizeof *t);
  if (bytes == 0 || posix_memalign((void **)&memory, 16, bytes) != 0) {
    return 3;
  }
  if (tune_init(t, words_of(program), program.length / 4, data.bytes, data.length, memory, bytes - 1) != TUNE_NO_MEMORY ||
      tune_init(t, words_of(program), program.length / 4, data.bytes, data.length, memory, bytes) != TUNE_OK) {
    return 4;
  }
  const size_t samples = labels.length / 4;
  part_t *inputs = calloc(samples, sizeof *inputs);
  for (size_t n = 0; n < samples; n++) {
    inputs[n] = next_part(file);
  }
  for (int32_t i = 0; i < t->head->node_count; i++) {
    if (t->layers[i].def->kind == TUNE_LINEAR) {
      const part_t weights = next_part(file), bias = next_part(file);
      tune_set_constants(t, i, (const int8_t *)weights.bytes, bias.length == 0 ? NULL : words_of(bias));
      free(weights.bytes);
      free(bias.bytes);
    }
  }
  tune_start(t);
  for (size_t n = 0; n < samples; n++) {
    tune_sample(t, (const int8_t *)inputs[n].bytes, words_of(labels)[n], words_of(first) + n * (size_t)t->head->node_count);
    free(inputs[n].bytes);
  }
  tune_finish(t);
  printf("%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", t->counts.loss, t->counts.correct, t->counts.evaluations, t->counts.macs);
  for (int32_t i = 0; i < t->head->node_count; i++) {
    if (t->layers[i].def->is_probed != 0) {
      print_costs(&t->layers[i]);
    }
  }
  break_words(program, data);
  free(inputs);
  free(memory);
  free(t);
  free(program.bytes);
  free(data.bytes);
  free(labels.bytes);
  free(first.bytes);
  fclose(file);
  return 0;
}
