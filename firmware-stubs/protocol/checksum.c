/* CRC-16 by half bytes: a table of 32 bytes suits any chip. */
#include "checksum.h"

static const uint16_t NIBBLES[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
                                     0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef};

uint16_t checksum16(const uint8_t *bytes, size_t length) {
  uint32_t crc = 0xffffu;
  for (size_t i = 0; i < length; i++) {
    crc = ((crc << 4) ^ NIBBLES[(crc >> 12) ^ (bytes[i] >> 4)]) & 0xffffu;
    crc = ((crc << 4) ^ NIBBLES[(crc >> 12) ^ (bytes[i] & 15u)]) & 0xffffu;
  }
  return (uint16_t)crc;
}
