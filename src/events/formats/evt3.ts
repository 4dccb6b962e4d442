// Prophesee EVT3.0: 16-bit little-endian words that change a state (row, vector base, time) and emit events from it.
// Time follows OpenEB's rule: a TIME_HIGH lower by 2,048 steps or more is a wrap, a changed one sets the low bits to 0.
// See docs/events.md, "EVT3.0".

import { reserve } from '../batch.js'
import { type DecoderOptions, decoderOf, type EventDecoder, type Parser, type ParserState, type Sink } from '../decoder.js'
import { type ByteWriter, type EncoderOptions, type EncodingSteps, type EventEncoder, encoderOf } from '../encoder.js'
import { tally } from '../ledger.js'
import { rawHeader } from './evt2.js'
import { vectorEnd } from './evt21.js'
import { type HeaderState, readHeader } from './header-lines.js'
import { createPropheseeHeader, headerGeometry, type PropheseeHeader, takeHeaderLine } from './prophesee-header.js'
import { BLOCK_BYTES, loadWords, storeWords, words16 } from './words.js'

interface Evt3State extends ParserState, HeaderState {
  header: PropheseeHeader
  isFromFirstBase: boolean
  /** microseconds of completed loops of 2^24 us, less the first time base where the origin is "firstBase" */
  loopMicros: number
  /** last TIME_HIGH and TIME_LOW, high -1 before the first */
  high: number
  low: number
  /** row of the last ADDR_Y, -1 before the first */
  row: number
  /** column of the next vector and its polarity, -1 before the first VECT_BASE_X */
  base: number
  basePolarity: number
}

const LOOP_MICROS = 2 ** 24
const WRAP_STEPS = 2048
const LAST_COLUMN = 2047

const OTHER_TYPES: Readonly<Record<number, string>> = { 7: 'continued', 13: 'imu', 14: 'others', 15: 'continued' }

const timeOf = (state: Evt3State): number => state.loopMicros + state.high * 4096 + state.low

const takeTimeHigh = (state: Evt3State, high: number, sink: Sink): void => {
  if (state.high < 0 && state.isFromFirstBase) state.loopMicros = -high * 4096
  if (state.high >= high + WRAP_STEPS) {
    state.loopMicros += LOOP_MICROS
    tally(sink.ledger.faults, 'timeWrap')
  }
  if (state.high !== high) state.low = 0
  state.high = high
}

/** Why an event cannot be delivered yet, or null. */
const missing = (state: Evt3State): string | null => {
  if (state.high < 0) return 'beforeTimeBase'
  return state.row < 0 ? 'beforeRow' : null
}

const takeSingle = (state: Evt3State, word: number, sink: Sink): void => {
  sink.ledger.eventBytes += 2
  const reason = missing(state)
  if (reason !== null) {
    tally(sink.ledger.droppedEvents, reason)
    return
  }
  emit(state, word & 2047, (word >>> 11) & 1, sink)
}

const emit = (state: Evt3State, x: number, polarity: number, sink: Sink): void => {
  const { columns } = sink
  reserve(columns, 1)
  const n = columns.count++
  columns.timeMicros[n] = timeOf(state)
  columns.x[n] = x
  columns.y[n] = state.row
  columns.polarity[n] = polarity
}

/** A vector of 12 or 8 columns from the base on; columns beyond 2047 do not exist and are dropped. */
const takeVector = (state: Evt3State, word: number, width: number, sink: Sink): void => {
  sink.ledger.eventBytes += 2
  const reason = missing(state) ?? (state.base < 0 ? 'beforeVectorBase' : null)
  for (let bit = 0; bit < width; bit++) {
    if (((word >>> bit) & 1) === 0) continue
    const x = state.base + bit
    if (reason !== null) tally(sink.ledger.droppedEvents, reason)
    else if (x > LAST_COLUMN) tally(sink.ledger.droppedEvents, 'outOfBounds')
    else emit(state, x, state.basePolarity, sink)
  }
  if (state.base >= 0) state.base = Math.min(state.base + width, LAST_COLUMN + 1)
}

const takeOther = (state: Evt3State, word: number, sink: Sink): void => {
  const { ledger } = sink
  const type = word >>> 12
  if (type === 0xa) {
    tally(ledger.otherBytes, 'trigger', 2)
    if (state.high < 0) {
      tally(ledger.records, 'triggerBeforeTimeBase')
      return
    }
    sink.triggers.push([timeOf(state), (word >>> 8) & 15, word & 1])
    return
  }
  const name = OTHER_TYPES[type]
  if (name === undefined) {
    tally(ledger.droppedBytes, 'unknownWord', 2)
    return
  }
  tally(ledger.otherBytes, name, 2)
  tally(ledger.records, name)
}

