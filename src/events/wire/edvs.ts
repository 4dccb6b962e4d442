// The eDVS on its serial line: events of two address bytes and a time of the format E0 to E4, with lines of text (answers to commands)
// between them. After damaged bytes the decoder finds the next event by its high bit and its time. See docs/events.md, "eDVS".

import { appendEvent } from '../batch.js'
import { type DecoderOptions, decoderOf, type EventDecoder, type Parser, type ParserState, type Sink } from '../decoder.js'
import { type ByteWriter, type EncoderOptions, type EncodingSteps, type EventEncoder, encoderOf } from '../encoder.js'
import { textOf } from '../formats/words.js'
import { tally } from '../ledger.js'

/** Time formats: none, 1 to 4 bytes of 7 bits since the event before, absolute of 16, 24, 32 bits. */
export type EdvsFormat = 'E0' | 'E1' | 'E2' | 'E3' | 'E4'
export const EDVS_FORMATS: readonly EdvsFormat[] = ['E0', 'E1', 'E2', 'E3', 'E4']
export const EDVS_GEOMETRY = { width: 128, height: 128 } as const

/** Bytes of the absolute time; 0 for E0 and E1. */
const STAMP_BYTES: Readonly<Record<EdvsFormat, number>> = { E0: 0, E1: 0, E2: 2, E3: 3, E4: 4 }
/** Where the absolute time wraps, in microseconds; null: it does not, or there is none. */
export const edvsWrapMicros = (format: EdvsFormat): number | null => (STAMP_BYTES[format] === 0 ? null : 256 ** STAMP_BYTES[format])

interface EdvsState extends ParserState {
  format: EdvsFormat
  /** raw stamp of the last event, -1 before the first */
  lastStamp: number
  timeMicros: number
}

/** Events that must follow one another before a doubtful place is believed. */
const WITNESSES: Readonly<Record<EdvsFormat, number>> = { E0: 8, E1: 6, E2: 4, E3: 4, E4: 4 }
const LONGEST_EVENT: Readonly<Record<EdvsFormat, number>> = { E0: 2, E1: 6, E2: 4, E3: 5, E4: 6 }
const LONGEST_LINE = 256
const E1_TIME_BYTES = 4

const hasHighBit = (bytes: Uint8Array, at: number): boolean => (bytes[at] as number) >= 0x80

/** Length of the event at `at`: 0 where more bytes are needed, -1 where it cannot be one. */
const eventLength = (format: EdvsFormat, bytes: Uint8Array, at: number, end: number): number => {
  if (at >= end) return 0
  if (!hasHighBit(bytes, at)) return -1
  if (format !== 'E1') return end - at >= LONGEST_EVENT[format] ? LONGEST_EVENT[format] : 0
  for (let i = 2; i < 2 + E1_TIME_BYTES; i++) {
    if (at + i >= end) return 0
    if (hasHighBit(bytes, at + i)) return i + 1
  }
  return -1
}

const stampAt = (format: EdvsFormat, bytes: Uint8Array, at: number): number => {
  let stamp = 0
  for (let i = 0; i < STAMP_BYTES[format]; i++) stamp = stamp * 256 + (bytes[at + 2 + i] as number)
  return stamp
}

/** Steps of up to a quarter of the range back are jitter or the way back from a damaged stamp, everything else is time going on, over the wrap. */
const stepBetween = (last: number, stamp: number, wrapMicros: number): number => {
  const forward = (stamp - last + wrapMicros) % wrapMicros
  return forward >= 0.75 * wrapMicros ? forward - wrapMicros : forward
}

/** A step of a quarter of the range or more is doubtful: silence, a damaged stamp, or a lost byte. */
const isDoubtful = (state: EdvsState, stamp: number, wrapMicros: number): boolean =>
  state.lastStamp >= 0 && stepBetween(state.lastStamp, stamp, wrapMicros) >= wrapMicros / 4

/** How far time moves a witness from `start` on; null where one of them is no event. Fewer count where the bytes end or text follows. */
const costFrom = (state: EdvsState, bytes: Uint8Array, start: number, end: number): number | null => {
  const { format } = state
  const wrapMicros = edvsWrapMicros(format)
  let at = start
  let last = state.lastStamp
  let cost = 0
  let k = 0
  for (; k < WITNESSES[format]; k++) {
    const length = eventLength(format, bytes, at, end)
    if (length === 0 || (length < 0 && k >= 2 && isTextByte(bytes[at] as number))) break
    if (length < 0) return null
    if (wrapMicros !== null) {
      const stamp = stampAt(format, bytes, at)
      if (last >= 0) cost += Math.abs(stepBetween(last, stamp, wrapMicros))
      last = stamp
    }
    at += length
  }
  return k === 0 ? Number.MAX_VALUE : cost / k
}

