// HDF5 recordings: Prophesee's /CD/events with the ECF codec, and the columns of DSEC and RVT (/events/{t,x,y,p}), plain, gzip or
// Blosc. The HDF5 library (h5wasm, loaded on first use) reads what it can; chunks with ECF or Blosc are found and unpacked here.
// A whole file is held in memory. See docs/events.md, "HDF5".

import type { Dataset, File as H5File } from 'h5wasm'
import { malformedFile, unsupported } from '../../errors.js'
import { isHdf5, withHdf5 } from '../../formats/hdf5.js'
import { appendBatch, concatBatches, createColumns, type EventBatch, type Geometry, type TriggerBatch, takeBatch, triggersOf } from '../batch.js'
import { type DecoderOptions, decoderOf, type Parser, type ParserState } from '../decoder.js'
import type { Ledger } from '../ledger.js'
import { tally } from '../ledger.js'
import { decompressBlosc } from './blosc.js'
import { decodeEcf } from './ecf.js'
import { findRawDataset, type RawDataset } from './hdf5-chunks.js'
import { swapBytes } from './words.js'

const ECF = 36559
const BLOSC = 32001
const LARGEST_EVENTS = 2 ** 30

/** An HDF5 recording. */
export interface Hdf5Recording {
  readonly layout: 'prophesee' | 'dsec'
  readonly geometry: Geometry | null
  readonly events: EventBatch
  readonly triggers: TriggerBatch
  readonly ledger: Readonly<Ledger>
}

/** Events with what it took to get them. */
interface Unpacked {
  readonly batches: readonly EventBatch[]
  readonly geometry: Geometry | null
  readonly triggers: readonly (readonly [number, number, number])[]
  /** bytes of chunks with events; the rest of the file is the container */
  readonly eventBytes: number
  readonly corruptBytes: number
  readonly corruptEvents: number
}

// ---- the HDF5 library ----

const datasetAt = (file: H5File, path: string): Dataset | null => {
  const entity = path.split('/').every((_, i, parts) => i === 0 || file.get(parts.slice(0, i).join('/')) !== null) ? file.get(path) : null
  return entity !== null && 'metadata' in entity && 'filters' in entity ? (entity as Dataset) : null
}

const numbersOf = (value: unknown, name: string, path: string): Float64Array => {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Float64Array.from(value as unknown as ArrayLike<number | bigint>, Number)
  if (typeof value === 'number' || typeof value === 'bigint') return Float64Array.of(Number(value))
  throw malformedFile(name, null, `the dataset "${path}" does not hold numbers`)
}

// ---- columns ----

type Kind = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'i64'
const ARRAYS: Readonly<Record<Kind, (buffer: ArrayBuffer) => ArrayLike<number | bigint>>> = {
  u8: (buffer) => new Uint8Array(buffer),
  i8: (buffer) => new Int8Array(buffer),
  u16: (buffer) => new Uint16Array(buffer),
  i16: (buffer) => new Int16Array(buffer),
  u32: (buffer) => new Uint32Array(buffer),
  i32: (buffer) => new Int32Array(buffer),
  u64: (buffer) => new BigUint64Array(buffer),
  i64: (buffer) => new BigInt64Array(buffer),
}

/** The numbers of a Blosc column; a damaged chunk leaves a gap of NaN. */
const unpackBlosc = (bytes: Uint8Array, raw: RawDataset, isSigned: boolean): Float64Array => {
  const values = new Float64Array(raw.elementCount).fill(Number.NaN)
  const kind = `${isSigned ? 'i' : 'u'}${8 * raw.elementBytes}`
  for (const chunk of raw.chunks) {
    const plain = decompressBlosc(bytes.subarray(chunk.at, chunk.at + chunk.byteCount))
    if (plain === null || !Object.hasOwn(ARRAYS, kind)) continue
    const whole = plain.slice(0, Math.floor(plain.length / raw.elementBytes) * raw.elementBytes)
    if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1) swapBytes(whole, raw.elementBytes)
    const numbers = ARRAYS[kind as Kind](whole.buffer as ArrayBuffer)
    const count = Math.min(numbers.length, raw.elementCount - chunk.firstElement)
    for (let i = 0; i < count; i++) values[chunk.firstElement + i] = Number(numbers[i])
  }
  return values
}

