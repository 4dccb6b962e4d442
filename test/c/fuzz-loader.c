/* libFuzzer target: any bytes as a flash file. What network_load() accepts must run within its arena. The checksum is put right first, so that
   mutations get past it. */
#include <stdlib.h>
#include <string.h>

#include "../../firmware-stubs/core/crc32.h"
#include "../../firmware-stubs/core/network.h"

#define MOST_ARENA_BYTES (1u << 20)
#define CRC_START 16u
/* work of one input is bounded, so that the fuzzer stays fast */
#define MOST_BYTES 65536u

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  network_t network;
  if (length > MOST_BYTES) {
    return 0;
  }
  uint8_t *file = aligned_alloc(16, (length + 31u) / 16u * 16u);
  if (file == NULL) {
    return 0;
  }
  memcpy(file, bytes, length);
  if (length >= sizeof(header_t)) {
    const uint32_t crc = crc32_bytes(file + CRC_START, length - CRC_START);
    memcpy(file + offsetof(header_t, crc32), &crc, sizeof crc);
  }
  if (network_load(&network, file, length) == STATUS_OK && network.header->arena_bytes <= MOST_ARENA_BYTES) {
    uint8_t *arena = aligned_alloc(16, (network.header->arena_bytes + 31u) / 16u * 16u);
    if (arena != NULL) {
      memset(arena, 0x5a, network.header->arena_bytes);
      network_run(&network, arena);
      (void)network_self_test(&network, arena);
    }
    free(arena);
  }
  free(file);
  return 0;
}
