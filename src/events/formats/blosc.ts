// Blosc 1 buffers (HDF5 filter 32001, as in DSEC recordings): blocks of byte-shuffled streams, packed by LZ4 or ZSTD or not at all.
// BloscLZ, Snappy, zlib and bit shuffle are not read. Format: README_CHUNK_FORMAT.rst of c-blosc.

import { decompress as decompressZstd } from 'fzstd'
import { decompressLz4Block } from './lz4.js'
import { i32le, u32le } from './words.js'

const HEAD_BYTES = 16
const LARGEST_BYTES = 2 ** 28
const LZ4 = 1
const ZSTD = 4
/** Blocks are split into one stream a byte of the element only where a stream has at least this many bytes. */
const SMALLEST_STREAM_BYTES = 128
const MOST_STREAMS = 16

const unpack = (bytes: Uint8Array, start: number, end: number, target: Uint8Array, codec: number): boolean => {
  if (end - start === target.length) {
    target.set(bytes.subarray(start, end))
    return true
  }
  if (codec === LZ4) return decompressLz4Block(bytes, start, end, target)
  if (codec !== ZSTD) return false
  try {
    const plain = decompressZstd(bytes.subarray(start, end), new Uint8Array(target.length))
    target.set(plain.subarray(0, target.length))
    return plain.length === target.length
  } catch {
    return false
  }
}

/** Byte k of element i lies at k * (elements) + i; bytes after the last whole element stay. */
const unshuffled = (block: Uint8Array, elementBytes: number): Uint8Array => {
  const plain = new Uint8Array(block)
  const elements = Math.floor(block.length / elementBytes)
  for (let k = 0; k < elementBytes; k++) for (let i = 0; i < elements; i++) plain[i * elementBytes + k] = block[k * elements + i] as number
  return plain
}

/** Decompresses one buffer; null where it is damaged or uses what is not read. */
export const decompressBlosc = (bytes: Uint8Array): Uint8Array | null => {
  if (bytes.length < HEAD_BYTES) return null
  const flags = bytes[2] as number
  const elementBytes = Math.max(1, bytes[3] as number)
  const length = u32le(bytes, 4)
  const blockBytes = u32le(bytes, 8)
  if (length > LARGEST_BYTES || u32le(bytes, 12) > bytes.length || (flags & 4) !== 0) return null
  if ((flags & 2) !== 0) return HEAD_BYTES + length > bytes.length ? null : new Uint8Array(bytes.subarray(HEAD_BYTES, HEAD_BYTES + length))
  const blocks = blockBytes === 0 ? 0 : Math.ceil(length / blockBytes)
  if ((length > 0 && blocks === 0) || HEAD_BYTES + 4 * blocks > bytes.length) return null
  const out = new Uint8Array(length)
  for (let block = 0; block < blocks; block++) {
    const size = Math.min(blockBytes, length - block * blockBytes)
    const isSplit = (flags & 16) === 0 && size === blockBytes && elementBytes <= MOST_STREAMS && size / elementBytes >= SMALLEST_STREAM_BYTES
    const plain = readBlock(bytes, i32le(bytes, HEAD_BYTES + 4 * block), size, isSplit ? elementBytes : 1, flags >>> 5)
    if (plain === null) return null
    out.set((flags & 1) !== 0 && elementBytes > 1 ? unshuffled(plain, elementBytes) : plain, block * blockBytes)
  }
  return out
}

/** One block of equal streams, each behind its packed size; a size equal to the stream's is a plain copy. */
const readBlock = (bytes: Uint8Array, start: number, size: number, streams: number, codec: number): Uint8Array | null => {
  const plain = new Uint8Array(size)
  const streamBytes = Math.floor(size / streams)
  let at = start
  for (let stream = 0; stream < streams; stream++) {
    if (at < HEAD_BYTES || at + 4 > bytes.length) return null
    const packed = i32le(bytes, at)
    const end = at + 4 + packed
    if (packed < 0 || end > bytes.length) return null
    if (!unpack(bytes, at + 4, end, plain.subarray(stream * streamBytes, (stream + 1) * streamBytes), codec)) return null
    at = end
  }
  return plain
}
