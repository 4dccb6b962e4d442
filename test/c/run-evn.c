/* Runs flash files on this machine: for each folder given, loads network.evn, runs every sample of inputs.bin and compares with expected.bin
   (samples one after the other, ports of a sample one after the other). Also traces node by node, which must give the same. Prints what differs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../firmware-stubs/core/network.h"

typedef struct {
  uint8_t *bytes;
  size_t length;
} file_t;

/* The whole file in memory of exactly its size, aligned to 16, so that a sanitizer sees a read beyond it. */
static file_t read_file(const char *folder, const char *name) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    fprintf(stderr, "cannot read %s\n", path);
    exit(2);
  }
  fseek(file, 0, SEEK_END);
  file_t f = {NULL, (size_t)ftell(file)};
  fseek(file, 0, SEEK_SET);
  if (posix_memalign((void **)&f.bytes, 16, f.length + 1) != 0 || fread(f.bytes, 1, f.length, file) != f.length) {
    exit(2);
  }
  fclose(file);
  return f;
}

static size_t copy_inputs(const network_t *net, uint8_t *arena, const uint8_t *from) {
  size_t at = 0;
  for (uint32_t i = 0; i < net->header->input_count; i++) {
    memcpy(network_value(net, arena, net->inputs[i]), from + at, net->values[net->inputs[i]].byte_count);
    at += net->values[net->inputs[i]].byte_count;
  }
  return at;
}

static size_t compare_outputs(const network_t *net, uint8_t *arena, const uint8_t *expected, size_t *differing) {
  size_t at = 0;
  for (uint32_t i = 0; i < net->header->output_count; i++) {
    const uint8_t *out = network_value(net, arena, net->outputs[i]);
    for (uint32_t k = 0; k < net->values[net->outputs[i]].byte_count; k++) {
      *differing += out[k] != expected[at + k];
    }
    at += net->values[net->outputs[i]].byte_count;
  }
  return at;
}

static size_t run_folder(const char *folder) {
  const file_t network = read_file(folder, "network.evn"), inputs = read_file(folder, "inputs.bin"), expected = read_file(folder, "expected.bin");
  network_t net;
  const status_t status = network_load(&net, network.bytes, network.length);
  if (status != STATUS_OK) {
    printf("%s: status %d\n", folder, (int)status);
    return 1;
  }
  uint8_t *arena = NULL;
  if (posix_memalign((void **)&arena, 16, net.header->arena_bytes) != 0) {
    exit(2);
  }
  size_t differing = network_self_test(&net, arena) == STATUS_OK ? 0 : 1;
  size_t in = 0, out = 0;
  for (uint32_t pass = 0; in < inputs.length; pass++) {
    in += copy_inputs(&net, arena, inputs.bytes + in);
    if (pass % 2 == 0) {
      network_run(&net, arena);
    } else {
      network_start(&net, arena);
      for (uint32_t i = 0; i < net.header->node_count * network_steps(&net); i++) {
        network_run_node(&net, arena, i % net.header->node_count);
      }
    }
    out += compare_outputs(&net, arena, expected.bytes + out, &differing);
  }
  if (differing != 0) {
    printf("%s: %zu bytes differ\n", folder, differing);
  }
  free(arena);
  free(network.bytes);
  free(inputs.bytes);
  free(expected.bytes);
  return differing;
}

int main(int count, char **folders) {
  size_t differing = 0;
  for (int i = 1; i < count; i++) {
    differing += run_folder(folders[i]);
  }
  printf("%d networks, %zu bytes differ\n", count - 1, differing);
  return differing == 0 ? 0 : 1;
}
