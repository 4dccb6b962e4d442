// What can be viewed: recordings as bytes that can be read anywhere (a file in Node, a dropped file in the page) and live sources, any
// AsyncIterable of batches. Both look the same to the server, the page, the terminal and render. No Node here.

import { usage } from '../errors.js'
import {
  type AnyDecoder,
  type ByteSource,
  createLedger,
  decodeStream,
  type EventBatch,
  FORMATS,
  type FormatName,
  type Geometry,
  indexRecording,
  isHdf5,
  type Ledger,
  openDecoder,
  type ReadOptions,
  type RecordingIndex,
  readHdf5Events,
  readTimeSpan,
  sliceBatch,
} from '../events/index.js'
import { FRAME_EVENTS } from './frames.js'

/** A pass over a source. The ledger is final once the batches have ended. */
export interface Pass {
  readonly batches: AsyncIterable<EventBatch>
  readonly ledger: Readonly<Ledger>
}

/** Something to view. */
export interface ViewSource {
  readonly name: string
  /** a FormatName, "hdf5", or what the live source calls itself */
  readonly format: string
  readonly geometry: Geometry
  /** true: it cannot be read again, nor from another place */
  readonly isLive: boolean
  /**
   * Batches from the start, or from a time in microseconds since the first event (recordings only; the ledger then is that of a pass over the
   * whole recording). Batches hold at most FRAME_EVENTS events.
   */
  open(fromMicros?: number): Promise<Pass>
}

async function* inFrames(batches: AsyncIterable<EventBatch>): AsyncGenerator<EventBatch> {
  for await (const batch of batches) {
    for (let from = 0; from < batch.count; from += FRAME_EVENTS) yield sliceBatch(batch, from, Math.min(batch.count, from + FRAME_EVENTS))
  }
}

/** A live source of batches, such as a camera or stdin. `ledger`: the source's own, else batches are counted as they come. */
export const liveSource = (
  batches: AsyncIterable<EventBatch>,
  { name, format, geometry, ledger }: { readonly name: string; readonly format: string; readonly geometry: Geometry; readonly ledger?: () => Readonly<Ledger> },
): ViewSource => {
  const counted = createLedger()
  async function* counting(): AsyncGenerator<EventBatch> {
    for await (const batch of batches) {
      counted.eventsIn += batch.count
      counted.eventsOut += batch.count
      yield batch
    }
  }
  let isOpen = false
  const open = async (): Promise<Pass> => {
    if (isOpen) throw usage(`${name} is live and was opened twice.`, 'A live source is read once.')
    isOpen = true
    return {
      batches: inFrames(counting()),
      get ledger() {
        return ledger?.() ?? counted
      },
    }
  }
  return { name, format, geometry, isLive: true, open }
}

const CHUNK_BYTES = 65536

async function* chunksOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.byteLength; at += CHUNK_BYTES) yield await source.read(at, Math.min(CHUNK_BYTES, source.byteLength - at))
}

/** The sensor: from the recording or the options, else the smallest that holds every event, by one more pass. */
const sizeOf = async (decoder: AnyDecoder, source: ByteSource, options: ReadOptions): Promise<Geometry> => {
  if (decoder.geometry !== null) return decoder.geometry
  let [width, height] = [1, 1]
  for await (const { count, x, y } of decodeStream(chunksOf(source), openDecoder(options))) {
    for (let i = 0; i < count; i++) {
      width = Math.max(width, (x[i] as number) + 1)
      height = Math.max(height, (y[i] as number) + 1)
    }
  }
  return { width, height }
}

/** Reads until the format and, where the header tells it, the sensor are known; format and geometry of the recording. */
const probe = async (source: ByteSource, options: ReadOptions): Promise<{ format: FormatName; geometry: Geometry }> => {
  const decoder = openDecoder(options)
  for await (const chunk of chunksOf(source)) {
    decoder.push(chunk)
    if (decoder.format !== null && (decoder.geometry !== null || decoder.ledger.eventsOut > 0)) break
  }
  if (decoder.format === null) decoder.end()
  return { format: decoder.format as FormatName, geometry: await sizeOf(decoder, source, options) }
}

const after = (batch: EventBatch, micros: number): EventBatch => {
  let from = 0
  while (from < batch.count && (batch.timeMicros[from] as number) < micros) from++
  return sliceBatch(batch, from, batch.count)
}

const hdf5Source = async (bytes: Uint8Array, name: string, options: ReadOptions): Promise<ViewSource> => {
  const { events, geometry, ledger } = await readHdf5Events(bytes, { ...options, name })
  const side = (values: Uint16Array): number => values.reduce((most, value) => Math.max(most, value), 0) + 1
  const size = options.geometry ?? geometry ?? { width: side(events.x), height: side(events.y) }
  const open = async (fromMicros = 0): Promise<Pass> => {
    async function* all(): AsyncGenerator<EventBatch> {
      yield after(events, (events.timeMicros[0] ?? 0) + fromMicros)
    }
    return { batches: inFrames(all()), ledger }
  }
  return { name, format: 'hdf5', geometry: size, isLive: false, open }
}

/**
 * A recording of any format. Memory does not grow with its length (HDF5 recordings are read whole). The first jump to a time reads the
 * recording once for a sparse index.
 * @throws FILE_MALFORMED where no format fits
 */
export const recordingSource = async (source: ByteSource, options: ReadOptions & { readonly name: string }): Promise<ViewSource> => {
  const { name } = options
  if (options.format === undefined && isHdf5(await source.read(0, Math.min(8, source.byteLength))))
    return hdf5Source(await source.read(0, source.byteLength), name, options)
  const { format, geometry } = await probe(source, options)
  const known = { ...options, format }
  let index: Promise<RecordingIndex> | undefined
  const open = async (fromMicros = 0): Promise<Pass> => {
    if (fromMicros <= 0) {
      const decoder = FORMATS[format].createDecoder(known)
      return { batches: inFrames(decodeStream(chunksOf(source), decoder)), ledger: decoder.ledger }
    }
    index ??= indexRecording(source, known)
    const whole = await index
    return {
      batches: inFrames(readTimeSpan(source, whole, (whole.firstMicros ?? 0) + fromMicros, Number.POSITIVE_INFINITY, known)),
      ledger: whole.ledger,
    }
  }
  return { name, format, geometry, isLive: false, open }
}
