/* What the wasm module exports: one network an instance, which is this port's only state. Addresses are offsets into the module's memory; the
   host lays out file, prepared constants, arenas and staging behind __heap_base. */
#include "../../core/network.h"

#define EXPORT(name) __attribute__((export_name(#name)))

static network_t network;

EXPORT(load) status_t port_load(const uint8_t *bytes, size_t length) {
  return network_load(&network, bytes, length);
}

EXPORT(prepareBytes) size_t port_prepare_bytes(void) {
  return network_prepare_bytes(&network);
}

EXPORT(prepare) void port_prepare(uint8_t *memory) {
  network_prepare(&network, memory);
}

EXPORT(batchRows) uint32_t port_batch_rows(void) {
  return network_batch_rows(&network);
}

EXPORT(start) void port_start(uint8_t *arena) {
  network_start(&network, arena);
}

EXPORT(steps) uint32_t port_steps(void) {
  return network_steps(&network);
}

EXPORT(runNode) void port_run_node(uint8_t *arena, uint32_t index) {
  network_run_node(&network, arena, index);
}

EXPORT(runBatch)
void port_run_batch(uint8_t *arenas, size_t arena_stride, uint32_t count, const uint8_t *const *inputs, uint8_t *const *outputs) {
  network_run_batch(&network, arenas, arena_stride, count, inputs, outputs);
}

EXPORT(selfTest) status_t port_self_test(uint8_t *arena) {
  return network_self_test(&network, arena);
}
