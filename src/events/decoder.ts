// The streaming decoder around every format's parser: it joins split records across chunks, checks bounds and time order,
// applies the fault policy, keeps the ledger and delivers triggers and other records. Formats live in formats/.

import { malformedFile, usage } from '../errors.js'
import { type Columns, createColumns, type EventBatch, type Geometry, type TriggerBatch, takeBatch, triggersOf } from './batch.js'
import { createLedger, type Ledger, tally } from './ledger.js'

/**
 * What to do about time faults. `count`: events whose time goes back pass unchanged and are counted; `clamp`: they get the time
 * of the event before; `throw`: the first fault raises FILE_MALFORMED. Events before the first time base have no time: they are
 * dropped and counted, under `throw` they raise.
 */
export type FaultPolicy = 'count' | 'clamp' | 'throw'

/** A record that is neither an event nor a trigger, as it stood in the recording. */
export interface OtherRecord {
  readonly kind: 'frame' | 'imu' | 'message' | 'special' | 'other'
  /** integer microseconds, null where the record carries no time */
  readonly timeMicros: number | null
  /** pixels of a frame, text of a message, or the raw record */
  readonly bytes: Uint8Array
  /** frames only: size in pixels and bytes a pixel (1 gray, 3 BGR, 4 BGRA) */
  readonly frame?: { readonly width: number; readonly height: number; readonly channels: number }
}

/** Options of every decoder; the second half concerns single formats. */
export interface DecoderOptions {
  /** name of the recording in messages; default "recording" */
  readonly name?: string
  /** overrides the header's geometry; events outside are dropped and counted */
  readonly geometry?: Geometry
  /** default "count" */
  readonly onFault?: FaultPolicy
  /** receives trigger edges, once a push at most; without it they are only counted */
  readonly onTriggers?: (triggers: TriggerBatch) => void
  /** receives exposure measurements of ATIS recordings (polarity 0 = start, 1 = end) */
  readonly onExposures?: (exposures: EventBatch) => void
  /** receives frames, IMU samples, messages; without it they are only counted */
  readonly onRecord?: (record: OtherRecord) => void
  /** EVT2, EVT2.1, EVT3: "raw" (default) keeps the camera's time, "firstBase" makes the first time base 0 as OpenEB does */
  readonly timeOrigin?: 'raw' | 'firstBase'
  /** EVT2.1: order of the two 32-bit halves; default: header, else judged from the first words */
  readonly byteOrder?: 'little' | 'legacy'
  /** AEDAT 1 and 2: default from the header, else "dvs128" */
  readonly sensor?: 'dvs128' | 'davis240' | 'davis346'
  /** text: order of the columns, letters of "txyp" and "-" for a column to skip; default from the header, else "txyp" */
  readonly columns?: string
  /** text: unit of the time column; "auto" (default) takes numbers with a decimal point for seconds, others for microseconds */
  readonly timeUnit?: 'auto' | 'seconds' | 'millis' | 'micros' | 'nanos'
  /** AEDAT 4: id of the event stream to read; default: the first event stream of the header */
  readonly streamId?: number
  /** wire formats: every push() is one whole datagram, what is left of it is `truncated` and never continued */
  readonly isDatagrams?: boolean
  /** AEDAT 3: packets come without the header of a file */
  readonly isHeaderless?: boolean
  /** wire formats without times (eDVS E0, SPIF without stamps): the host's clock in integer microseconds; default: all times are 0 */
  readonly clock?: () => number
  /** continues where `snapshot()` of an earlier decoder stood */
  readonly resume?: DecoderSnapshot
}

/** State between two pushes, plain data (JSON keeps it): decoding can go on at `byteOffset` of the recording. */
export interface DecoderSnapshot {
  readonly byteOffset: number
  readonly lastMicros: number | null
  readonly parser: object
}

/** A decoder of one recording. push() takes chunks of any size; end() must be called once after the last. */
export interface EventDecoder {
  /** known after the header, null where neither the recording nor the options tell */
  readonly geometry: Geometry | null
  readonly ledger: Readonly<Ledger>
  push(chunk: Uint8Array): EventBatch
  end(): EventBatch
  snapshot(): DecoderSnapshot
}

