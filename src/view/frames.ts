// What the page gets over one HTTP answer: frames of events and of reports, each behind a head of 8 bytes. Little-endian; the stream may be
// cut anywhere. See docs/events.md, "View".

import { malformedFile } from '../errors.js'
import type { EventBatch, Ledger } from '../events/index.js'

/** Events a frame holds at most; longer batches become several frames. */
export const FRAME_EVENTS = 65536
/** Bytes a frame's content may have: a frame of events takes 8 + 13 n bytes. */
export const MAX_FRAME_BYTES = 2 ** 20

const HEAD_BYTES = 8
const COUNT_BYTES = 8
const EVENT_BYTES = 13
const KINDS = { events: 1, report: 2 } as const

/** Where a stream of batches stands; the ledger is that of all it has given so far. */
export interface StreamReport {
  readonly ledger: Readonly<Ledger>
  /** true in the last frame of a recording that ended */
  readonly isEnd: boolean
  /** why the stream broke off, null where it did not */
  readonly failure: string | null
}

/** One frame as it arrives. */
export type Frame = { readonly kind: 'events'; readonly events: EventBatch } | { readonly kind: 'report'; readonly report: StreamReport }

const frameOf = (kind: number, content: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(HEAD_BYTES + content.length)
  const view = new DataView(frame.buffer)
  view.setUint32(0, kind, true)
  view.setUint32(4, content.length, true)
  frame.set(content, HEAD_BYTES)
  return frame
}

/** Events from..end of a batch: u32 count, 0, f64 times, u16 columns, u16 rows, u8 polarities. Colour is left out. */
const eventFrame = ({ timeMicros, x, y, polarity }: EventBatch, from: number, end: number): Uint8Array => {
  const count = end - from
  const frame = new Uint8Array(HEAD_BYTES + COUNT_BYTES + EVENT_BYTES * count)
  const view = new DataView(frame.buffer)
  view.setUint32(0, KINDS.events, true)
  view.setUint32(4, frame.length - HEAD_BYTES, true)
  view.setUint32(HEAD_BYTES, count, true)
  let at = HEAD_BYTES + COUNT_BYTES
  for (let i = from; i < end; i++, at += 8) view.setFloat64(at, timeMicros[i] as number, true)
  for (let i = from; i < end; i++, at += 2) view.setUint16(at, x[i] as number, true)
  for (let i = from; i < end; i++, at += 2) view.setUint16(at, y[i] as number, true)
  frame.set(polarity.subarray(from, end), at)
  return frame
}

/** The frames of a batch. */
export function* eventFrames(batch: EventBatch): Generator<Uint8Array> {
  for (let from = 0; from < batch.count; from += FRAME_EVENTS) yield eventFrame(batch, from, Math.min(batch.count, from + FRAME_EVENTS))
}

/** The frame of a report. */
export const reportFrame = (report: StreamReport): Uint8Array => frameOf(KINDS.report, new TextEncoder().encode(JSON.stringify(report)))

const readEvents = (bytes: Uint8Array, at: number, length: number): EventBatch => {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, length)
  const count = length < COUNT_BYTES ? -1 : view.getUint32(0, true)
  if (length !== COUNT_BYTES + EVENT_BYTES * count) throw malformedFile('the stream', null, `a frame of ${length} bytes claims ${count} events`)
  const rows = COUNT_BYTES + 8 * count
  const numbers = <T extends Float64Array | Uint16Array>(array: T, read: (k: number) => number): T => {
    for (let k = 0; k < count; k++) array[k] = read(k)
    return array
  }
  return {
    count,
    timeMicros: numbers(new Float64Array(count), (k) => view.getFloat64(COUNT_BYTES + 8 * k, true)),
    x: numbers(new Uint16Array(count), (k) => view.getUint16(rows + 2 * k, true)),
    y: numbers(new Uint16Array(count), (k) => view.getUint16(rows + 2 * count + 2 * k, true)),
    polarity: bytes.slice(at + rows + 4 * count, at + length),
  }
}

const readFrame = (bytes: Uint8Array, at: number, kind: number, length: number): Frame => {
  if (kind === KINDS.events) return { kind: 'events', events: readEvents(bytes, at, length) }
  return { kind: 'report', report: JSON.parse(new TextDecoder().decode(bytes.subarray(at, at + length))) as StreamReport }
}

const joined = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  if (a.length === 0) return b
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

/** Frames of a stream of bytes cut anywhere. @throws FILE_MALFORMED for a frame of unknown kind or impossible size, or where the stream ends inside one */
export async function* framesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  let held: Uint8Array = new Uint8Array(0)
  for await (const chunk of chunks) {
    held = joined(held, chunk)
    let at = 0
    while (held.length - at >= HEAD_BYTES) {
      const view = new DataView(held.buffer, held.byteOffset + at, HEAD_BYTES)
      const [kind, length] = [view.getUint32(0, true), view.getUint32(4, true)]
      if ((kind !== KINDS.events && kind !== KINDS.report) || length > MAX_FRAME_BYTES)
        throw malformedFile('the stream', null, `a frame of kind ${kind} and ${length} bytes`)
      if (held.length - at < HEAD_BYTES + length) break
      yield readFrame(held, at + HEAD_BYTES, kind, length)
      at += HEAD_BYTES + length
    }
    held = held.slice(at)
  }
  if (held.length > 0) throw malformedFile('the stream', null, `it ends inside a frame, ${held.length} bytes are left`)
}
