// Event Stream 2.x (.es): a 16-byte signature, then one of four delta-time encodings: generic messages, DVS, ATIS, colour.
// See docs/events.md, "Event Stream".

import { appendEvent, type EventBatch, reserve } from '../batch.js'
import { type DecoderOptions, decoderOf, type EventDecoder, type Parser, type ParserState, type Sink } from '../decoder.js'
import { type ByteWriter, type EncoderOptions, type EncodingSteps, type EventEncoder, encoderOf } from '../encoder.js'
import { tally } from '../ledger.js'
import { ascii, hasMarker, u16le } from './words.js'

export type EsKind = 'generic' | 'dvs' | 'atis' | 'colour'

interface EsState extends ParserState {
  /** null until the header has been read */
  kind: EsKind | 'unknown' | null
  timeMicros: number
}

const SIGNATURE = ascii('Event Stream')
const KINDS: readonly EsKind[] = ['generic', 'dvs', 'atis', 'colour']
const LONGEST_MESSAGE_BYTES = 2 ** 26

export const isEs = (head: Uint8Array): boolean => hasMarker(head, 0, SIGNATURE)

/** Reads the signature, three version bytes, the kind and, but for generic streams, the size; returns the start where it is not complete. */
const takeHeader = (state: EsState, bytes: Uint8Array, start: number, end: number, sink: Sink): number => {
  if (end - start < 16) return start
  const kind = isEs(bytes.subarray(start)) ? KINDS[bytes[start + 15] as number] : undefined
  if (kind === undefined || kind === 'generic') {
    state.kind = kind ?? 'unknown'
    if (kind !== undefined) tally(sink.ledger.otherBytes, 'header', 16)
    return kind === undefined ? start : start + 16
  }
  if (end - start < 20) return start
  state.kind = kind
  const width = u16le(bytes, start + 16)
  const height = u16le(bytes, start + 18)
  if (width > 0 && height > 0) state.geometry ??= { width, height }
  tally(sink.ledger.otherBytes, 'header', 20)
  return start + 20
}

/** Counts of one call, booked once at its end. */
interface Counts {
  overflow: number
  reset: number
}

const book = (counts: Counts, sink: Sink): void => {
  tally(sink.ledger.otherBytes, 'time', counts.overflow)
  tally(sink.ledger.otherBytes, 'reset', counts.reset)
  tally(sink.ledger.records, 'reset', counts.reset)
}

const takeDvs = (state: EsState, bytes: Uint8Array, start: number, end: number, sink: Sink): number => {
  const counts: Counts = { overflow: 0, reset: 0 }
  const { timeMicros, x, y, polarity } = sink.columns
  let n = sink.columns.count
  const first = n
  let time = state.timeMicros
  let at = start
  while (at < end) {
    const head = bytes[at] as number
    if (head === 0xff) {
      time += 127
      counts.overflow++
      at++
    } else if (head === 0xfe) {
      counts.reset++
      at++
    } else {
      if (end - at < 5) break
      time += head >>> 1
      timeMicros[n] = time
      x[n] = (bytes[at + 1] as number) | ((bytes[at + 2] as number) << 8)
      y[n] = (bytes[at + 3] as number) | ((bytes[at + 4] as number) << 8)
      polarity[n] = head & 1
      n++
      at += 5
    }
  }
  state.timeMicros = time
  sink.columns.count = n
  sink.ledger.eventBytes += 5 * (n - first)
  book(counts, sink)
  return at
}

const takeAtis = (state: EsState, bytes: Uint8Array, start: number, end: number, sink: Sink): number => {
  const counts: Counts = { overflow: 0, reset: 0 }
  let at = start
  while (at < end) {
    const head = bytes[at] as number
    if (head >= 0xfc) {
      state.timeMicros += 63 * (head & 3)
      if (head === 0xfc) counts.reset++
      else counts.overflow++
      at++
      continue
    }
    if (end - at < 5) break
    state.timeMicros += head >>> 2
    const isExposure = (head & 1) === 1
    if (isExposure) tally(sink.ledger.otherBytes, 'exposure', 5)
    else sink.ledger.eventBytes += 5
    appendEvent(isExposure ? sink.exposures : sink.columns, state.timeMicros, u16le(bytes, at + 1), u16le(bytes, at + 3), (head >>> 1) & 1)
    at += 5
  }
  book(counts, sink)
  return at
}

