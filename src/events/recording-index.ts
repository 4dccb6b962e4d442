// Random access to long recordings: one pass makes a sparse index of decoder states, later reads start at the state before the
// wanted time. The index has a fixed largest size, so memory does not grow with the recording.

import { type EventBatch, type Geometry, pickEvents } from './batch.js'
import type { DecoderSnapshot } from './decoder.js'
import { FORMATS, type FormatName } from './formats/index.js'
import type { Ledger } from './ledger.js'
import { openDecoder, type ReadOptions } from './read.js'

/** Bytes that can be read anywhere: a file, a Blob, an array. */
export interface ByteSource {
  readonly byteLength: number
  read(byteOffset: number, byteCount: number): Promise<Uint8Array>
}

export const sourceOfBytes = (bytes: Uint8Array): ByteSource => ({
  byteLength: bytes.length,
  read: async (byteOffset, byteCount) => bytes.subarray(byteOffset, byteOffset + byteCount),
})

/** A place to start from. */
export interface IndexEntry {
  readonly snapshot: DecoderSnapshot
  /** number of the first event after it */
  readonly eventIndex: number
  /** latest time of all events before it, null at the start */
  readonly latestMicros: number | null
}

/** Plain data: JSON keeps it. */
export interface RecordingIndex {
  readonly format: FormatName
  readonly geometry: Geometry | null
  readonly byteLength: number
  readonly eventCount: number
  /** earliest and latest time, null where there are no events */
  readonly firstMicros: number | null
  readonly lastMicros: number | null
  /** no event is older than the one before it: reading can stop at the end of the wanted time */
  readonly isMonotonic: boolean
  readonly entries: readonly IndexEntry[]
  readonly ledger: Readonly<Ledger>
}

export interface IndexOptions extends ReadOptions {
  /** bytes read at once, default 65,536; also the finest spacing of the entries */
  readonly chunkBytes?: number
  /** most entries kept, at least 2, default 1,024: when there are more, every second one goes */
  readonly maxEntries?: number
}

interface Span {
  first: number
  last: number
}

const widen = (span: Span, batch: EventBatch): void => {
  for (let i = 0; i < batch.count; i++) {
    const time = batch.timeMicros[i] as number
    if (time < span.first) span.first = time
    if (time > span.last) span.last = time
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)

/** Reads a recording once and notes decoder states along the way. */
export const indexRecording = async (source: ByteSource, options: IndexOptions = {}): Promise<RecordingIndex> => {
  const { chunkBytes = 65536, maxEntries = 1024 } = options
  const decoder = openDecoder(options)
  const span: Span = { first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY }
  let entries: IndexEntry[] = []
  let spacing = 1
  let chunks = 0
  for (let at = 0; at < source.byteLength; at += chunkBytes) {
    widen(span, decoder.push(await source.read(at, Math.min(chunkBytes, source.byteLength - at))))
    if (decoder.format === null || ++chunks % spacing !== 0) continue
    entries.push({ snapshot: decoder.snapshot(), eventIndex: decoder.ledger.eventsOut, latestMicros: finite(span.last) })
    if (entries.length < maxEntries) continue
    entries = entries.filter((_, i) => i % 2 === 1)
    spacing *= 2
  }
  widen(span, decoder.end())
  const { ledger } = decoder
  return {
    format: decoder.format as FormatName,
    geometry: decoder.geometry,
    byteLength: source.byteLength,
    eventCount: ledger.eventsOut,
    firstMicros: finite(span.first),
    lastMicros: finite(span.last),
    isMonotonic: (ledger.faults['nonMonotonic'] ?? 0) === 0,
    entries,
    ledger,
  }
}

const entryBefore = (index: RecordingIndex, isBefore: (entry: IndexEntry) => boolean): IndexEntry | null => {
  let low = 0
  let high = index.entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(index.entries[middle] as IndexEntry)) low = middle + 1
    else high = middle
  }
  return index.entries[low - 1] ?? null
}

async function* batchesFrom(source: ByteSource, index: RecordingIndex, entry: IndexEntry | null, options: IndexOptions): AsyncGenerator<EventBatch> {
  const { chunkBytes = 65536 } = options
  const decoder = FORMATS[index.format].createDecoder(entry === null ? options : { ...options, resume: entry.snapshot })
  for (let at = entry?.snapshot.byteOffset ?? 0; at < source.byteLength; at += chunkBytes) {
    yield decoder.push(await source.read(at, Math.min(chunkBytes, source.byteLength - at)))
  }
  yield decoder.end()
}

const within = (batch: EventBatch, fromMicros: number, toMicros: number): EventBatch => {
  const indices = new Uint32Array(batch.count)
  let kept = 0
  for (let i = 0; i < batch.count; i++) {
    const time = batch.timeMicros[i] as number
    if (time >= fromMicros && time < toMicros) indices[kept++] = i
  }
  return pickEvents(batch, indices, kept)
}

/** Every event with fromMicros <= time < toMicros, reading no more of the recording than the index allows. */
export async function* readTimeSpan(
  source: ByteSource,
  index: RecordingIndex,
  fromMicros: number,
  toMicros: number,
  options: IndexOptions = {},
): AsyncGenerator<EventBatch> {
  const entry = entryBefore(index, (candidate) => candidate.latestMicros === null || candidate.latestMicros < fromMicros)
  for await (const batch of batchesFrom(source, index, entry, options)) {
    const wanted = within(batch, fromMicros, toMicros)
    if (wanted.count > 0) yield wanted
    if (index.isMonotonic && batch.count > 0 && (batch.timeMicros[batch.count - 1] as number) >= toMicros) return
  }
}

/** Events number first..end (exclusive) of the recording. */
export async function* readEventSpan(
  source: ByteSource,
  index: RecordingIndex,
  first: number,
  end: number,
  options: IndexOptions = {},
): AsyncGenerator<EventBatch> {
  const entry = entryBefore(index, (candidate) => candidate.eventIndex <= first)
  let number = entry?.eventIndex ?? 0
  for await (const batch of batchesFrom(source, index, entry, options)) {
    const indices = Uint32Array.from({ length: batch.count }, (_, i) => i).filter((i) => number + i >= first && number + i < end)
    if (indices.length > 0) yield pickEvents(batch, indices, indices.length)
    number += batch.count
    if (number >= end) return
  }
}
