/* CRC-32 as zlib computes it. */
#ifndef SPIKEPORT_CRC32_H
#define SPIKEPORT_CRC32_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32_bytes(const uint8_t *bytes, size_t length);

#endif
