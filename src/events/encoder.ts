// The streaming encoder around every format's steps: it checks bounds, moves the time origin, merges triggers by time, writes the
// header before the first events and keeps the ledger. Formats live in formats/.

import { unsupported, usage } from '../errors.js'
import { type EventBatch, type Geometry, pickEvents, type TriggerBatch } from './batch.js'
import { createLedger, type Ledger, tally } from './ledger.js'

/** Options of every encoder; the second half concerns single formats. */
export interface EncoderOptions {
  /** written into headers; events outside are dropped and counted */
  readonly geometry: Geometry
  /** subtracted from every time: a number of microseconds, "first" = the first event's time, default 0 */
  readonly originMicros?: number | 'first'
  /** EVT2.1: order of the two 32-bit halves; default "little" */
  readonly byteOrder?: 'little' | 'legacy'
  /** AEDAT 2: default by geometry, "dvs128" for 128 x 128 */
  readonly sensor?: 'dvs128' | 'davis240' | 'davis346'
  /** AEDAT 4: default "lz4" */
  readonly compression?: 'none' | 'lz4'
  /** text: order of the columns, letters of "txyp"; default "txyp" */
  readonly columns?: string
  /** text: default "micros" */
  readonly timeUnit?: 'seconds' | 'micros'
  /** text: default "," and, for seconds, " " */
  readonly separator?: string
}

/** Records that go into a recording beside the events of a batch. */
export interface EncodeExtras {
  readonly triggers?: TriggerBatch
  /** ATIS exposure measurements */
  readonly exposures?: EventBatch
}

/** An encoder of one recording: push() returns the bytes of a batch (with the header first), end() what must close the file. */
export interface EventEncoder {
  readonly ledger: Readonly<Ledger>
  push(batch: EventBatch, extras?: EncodeExtras): Uint8Array
  end(): Uint8Array
}

/** A growable byte array with little-endian writers; methods are bound, so they can be passed on. */
export interface ByteWriter {
  readonly length: number
  u8(value: number): void
  u16(value: number): void
  u32(value: number): void
  bytes(values: Uint8Array): void
  text(value: string): void
  /** makes room for so many more bytes, to avoid growing in steps */
  reserve(byteCount: number): void
  /** hands over what was written; the writer is empty afterwards */
  take(): Uint8Array
}

export const createByteWriter = (capacity = 1024): ByteWriter => {
  let buffer = new Uint8Array(capacity)
  let length = 0
  const room = (extra: number): void => {
    if (length + extra <= buffer.length) return
    const larger = new Uint8Array(Math.max(length + extra, 2 * buffer.length))
    larger.set(buffer.subarray(0, length))
    buffer = larger
  }
  const bytes = (values: Uint8Array): void => {
    room(values.length)
    buffer.set(values, length)
    length += values.length
  }
  return {
    get length() {
      return length
    },
    u8: (value) => {
      if (length + 1 > buffer.length) room(1)
      buffer[length++] = value
    },
    u16: (value) => {
      if (length + 2 > buffer.length) room(2)
      buffer[length] = value
      buffer[length + 1] = value >>> 8
      length += 2
    },
    u32: (value) => {
      if (length + 4 > buffer.length) room(4)
      buffer[length] = value
      buffer[length + 1] = value >>> 8
      buffer[length + 2] = value >>> 16
      buffer[length + 3] = value >>> 24
      length += 4
    },
    bytes,
    text: (value) => bytes(new TextEncoder().encode(value)),
    reserve: room,
    take: () => {
      // A well-filled buffer is handed over as it is, a mostly empty one is kept and copied from.
      const isFull = length * 2 > buffer.length
      const taken = isFull ? buffer.subarray(0, length) : buffer.slice(0, length)
      if (isFull) buffer = new Uint8Array(capacity)
      length = 0
      return taken
    },
  }
}

/** Bytes of an event in most binary formats; only sizes the buffer. */
const LIKELY_EVENT_BYTES = 5

/** Books an event that could not be written. */
export type Drop = (reason: string) => void

/** What a format adds to the common encoder. Times are already relative to the origin and events within the format's bounds. */
export interface EncodingSteps {
  /** largest coordinates the format can hold */
  readonly maxX: number
  readonly maxY: number
  /** formats that spell out every loop of their clock: the first time may be at most 65,536 loops ahead */
  readonly maxLoops?: { readonly periodMicros: number }
  begin(out: ByteWriter): void
  events(batch: EventBatch, from: number, to: number, out: ByteWriter, drop: Drop): void
  /** absent or false: the format cannot hold this trigger, which is counted */
  trigger?(timeMicros: number, channel: number, value: number, out: ByteWriter): boolean
  /** writes events and exposure measurements in time order; returns how many measurements were written */
  exposures?(batch: EventBatch, exposures: EventBatch, out: ByteWriter, drop: Drop): number
  end?(out: ByteWriter): void
}

/** The first event that cannot be written, or the count. */
const firstUnwritable = ({ count, timeMicros, x, y }: EventBatch, width: number, height: number): number => {
  for (let i = 0; i < count; i++) if ((x[i] as number) >= width || (y[i] as number) >= height || (timeMicros[i] as number) < 0) return i
  return count
}

