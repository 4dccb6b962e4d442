/* Runs a verified network: node by node, sample by sample, without a check. */
#include <stdbool.h>

#include "mem.h"
#include "operators.h"

/* A network whose fast kernels would need more bytes than this runs on plain ones. */
#define PREPARE_LIMIT 0x40000000u

/* Prepared memory: one offset for each node (0: nothing), the constants, then scratch that nodes share. */
static uint32_t *prepared_offsets(const network_t *net) {
  return (uint32_t *)(void *)net->prepared;
}

static uint64_t align_16(uint64_t bytes) {
  return (bytes + 15) & ~(uint64_t)15;
}

/* Bytes of the offset table: entry node_count is the scratch. */
static uint32_t table_bytes(const network_t *net) {
  return (uint32_t)align_16((net->header->node_count + 1) * sizeof(uint32_t));
}

static uint64_t node_prepare_bytes(const network_t *net, const node_t *node) {
  const operator_t *operator = operator_find(node->operator);
  return operator->prepare_bytes == NULL ? 0 : align_16(operator->prepare_bytes(net, node));
}

static uint64_t node_scratch_bytes(const network_t *net, const node_t *node) {
  const operator_t *operator = operator_find(node->operator);
  return operator->scratch_bytes == NULL ? 0 : align_16(operator->scratch_bytes(net, node, network_batch_rows(net)));
}

size_t network_prepare_bytes(const network_t *net) {
  uint64_t constants = 0, scratch = 0;
  for (uint32_t i = 0; i < net->header->node_count; i++) {
    const node_t *node = network_node(net, i);
    const uint64_t needed = node_scratch_bytes(net, node);
    constants += node_prepare_bytes(net, node);
    scratch = needed > scratch ? needed : scratch;
  }
  const uint64_t total = table_bytes(net) + constants + scratch;
  const bool is_plain = constants + scratch == 0 && operator_batch_rows() == 1;
  return is_plain || total > PREPARE_LIMIT ? 0 : (size_t)total;
}

void network_prepare(network_t *net, uint8_t *memory) {
  net->prepared = memory;
  uint32_t *offsets = prepared_offsets(net);
  uint64_t at = table_bytes(net);
  for (uint32_t i = 0; i < net->header->node_count; i++) {
    const node_t *node = network_node(net, i);
    const uint64_t bytes = node_prepare_bytes(net, node);
    offsets[i] = bytes == 0 ? 0 : (uint32_t)at;
    if (bytes != 0) {
      operator_find(node->operator)->prepare(net, node, memory + at);
    }
    at += bytes;
  }
  offsets[net->header->node_count] = (uint32_t)at;
}

static const uint8_t *prepared_of(const network_t *net, uint32_t index) {
  const uint32_t offset = net->prepared == NULL ? 0 : prepared_offsets(net)[index];
  return offset == 0 ? NULL : net->prepared + offset;
}

static uint8_t *scratch_of(const network_t *net) {
  return net->prepared == NULL ? NULL : net->prepared + prepared_offsets(net)[net->header->node_count];
}

void network_run_node(const network_t *net, uint8_t *arena, uint32_t index) {
  const node_t *node = network_node(net, index);
  operator_find(node->operator)->run(net, node, arena, prepared_of(net, index), scratch_of(net));
}

void network_start(const network_t *net, uint8_t *arena) {
  for (uint32_t i = 0; i < net->header->value_count; i++) {
    if (net->values[i].state != 0) {
      memset(arena + net->plan[i], 0, net->values[i].byte_count);
    }
  }
}

void network_step(const network_t *net, uint8_t *arena) {
  for (uint32_t i = 0; i < net->header->node_count; i++) {
    network_run_node(net, arena, i);
  }
}

void network_run(const network_t *net, uint8_t *arena) {
  network_start(net, arena);
  for (uint32_t step = 0; step < network_steps(net); step++) {
    network_step(net, arena);
  }
}

uint32_t network_batch_rows(const network_t *net) {
  const uint32_t rows = operator_batch_rows();
  for (uint32_t i = 0; rows > 1 && i < net->header->node_count; i++) {
    const uint16_t code = network_node(net, i)->operator;
    if (code == OPERATOR_CONV2D || code == OPERATOR_DEPTHWISE) {
      return 1; /* rows of an image fill the tiles already */
    }
  }
  return rows;
}

