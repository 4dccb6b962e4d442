// ECF, the codec of Prophesee's HDF5 recordings (filter 36559): one chunk of events, times first, then rows, columns and polarity in
// one of three packings. Every read is checked. See docs/events.md, "HDF5".

import { i64le, u32le } from './words.js'

/** Columns of one decoded chunk. */
export interface EcfEvents {
  readonly count: number
  readonly timeMicros: Float64Array
  readonly x: Uint16Array
  readonly y: Uint16Array
  readonly polarity: Uint8Array
}

/** A place in the chunk; `at` runs past `end` where the chunk is cut off. */
interface Reader {
  readonly bytes: Uint8Array
  at: number
  readonly end: number
}

const LARGEST_COUNT = 65535

const u8 = (reader: Reader): number => (reader.at < reader.end ? (reader.bytes[reader.at++] as number) : damaged(reader))
const u16 = (reader: Reader): number => u8(reader) | (u8(reader) << 8)
const u32 = (reader: Reader): number => (u16(reader) | (u16(reader) << 16)) >>> 0

/** Marks the reader as past its end. */
const damaged = (reader: Reader): number => {
  reader.at = reader.end + 1
  return 0
}

const isDamaged = (reader: Reader): boolean => reader.at > reader.end

/** A byte is step << 4 | run; step 15: the low four bits belong to a longer step, lowest first; run 15: the run follows as u16. */
const readTimes = (reader: Reader, times: Float64Array): boolean => {
  if (reader.end - reader.at < 8) return false
  let time = i64le(reader.bytes, reader.at)
  reader.at += 8
  let scale = 1
  let n = 0
  while (n < times.length) {
    const byte = u8(reader)
    if (isDamaged(reader)) return false
    const step = byte >>> 4
    if (step === 15) {
      time += (byte & 15) * scale
      scale *= 16
      if (scale > 2 ** 52) return false
      continue
    }
    scale = 1
    time += step
    const run = (byte & 15) === 15 ? u16(reader) : byte & 15
    if (isDamaged(reader) || run === 0 || n + run > times.length) return false
    times.fill(time, n, n + run)
    n += run
  }
  return true
}

/** Runs of rows: u16 = row << 5 | run; run 31: the run follows as u16. */
const readRows = (reader: Reader, rows: Uint16Array): boolean => {
  for (let n = 0; n < rows.length; ) {
    const word = u16(reader)
    const run = (word & 31) === 31 ? u16(reader) : word & 31
    if (isDamaged(reader) || run === 0 || n + run > rows.length) return false
    rows.fill(word >>> 5, n, n + run)
    n += run
  }
  return true
}

/** Columns: u16 = x << 5 | mask, bit 4 of the mask = x + 1 ... bit 0 = x + 5. */
const readMaskedColumns = (reader: Reader, columns: Uint16Array): boolean => {
  for (let n = 0; n < columns.length; ) {
    const word = u16(reader)
    if (isDamaged(reader)) return false
    columns[n++] = word >>> 5
    for (let step = 1; step <= 5; step++) if (((word >>> (5 - step)) & 1) === 1 && n < columns.length) columns[n++] = (word >>> 5) + step
  }
  return true
}

/** Runs of polarity: u8 = p << 7 | run; run 127: the run follows as u16. */
const readPolarities = (reader: Reader, polarity: Uint8Array): boolean => {
  for (let n = 0; n < polarity.length; ) {
    const byte = u8(reader)
    const run = (byte & 127) === 127 ? u16(reader) : byte & 127
    if (isDamaged(reader) || run === 0 || n + run > polarity.length) return false
    polarity.fill(byte >>> 7, n, n + run)
    n += run
  }
  return true
}

/** Groups of four 12-bit values x << 1 | p in three u16. */
const readPackedColumns = (reader: Reader, x: Uint16Array, polarity: Uint8Array): boolean => {
  for (let n = 0; n < x.length; n += 4) {
    const [a, b, c] = [u16(reader), u16(reader), u16(reader)]
    if (isDamaged(reader)) return false
    const values = [a >>> 4, (a & 15) | ((b >>> 8) << 4), (b & 255) | ((c >>> 12) << 8), c & 4095]
    for (let k = 0; k < 4 && n + k < x.length; k++) {
      x[n + k] = (values[k] as number) >>> 1
      polarity[n + k] = (values[k] as number) & 1
    }
  }
  return true
}

/** Groups of four 24-bit values y << 12 | x << 1 | p in three u32. */
const readPacked = (reader: Reader, x: Uint16Array, y: Uint16Array, polarity: Uint8Array): boolean => {
  for (let n = 0; n < x.length; n += 4) {
    const [a, b, c] = [u32(reader), u32(reader), u32(reader)]
    if (isDamaged(reader)) return false
    const values = [a >>> 8, (a & 255) | ((b >>> 16) << 8), (b & 65535) | ((c >>> 24) << 16), c & 0xffffff]
    for (let k = 0; k < 4 && n + k < x.length; k++) {
      const value = values[k] as number
      y[n + k] = (value >>> 12) & 2047
      x[n + k] = (value >>> 1) & 2047
      polarity[n + k] = value & 1
    }
  }
  return true
}

/** Decodes the chunk bytes[start, end); null where it is damaged. */
export const decodeEcf = (bytes: Uint8Array, start: number, end: number): EcfEvents | null => {
  if (end - start < 4) return null
  const head = u32le(bytes, start)
  const count = head >>> 2
  if (count > LARGEST_COUNT) return null
  const reader: Reader = { bytes, at: start + 4, end }
  const events = { count, timeMicros: new Float64Array(count), x: new Uint16Array(count), y: new Uint16Array(count), polarity: new Uint8Array(count) }
  if (count === 0) return events
  const { x, y, polarity } = events
  const isRead =
    readTimes(reader, events.timeMicros) &&
    ((head & 2) !== 0
      ? readPacked(reader, x, y, polarity)
      : readRows(reader, y) && ((head & 1) !== 0 ? readPackedColumns(reader, x, polarity) : readMaskedColumns(reader, x) && readPolarities(reader, polarity)))
  return isRead ? events : null
}
