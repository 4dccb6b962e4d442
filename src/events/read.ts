// Reading recordings whose format is found from their first bytes: a streaming decoder, an async stream and a one-call reader.

import { malformedFile, unsupported } from '../errors.js'
import { isHdf5 } from '../formats/hdf5.js'
import { concatBatches, type EventBatch, emptyBatch, type Geometry, type TriggerBatch } from './batch.js'
import type { DecoderOptions, EventDecoder, OtherRecord } from './decoder.js'
import { DETECTION_BYTES, detectFormat, FORMATS, type FormatName } from './formats/index.js'
import { createLedger, type Ledger } from './ledger.js'

export interface ReadOptions extends DecoderOptions {
  /** default: found from the content */
  readonly format?: FormatName
}

/** A decoder that also tells the format, null until it is known. */
export interface AnyDecoder extends EventDecoder {
  readonly format: FormatName | null
}

/**
 * A decoder for any streaming format. Without `format` the first 16 kB (or the whole recording, if shorter) are held back until
 * the format is known; `name` decides between formats that have no magic number.
 * @throws FILE_MALFORMED where no format fits
 */
export const openDecoder = (options: ReadOptions = {}): AnyDecoder => {
  const early = createLedger()
  let head = new Uint8Array(0)
  let format: FormatName | null = options.format ?? null
  let decoder: EventDecoder | null = format === null ? null : FORMATS[format].createDecoder(options)

  const start = (): EventBatch => {
    if (isHdf5(head)) throw unsupported(`${options.name ?? 'recording'} is an HDF5 file, which is not read as a stream.`, 'Read it whole with readHdf5Events.')
    format = detectFormat(head, options.name)
    if (format === null)
      throw malformedFile(
        options.name ?? 'recording',
        0,
        'the content is of no known recording format',
        'Name the format, or see the list of formats in docs/events.md.',
      )
    decoder = FORMATS[format].createDecoder(options)
    const batch = decoder.push(head)
    head = new Uint8Array(0)
    return batch
  }

  const hold = (chunk: Uint8Array): void => {
    const longer = new Uint8Array(head.length + chunk.length)
    longer.set(head)
    longer.set(chunk, head.length)
    head = longer
    early.bytesIn = early.pendingBytes = head.length
  }

  return {
    get format() {
      return format
    },
    get geometry() {
      return decoder?.geometry ?? null
    },
    get ledger() {
      return decoder?.ledger ?? early
    },
    push: (chunk) => {
      if (decoder !== null) return decoder.push(chunk)
      hold(chunk)
      return head.length < DETECTION_BYTES ? emptyBatch() : start()
    },
    end: () => {
      if (decoder !== null) return decoder.end()
      const batch = start()
      return concatBatches([batch, (decoder as unknown as EventDecoder).end()])
    },
    snapshot: () => decoder?.snapshot() ?? { byteOffset: 0, lastMicros: null, parser: {} },
  }
}

/**
 * Decodes a stream of chunks; batches without events are not passed on.
 *
 *     const decoder = openDecoder({ name: 'hand.raw' })
 *     for await (const batch of decodeStream(file.stream(), decoder)) console.log(batch.count)
 *     console.log(decoder.ledger)
 */
export async function* decodeStream(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, decoder: EventDecoder): AsyncGenerator<EventBatch> {
  for await (const chunk of chunks) {
    const batch = decoder.push(chunk)
    if (batch.count > 0) yield batch
  }
  const rest = decoder.end()
  if (rest.count > 0) yield rest
}

/** A whole recording in memory. */
export interface Recording {
  readonly format: FormatName
  readonly geometry: Geometry | null
  readonly events: EventBatch
  readonly triggers: TriggerBatch
  readonly exposures: EventBatch
  readonly records: readonly OtherRecord[]
  readonly ledger: Readonly<Ledger>
}

const concatTriggers = (parts: readonly TriggerBatch[]): TriggerBatch => ({
  count: parts.reduce((sum, part) => sum + part.count, 0),
  timeMicros: Float64Array.from(parts.flatMap((part) => [...part.timeMicros])),
  channel: Uint8Array.from(parts.flatMap((part) => [...part.channel])),
  value: Uint8Array.from(parts.flatMap((part) => [...part.value])),
})

/** Decodes a whole recording that lies in memory, with everything it holds. @throws FILE_MALFORMED where no format fits */
export const decodeRecording = (bytes: Uint8Array, options: ReadOptions = {}): Recording => {
  const triggers: TriggerBatch[] = []
  const exposures: EventBatch[] = []
  const records: OtherRecord[] = []
  const decoder = openDecoder({
    ...options,
    onTriggers: (part) => triggers.push(part),
    onExposures: (part) => exposures.push(part),
    onRecord: (record) => records.push(record),
  })
  const parts = [decoder.push(bytes), decoder.end()]
  return {
    format: decoder.format as FormatName,
    geometry: decoder.geometry,
    events: concatBatches(parts.filter((part) => part.count > 0)),
    triggers: concatTriggers(triggers),
    exposures: concatBatches(exposures),
    records,
    ledger: decoder.ledger,
  }
}
