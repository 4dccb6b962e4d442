/* What features.wasm exports: one FEAST learner an instance, which is this port's only state. Addresses are offsets into the module's memory; the host
   lays out settings, table, the learner's memory and staging behind __heap_base. */
#include "../../features/feast.h"

#define EXPORT(name) __attribute__((export_name(#name)))

static feast_t feast;

EXPORT(bytes) size_t port_bytes(const feast_settings_t *settings) {
  return feast_bytes(settings);
}

EXPORT(init) status_t port_init(const feast_settings_t *settings, const uint8_t *table, void *memory, size_t bytes) {
  return feast_init(&feast, settings, table, memory, bytes);
}

EXPORT(prepare) status_t port_prepare(void) {
  return feast_prepare(&feast);
}

EXPORT(weights) int16_t *port_weights(uint32_t bank) {
  return feast.banks[bank].weights;
}

EXPORT(thresholds) int32_t *port_thresholds(uint32_t bank) {
  return feast.banks[bank].thresholds;
}

EXPORT(counts) uint64_t *port_counts(uint32_t bank) {
  return feast.banks[bank].counts;
}

EXPORT(learnedBytes) size_t port_learned_bytes(void) {
  return feast_learned_bytes(&feast);
}

EXPORT(learn) void port_learn(const feast_events_t *events, int16_t *features, feast_counts_t *counts) {
  feast_learn(&feast, events, features, counts);
}

EXPORT(infer) void port_infer(const feast_events_t *events, int16_t *features, feast_counts_t *counts) {
  feast_infer(&feast, events, features, counts);
}

EXPORT(clearSurface) void port_clear_surface(void) {
  feast_clear_surface(&feast);
}

/* NaN where there was no event yet. */
EXPORT(latest) double port_latest(void) {
  return feast.has_time ? (double)feast.latest : (double)__builtin_nan("");
}

EXPORT(setClock) void port_set_clock(double latest) {
  feast_set_clock(&feast, (int64_t)latest);
}

EXPORT(ages) void port_ages(uint32_t bank, uint16_t *ages) {
  feast_ages(&feast, bank, ages);
}

EXPORT(setAges) void port_set_ages(uint32_t bank, const uint16_t *ages) {
  feast_set_ages(&feast, bank, ages);
}
