// Prophesee EVT2.0: 32-bit little-endian words, one event a word, time split into a high word and six low bits.
// See docs/events.md, "EVT2.0".

import { type Geometry, reserve } from '../batch.js'
import { type DecoderOptions, decoderOf, type EventDecoder, type Parser, type ParserState, type Sink } from '../decoder.js'
import { type EncoderOptions, type EncodingSteps, type EventEncoder, encoderOf } from '../encoder.js'
import { tally } from '../ledger.js'
import { type HeaderState, readHeader } from './header-lines.js'
import { createPropheseeHeader, headerGeometry, type PropheseeHeader, takeHeaderLine } from './prophesee-header.js'
import { BLOCK_BYTES, loadWords, storeWords, words32 } from './words.js'

/** Time of EVT2 and EVT2.1: 34 bits, of which TIME_HIGH carries the upper 28. */
export interface HighTime {
  /** last TIME_HIGH, -1 before the first */
  high: number
  /** microseconds of completed loops of 2^34 us, less the first time base where the origin is "firstBase" */
  loopMicros: number
  isFromFirstBase: boolean
}

export const createHighTime = (options: DecoderOptions): HighTime => ({ high: -1, loopMicros: 0, isFromFirstBase: options.timeOrigin === 'firstBase' })

const LOOP_MICROS = 2 ** 34
/** A high word lower by at least this many steps of 64 us is a loop (OpenEB: 2^34 - 64 - 10,000 us); smaller ones are time faults. */
const LOOP_STEPS = 2 ** 28 - 1 - Math.floor(10_000 / 64)

/** Takes a new TIME_HIGH value; returns the time of its low bits' zero in microseconds. */
export const takeHighTime = (time: HighTime, high: number, sink: Sink): number => {
  if (time.high < 0 && time.isFromFirstBase) time.loopMicros = -high * 64
  if (time.high - high >= LOOP_STEPS) {
    time.loopMicros += LOOP_MICROS
    tally(sink.ledger.faults, 'timeWrap')
  }
  time.high = high
  return time.loopMicros + high * 64
}

export const baseMicros = (time: HighTime): number => time.loopMicros + time.high * 64

interface Evt2State extends ParserState, HeaderState {
  header: PropheseeHeader
  time: HighTime
}

/** Names of the word types that are neither events, times nor triggers. */
const OTHER_TYPES: Readonly<Record<number, string>> = { 13: 'imu', 14: 'others', 15: 'continued' }

/** The plain definition: one word at a time, every type. The block decoder below must agree with it. */
const takeWord = (state: Evt2State, word: number, sink: Sink): void => {
  const { ledger, columns } = sink
  const type = word >>> 28
  if (type === 8) {
    takeHighTime(state.time, word & 0x0fffffff, sink)
    tally(ledger.otherBytes, 'time', 4)
    return
  }
  const hasTime = state.time.high >= 0
  const timeMicros = baseMicros(state.time) + ((word >>> 22) & 63)
  if (type < 2) {
    ledger.eventBytes += 4
    if (!hasTime) {
      tally(ledger.droppedEvents, 'beforeTimeBase')
      return
    }
    reserve(columns, 1)
    const n = columns.count++
    columns.timeMicros[n] = timeMicros
    columns.x[n] = (word >>> 11) & 2047
    columns.y[n] = word & 2047
    columns.polarity[n] = type
    return
  }
  if (type === 0xa) {
    tally(ledger.otherBytes, 'trigger', 4)
    if (hasTime) sink.triggers.push([timeMicros, (word >>> 8) & 31, word & 1])
    else tally(ledger.records, 'triggerBeforeTimeBase')
    return
  }
  const name = OTHER_TYPES[type]
  if (name === undefined) {
    tally(ledger.droppedBytes, 'unknownWord', 4)
    return
  }
  tally(ledger.otherBytes, name, 4)
  tally(ledger.records, name)
}

/** Decodes `count` loaded words; the columns have room for as many events. */
const takeWords = (state: Evt2State, count: number, sink: Sink): void => {
  let i = 0
  while (i < count && state.time.high < 0) takeWord(state, words32[i++] as number, sink)
  const { timeMicros, x, y, polarity } = sink.columns
  const first = sink.columns.count
  let n = first
  let base = baseMicros(state.time)
  let times = 0
  for (; i < count; i++) {
    const word = words32[i] as number
    const type = word >>> 28
    if (type < 2) {
      timeMicros[n] = base + ((word >>> 22) & 63)
      x[n] = (word >>> 11) & 2047
      y[n] = word & 2047
      polarity[n] = type
      n++
    } else if (type === 8) {
      base = takeHighTime(state.time, word & 0x0fffffff, sink)
      times++
    } else takeWord(state, word, sink)
  }
  sink.columns.count = n
  sink.ledger.eventBytes += 4 * (n - first)
  tally(sink.ledger.otherBytes, 'time', 4 * times)
}

