// LZ4 frames: a decoder that keeps the history across linked blocks (AEDAT 4 files use them), and a small greedy encoder of
// independent blocks. Checksums are skipped, not verified. Format: lz4_Frame_format.md and lz4_Block_format.md of the lz4 project.

import { i32le, u32le } from './words.js'

/** 0x184D2204 as a signed word. */
export const LZ4_MAGIC = 0x184d2204

/** Output that decompresses to more than this is refused. */
const LARGEST_OUTPUT_BYTES = 2 ** 28
const BLOCK_BYTES = 65536

interface Output {
  bytes: Uint8Array
  length: number
}

const room = (output: Output, extra: number): boolean => {
  const needed = output.length + extra
  if (needed > LARGEST_OUTPUT_BYTES) return false
  if (needed <= output.bytes.length) return true
  const larger = new Uint8Array(Math.max(needed, 2 * output.bytes.length))
  larger.set(output.bytes.subarray(0, output.length))
  output.bytes = larger
  return true
}

/** Copies of fewer bytes are faster in a loop than by a call. */
const LONG_COPY_BYTES = 64

const copyLiterals = (output: Output, bytes: Uint8Array, from: number, length: number): void => {
  if (length >= LONG_COPY_BYTES) output.bytes.set(bytes.subarray(from, from + length), output.length)
  else for (let i = 0; i < length; i++) output.bytes[output.length + i] = bytes[from + i] as number
  output.length += length
}

/** A place in the compressed bytes; `at` is past the end where a length was cut off. */
interface Reader {
  readonly bytes: Uint8Array
  readonly end: number
  at: number
}

/** A length of 15 goes on in bytes of 255 and a smaller one; -1 past the end. */
const readLength = (reader: Reader, first: number): number => {
  if (first !== 15) return first
  let length = first
  while (reader.at < reader.end) {
    const byte = reader.bytes[reader.at++] as number
    length += byte
    if (byte !== 255) return length
  }
  return -1
}

const copyMatch = (output: Output, distance: number, length: number): boolean => {
  if (distance === 0 || distance > output.length || !room(output, length)) return false
  const { bytes } = output
  let to = output.length
  let from = to - distance
  if (distance >= length && length >= LONG_COPY_BYTES) bytes.copyWithin(to, from, from + length)
  else for (let i = 0; i < length; i++) bytes[to++] = bytes[from++] as number
  output.length += length
  return true
}

/** Decodes one block; earlier output is its history. False where the block is damaged. */
const decodeBlock = (bytes: Uint8Array, start: number, end: number, output: Output): boolean => {
  const reader: Reader = { bytes, end, at: start }
  while (reader.at < end) {
    const token = bytes[reader.at++] as number
    const literals = readLength(reader, token >>> 4)
    if (literals < 0 || reader.at + literals > end || !room(output, literals)) return false
    copyLiterals(output, bytes, reader.at, literals)
    reader.at += literals
    if (reader.at === end) return true
    if (end - reader.at < 2) return false
    const distance = (bytes[reader.at] as number) | ((bytes[reader.at + 1] as number) << 8)
    reader.at += 2
    const match = readLength(reader, token & 15)
    if (match < 0 || !copyMatch(output, distance, match + 4)) return false
  }
  return true
}

/** Decompresses the raw block bytes[start, end) to exactly the target's length; false where it is damaged. */
export const decompressLz4Block = (bytes: Uint8Array, start: number, end: number, target: Uint8Array): boolean => {
  const output: Output = { bytes: new Uint8Array(target.length), length: 0 }
  if (!decodeBlock(bytes, start, end, output) || output.length !== target.length) return false
  target.set(output.bytes.subarray(0, output.length))
  return true
}

/** Bytes of a frame's head after the magic: flags, block size, optional content size and dictionary id, checksum. */
const headBytes = (flags: number): number => 3 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0)