/** The numbers of one column, by the library or, for Blosc, by ourselves. */
const readColumn = (file: H5File, bytes: Uint8Array, path: string, name: string): { values: Float64Array; rawBytes: number } => {
  const dataset = datasetAt(file, path)
  if (dataset === null) throw malformedFile(name, null, `there is no dataset "${path}"`)
  if ((dataset.metadata.total_size ?? 0) > LARGEST_EVENTS)
    throw malformedFile(name, null, `the dataset "${path}" claims ${dataset.metadata.total_size} elements`)
  if (!dataset.filters.some((filter) => filter.id === BLOSC)) return { values: numbersOf(dataset.value, name, path), rawBytes: 0 }
  const raw = findRawDataset(bytes, path, name)
  if (raw.filters.length > 1) throw unsupported(`the dataset "${path}" of ${name} has more filters than Blosc.`, 'Repack it with gzip.')
  return { values: unpackBlosc(bytes, raw, dataset.metadata.signed), rawBytes: raw.chunks.reduce((sum, chunk) => sum + chunk.byteCount, 0) }
}

const unpackDsec = (file: H5File, bytes: Uint8Array, name: string): Unpacked => {
  const [t, x, y, p] = (['t', 'x', 'y', 'p'] as const).map((column) => readColumn(file, bytes, `events/${column}`, name))
  const offset = datasetAt(file, 't_offset') === null ? 0 : (readColumn(file, bytes, 't_offset', name).values[0] ?? 0)
  const columns = [t, x, y, p].map((column) => (column as { values: Float64Array }).values)
  const [times, xs, ys, ps] = columns as [Float64Array, Float64Array, Float64Array, Float64Array]
  const count = Math.min(...columns.map((column) => column.length))
  const batch = createColumns()
  appendBatch(batch, {
    count,
    timeMicros: times.subarray(0, count),
    x: Uint16Array.from(xs.subarray(0, count)),
    y: Uint16Array.from(ys.subarray(0, count)),
    polarity: new Uint8Array(count),
  })
  let kept = 0
  for (let i = 0; i < count; i++) {
    if (columns.some((column) => Number.isNaN(column[i]))) continue
    batch.timeMicros[kept] = (times[i] as number) + offset
    batch.x[kept] = xs[i] as number
    batch.y[kept] = ys[i] as number
    batch.polarity[kept] = (ps[i] as number) > 0 ? 1 : 0
    kept++
  }
  batch.count = kept
  const rawBytes = [t, x, y, p].reduce((sum, column) => sum + (column?.rawBytes ?? 0), 0)
  return { batches: [takeBatch(batch)], geometry: null, triggers: [], eventBytes: rawBytes, corruptBytes: 0, corruptEvents: count - kept }
}

// ---- Prophesee ----

const unpackEcf = (bytes: Uint8Array, name: string): Omit<Unpacked, 'geometry' | 'triggers'> => {
  const raw = findRawDataset(bytes, 'CD/events', name)
  const batches: EventBatch[] = []
  let [eventBytes, corruptBytes, corruptEvents] = [0, 0, 0]
  for (const chunk of raw.chunks) {
    const events = decodeEcf(bytes, chunk.at, chunk.at + chunk.byteCount)
    if (events === null) {
      corruptBytes += chunk.byteCount
      corruptEvents += Math.min(raw.chunkElements, Math.max(0, raw.elementCount - chunk.firstElement))
    } else {
      eventBytes += chunk.byteCount
      batches.push(events)
    }
  }
  return { batches, eventBytes, corruptBytes, corruptEvents }
}

/** Rows of a compound dataset as the library gives them: arrays in the order of the members. */
const rowsOfCompound = (dataset: Dataset, members: readonly string[], name: string): number[][] => {
  const names = dataset.metadata.compound_type?.members.map((member) => member.name) ?? []
  const places = members.map((member) => names.indexOf(member))
  const { value } = dataset
  if (places.some((place) => place < 0) || !Array.isArray(value)) throw malformedFile(name, null, `a compound dataset lacks one of ${members.join(', ')}`)
  return (value as unknown as unknown[][]).map((row) => places.map((place) => Number(row[place])))
}

