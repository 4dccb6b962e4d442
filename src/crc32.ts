// CRC-32 as zlib computes it (polynomial 0xEDB88320 reflected, initial and final value 0xFFFFFFFF).

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
  return c >>> 0
})

/** CRC-32 of bytes, or of a piece that follows bytes whose CRC is `previous`. */
export const crc32 = (bytes: Uint8Array, previous = 0): number => {
  let crc = ~previous
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[i] as number)) & 255] as number)
  return ~crc >>> 0
}
