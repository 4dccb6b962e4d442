/* The interpreter: network_load() verifies a flash file (docs/eventnet.md) completely and once, network_run() trusts it. No heap, no I/O, no
   globals; the caller owns the file, the arena and the network_t. */
#ifndef SPIKEPORT_NETWORK_H
#define SPIKEPORT_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "format.h"
#include "status.h"

typedef struct {
  const uint8_t *bytes;
  const header_t *header;
  const value_t *values;
  const uint32_t *plan;      /* arena offset of each value */
  const uint16_t *inputs;    /* value indices */
  const uint16_t *outputs;   /* value indices */
  const uint32_t *records;   /* offset of each node record in the graph section */
  const uint8_t *graph;
  const uint8_t *tunable;    /* where tunable constants are read: in the file, or a copy in RAM that the caller put here */
  uint8_t *prepared;         /* network_prepare()'s memory; NULL: plain kernels */
} network_t;

/* Verifies `length` bytes that start with a flash file (aligned to 16) and fills `net`, which keeps pointing into them. */
status_t network_load(network_t *net, const uint8_t *bytes, size_t length);

/* Bytes network_prepare() needs beside the arena; 0 where this build has plain kernels only. */
size_t network_prepare_bytes(const network_t *net);

/* Lays constants out for this build's fast kernels, in `memory` (aligned to 16). Afterwards network_run() uses them. */
void network_prepare(network_t *net, uint8_t *memory);

/* Sets the states to 0, as they are before the first time step. */
void network_start(const network_t *net, uint8_t *arena);

/* Runs every node once: one time step. States are kept from step to step. */
void network_step(const network_t *net, uint8_t *arena);

/* Starts, then takes all time steps; inputs lie in the arena (aligned to 16, header->arena_bytes long) at their planned places, outputs appear at theirs. */
void network_run(const network_t *net, uint8_t *arena);

/* Runs one node, 0 <= index < header->node_count. */
void network_run_node(const network_t *net, uint8_t *arena, uint32_t index);

/* Samples that network_run_batch() takes through each node together, each in an arena of its own; 1 where that gains nothing. */
uint32_t network_batch_rows(const network_t *net);

/* Runs `count` samples: inputs[i] holds network input i, samples one after the other; outputs likewise. `arenas` holds network_batch_rows()
   arenas of arena_stride bytes each (a multiple of 16). */
void network_run_batch(const network_t *net, uint8_t *arenas, size_t arena_stride, uint32_t count, const uint8_t *const *inputs, uint8_t *const *outputs);

/* Runs the sample stored in the file, or the one that its stored outputs stand for: STATUS_OK, or STATUS_SELF_TEST_FAILED; STATUS_SELF_TEST where the file holds none. */
status_t network_self_test(const network_t *net, uint8_t *arena);

/* Time steps of a run, at least 1. */
static inline uint32_t network_steps(const network_t *net) {
  return net->header->steps == 0 ? 1 : net->header->steps;
}

/* The record of a node. */
static inline const node_t *network_node(const network_t *net, uint32_t index) {
  return (const node_t *)(const void *)(net->graph + net->records[index]);
}

/* Where a value lives. */
static inline uint8_t *network_value(const network_t *net, uint8_t *arena, uint16_t value) {
  return arena + net->plan[value];
}

/* A constant by its file offset (not 0). */
static inline const uint8_t *network_constant(const network_t *net, uint32_t offset) {
  const section_t *tunable = &net->header->sections[SECTION_TUNABLE];
  return offset - tunable->offset < tunable->bytes ? net->tunable + (offset - tunable->offset) : net->bytes + offset;
}

#endif