/** What parsers write to. */
export interface Sink {
  readonly columns: Columns
  readonly exposures: Columns
  readonly ledger: Ledger
  /** rows [time in microseconds, channel, value] */
  readonly triggers: [number, number, number][]
  readonly records: OtherRecord[]
  /** false where nobody listens: parsers then skip making the record */
  readonly wantsRecords: boolean
  readonly name: string
  /** the host's clock, for formats without times */
  readonly nowMicros: () => number
}

/** Every parser's state is plain data and knows the geometry once the header has been read. */
export interface ParserState {
  geometry: Geometry | null
}

/**
 * A format's parser. `parse` consumes whole records of bytes[start, end), books every consumed byte in the ledger and returns
 * where it stopped; what is left comes again with more bytes. `isLast` says that nothing follows.
 */
export interface Parser<S extends ParserState> {
  /** bounds of the format itself, used while no geometry is known */
  readonly bounds?: Geometry
  readonly hasColour?: boolean
  create(options: DecoderOptions): S
  parse(state: S, bytes: Uint8Array, start: number, end: number, sink: Sink, isLast: boolean): number
}

interface Carry {
  bytes: Uint8Array
  start: number
  end: number
}

const appendToCarry = (carry: Carry, chunk: Uint8Array): void => {
  const length = carry.end - carry.start
  if (carry.end + chunk.length > carry.bytes.length) {
    const target = length + chunk.length <= carry.bytes.length / 2 ? carry.bytes : new Uint8Array(Math.max(256, 2 * (length + chunk.length)))
    target.set(carry.bytes.subarray(carry.start, carry.end))
    carry.bytes = target
    carry.start = 0
    carry.end = length
  }
  carry.bytes.set(chunk, carry.end)
  carry.end += chunk.length
}

/** The first event that is out of bounds or goes back in time, or `count`. */
const firstFault = (columns: Columns, lastMicros: number, width: number, height: number): number => {
  const { count, timeMicros, x, y } = columns
  let last = lastMicros
  for (let i = 0; i < count; i++) {
    const time = timeMicros[i] as number
    if (time < last || (x[i] as number) >= width || (y[i] as number) >= height) return i
    last = time
  }
  return count
}

const moveEvent = (columns: Columns, from: number, to: number): void => {
  columns.x[to] = columns.x[from] as number
  columns.y[to] = columns.y[from] as number
  columns.polarity[to] = columns.polarity[from] as number
  if (columns.rgb !== null) columns.rgb.copyWithin(3 * to, 3 * from, 3 * from + 3)
}

interface CheckState {
  lastMicros: number
}

const timeFault = (name: string, bytesIn: number, what: string): Error =>
  malformedFile(name, bytesIn, what, 'Choose the fault policy "count" or "clamp" to read on; the ledger then counts such events.')

/** Drops events out of bounds and treats backward times by the policy, in place, from event `first` on. */
const repairEvents = (columns: Columns, first: number, check: CheckState, bounds: Geometry, policy: FaultPolicy, sink: Sink): void => {
  let kept = first
  let last = first === 0 ? check.lastMicros : (columns.timeMicros[first - 1] as number)
  let outOfBounds = 0
  let backward = 0
  for (let i = first; i < columns.count; i++) {
    if ((columns.x[i] as number) >= bounds.width || (columns.y[i] as number) >= bounds.height) {
      outOfBounds++
      continue
    }
    let time = columns.timeMicros[i] as number
    if (time < last) {
      backward++
      if (policy === 'throw') throw dropAll(columns, sink, `time goes back from ${last} us to ${time} us`)
      if (policy === 'clamp') time = last
    }
    last = time
    columns.timeMicros[kept] = time
    moveEvent(columns, i, kept++)
  }
  columns.count = kept
  tally(sink.ledger.droppedEvents, 'outOfBounds', outOfBounds)
  tally(sink.ledger.faults, policy === 'clamp' ? 'clamped' : 'nonMonotonic', backward)
}

const dropAll = (columns: Columns, sink: Sink, what: string): Error => {
  tally(sink.ledger.droppedEvents, 'timeFault', columns.count)
  columns.count = 0
  return timeFault(sink.name, sink.ledger.bytesIn, what)
}

