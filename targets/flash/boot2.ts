// The checksum that the RP2040's boot ROM wants behind the first 252 bytes of flash.

/** CRC-32/MPEG-2: polynomial 0x04C11DB7, initial value 0xFFFFFFFF, nothing reflected, no final inversion. */
export const crc32Mpeg2 = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  }
  return crc >>> 0
}