/** The time byte of generic and colour streams: overflow and reset bytes are consumed; false at the byte of a record. */
const takeTimeByte = (state: EsState, head: number, counts: Counts): boolean => {
  if (head === 0xff) {
    state.timeMicros += 254
    counts.overflow++
    return true
  }
  if (head === 0xfe) counts.reset++
  return head === 0xfe
}

const takeColour = (state: EsState, bytes: Uint8Array, start: number, end: number, sink: Sink): number => {
  const counts: Counts = { overflow: 0, reset: 0 }
  const { columns } = sink
  let at = start
  while (at < end) {
    const head = bytes[at] as number
    if (takeTimeByte(state, head, counts)) {
      at++
      continue
    }
    if (end - at < 8) break
    state.timeMicros += head
    appendEvent(columns, state.timeMicros, u16le(bytes, at + 1), u16le(bytes, at + 3), 1)
    columns.rgb?.set(bytes.subarray(at + 5, at + 8), 3 * (columns.count - 1))
    sink.ledger.eventBytes += 8
    at += 8
  }
  book(counts, sink)
  return at
}

/** Length of a message: seven bits a byte in bits 7..1, low groups first, bit 0 = more follow; null where it is not complete. */
const readLength = (bytes: Uint8Array, start: number, end: number): { length: number; next: number } | null => {
  let length = 0
  for (let at = start, scale = 1; at < end; at++, scale *= 128) {
    const byte = bytes[at] as number
    length += (byte >>> 1) * scale
    if ((byte & 1) === 0 || length > LONGEST_MESSAGE_BYTES) return { length, next: at + 1 }
  }
  return null
}

const takeGeneric = (state: EsState, bytes: Uint8Array, start: number, end: number, sink: Sink): number => {
  const counts: Counts = { overflow: 0, reset: 0 }
  let at = start
  while (at < end) {
    const head = bytes[at] as number
    if (takeTimeByte(state, head, counts)) {
      at++
      continue
    }
    const size = readLength(bytes, at + 1, end)
    if (size === null) break
    if (size.length > LONGEST_MESSAGE_BYTES) {
      tally(sink.ledger.droppedBytes, 'messageTooLong', size.next - at)
      at = size.next
      continue
    }
    const next = size.next + size.length
    if (next > end) break
    state.timeMicros += head
    tally(sink.ledger.otherBytes, 'message', next - at)
    tally(sink.ledger.records, 'message')
    if (sink.wantsRecords) sink.records.push({ kind: 'message', timeMicros: state.timeMicros, bytes: new Uint8Array(bytes.subarray(size.next, next)) })
    at = next
  }
  book(counts, sink)
  return at
}

type Take = (state: EsState, bytes: Uint8Array, start: number, end: number, sink: Sink) => number

const TAKES: Readonly<Record<EsKind | 'unknown', Take>> = {
  generic: takeGeneric,
  dvs: takeDvs,
  atis: takeAtis,
  colour: takeColour,
  unknown: (_state, _bytes, start, end, sink) => {
    tally(sink.ledger.droppedBytes, 'unknownKind', end - start)
    return end
  },
}

const parser: Parser<EsState> = {
  hasColour: true,
  create: (options) => ({ geometry: options.geometry ?? null, kind: null, timeMicros: 0 }),
  parse: (state, bytes, start, end, sink) => {
    const at = state.kind === null ? takeHeader(state, bytes, start, end, sink) : start
    if (state.kind === null) return at
    if (state.kind !== 'colour') sink.columns.rgb = null
    if (state.kind === 'dvs') reserve(sink.columns, Math.floor((end - at) / 5) + 1)
    return TAKES[state.kind](state, bytes, at, end, sink)
  },
}

export const createEsDecoder = (options: DecoderOptions = {}): EventDecoder => decoderOf(parser, options)

/** Writes delta times of one stream; `limit` microseconds a step of the overflow byte. */
const deltaWriter = (overflowByte: number, limitMicros: number) => {
  let last = 0
  return (timeMicros: number, out: ByteWriter): number | null => {
    if (timeMicros < last) return null
    let delta = timeMicros - last
    for (; delta >= limitMicros; delta -= limitMicros) out.u8(overflowByte)
    last = timeMicros
    return delta
  }
}

const signature = (out: ByteWriter, kind: EsKind, options: EncoderOptions): void => {
  out.bytes(SIGNATURE)
  out.bytes(Uint8Array.of(2, 0, 0, KINDS.indexOf(kind)))
  if (kind === 'generic') return
  out.u16(options.geometry.width)
  out.u16(options.geometry.height)
}

/** A delta-time format spells out every overflow: 2^32 us take 34 MB. */
const MAX_FIRST = { periodMicros: 2 ** 32 / 65536 }