const UNBOUNDED: Geometry = { width: 65536, height: 65536 }

const deliver = (sink: Sink, options: DecoderOptions): void => {
  tally(sink.ledger.records, 'trigger', sink.triggers.length)
  tally(sink.ledger.records, 'exposure', sink.exposures.count)
  if (sink.triggers.length > 0) options.onTriggers?.(triggersOf(sink.triggers))
  sink.triggers.length = 0
  const exposures = takeBatch(sink.exposures)
  if (exposures.count > 0) options.onExposures?.(exposures)
  for (const record of sink.records.splice(0)) options.onRecord?.(record)
}

const newSink = (options: DecoderOptions, hasColour: boolean): Sink => ({
  columns: createColumns(hasColour),
  exposures: createColumns(),
  ledger: createLedger(),
  triggers: [],
  records: [],
  wantsRecords: options.onRecord !== undefined,
  name: options.name ?? 'recording',
  nowMicros: options.clock ?? (() => 0),
})

/** Makes the streaming decoder of a format from its parser. */
export const decoderOf = <S extends ParserState>(parser: Parser<S>, options: DecoderOptions = {}): EventDecoder => {
  const { resume, onFault: policy = 'count' } = options
  const sink = newSink(options, parser.hasColour ?? false)
  const { ledger, columns } = sink
  const state = resume === undefined ? parser.create(options) : (structuredClone(resume.parser) as S)
  const check: CheckState = { lastMicros: resume?.lastMicros ?? Number.NEGATIVE_INFINITY }
  const carry: Carry = { bytes: new Uint8Array(0), start: 0, end: 0 }
  const firstOffset = resume?.byteOffset ?? 0
  let isEnded = false

  const finish = (): EventBatch => {
    ledger.eventsIn = ledger.eventsOut + sum(ledger.droppedEvents) + columns.count
    if (policy === 'throw' && (ledger.droppedEvents['beforeTimeBase'] ?? 0) > 0) throw dropAll(columns, sink, 'events stand before the first time base')
    const bounds = state.geometry ?? parser.bounds ?? UNBOUNDED
    const first = firstFault(columns, check.lastMicros, bounds.width, bounds.height)
    if (first < columns.count) repairEvents(columns, first, check, bounds, policy, sink)
    if (columns.count > 0) check.lastMicros = columns.timeMicros[columns.count - 1] as number
    ledger.eventsOut += columns.count
    deliver(sink, options)
    return takeBatch(columns)
  }

  const feed = (chunk: Uint8Array, isLast: boolean): EventBatch => {
    if (isEnded) throw usage('push() or end() was called after end().', 'A decoder reads one recording: make a new one for the next.')
    isEnded = isLast
    ledger.bytesIn += chunk.length
    const isDirect = carry.start === carry.end
    if (!isDirect) appendToCarry(carry, chunk)
    const end = isDirect ? chunk.length : carry.end
    const at = parser.parse(state, isDirect ? chunk : carry.bytes, isDirect ? 0 : carry.start, end, sink, isLast)
    const isCut = isLast || options.isDatagrams === true
    ledger.pendingBytes = isCut ? 0 : end - at
    if (isCut) tally(ledger.droppedBytes, 'truncated', end - at)
    if (isCut) carry.start = carry.end
    else if (!isDirect) carry.start = at
    else if (at < end) {
      carry.start = carry.end = 0
      appendToCarry(carry, chunk.subarray(at, end))
    }
    if (carry.start === carry.end) carry.start = carry.end = 0
    return finish()
  }

  return {
    get geometry() {
      return state.geometry
    },
    ledger,
    push: (chunk) => feed(chunk, false),
    end: () => feed(new Uint8Array(0), true),
    snapshot: () => ({
      byteOffset: firstOffset + ledger.bytesIn - ledger.pendingBytes,
      lastMicros: Number.isFinite(check.lastMicros) ? check.lastMicros : null,
      parser: structuredClone(state),
    }),
  }
}

const sum = (counts: Readonly<Record<string, number>>): number => {
  let total = 0
  for (const name in counts) total += counts[name] as number
  return total
}
