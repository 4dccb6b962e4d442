// Aligned little-endian words for the hot decoders: a block of bytes is copied into one shared scratch buffer and read through
// typed arrays, which is several times faster than assembling each word from bytes. Nothing here survives a call.

import type { ByteWriter } from '../encoder.js'

/** Bytes of the scratch block; a multiple of every record size that uses it. */
export const BLOCK_BYTES = 48 * 1024

const scratch = new ArrayBuffer(BLOCK_BYTES)
const scratchBytes = new Uint8Array(scratch)

/** The scratch block as words; valid until the next load. */
export const words32 = new Int32Array(scratch)
export const words16 = new Uint16Array(scratch)

const isLittleEndianHost = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** Reverses the bytes of every word, in place. */
export const swapBytes = (bytes: Uint8Array, wordBytes: number): void => {
  for (let at = 0; at + wordBytes <= bytes.length; at += wordBytes) bytes.subarray(at, at + wordBytes).reverse()
}

/** Copies `byteCount` bytes (at most BLOCK_BYTES) from `at` into the scratch block as words of 2 or 4 bytes. */
export const loadWords = (bytes: Uint8Array, at: number, byteCount: number, wordBytes: 2 | 4): void => {
  scratchBytes.set(bytes.subarray(at, at + byteCount))
  if (!isLittleEndianHost) swapBytes(scratchBytes.subarray(0, byteCount), wordBytes)
}

/** The same for big-endian data. */
export const loadBigEndianWords = (bytes: Uint8Array, at: number, byteCount: number, wordBytes: 2 | 4): void => {
  scratchBytes.set(bytes.subarray(at, at + byteCount))
  if (isLittleEndianHost) swapBytes(scratchBytes.subarray(0, byteCount), wordBytes)
}

/** Appends the first `count` words of the scratch block to an encoder's output; returns 0, the new number of words held. */
export const storeWords = (count: number, wordBytes: 2 | 4, out: ByteWriter): number => {
  const stored = scratchBytes.subarray(0, count * wordBytes)
  if (!isLittleEndianHost) swapBytes(stored, wordBytes)
  out.bytes(stored)
  return 0
}

/** Little-endian numbers of a byte array; the caller has checked the length. */
export const u16le = (bytes: Uint8Array, at: number): number => (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
export const i32le = (bytes: Uint8Array, at: number): number => u16le(bytes, at) | (u16le(bytes, at + 2) << 16)
export const u32le = (bytes: Uint8Array, at: number): number => i32le(bytes, at) >>> 0
/** A 64-bit integer as a double: exact below 2^53. */
export const i64le = (bytes: Uint8Array, at: number): number => i32le(bytes, at + 4) * 4294967296 + u32le(bytes, at)

/** A string's bytes, one a character; for ASCII markers. */
export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

/** The bytes [start, end) as text, one character a byte. */
export const textOf = (bytes: Uint8Array, start: number, end: number): string => {
  let text = ''
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] as number)
  return text
}

/** True where `bytes` holds `marker` at `at`. */
export const hasMarker = (bytes: Uint8Array, at: number, marker: Uint8Array): boolean =>
  at + marker.length <= bytes.length && marker.every((byte, i) => bytes[at + i] === byte)