const dvsSteps = (options: EncoderOptions): EncodingSteps => {
  const delta = deltaWriter(0xff, 127)
  return {
    maxX: 65534,
    maxY: 65534,
    maxLoops: MAX_FIRST,
    begin: (out) => signature(out, 'dvs', options),
    events: ({ timeMicros, x, y, polarity }, from, to, out, drop) => {
      for (let i = from; i < to; i++) {
        const step = delta(timeMicros[i] as number, out)
        if (step === null) {
          drop('nonMonotonic')
          continue
        }
        out.u8((step << 1) | (polarity[i] as number))
        out.u16(x[i] as number)
        out.u16(y[i] as number)
      }
    },
  }
}

export const createEsDvsEncoder = (options: EncoderOptions): EventEncoder => encoderOf(dvsSteps(options), options)

/** Three overflow steps fit one byte: 0xff, 0xfe, 0xfd add 189, 126, 63 us. */
const atisDelta = () => {
  let last = 0
  return (timeMicros: number, out: ByteWriter): number | null => {
    if (timeMicros < last) return null
    let delta = timeMicros - last
    last = timeMicros
    for (; delta >= 189; delta -= 189) out.u8(0xff)
    if (delta >= 63) out.u8(0xfc | Math.floor(delta / 63))
    return delta % 63
  }
}

const atisSteps = (options: EncoderOptions): EncodingSteps => {
  const delta = atisDelta()
  const put = (batch: EventBatch, i: number, exposureBit: number, out: ByteWriter): boolean => {
    const step = delta(batch.timeMicros[i] as number, out)
    if (step === null) return false
    out.u8((step << 2) | ((batch.polarity[i] as number) << 1) | exposureBit)
    out.u16(batch.x[i] as number)
    out.u16(batch.y[i] as number)
    return true
  }
  const events: EncodingSteps['events'] = (batch, from, to, out, drop) => {
    for (let i = from; i < to; i++) if (!put(batch, i, 0, out)) drop('nonMonotonic')
  }
  return {
    maxX: 65534,
    maxY: 65534,
    maxLoops: MAX_FIRST,
    begin: (out) => signature(out, 'atis', options),
    events,
    exposures: (batch, exposures, out, drop) => {
      let from = 0
      let written = 0
      for (let k = 0; k < exposures.count; k++) {
        let to = from
        while (to < batch.count && (batch.timeMicros[to] as number) <= (exposures.timeMicros[k] as number)) to++
        events(batch, from, to, out, drop)
        from = to
        if ((exposures.timeMicros[k] as number) >= 0 && put(exposures, k, 1, out)) written++
      }
      events(batch, from, batch.count, out, drop)
      return written
    },
  }
}

export const createEsAtisEncoder = (options: EncoderOptions): EventEncoder => encoderOf(atisSteps(options), options)

const colourSteps = (options: EncoderOptions): EncodingSteps => {
  const delta = deltaWriter(0xff, 254)
  return {
    maxX: 65534,
    maxY: 65534,
    maxLoops: MAX_FIRST,
    begin: (out) => signature(out, 'colour', options),
    events: ({ timeMicros, x, y, rgb }, from, to, out, drop) => {
      for (let i = from; i < to; i++) {
        const step = delta(timeMicros[i] as number, out)
        if (step === null) {
          drop('nonMonotonic')
          continue
        }
        out.u8(step)
        out.u16(x[i] as number)
        out.u16(y[i] as number)
        out.bytes(rgb?.subarray(3 * i, 3 * i + 3) ?? new Uint8Array(3))
      }
    },
  }
}

export const createEsColourEncoder = (options: EncoderOptions): EventEncoder => encoderOf(colourSteps(options), options)

/** Writes messages as a generic .es file; returns how many were left out because their time goes back, which the format cannot say. */
export const encodeEsMessages = (messages: readonly { readonly timeMicros: number; readonly bytes: Uint8Array }[], out: ByteWriter): number => {
  const delta = deltaWriter(0xff, 254)
  let leftOut = 0
  signature(out, 'generic', { geometry: { width: 1, height: 1 } })
  for (const message of messages) {
    const step = delta(message.timeMicros, out)
    if (step === null) {
      leftOut++
      continue
    }
    out.u8(step)
    let rest = message.bytes.length
    do {
      out.u8(((rest & 127) << 1) | (rest > 127 ? 1 : 0))
      rest >>>= 7
    } while (rest > 0)
    out.bytes(message.bytes)
  }
  return leftOut
}
