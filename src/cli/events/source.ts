// A recording as the events commands read it: a file or stdin, any format, batch by batch with its triggers, and the sensor's size from
// the recording, from --geometry, or from a first pass over the file.

import { createReadStream } from 'node:fs'
import { InvalidArgumentError } from 'commander'
import { SpikeportError, unreadableFile, usage } from '../../errors.js'
import {
  type EncodeExtras,
  type EventBatch,
  FORMAT_NAMES,
  type FormatName,
  type Geometry,
  isHdf5,
  type Ledger,
  openDecoder,
  readHdf5Events,
  type TriggerBatch,
} from '../../events/index.js'

const CHUNK_BYTES = 1 << 18

/** What came out of one chunk. */
export interface Part {
  readonly events: EventBatch
  readonly extras: EncodeExtras
}

export interface SourceOptions {
  /** the format of the input where its content does not tell */
  readonly format?: FormatName
  readonly geometry?: Geometry
}

/** An open recording; format, geometry and ledger are final once `parts` has ended. */
export interface EventSource {
  readonly name: string
  /** a FormatName, or "hdf5" */
  readonly format: string | null
  readonly geometry: Geometry | null
  readonly ledger: Readonly<Ledger>
  readonly parts: AsyncGenerator<Part>
}

/** "640x480", for option parsers. */
export const geometryOption = (text: string): Geometry => {
  const match = /^(\d{1,5})x(\d{1,5})$/.exec(text)
  const [width, height] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)]
  if (width < 1 || height < 1 || width > 65536 || height > 65536) throw new InvalidArgumentError('width x height in pixels is needed, for example 640x480.')
  return { width, height }
}

/** A format of docs/events.md, for option parsers. */
export const formatOption = (text: string): FormatName => {
  if (!(FORMAT_NAMES as readonly string[]).includes(text)) throw new InvalidArgumentError(`the formats are ${FORMAT_NAMES.join(', ')}.`)
  return text as FormatName
}

/** Chunks of a file, or of stdin for "-". @throws FILE_UNREADABLE */
export async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  const stream = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES })
  try {
    for await (const chunk of stream) yield chunk as Uint8Array
  } catch (error) {
    throw error instanceof SpikeportError ? error : unreadableFile(path, error)
  }
}

const concat = async (first: Uint8Array, rest: AsyncGenerator<Uint8Array>): Promise<Uint8Array> => {
  const parts = [first]
  for await (const chunk of rest) parts.push(chunk)
  return new Uint8Array(Buffer.concat(parts))
}

type Reading = Pick<EventSource, 'format' | 'geometry' | 'ledger'>

async function* streamParts(path: string, options: SourceOptions, found: (reading: Reading) => void): AsyncGenerator<Part> {
  const name = path === '-' ? 'stdin' : path
  let triggers: TriggerBatch | undefined
  let exposures: EventBatch | undefined
  const decoder = openDecoder({
    ...options,
    name,
    onTriggers: (part) => {
      triggers = part
    },
    onExposures: (part) => {
      exposures = part
    },
  })
  found(decoder)
  const partOf = (events: EventBatch): Part => {
    const part = { events, extras: { ...(triggers && { triggers }), ...(exposures && { exposures }) } }
    triggers = undefined
    exposures = undefined
    return part
  }
  const chunks = chunksOf(path)
  let isFirst = true
  for await (const chunk of chunks) {
    if (isFirst && options.format === undefined && isHdf5(chunk)) {
      const { geometry, events, triggers: edges, ledger } = await readHdf5Events(await concat(chunk, chunks), { ...options, name })
      found({ format: 'hdf5' as FormatName, geometry, ledger })
      yield { events, extras: { triggers: edges } }
      return
    }
    isFirst = false
    yield partOf(decoder.push(chunk))
  }
  yield partOf(decoder.end())
}

/** Opens a file, or stdin for "-". Nothing is read before `parts` is. */
export const openSource = (path: string, options: SourceOptions): EventSource => {
  let reading: Reading | null = null
  const parts = streamParts(path, options, (found) => {
    reading = found
  })
  const current = (): Reading => reading as unknown as Reading
  return {
    name: path === '-' ? 'stdin' : path,
    parts,
    get format() {
      return current().format
    },
    get geometry() {
      return current().geometry
    },
    get ledger() {
      return current().ledger
    },
  }
}

/** The smallest sensor that holds every event of a file. */
const scanGeometry = async (path: string, options: SourceOptions): Promise<Geometry> => {
  let width = 1
  let height = 1
  for await (const { events } of openSource(path, options).parts) {
    for (let i = 0; i < events.count; i++) {
      width = Math.max(width, (events.x[i] as number) + 1)
      height = Math.max(height, (events.y[i] as number) + 1)
    }
  }
  return { width, height }
}

/** An open recording whose sensor is known. */
export interface SizedSource {
  readonly source: EventSource
  readonly geometry: Geometry
  readonly parts: AsyncIterable<Part>
}

async function* continued(first: Part | null, rest: AsyncGenerator<Part>): AsyncGenerator<Part> {
  if (first !== null) yield first
  yield* rest
}

/**
 * Opens a recording and finds the sensor's size; where neither the recording nor --geometry tells, a file is read once more for it.
 * @throws USAGE for stdin without a size
 */
export const openSized = async (path: string, options: SourceOptions): Promise<SizedSource> => {
  const source = openSource(path, options)
  let first: Part | null = null
  while (first === null) {
    const next = await source.parts.next()
    if (next.done === true) break
    if (next.value.events.count > 0 || Object.keys(next.value.extras).length > 0) first = next.value
  }
  const known = source.geometry ?? options.geometry
  if (known === undefined && path === '-')
    throw usage(`${source.format ?? 'the recording'} from stdin does not tell the size of the sensor.`, 'Pass it, for example --geometry 640x480.')
  return { source, geometry: known ?? (await scanGeometry(path, options)), parts: continued(first, source.parts) }
}