const isTextByte = (byte: number): boolean => (byte >= 0x20 && byte <= 0x7e) || byte === 0x09 || byte === 0x0d || byte === 0x0a

/** Length of a line of text with its end, 0 where it is not complete, -1 where it is none. */
const lineLength = (bytes: Uint8Array, start: number, end: number): number => {
  for (let at = start; at < end && at - start < LONGEST_LINE; at++) {
    const byte = bytes[at] as number
    if (!isTextByte(byte)) return -1
    if (byte === 0x0a) return at + 1 - start
  }
  return end - start >= LONGEST_LINE ? -1 : 0
}

const isTextAt = (bytes: Uint8Array, at: number, end: number): boolean => lineLength(bytes, at, end) > 0

/** Witnesses that follow one another within this many microseconds prove a place right, whatever pause came before them. */
const SMOOTH_MICROS: Readonly<Record<EdvsFormat, number>> = { E0: 0, E1: 0, E2: 1024, E3: 16384, E4: 65536 }

const isSmooth = (state: EdvsState, bytes: Uint8Array, at: number, end: number): boolean => {
  const first = { ...state, lastStamp: -1 }
  const cost = hasHighBit(bytes, at) && SMOOTH_MICROS[state.format] > 0 ? costFrom(first, bytes, at, end) : null
  return cost !== null && cost * WITNESSES[state.format] <= SMOOTH_MICROS[state.format]
}

/** The nearest start that explains the bytes best, as an offset; 1 to LONGEST_EVENT, or 0 where the place is right after all. */
const bestOffset = (state: EdvsState, bytes: Uint8Array, at: number, end: number): number => {
  if (isSmooth(state, bytes, at, end)) return 0
  let best = -1
  let bestCost = Number.POSITIVE_INFINITY
  for (let offset = 0; offset <= LONGEST_EVENT[state.format] && at + offset < end; offset++) {
    if (offset > 0 && isTextAt(bytes, at + offset, end) && best < 0) return offset
    const cost = costFrom(state, bytes, at + offset, end)
    if (cost !== null && cost < bestCost) {
      best = offset
      // a place that may be right is left only for one that is much better: silence is no damage
      bestCost = offset === 0 ? cost / 2 : cost
    }
  }
  return best < 0 ? 1 : best
}

const takeText = (bytes: Uint8Array, at: number, length: number, sink: Sink): void => {
  tally(sink.ledger.otherBytes, 'text', length)
  tally(sink.ledger.records, 'message')
  if (sink.wantsRecords) sink.records.push({ kind: 'message', timeMicros: null, bytes: bytes.slice(at, at + length) })
}

const takeEvent = (state: EdvsState, bytes: Uint8Array, at: number, length: number, now: number, sink: Sink): void => {
  const { format } = state
  const wrapMicros = edvsWrapMicros(format)
  if (format === 'E0') {
    state.timeMicros = now
    tally(sink.ledger.faults, 'hostTime')
  } else if (wrapMicros === null) {
    let delta = 0
    for (let i = 2; i < length; i++) delta = delta * 128 + ((bytes[at + i] as number) & 0x7f)
    state.timeMicros += delta
  } else {
    const stamp = stampAt(format, bytes, at)
    if (state.lastStamp < 0) state.timeMicros = stamp
    else {
      const step = stepBetween(state.lastStamp, stamp, wrapMicros)
      if (step >= 0 && stamp < state.lastStamp) tally(sink.ledger.faults, 'timeWrap')
      state.timeMicros += step
      if (state.timeMicros < 0) state.timeMicros += wrapMicros // times count from 0 on
    }
    state.lastStamp = stamp
  }
  const second = bytes[at + 1] as number
  appendEvent(sink.columns, state.timeMicros, second & 0x7f, (bytes[at] as number) & 0x7f, second >>> 7 === 0 ? 1 : 0)
  sink.ledger.eventBytes += length
}