/** The plain definition: one word at a time. The block decoder below must agree with it. */
const takeWord = (state: Evt3State, word: number, sink: Sink): void => {
  const value = word & 4095
  switch (word >>> 12) {
    case 0:
      state.row = word & 2047
      tally(sink.ledger.otherBytes, 'row', 2)
      return
    case 2:
      takeSingle(state, word, sink)
      return
    case 3:
      state.base = word & 2047
      state.basePolarity = (word >>> 11) & 1
      tally(sink.ledger.otherBytes, 'vectorBase', 2)
      return
    case 4:
      takeVector(state, value, 12, sink)
      return
    case 5:
      takeVector(state, value & 255, 8, sink)
      return
    case 6:
      state.low = value
      tally(sink.ledger.otherBytes, 'time', 2)
      return
    case 8:
      takeTimeHigh(state, value, sink)
      tally(sink.ledger.otherBytes, 'time', 2)
      return
    default:
      takeOther(state, word, sink)
      return
  }
}

/** Decodes `count` loaded words; the columns have room for 12 events each. Until time and row are known, word by word. */
const takeWords = (state: Evt3State, count: number, sink: Sink): void => {
  let i = 0
  while (i < count && missing(state) !== null) takeWord(state, words16[i++] as number, sink)
  const { timeMicros, x, y, polarity } = sink.columns
  let n = sink.columns.count
  let { row, base, basePolarity } = state
  let highMicros = state.loopMicros + state.high * 4096
  let time = timeOf(state)
  let events = 0
  let rows = 0
  let times = 0
  let bases = 0
  for (; i < count; i++) {
    const word = words16[i] as number
    const type = word >>> 12
    if (type === 2) {
      timeMicros[n] = time
      x[n] = word & 2047
      y[n] = row
      polarity[n] = (word >>> 11) & 1
      n++
      events++
    } else if (type === 0) {
      row = word & 2047
      rows++
    } else if (type === 6) {
      state.low = word & 4095
      time = highMicros + (word & 4095)
      times++
    } else if (type === 3) {
      base = word & 2047
      basePolarity = (word >>> 11) & 1
      bases++
    } else if ((type === 4 || type === 5) && base >= 0 && base <= LAST_COLUMN - 12) {
      let mask = type === 4 ? word & 4095 : word & 255
      while (mask !== 0) {
        const bit = mask & -mask
        timeMicros[n] = time
        x[n] = base + 31 - Math.clz32(bit)
        y[n] = row
        polarity[n] = basePolarity
        n++
        mask ^= bit
      }
      base += type === 4 ? 12 : 8
      events++
    } else {
      state.row = row
      state.base = base
      state.basePolarity = basePolarity
      sink.columns.count = n
      takeWord(state, word, sink)
      n = sink.columns.count
      base = state.base
      highMicros = state.loopMicros + state.high * 4096
      time = highMicros + state.low
    }
  }
  state.row = row
  state.base = base
  state.basePolarity = basePolarity
  sink.columns.count = n
  sink.ledger.eventBytes += 2 * events
  tally(sink.ledger.otherBytes, 'row', 2 * rows)
  tally(sink.ledger.otherBytes, 'time', 2 * times)
  tally(sink.ledger.otherBytes, 'vectorBase', 2 * bases)
}

/** Most events a word can hold, and the fewest words worth a block of their own. */
const EVENTS_A_WORD = 12
const SMALLEST_BLOCK_WORDS = 512

type TakeWords = (state: Evt3State, count: number, sink: Sink) => void

/** Decodes whole words in blocks no larger than the columns surely have room for. */
const takeBlocks = (take: TakeWords, state: Evt3State, bytes: Uint8Array, start: number, end: number, sink: Sink): number => {
  const { columns } = sink
  let at = start
  if (end - at >= 2) reserve(columns, (end - at) >> 1)
  while (end - at >= 2) {
    const words = Math.min((end - at) >> 1, BLOCK_BYTES / 2)
    if (columns.capacity - columns.count < EVENTS_A_WORD * Math.min(words, SMALLEST_BLOCK_WORDS)) reserve(columns, EVENTS_A_WORD * SMALLEST_BLOCK_WORDS)
    const block = Math.min(words, Math.floor((columns.capacity - columns.count) / EVENTS_A_WORD))
    loadWords(bytes, at, 2 * block, 2)
    take(state, block, sink)
    at += 2 * block
  }
  return at
}

const parserOf = (take: TakeWords): Parser<Evt3State> => ({
  create: (options) => ({
    geometry: options.geometry ?? null,
    isHeaderDone: false,
    headerLines: 0,
    header: createPropheseeHeader(),
    isFromFirstBase: options.timeOrigin === 'firstBase',
    loopMicros: 0,
    high: -1,
    low: 0,
    row: -1,
    base: -1,
    basePolarity: 0,
  }),
  parse: (state, bytes, start, end, sink) => {
    let at = start
    if (!state.isHeaderDone) {
      at = readHeader(state, bytes, at, end, sink, '% ', (text) => takeHeaderLine(state.header, text))
      if (!state.isHeaderDone) return at
      state.geometry ??= headerGeometry(state.header)
    }
    return takeBlocks(take, state, bytes, at, end, sink)
  },
})

