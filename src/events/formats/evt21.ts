// Prophesee EVT2.1: 64-bit words, up to 32 events of one row and time in a word, in two byte orders.
// See docs/events.md, "EVT2.1".

import { reserve } from '../batch.js'
import { type DecoderOptions, decoderOf, type EventDecoder, type Parser, type ParserState, type Sink } from '../decoder.js'
import { type ByteWriter, type EncoderOptions, type EncodingSteps, type EventEncoder, encoderOf } from '../encoder.js'
import { tally } from '../ledger.js'
import { baseMicros, createHighTime, type HighTime, highWordsTo, rawHeader, takeHighTime } from './evt2.js'
import { type HeaderState, readHeader } from './header-lines.js'
import { createPropheseeHeader, headerGeometry, type PropheseeHeader, takeHeaderLine } from './prophesee-header.js'
import { BLOCK_BYTES, i32le, loadWords, words32 } from './words.js'

interface Evt21State extends ParserState, HeaderState {
  header: PropheseeHeader
  time: HighTime
  /** "little": the mask half comes first; "legacy": the type half comes first; null: not decided yet */
  byteOrder: 'little' | 'legacy' | null
}

const OTHER_TYPES: Readonly<Record<number, string>> = { 14: 'others', 15: 'continued' }

/** Words looked at to judge the byte order where nothing states it. */
const JUDGED_WORDS = 64

/**
 * How much a pair of halves looks like (type half, mask half): a time word has no mask, an event word has one and begins at a
 * multiple of 32 columns.
 */
const likeness = (half: number, mask: number): number => {
  const type = half >>> 28
  if (type === 8) return mask === 0 ? 3 : -2
  if (type < 2) return ((half >>> 11) & 31) === 0 ? (mask === 0 ? -1 : 2) : -2
  return type === 0xa || type >= 0xe ? 0 : -2
}

/** Judges the byte order of whole words of bytes[start, end) by which reading is more likely; a tie is "little". */
export const judgeByteOrder = (bytes: Uint8Array, start: number, end: number): 'little' | 'legacy' => {
  let balance = 0
  for (let at = start; at + 8 <= end && at < start + 8 * JUDGED_WORDS; at += 8) {
    const first = i32le(bytes, at)
    const second = i32le(bytes, at + 4)
    balance += likeness(second, first) - likeness(first, second)
  }
  return balance >= 0 ? 'little' : 'legacy'
}

const popCount = (mask: number): number => {
  let count = 0
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++
  return count
}

/** Anything but an event word. */
const takeOther = (state: Evt21State, half: number, sink: Sink): void => {
  const { ledger } = sink
  const type = half >>> 28
  if (type === 8) {
    takeHighTime(state.time, half & 0x0fffffff, sink)
    tally(ledger.otherBytes, 'time', 8)
    return
  }
  if (type === 0xa) {
    tally(ledger.otherBytes, 'trigger', 8)
    if (state.time.high < 0) {
      tally(ledger.records, 'triggerBeforeTimeBase')
      return
    }
    sink.triggers.push([baseMicros(state.time) + ((half >>> 22) & 63), (half >>> 8) & 31, half & 1])
    return
  }
  const name = OTHER_TYPES[type]
  if (name === undefined) {
    tally(ledger.droppedBytes, 'unknownWord', 8)
    return
  }
  tally(ledger.otherBytes, name, 8)
  tally(ledger.records, name)
}

/** Decodes `count` loaded 64-bit words; the columns have room for 32 events each. */
const takeWords = (state: Evt21State, count: number, sink: Sink): void => {
  const { timeMicros, x, y, polarity } = sink.columns
  const typeHalf = state.byteOrder === 'legacy' ? 0 : 1
  let n = sink.columns.count
  let base = baseMicros(state.time)
  let words = 0
  let early = 0
  for (let i = 0; i < count; i++) {
    const half = words32[2 * i + typeHalf] as number
    const type = half >>> 28
    if (type >= 2) {
      takeOther(state, half, sink)
      base = baseMicros(state.time)
      continue
    }
    words++
    let mask = words32[2 * i + 1 - typeHalf] as number
    if (state.time.high < 0) {
      early += popCount(mask)
      continue
    }
    const time = base + ((half >>> 22) & 63)
    const column = (half >>> 11) & 2047
    const row = half & 2047
    while (mask !== 0) {
      const bit = mask & -mask
      timeMicros[n] = time
      x[n] = column + 31 - Math.clz32(bit)
      y[n] = row
      polarity[n] = type
      n++
      mask ^= bit
    }
  }
  sink.columns.count = n
  sink.ledger.eventBytes += 8 * words
  tally(sink.ledger.droppedEvents, 'beforeTimeBase', early)
}

