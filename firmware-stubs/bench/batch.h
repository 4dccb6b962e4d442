/* What the host lays in memory for a run in an emulator: networks with inputs and the bytes they must give. Little-endian words. */
#ifndef SPIKEPORT_BATCH_H
#define SPIKEPORT_BATCH_H

#include <stdint.h>

#define BATCH_MAGIC 0x48435442u /* "BTCH" */

typedef struct {
  uint32_t magic;
  uint32_t case_count;
  uint32_t reports_nodes; /* 1: print the instructions of each node */
  uint32_t reserved;
} batch_t;

/* Followed by the flash file, the inputs and the expected outputs, each padded to a multiple of 16 bytes; ports within are padded to 4. */
typedef struct {
  uint32_t network_bytes;
  uint32_t input_bytes;
  uint32_t output_bytes;
  uint32_t reserved;
} batch_case_t;

#endif
