/* CRC-16/CCITT-FALSE, the checksum of a frame (docs/protocol.md); CRC-32 of content is core/crc32.h. */
#ifndef SPIKEPORT_CHECKSUM_H
#define SPIKEPORT_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint16_t checksum16(const uint8_t *bytes, size_t length);

#endif
