/* Runs a batch of networks (batch.h) that the emulator laid into memory, compares every output byte, and reports the instructions of each node
   and the stack. Lines: "load C STATUS", "differs C PORT BYTE", "node C N TICKS", "stack BYTES", "passed COUNT"; exit code 0: no byte differs. */
#include "../core/mem.h"

#include "../core/network.h"
#include "batch.h"
#include "machine.h"

/* From the linker script: where the batch lies, and RAM for arenas. */
extern const uint8_t batch_start[];
extern uint8_t arena_start[];

static void print_number(uint32_t number) {
  char digits[12] = {0};
  char *at = digits + sizeof digits - 1;
  *--at = ' ';
  do {
    *--at = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  machine_print(at);
}

static void print_line(const char *word, uint32_t a, uint32_t b, uint32_t c) {
  machine_print(word);
  print_number(a);
  print_number(b);
  print_number(c);
  machine_print("\n");
}

static uint32_t align_to(uint32_t bytes, uint32_t alignment) {
  return (bytes + alignment - 1) & ~(alignment - 1);
}

/* Copies every input from `at` into the arena, where the plan wants it. */
static void fill_inputs(const network_t *net, const uint8_t *at) {
  for (uint32_t i = 0; i < net->header->input_count; i++) {
    const uint32_t bytes = net->values[net->inputs[i]].byte_count;
    memcpy(network_value(net, arena_start, net->inputs[i]), at, bytes);
    at += align_to(bytes, 4);
  }
}

/* 1 where an output differs from what is expected. */
static uint32_t compare_outputs(const network_t *net, const uint8_t *expected, uint32_t index) {
  for (uint32_t i = 0; i < net->header->output_count; i++) {
    const uint32_t bytes = net->values[net->outputs[i]].byte_count;
    const uint8_t *given = network_value(net, arena_start, net->outputs[i]);
    for (uint32_t k = 0; k < bytes; k++) {
      if (given[k] != expected[k]) {
        print_line("differs ", index, i, k);
        return 1;
      }
    }
    expected += align_to(bytes, 4);
  }
  return 0;
}

/* The first time step of a network over time. */
static void run_nodes(const network_t *net, uint32_t index) {
  network_start(net, arena_start);
  for (uint32_t n = 0; n < net->header->node_count; n++) {
    machine_start_ticks();
    network_run_node(net, arena_start, n);
    print_line("node ", index, n, machine_ticks());
  }
}

/* Runs one case; 1 where it fails. */
static uint32_t run_case(const batch_case_t *c, uint32_t index, uint32_t reports_nodes) {
  const uint8_t *file = (const uint8_t *)(c + 1);
  const uint8_t *inputs = file + align_to(c->network_bytes, 16);
  network_t net;
  const status_t status = network_load(&net, file, c->network_bytes);
  if (status != STATUS_OK) {
    print_line("load ", index, (uint32_t)status, 0);
    return 1;
  }
  fill_inputs(&net, inputs);
  if (reports_nodes != 0) {
    run_nodes(&net, index);
  } else {
    network_run(&net, arena_start);
  }
  return compare_outputs(&net, inputs + align_to(c->input_bytes, 16), index);
}

int main(void) {
  const batch_t *batch = (const batch_t *)(const void *)batch_start;
  if (batch->magic != BATCH_MAGIC) {
    return 2;
  }
  machine_paint_stack();
  const uint8_t *at = batch_start + sizeof *batch;
  uint32_t failed = 0;
  for (uint32_t i = 0; i < batch->case_count; i++) {
    const batch_case_t *c = (const batch_case_t *)(const void *)at;
    failed += run_case(c, i, batch->reports_nodes);
    at += sizeof *c + align_to(c->network_bytes, 16) + align_to(c->input_bytes, 16) + align_to(c->output_bytes, 16);
  }
  print_line("stack ", machine_stack_bytes(), 0, 0);
  print_line("passed ", batch->case_count - failed, 0, 0);
  return failed == 0 ? 0 : 1;
}