const parser = parserOf(takeWords)

export const createEvt3Decoder = (options: DecoderOptions = {}): EventDecoder => decoderOf(parser, options)

/** The same by the plain definition only; tests compare the two. */
export const createPlainEvt3Decoder = (options: DecoderOptions = {}): EventDecoder =>
  decoderOf(
    parserOf((state, count, sink) => {
      for (const word of words16.subarray(0, count)) takeWord(state, word, sink)
    }),
    options,
  )

/** Runs of at least this many events in 32 columns are written as a vector (base, 12, 12, 8 = four words). */
const VECTOR_EVENTS = 5

/** Where a decoder of what was written so far stands. */
interface WriteState {
  /** absolute TIME_HIGH count, -1 before the first; row; time, -1 before the first */
  high: number
  row: number
  timeMicros: number
}

const putHigh = (state: WriteState, high: number, out: ByteWriter): void => {
  out.u16(0x8000 | (high % 4096))
  state.high = high
  state.timeMicros = high * 4096
}

/** Leads the decoder's clock to a time; false where a step back would look like a wrap. */
const moveTo = (state: WriteState, timeMicros: number, out: ByteWriter): boolean => {
  if (timeMicros === state.timeMicros && state.high >= 0) return true
  const target = Math.floor(timeMicros / 4096)
  if (state.high < 0) putHigh(state, target < 4096 ? target : 0, out)
  if (target < state.high && (Math.floor(target / 4096) !== Math.floor(state.high / 4096) || state.high - target >= WRAP_STEPS)) return false
  while (Math.floor(target / 4096) > Math.floor(state.high / 4096)) putHigh(state, Math.min(target, state.high + WRAP_STEPS), out)
  if (target !== state.high) putHigh(state, target, out)
  if (timeMicros !== state.timeMicros) out.u16(0x6000 | (timeMicros - target * 4096))
  state.timeMicros = timeMicros
  return true
}

/** Writes a run of events as a vector into the scratch block from word `at` on; returns the word after it. */
const putVector = (x: Uint16Array, from: number, to: number, polarity: number, at: number): number => {
  let mask = 0
  for (let k = from; k < to; k++) mask |= 1 << ((x[k] as number) & 31)
  words16[at] = 0x3000 | (polarity << 11) | ((x[from] as number) & ~31)
  words16[at + 1] = 0x4000 | (mask & 4095)
  words16[at + 2] = 0x4000 | ((mask >>> 12) & 4095)
  words16[at + 3] = 0x5000 | (mask >>> 24)
  return at + 4
}

/** Most words that one run of events adds to the scratch block. */
const ROOM_FOR_RUN = 8

const steps = (options: EncoderOptions): EncodingSteps => {
  const state: WriteState = { high: -1, row: -1, timeMicros: -1 }
  return {
    maxX: LAST_COLUMN,
    maxY: 2047,
    maxLoops: { periodMicros: LOOP_MICROS },
    begin: (out) => out.text(rawHeader('3.0', 'EVT3', options.geometry)),
    events: ({ timeMicros, x, y, polarity }, from, to, out, drop) => {
      let words = 0
      let now = state.timeMicros
      let high = state.high < 0 ? Number.POSITIVE_INFINITY : state.high * 4096
      let lastRow = state.row
      for (let i = from; i < to; ) {
        const time = timeMicros[i] as number
        const row = y[i] as number
        const on = polarity[i] as number
        const end = i + 1 < to && y[i + 1] === row ? vectorEnd(timeMicros, x, y, polarity, i, to) : i + 1
        if (time !== now) {
          if (time >= high && time < high + 4096) words16[words++] = 0x6000 | (time - high)
          else {
            words = storeWords(words, 2, out)
            state.timeMicros = now
            if (!moveTo(state, time, out)) {
              for (let k = i; k < end; k++) drop('nonMonotonic')
              i = end
              continue
            }
            high = state.high * 4096
          }
          now = time
        }
        if (row !== lastRow) words16[words++] = row
        lastRow = row
        if (end - i >= VECTOR_EVENTS) words = putVector(x, i, end, on, words)
        else for (let k = i; k < end; k++) words16[words++] = 0x2000 | (on << 11) | (x[k] as number)
        if (words > words16.length - ROOM_FOR_RUN) words = storeWords(words, 2, out)
        i = end
      }
      state.row = lastRow
      state.timeMicros = now
      storeWords(words, 2, out)
    },
    trigger: (timeMicros, channel, value, out) => {
      if (channel > 15 || !moveTo(state, timeMicros, out)) return false
      out.u16(0xa000 | (channel << 8) | value)
      return true
    },
  }
}

export const createEvt3Encoder = (options: EncoderOptions): EventEncoder => encoderOf(steps(options), options)
