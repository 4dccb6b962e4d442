// Prophesee DAT: a "% " header, two bytes (event type, record size), then records of u32 time and u32 address, little-endian.
// jAER's .dat is another format (AEDAT). See docs/events.md, "DAT".

import { reserve } from '../batch.js'
import { type DecoderOptions, decoderOf, type EventDecoder, type Parser, type ParserState, type Sink } from '../decoder.js'
import { type EncoderOptions, type EncodingSteps, type EventEncoder, encoderOf } from '../encoder.js'
import { tally } from '../ledger.js'
import { type HeaderState, readHeader } from './header-lines.js'
import { createPropheseeHeader, headerGeometry, type PropheseeHeader, takeHeaderLine } from './prophesee-header.js'
import { BLOCK_BYTES, i32le, loadWords, storeWords, u32le, words32 } from './words.js'

interface DatState extends ParserState, HeaderState {
  header: PropheseeHeader
  /** type and size bytes; null until they have been read */
  recordType: number | null
  recordBytes: number
  /** last raw time, -1 before the first record, and the microseconds of completed loops of 2^32 us */
  lastTime: number
  loopMicros: number
}

const TRIGGER_TYPE = 0x0e
const EVENT_TYPES: readonly number[] = [0x00, 0x0c]
const LOOP_MICROS = 2 ** 32
const RECORD_BYTES = 8

/** Old files without any header have no type and size bytes either. */
const readTypeAndSize = (state: DatState, bytes: Uint8Array, start: number, end: number, sink: Sink): number => {
  state.geometry ??= headerGeometry(state.header)
  if (state.headerLines === 0) {
    state.recordType = 0
    return start
  }
  if (end - start < 2) return start
  state.recordType = bytes[start] as number
  state.recordBytes = bytes[start + 1] as number
  tally(sink.ledger.otherBytes, 'header', 2)
  return start + 2
}

/** Unwraps a raw time: a fall by more than half the range is a loop, a smaller one a time fault. */
const unwrap = (state: DatState, time: number, sink: Sink): number => {
  if (time < state.lastTime - LOOP_MICROS / 2) {
    state.loopMicros += LOOP_MICROS
    tally(sink.ledger.faults, 'timeWrap')
  }
  state.lastTime = time
  return state.loopMicros + time
}

/** Decodes `count` loaded records of version 2 (14-bit coordinates) or version 1 (9 and 8 bits). */
const takeRecords = (state: DatState, count: number, sink: Sink): void => {
  const { timeMicros, x, y, polarity } = sink.columns
  const isVersion2 = state.header.version >= 2
  const xMask = isVersion2 ? 0x3fff : 0x1ff
  const yShift = isVersion2 ? 14 : 9
  const yMask = isVersion2 ? 0x3fff : 0xff
  const pShift = isVersion2 ? 28 : 17
  let n = sink.columns.count
  let last = state.lastTime
  let loop = state.loopMicros
  for (let i = 0; i < count; i++) {
    const time = (words32[2 * i] as number) >>> 0
    const address = words32[2 * i + 1] as number
    if (time < last) {
      state.lastTime = last
      unwrap(state, time, sink)
      loop = state.loopMicros
    }
    last = time
    timeMicros[n] = loop + time
    x[n] = address & xMask
    y[n] = (address >>> yShift) & yMask
    polarity[n] = ((address >>> pShift) & 15) === 0 ? 0 : 1
    n++
  }
  state.lastTime = last
  sink.columns.count = n
  sink.ledger.eventBytes += RECORD_BYTES * count
}

/** Records of events, eight bytes each, in blocks. */
const takeEvents = (state: DatState, bytes: Uint8Array, start: number, end: number, sink: Sink): number => {
  let at = start
  reserve(sink.columns, (end - start) >> 3)
  while (end - at >= RECORD_BYTES) {
    const byteCount = Math.min((end - at) & ~7, BLOCK_BYTES)
    loadWords(bytes, at, byteCount, 4)
    takeRecords(state, byteCount >> 3, sink)
    at += byteCount
  }
  return at
}