const unpackPlain = (dataset: Dataset, name: string): Omit<Unpacked, 'geometry' | 'triggers'> => {
  const rows = rowsOfCompound(dataset, ['t', 'x', 'y', 'p'], name)
  const column = (k: number): number[] => rows.map((row) => row[k] as number)
  const batch: EventBatch = {
    count: rows.length,
    timeMicros: Float64Array.from(column(0)),
    x: Uint16Array.from(column(1)),
    y: Uint16Array.from(column(2)),
    polarity: Uint8Array.from(column(3), (p) => (p > 0 ? 1 : 0)),
  }
  return { batches: [batch], eventBytes: 0, corruptBytes: 0, corruptEvents: 0 }
}

const geometryOf = (file: H5File): Geometry | null => {
  const value = file.attrs['geometry']?.value
  const [width = 0, height = 0] = typeof value === 'string' ? value.split('x').map(Number) : []
  return Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0 && width <= 65536 && height <= 65536 ? { width, height } : null
}

const readTriggers = (file: H5File, name: string): [number, number, number][] => {
  const dataset = datasetAt(file, 'EXT_TRIGGER/events')
  if (dataset === null || dataset.metadata.total_size === 0 || dataset.filters.some((filter) => filter.id === ECF)) return []
  return rowsOfCompound(dataset, ['t', 'id', 'p'], name) as [number, number, number][]
}

const unpackProphesee = (file: H5File, bytes: Uint8Array, dataset: Dataset, name: string): Unpacked => {
  const events = dataset.filters.some((filter) => filter.id === ECF) ? unpackEcf(bytes, name) : unpackPlain(dataset, name)
  return { ...events, geometry: geometryOf(file), triggers: readTriggers(file, name) }
}

// ---- through the common checks ----

/** A parser that delivers what was unpacked and books the file's bytes, so that bounds, time faults and ledger are the common ones. */
const unpackedParser = ({ batches, geometry, triggers, eventBytes, corruptBytes, corruptEvents }: Unpacked): Parser<ParserState> => ({
  create: (options) => ({ geometry: options.geometry ?? geometry }),
  parse: (_state, _bytes, start, end, sink) => {
    if (start === end) return end
    for (const batch of batches) appendBatch(sink.columns, batch)
    for (const row of triggers) sink.triggers.push([...row])
    sink.ledger.eventBytes += eventBytes
    tally(sink.ledger.otherBytes, 'container', end - start - eventBytes - corruptBytes)
    tally(sink.ledger.droppedBytes, 'corruptChunk', corruptBytes)
    tally(sink.ledger.droppedEvents, 'corruptChunk', corruptEvents)
    return end
  },
})

/**
 * Reads a whole HDF5 recording.
 * @throws FILE_MALFORMED where the file or its structure is damaged, UNSUPPORTED where the layout is unknown
 */
export const readHdf5Events = async (bytes: Uint8Array, options: DecoderOptions = {}): Promise<Hdf5Recording> => {
  const name = options.name ?? 'recording'
  if (!isHdf5(bytes)) throw malformedFile(name, 0, 'it does not begin as an HDF5 file does')
  const { layout, unpacked } = await withHdf5(bytes, name, (file) => {
    const events = datasetAt(file, 'CD/events')
    if (events !== null) return { layout: 'prophesee' as const, unpacked: unpackProphesee(file, bytes, events, name) }
    if (datasetAt(file, 'events/t') !== null) return { layout: 'dsec' as const, unpacked: unpackDsec(file, bytes, name) }
    throw unsupported(`${name} holds neither /CD/events nor /events/t.`, 'Prophesee and DSEC recordings are read; convert others to one of them.')
  })
  const triggers: TriggerBatch[] = []
  const decoder = decoderOf(unpackedParser(unpacked), { ...options, onTriggers: (batch) => triggers.push(batch) })
  const events = concatBatches([decoder.push(bytes), decoder.end()].filter((batch) => batch.count > 0))
  return { layout, geometry: decoder.geometry, events, triggers: triggers[0] ?? triggersOf([]), ledger: decoder.ledger }
}