/** Decompresses one LZ4 frame that fills `bytes`; null where it is damaged. */
export const decompressLz4Frame = (bytes: Uint8Array): Uint8Array | null => {
  if (bytes.length < 7 || i32le(bytes, 0) !== LZ4_MAGIC) return null
  const flags = bytes[4] as number
  if (flags >>> 6 !== 1) return null
  const blockChecksumBytes = flags & 16 ? 4 : 0
  const output: Output = { bytes: new Uint8Array(Math.min(4 * bytes.length, BLOCK_BYTES) + 64), length: 0 }
  let at = 4 + headBytes(flags)
  while (at + 4 <= bytes.length) {
    const word = u32le(bytes, at)
    if (word === 0) return output.bytes.subarray(0, output.length)
    const size = word & 0x7fffffff
    const end = at + 4 + size
    if (end > bytes.length) return null
    if (word !== size) {
      if (!room(output, size)) return null
      output.bytes.set(bytes.subarray(at + 4, end), output.length)
      output.length += size
    } else if (!decodeBlock(bytes, at + 4, end, output)) return null
    at = end + blockChecksumBytes
  }
  return null
}

const HASH_BITS = 12
const hashOf = (word: number): number => Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS)

/** Compressed bytes of one block; the caller sized the array for the worst case. */
interface Sequences {
  readonly bytes: Uint8Array
  length: number
}

const putLength = (out: Sequences, length: number): void => {
  let rest = length - 15
  for (; rest >= 255; rest -= 255) out.bytes[out.length++] = 255
  if (rest >= 0) out.bytes[out.length++] = rest
}

const putSequence = (out: Sequences, bytes: Uint8Array, from: number, to: number, distance: number, matchLength: number): void => {
  const literals = to - from
  const match = matchLength - 4
  out.bytes[out.length++] = (Math.min(literals, 15) << 4) | (matchLength === 0 ? 0 : Math.min(match, 15))
  if (literals >= 15) putLength(out, literals)
  for (let at = from; at < to; at++) out.bytes[out.length++] = bytes[at] as number
  if (matchLength === 0) return
  out.bytes[out.length++] = distance & 255
  out.bytes[out.length++] = distance >>> 8
  if (match >= 15) putLength(out, match)
}

const matchLengthAt = (bytes: Uint8Array, candidate: number, at: number, end: number): number => {
  let length = 0
  while (at + length < end && bytes[candidate + length] === bytes[at + length]) length++
  return length
}

/** Compresses one block of at most 64 kB; the last 12 bytes are literals, as the format demands. */
const encodeBlock = (bytes: Uint8Array, start: number, end: number): Uint8Array => {
  const out: Sequences = { bytes: new Uint8Array(end - start + Math.ceil((end - start) / 255) + 16), length: 0 }
  const table = new Int32Array(1 << HASH_BITS).fill(-1)
  let anchor = start
  let at = start
  while (at < end - 12) {
    const word = i32le(bytes, at)
    const hash = hashOf(word)
    const candidate = table[hash] as number
    table[hash] = at
    if (candidate < 0 || at - candidate > 65535 || i32le(bytes, candidate) !== word) {
      at++
      continue
    }
    const length = matchLengthAt(bytes, candidate, at, end - 5)
    putSequence(out, bytes, anchor, at, at - candidate, length)
    at += length
    anchor = at
  }
  putSequence(out, bytes, anchor, end, 0, 0)
  return out.bytes.subarray(0, out.length)
}

/** Bytes 4..6 of a frame without content size or checksums, independent 64 kB blocks: flags, block size, header checksum. */
const FRAME_HEAD: readonly number[] = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]

const u32Bytes = (value: number): number[] => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24]

/** Compresses bytes into one LZ4 frame. */
export const compressLz4Frame = (bytes: Uint8Array): Uint8Array => {
  const parts: Uint8Array[] = [Uint8Array.from(FRAME_HEAD)]
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, bytes.length)
    const block = encodeBlock(bytes, start, end)
    const isSmaller = block.length < end - start
    const size = isSmaller ? block.length : end - start
    parts.push(Uint8Array.from(u32Bytes(isSmaller ? size : size + 0x80000000)), isSmaller ? block : bytes.subarray(start, end))
  }
  parts.push(new Uint8Array(4))
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  parts.reduce((at, part) => {
    out.set(part, at)
    return at + part.length
  }, 0)
  return out
}