/* Copies one sample of each port (inputs into the arena, or outputs out of it). */
static void copy_in(const network_t *net, uint8_t *arena, uint32_t sample, const uint8_t *const *inputs) {
  for (uint32_t i = 0; i < net->header->input_count; i++) {
    const uint32_t bytes = net->values[net->inputs[i]].byte_count;
    memcpy(network_value(net, arena, net->inputs[i]), inputs[i] + (size_t)sample * bytes, bytes);
  }
}

static void copy_out(const network_t *net, uint8_t *arena, uint32_t sample, uint8_t *const *outputs) {
  for (uint32_t i = 0; i < net->header->output_count; i++) {
    const uint32_t bytes = net->values[net->outputs[i]].byte_count;
    memcpy(outputs[i] + (size_t)sample * bytes, network_value(net, arena, net->outputs[i]), bytes);
  }
}

/* Runs every node over `rows` arenas: one time step. */
static void step_rows(const network_t *net, uint8_t *arenas, size_t arena_stride, uint32_t rows) {
  for (uint32_t i = 0; i < net->header->node_count; i++) {
    const node_t *node = network_node(net, i);
    const operator_t *operator = operator_find(node->operator);
    if (operator->run_rows != NULL) {
      operator->run_rows(net, node, arenas, arena_stride, rows, prepared_of(net, i), scratch_of(net));
      continue;
    }
    for (uint32_t row = 0; row < rows; row++) {
      operator->run(net, node, arenas + row * arena_stride, prepared_of(net, i), scratch_of(net));
    }
  }
}

void network_run_batch(const network_t *net, uint8_t *arenas, size_t arena_stride, uint32_t count, const uint8_t *const *inputs, uint8_t *const *outputs) {
  const uint32_t most = net->prepared == NULL ? 1 : network_batch_rows(net);
  for (uint32_t start = 0; start < count;) {
    const uint32_t rows = count - start < most ? count - start : most;
    for (uint32_t row = 0; row < rows; row++) {
      copy_in(net, arenas + row * arena_stride, start + row, inputs);
    }
    if (rows == 1) {
      network_run(net, arenas);
    } else {
      for (uint32_t row = 0; row < rows; row++) {
        network_start(net, arenas + row * arena_stride);
      }
      for (uint32_t step = 0; step < network_steps(net); step++) {
        step_rows(net, arenas, arena_stride, rows);
      }
    }
    for (uint32_t row = 0; row < rows; row++) {
      copy_out(net, arenas + row * arena_stride, start + row, outputs);
    }
    start += rows;
  }
}

/* The bytes that the outputs of a self-test take. */
static uint64_t self_test_output_bytes(const network_t *net) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < net->header->output_count; i++) {
    bytes += (net->values[net->outputs[i]].byte_count + (uint64_t)3) & ~(uint64_t)3;
  }
  return bytes;
}

/* The input that is not stored: int8 element i is (37 i + 11) mod 256 - 128. */
static void make_self_test_input(uint8_t *x, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    x[i] = (uint8_t)((37u * i + 11u) & 0xffu) ^ 0x80u;
  }
}

status_t network_self_test(const network_t *net, uint8_t *arena) {
  const section_t *section = &net->header->sections[SECTION_SELF_TEST];
  if (section->bytes == 0) {
    return STATUS_SELF_TEST;
  }
  const bool is_made = section->bytes == self_test_output_bytes(net);
  const uint8_t *at = net->bytes + section->offset;
  for (uint32_t i = 0; i < net->header->input_count; i++) {
    const uint32_t bytes = net->values[net->inputs[i]].byte_count;
    uint8_t *x = network_value(net, arena, net->inputs[i]);
    if (is_made) {
      make_self_test_input(x, bytes);
      continue;
    }
    memcpy(x, at, bytes);
    at += (bytes + 3u) & ~3u;
  }
  network_run(net, arena);
  for (uint32_t i = 0; i < net->header->output_count; i++) {
    const uint32_t bytes = net->values[net->outputs[i]].byte_count;
    if (memcmp(network_value(net, arena, net->outputs[i]), at, bytes) != 0) {
      return STATUS_SELF_TEST_FAILED;
    }
    at += (bytes + 3u) & ~3u;
  }
  return STATUS_OK;
}
