// Consistent Overhead Byte Stuffing: bytes without zeros, so that a zero can delimit frames (docs/protocol.md, "Frames").

const MAX_RUN = 254

const runLength = (bytes: Uint8Array, from: number): number => {
  const zero = bytes.indexOf(0, from)
  return Math.min(MAX_RUN, (zero < 0 ? bytes.length : zero) - from)
}

/** The most bytes that `length` bytes take when encoded. */
export const maxEncodedBytes = (length: number): number => length + Math.floor(length / MAX_RUN) + 1

/** Encodes bytes; the result holds no zero and is never empty. */
export const encodeCobs = (bytes: Uint8Array): Uint8Array => {
  const encoded = new Uint8Array(maxEncodedBytes(bytes.length))
  let length = 0
  let at = 0
  for (;;) {
    const run = runLength(bytes, at)
    encoded[length++] = run + 1
    encoded.set(bytes.subarray(at, at + run), length)
    length += run
    at += run
    if (at === bytes.length) return encoded.subarray(0, length)
    if (run < MAX_RUN) at++ // the zero that the block stands for
  }
}

/** Decodes bytes without zeros; null where they are not what encodeCobs() makes. */
export const decodeCobs = (bytes: Uint8Array): Uint8Array | null => {
  const decoded = new Uint8Array(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; ) {
    const block = bytes[at] as number
    if (block === 0 || at + block > bytes.length) return null
    decoded.set(bytes.subarray(at + 1, at + block), length)
    length += block - 1
    at += block
    if (block <= MAX_RUN && at < bytes.length) length++
  }
  return decoded.subarray(0, length)
}
