/* What tune.wasm exports: one program an instance, which is this port's only state. Addresses are offsets into the module's memory. */
#include "../../tune/tune.h"

#define EXPORT(name) __attribute__((export_name(#name)))

static tune_t tune;

EXPORT(memoryBytes) size_t port_memory_bytes(const int32_t *program, size_t words, const uint8_t *data, size_t bytes) {
  return tune_memory_bytes(program, words, data, bytes);
}

EXPORT(init)
int port_init(const int32_t *program, size_t words, const uint8_t *data, size_t bytes, uint8_t *memory, size_t memory_bytes) {
  return tune_init(&tune, program, words, data, bytes, memory, memory_bytes);
}

EXPORT(setConstants) void port_set_constants(int32_t node, const int8_t *weights, const int32_t *bias) {
  tune_set_constants(&tune, node, weights, bias);
}

/* Adds `count` samples of `bytes` bytes each; first positions are [count, nodes]. */
EXPORT(batch) void port_batch(const int8_t *samples, size_t bytes, const int32_t *labels, const int32_t *first_positions, int32_t count) {
  for (int32_t n = 0; n < count; n++) {
    tune_sample(&tune, samples + (size_t)n * bytes, labels[n], first_positions + n * tune.head->node_count);
  }
}

EXPORT(start) void port_start(void) {
  tune_start(&tune);
}

EXPORT(finish) const tune_counts_t *port_finish(void) {
  tune_finish(&tune);
  return &tune.counts;
}

/* int64 [taps + 1, 2, channels rounded up to 8] of a probed node. */
EXPORT(totals) const int64_t *port_totals(int32_t node) {
  return tune.layers[node].totals;
}