/** Records of any other type or size, one at a time; trigger address: id in bits 12..8, value in bit 0 (as in EVT2). */
const takeOthers = (state: DatState, bytes: Uint8Array, start: number, end: number, sink: Sink): number => {
  const { recordBytes, recordType } = state
  if (recordBytes < RECORD_BYTES) {
    tally(sink.ledger.droppedBytes, 'unknownRecordSize', end - start)
    return end
  }
  let at = start
  for (; end - at >= recordBytes; at += recordBytes) {
    const address = i32le(bytes, at + 4)
    if (recordType === TRIGGER_TYPE) {
      tally(sink.ledger.otherBytes, 'trigger', recordBytes)
      sink.triggers.push([unwrap(state, u32le(bytes, at), sink), (address >>> 8) & 31, address & 1])
    } else tally(sink.ledger.droppedBytes, 'unknownRecordType', recordBytes)
  }
  return at
}

const parser: Parser<DatState> = {
  create: (options) => ({
    geometry: options.geometry ?? null,
    isHeaderDone: false,
    headerLines: 0,
    header: createPropheseeHeader(),
    recordType: null,
    recordBytes: RECORD_BYTES,
    lastTime: -1,
    loopMicros: 0,
  }),
  parse: (state, bytes, start, end, sink) => {
    let at = readHeader(state, bytes, start, end, sink, '% ', (text) => takeHeaderLine(state.header, text))
    if (!state.isHeaderDone) return at
    if (state.recordType === null) at = readTypeAndSize(state, bytes, at, end, sink)
    if (state.recordType === null) return at
    const isPlain = EVENT_TYPES.includes(state.recordType) && state.recordBytes === RECORD_BYTES
    return isPlain ? takeEvents(state, bytes, at, end, sink) : takeOthers(state, bytes, at, end, sink)
  },
}

export const createDatDecoder = (options: DecoderOptions = {}): EventDecoder => decoderOf(parser, options)

const steps = (options: EncoderOptions): EncodingSteps => {
  const { width, height } = options.geometry
  let last = -1
  return {
    maxX: 0x3fff,
    maxY: 0x3fff,
    maxLoops: { periodMicros: LOOP_MICROS / 65536 },
    begin: (out) => {
      out.text(`% Data file containing CD events.\n% Version 2\n% Width ${width}\n% Height ${height}\n`)
      out.u16(0x080c)
    },
    events: ({ timeMicros, x, y, polarity }, from, to, out, drop) => {
      let words = 0
      let loop = Math.floor(last / LOOP_MICROS) * LOOP_MICROS
      for (let i = from; i < to; i++) {
        const time = timeMicros[i] as number
        // The reader sees only 32 bits: a step must be shorter than half the range, and a step back must not cross a loop.
        if (last >= 0 && (time - last > LOOP_MICROS / 2 || (time < last && !isPlainStepBack(last, time)))) {
          drop(time < last ? 'nonMonotonic' : 'timeGap')
          continue
        }
        last = time
        if (time < loop || time >= loop + LOOP_MICROS) loop = Math.floor(time / LOOP_MICROS) * LOOP_MICROS
        words32[words] = time - loop
        words32[words + 1] = ((polarity[i] as number) << 28) | ((y[i] as number) << 14) | (x[i] as number)
        words += 2
        if (words === words32.length) words = storeWords(words, 4, out)
      }
      storeWords(words, 4, out)
    },
  }
}

const isPlainStepBack = (last: number, time: number): boolean =>
  last - time <= LOOP_MICROS / 2 && Math.floor(last / LOOP_MICROS) === Math.floor(time / LOOP_MICROS)

export const createDatEncoder = (options: EncoderOptions): EventEncoder => encoderOf(steps(options), options)