/** The events that lie on the sensor and not before time 0; the others are booked. */
const writableOnly = (batch: EventBatch, width: number, height: number, ledger: Ledger): EventBatch => {
  const { count, timeMicros, x, y } = batch
  if (firstUnwritable(batch, width, height) === count) return batch
  const isWritable = (i: number): boolean => (x[i] as number) < width && (y[i] as number) < height && (timeMicros[i] as number) >= 0
  const kept = Uint32Array.from({ length: count }, (_, i) => i).filter(isWritable)
  const early = timeMicros.reduce((sum, time) => sum + (time < 0 ? 1 : 0), 0)
  tally(ledger.droppedEvents, 'negativeTime', early)
  tally(ledger.droppedEvents, 'outOfBounds', count - kept.length - early)
  return pickEvents(batch, kept, kept.length)
}

const shifted = <T extends { readonly timeMicros: Float64Array }>(batch: T, originMicros: number): T =>
  originMicros === 0 ? batch : { ...batch, timeMicros: batch.timeMicros.map((time) => time - originMicros) }

const checkFirstTime = (timeMicros: number, steps: EncodingSteps): void => {
  if (timeMicros < 0) {
    throw usage(`the first time, ${timeMicros} us, is negative.`, 'Recordings count from 0: choose a smaller originMicros.')
  }
  if (steps.maxLoops !== undefined && timeMicros > 65536 * steps.maxLoops.periodMicros) {
    throw unsupported(
      `the first time, ${timeMicros} us, is too far from 0 for a format that counts every loop of ${steps.maxLoops.periodMicros} us.`,
      'Pass originMicros: "first" so that times count from the first event.',
    )
  }
}

/** Writes events with triggers between them, each before the first event that is not older. */
const writeMerged = (steps: EncodingSteps, batch: EventBatch, triggers: TriggerBatch | undefined, out: ByteWriter, ledger: Ledger, drop: Drop): void => {
  let from = 0
  for (let k = 0; k < (triggers?.count ?? 0); k++) {
    const time = triggers?.timeMicros[k] as number
    let to = from
    while (to < batch.count && (batch.timeMicros[to] as number) < time) to++
    steps.events(batch, from, to, out, drop)
    from = to
    const isWritten = time >= 0 && (steps.trigger?.(time, triggers?.channel[k] as number, triggers?.value[k] as number, out) ?? false)
    tally(ledger.records, isWritten ? 'trigger' : 'triggerNotWritten')
  }
  steps.events(batch, from, batch.count, out, drop)
}

/** Makes the streaming encoder of a format from its steps. */
export const encoderOf = (steps: EncodingSteps, options: EncoderOptions): EventEncoder => {
  const { width, height } = options.geometry
  if (!(Number.isInteger(width) && Number.isInteger(height) && width >= 1 && height >= 1 && width <= 65536 && height <= 65536)) {
    throw usage(`a sensor of ${width} x ${height} pixels does not exist.`, 'Width and height are integers from 1 to 65536.')
  }
  const ledger = createLedger()
  const out = createByteWriter()
  let originMicros = options.originMicros === 'first' ? null : (options.originMicros ?? 0)
  let hasBegun = false
  let hasFirstTime = false
  let dropped = 0
  const drop: Drop = (reason) => {
    dropped++
    tally(ledger.droppedEvents, reason)
  }
  const begin = (): void => {
    if (!hasBegun) steps.begin(out)
    hasBegun = true
  }
  const firstTime = (batch: EventBatch, extras: EncodeExtras): number | undefined =>
    [batch, extras.triggers, extras.exposures]
      .flatMap((part) => (part === undefined || part.count === 0 ? [] : [part.timeMicros[0] as number]))
      .sort((a, b) => a - b)[0]

  const push = (all: EventBatch, extras: EncodeExtras = {}): Uint8Array => {
    const first = firstTime(all, extras)
    if (!hasFirstTime && first !== undefined) {
      originMicros ??= first
      checkFirstTime(first - originMicros, steps)
      hasFirstTime = true
    }
    begin()
    ledger.eventsIn += all.count
    const batch = writableOnly(shifted(all, originMicros ?? 0), Math.min(width, steps.maxX + 1), Math.min(height, steps.maxY + 1), ledger)
    const triggers = extras.triggers === undefined ? undefined : shifted(extras.triggers, originMicros ?? 0)
    const exposures = extras.exposures === undefined ? undefined : shifted(extras.exposures, originMicros ?? 0)
    dropped = 0
    out.reserve(LIKELY_EVENT_BYTES * batch.count)
    if (steps.exposures !== undefined && exposures !== undefined) {
      const written = steps.exposures(batch, exposures, out, drop)
      tally(ledger.records, 'exposure', written)
      tally(ledger.records, 'exposureNotWritten', exposures.count - written)
      tally(ledger.records, 'triggerNotWritten', triggers?.count ?? 0)
    } else {
      tally(ledger.records, 'exposureNotWritten', exposures?.count ?? 0)
      writeMerged(steps, batch, triggers, out, ledger, drop)
    }
    ledger.eventsOut += batch.count - dropped
    ledger.bytesOut += out.length
    return out.take()
  }

  return {
    ledger,
    push,
    end: () => {
      begin()
      steps.end?.(out)
      ledger.bytesOut += out.length
      return out.take()
    },
  }
}