type TakeWords = (state: Evt2State, count: number, sink: Sink) => void

const parserOf = (take: TakeWords): Parser<Evt2State> => ({
  create: (options) => ({
    geometry: options.geometry ?? null,
    isHeaderDone: false,
    headerLines: 0,
    header: createPropheseeHeader(),
    time: createHighTime(options),
  }),
  parse: (state, bytes, start, end, sink) => {
    let at = start
    if (!state.isHeaderDone) {
      at = readHeader(state, bytes, at, end, sink, '% ', (text) => takeHeaderLine(state.header, text))
      if (!state.isHeaderDone) return at
      state.geometry ??= headerGeometry(state.header)
    }
    while (end - at >= 4) {
      const byteCount = Math.min((end - at) & ~3, BLOCK_BYTES)
      loadWords(bytes, at, byteCount, 4)
      reserve(sink.columns, (end - at) >> 2)
      take(state, byteCount >> 2, sink)
      at += byteCount
    }
    return at
  },
})

const parser = parserOf(takeWords)

export const createEvt2Decoder = (options: DecoderOptions = {}): EventDecoder => decoderOf(parser, options)

/** The same by the plain definition only; tests compare the two. */
export const createPlainEvt2Decoder = (options: DecoderOptions = {}): EventDecoder =>
  decoderOf(
    parserOf((state, count, sink) => {
      for (const word of words32.subarray(0, count)) takeWord(state, word, sink)
    }),
    options,
  )

/** Text header of a RAW file. */
export const rawHeader = (evt: string, format: string, geometry: Geometry, extra = ''): string =>
  `% evt ${evt}\n% format ${format};height=${geometry.height};width=${geometry.width}${extra}\n% geometry ${geometry.width}x${geometry.height}\n% end\n`

/** What the encoders of EVT2 and EVT2.1 must put before an event: the high words that lead to its time, or null where none can. */
export const highWordsTo = (from: number, to: number): readonly number[] | null => {
  const period = 2 ** 28
  if (to === from) return []
  if (from < 0) return loops(-1, Math.floor(to / period), to % period)
  const fromLoop = Math.floor(from / period)
  const toLoop = Math.floor(to / period)
  if (toLoop === fromLoop) return from - to >= LOOP_STEPS ? null : [to % period]
  return toLoop < fromLoop ? null : loops(fromLoop, toLoop, to % period)
}

const loops = (fromLoop: number, toLoop: number, last: number): readonly number[] => {
  const words: number[] = fromLoop < 0 ? (toLoop > 0 ? [0] : []) : []
  for (let loop = Math.max(fromLoop, 0); loop < toLoop; loop++) words.push(2 ** 28 - 1, 0)
  if (words.at(-1) !== last) words.push(last)
  return words
}

const steps = (options: EncoderOptions): EncodingSteps => {
  let high = -1
  const moveTo = (timeMicros: number, put: (word: number) => void): boolean => {
    const target = Math.floor(timeMicros / 64)
    const words = highWordsTo(high, target)
    if (words === null) return false
    for (const word of words) put(0x80000000 | word)
    high = target
    return true
  }
  return {
    maxX: 2047,
    maxY: 2047,
    maxLoops: { periodMicros: LOOP_MICROS },
    begin: (out) => out.text(rawHeader('2.0', 'EVT2', options.geometry)),
    events: ({ timeMicros, x, y, polarity }, from, to, out, drop) => {
      let words = 0
      let base = high * 64
      for (let i = from; i < to; i++) {
        const time = timeMicros[i] as number
        if (time < base || time >= base + 64) {
          words = storeWords(words, 4, out)
          if (!moveTo(time, out.u32)) {
            drop('nonMonotonic')
            continue
          }
          base = high * 64
        }
        words32[words++] = ((polarity[i] as number) << 28) | ((time - base) << 22) | ((x[i] as number) << 11) | (y[i] as number)
        if (words === words32.length) words = storeWords(words, 4, out)
      }
      storeWords(words, 4, out)
    },
    trigger: (timeMicros, channel, value, out) => {
      if (channel > 31 || !moveTo(timeMicros, out.u32)) return false
      out.u32(0xa0000000 | ((timeMicros - high * 64) << 22) | (channel << 8) | value)
      return true
    },
  }
}

export const createEvt2Encoder = (options: EncoderOptions): EventEncoder => encoderOf(steps(options), options)
