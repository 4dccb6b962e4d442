/* Checksums by half bytes: 16-entry tables, small enough for any chip. */
#include "checksum.h"

static const uint16_t NIBBLE16[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
                                      0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef};

static const uint32_t NIBBLE32[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                      0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};

uint16_t checksum16(uint16_t previous, const uint8_t *bytes, size_t length) {
  uint32_t crc = previous;
  for (size_t i = 0; i < length; i++) {
    crc = ((crc << 4) ^ NIBBLE16[(crc >> 12) ^ (bytes[i] >> 4)]) & 0xffffu;
    crc = ((crc << 4) ^ NIBBLE16[(crc >> 12) ^ (bytes[i] & 15u)]) & 0xffffu;
  }
  return (uint16_t)crc;
}

uint32_t checksum32(uint32_t previous, const uint8_t *bytes, size_t length) {
  uint32_t crc = ~previous;
  for (size_t i = 0; i < length; i++) {
    crc ^= bytes[i];
    crc = (crc >> 4) ^ NIBBLE32[crc & 15u];
    crc = (crc >> 4) ^ NIBBLE32[crc & 15u];
  }
  return ~crc;
}
