/* The two checksums of docs/protocol.md: CRC-16/CCITT-FALSE for frames, CRC-32 (zlib) for content. */
#ifndef SPIKEPORT_CHECKSUM_H
#define SPIKEPORT_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#define CHECKSUM16_START 0xffffu
#define CHECKSUM32_START 0u

/* CRC-16 of bytes that follow bytes whose CRC is `previous`. */
uint16_t checksum16(uint16_t previous, const uint8_t *bytes, size_t length);

/* CRC-32 of bytes that follow bytes whose CRC is `previous`. */
uint32_t checksum32(uint32_t previous, const uint8_t *bytes, size_t length);

#endif