/** Takes text, or skips to where events go on; returns how many bytes were consumed, 0 where more are needed to tell. */
const takeDoubtful = (state: EdvsState, bytes: Uint8Array, at: number, end: number, isLast: boolean, sink: Sink): number => {
  if (!hasHighBit(bytes, at)) {
    const line = lineLength(bytes, at, end)
    if (line === 0 && !isLast) return 0
    if (line > 0) {
      takeText(bytes, at, line, sink)
      return line
    }
  }
  const needed = LONGEST_EVENT[state.format] * (WITNESSES[state.format] + 2)
  if (end - at < needed && !isLast) return 0
  const offset = bestOffset(state, bytes, at, isLast ? end : at + needed)
  tally(sink.ledger.droppedBytes, 'unsynchronised', offset)
  if (offset > 0) tally(sink.ledger.faults, 'resynchronised')
  return offset === 0 ? -1 : offset
}

const parserOf = (format: EdvsFormat): Parser<EdvsState> => ({
  bounds: EDVS_GEOMETRY,
  create: (options) => ({ geometry: options.geometry ?? EDVS_GEOMETRY, format, lastStamp: -1, timeMicros: 0 }),
  parse: (state, bytes, start, end, sink, isLast) => {
    const wrapMicros = edvsWrapMicros(format)
    const now = sink.nowMicros()
    let at = start
    while (at < end) {
      const length = eventLength(format, bytes, at, end)
      if (length === 0) return at
      if (length < 0 || (wrapMicros !== null && isDoubtful(state, stampAt(format, bytes, at), wrapMicros))) {
        const taken = takeDoubtful(state, bytes, at, end, isLast, sink)
        if (taken === 0) return at
        if (taken > 0) {
          at += taken
          continue
        }
      }
      takeEvent(state, bytes, at, length, now, sink)
      at += length
    }
    return at
  },
})

export const createEdvsDecoder = (format: EdvsFormat, options: DecoderOptions = {}): EventDecoder => decoderOf(parserOf(format), options)

/** Writes one event as the camera does; for E1 `sinceMicros` is the time since the event before. Coordinates are 0..127. */
export const putEdvsEvent = (format: EdvsFormat, x: number, y: number, polarity: number, timeMicros: number, sinceMicros: number, out: ByteWriter): void => {
  out.u8(0x80 | y)
  out.u8(x | (polarity === 1 ? 0 : 0x80))
  if (format === 'E1') {
    for (let shift = E1_TIME_BYTES - 1; shift > 0; shift--) if (sinceMicros >= 128 ** shift) out.u8(Math.floor(sinceMicros / 128 ** shift) % 128)
    out.u8(0x80 | (sinceMicros % 128))
  }
  for (let shift = STAMP_BYTES[format] - 1; shift >= 0; shift--) out.u8(Math.floor(timeMicros / 256 ** shift) % 256)
}

/** The largest step that E1 can say. */
export const E1_MAX_MICROS = 128 ** E1_TIME_BYTES - 1

const stepsOf = (format: EdvsFormat): EncodingSteps => {
  const wrapMicros = edvsWrapMicros(format)
  const limit = format === 'E1' ? E1_MAX_MICROS : wrapMicros === null ? Number.POSITIVE_INFINITY : 0.75 * wrapMicros - 1
  let last: number | null = format === 'E1' ? 0 : null
  return {
    maxX: 127,
    maxY: 127,
    ...(wrapMicros !== null && { maxLoops: { periodMicros: (wrapMicros - 1) / 65536 } }),
    begin: () => {},
    events: ({ timeMicros, x, y, polarity }, from, to, out, drop) => {
      for (let i = from; i < to; i++) {
        const time = timeMicros[i] as number
        const since = time - (last ?? time)
        const isSaid = format === 'E0' || (since <= limit && since >= 0)
        if (!isSaid) {
          drop(since < 0 ? 'nonMonotonic' : 'timeGap')
          continue
        }
        last = time
        putEdvsEvent(format, x[i] as number, y[i] as number, polarity[i] as number, time, since, out)
      }
    },
  }
}

export const createEdvsEncoder = (format: EdvsFormat, options: EncoderOptions): EventEncoder => encoderOf(stepsOf(format), options)

/** Text of a message record without its line end. */
export const messageText = (bytes: Uint8Array): string => textOf(bytes, 0, bytes.length).trimEnd()