const beginData = (state: Evt21State): void => {
  state.geometry ??= headerGeometry(state.header)
  state.byteOrder ??= state.header.byteOrder
}

const parser: Parser<Evt21State> = {
  create: (options) => ({
    geometry: options.geometry ?? null,
    isHeaderDone: false,
    headerLines: 0,
    header: createPropheseeHeader(),
    time: createHighTime(options),
    byteOrder: options.byteOrder ?? null,
  }),
  parse: (state, bytes, start, end, sink, isLast) => {
    let at = start
    if (!state.isHeaderDone) {
      at = readHeader(state, bytes, at, end, sink, '% ', (text) => takeHeaderLine(state.header, text))
      if (!state.isHeaderDone) return at
      beginData(state)
    }
    if (state.byteOrder === null) {
      if (end - at < 8 * JUDGED_WORDS && !isLast) return at
      state.byteOrder = judgeByteOrder(bytes, at, end)
    }
    while (end - at >= 8) {
      const byteCount = Math.min((end - at) & ~7, BLOCK_BYTES / 4)
      loadWords(bytes, at, byteCount, 4)
      reserve(sink.columns, byteCount * 4)
      takeWords(state, byteCount >> 3, sink)
      at += byteCount
    }
    return at
  },
}

export const createEvt21Decoder = (options: DecoderOptions = {}): EventDecoder => decoderOf(parser, options)

/** The end of the run from `from` whose events share row, time, polarity and 32-pixel column, with rising x. */
export const vectorEnd = (time: Float64Array, x: Uint16Array, y: Uint16Array, polarity: Uint8Array, from: number, to: number): number => {
  const row = y[from] as number
  let last = x[from] as number
  let end = from + 1
  for (; end < to && y[end] === row; end++) {
    const column = x[end] as number
    if (column <= last || column >> 5 !== last >> 5 || polarity[end] !== polarity[from] || time[end] !== time[from]) break
    last = column
  }
  return end
}

const steps = (options: EncoderOptions): EncodingSteps => {
  const byteOrder = options.byteOrder ?? 'little'
  let high = -1
  const put = (out: ByteWriter, half: number, mask: number): void => {
    out.u32(byteOrder === 'legacy' ? half : mask)
    out.u32(byteOrder === 'legacy' ? mask : half)
  }
  const moveTo = (timeMicros: number, out: ByteWriter): boolean => {
    const target = Math.floor(timeMicros / 64)
    const words = highWordsTo(high, target)
    if (words === null) return false
    for (const word of words) put(out, 0x80000000 | word, 0)
    high = target
    return true
  }
  return {
    maxX: 2047,
    maxY: 2047,
    maxLoops: { periodMicros: 2 ** 34 },
    begin: (out) => out.text(rawHeader('2.1', 'EVT21', options.geometry, `;endianness=${byteOrder}`)),
    events: ({ timeMicros, x, y, polarity }, from, to, out, drop) => {
      for (let i = from; i < to; ) {
        const end = vectorEnd(timeMicros, x, y, polarity, i, to)
        if (moveTo(timeMicros[i] as number, out)) {
          let mask = 0
          for (let k = i; k < end; k++) mask |= 1 << ((x[k] as number) & 31)
          const low = (timeMicros[i] as number) - high * 64
          put(out, ((polarity[i] as number) << 28) | (low << 22) | (((x[i] as number) & ~31) << 11) | (y[i] as number), mask)
        } else for (let k = i; k < end; k++) drop('nonMonotonic')
        i = end
      }
    },
    trigger: (timeMicros, channel, value, out) => {
      if (channel > 31 || !moveTo(timeMicros, out)) return false
      put(out, 0xa0000000 | ((timeMicros - high * 64) << 22) | (channel << 8) | value, 0)
      return true
    },
  }
}

export const createEvt21Encoder = (options: EncoderOptions): EventEncoder => encoderOf(steps(options), options)
