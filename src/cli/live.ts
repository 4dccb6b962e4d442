// A live source of events for commands: a camera or recording by address, decoded as it comes, in a bounded ring, for one consumer of
// batches. Losses are counted at every stage.

import { cameraFor } from '#targets/index.js'
import type { Camera } from '../contracts/camera.js'
import type { SpikeportError } from '../errors.js'
import {
  type AnyDecoder,
  createEventRing,
  type EventBatch,
  type EventDecoder,
  type FormatName,
  type Geometry,
  type Ledger,
  openDecoder,
  WIRE_FORMATS,
  type WireFormatName,
} from '../events/index.js'

export interface LiveOptions {
  /** default: the camera's, else found from the content */
  readonly format?: FormatName | WireFormatName
  readonly geometry?: Geometry
  /** events held at most, default 2^20 */
  readonly capacityEvents?: number
}

export interface LiveSource {
  readonly name: string
  readonly format: string | null
  readonly geometry: Geometry | null
  /** what of the sender's data may be missing without a trace here */
  readonly loss: 'none' | 'counted' | 'unknown'
  /** name and ledger of every stage */
  readonly ledgers: readonly (readonly [string, Readonly<Ledger>])[]
  readonly batches: AsyncIterable<EventBatch>
  readonly close: () => Promise<void>
}

const isWire = (name: string | null | undefined): name is WireFormatName => name != null && Object.hasOwn(WIRE_FORMATS, name)

/** Opens a camera or recording. @throws USAGE, and what the camera and the decoder throw; the batches throw where the line is lost */
export const openLive = async (address: string, options: LiveOptions): Promise<LiveSource> => {
  let camera: Camera | null = null
  const ring = createEventRing({
    ...(options.capacityEvents !== undefined && { capacityEvents: options.capacityEvents }),
    onPressure: (isHigh) => (isHigh ? camera?.pause() : camera?.resume()),
  })
  const clock = (): number => Math.floor(performance.now() * 1000)
  const decoderOf = (format: string | null, geometry: Geometry | undefined, name: string): EventDecoder => {
    const common = { name, clock, ...(geometry && { geometry }) }
    if (isWire(format)) return WIRE_FORMATS[format].createDecoder({ ...common, ...(address === '-' && format === 'spif' && { isDatagrams: false }) })
    return openDecoder({ ...common, ...(format !== null && { format: format as FormatName }) })
  }
  let decoder: EventDecoder | null = null
  const early: Uint8Array[] = []
  let isOver = false
  const end = (error: unknown): void => {
    if (isOver || decoder === null) return
    isOver = true
    try {
      ring.push(decoder.end())
      ring.end(error ?? undefined)
    } catch (fault) {
      ring.end(error ?? fault)
    }
  }
  const take = (bytes: Uint8Array): void => {
    if (isOver || decoder === null) return
    try {
      ring.push(decoder.push(bytes))
    } catch (fault) {
      isOver = true
      ring.end(fault)
    }
  }
  let closed: { readonly error: SpikeportError | null } | null = null
  camera = await cameraFor(address)({
    onBytes: (bytes) => void (decoder === null ? early.push(bytes.slice()) : take(bytes)),
    onClose: (error) => {
      closed = { error }
      end(error)
    },
  })
  const format = options.format ?? camera.format
  decoder = decoderOf(format, options.geometry ?? camera.geometry ?? undefined, camera.name)
  for (const bytes of early.splice(0)) take(bytes)
  const before = closed as { readonly error: SpikeportError | null } | null
  if (before !== null) end(before.error)
  const opened = decoder
  const { name } = camera
  const close = async (): Promise<void> => {
    end(null)
    await camera?.close()
  }
  return {
    name,
    get format() {
      return isWire(format) ? format : (opened as AnyDecoder).format
    },
    get geometry() {
      return opened.geometry
    },
    loss: isWire(format) ? WIRE_FORMATS[format].loss : 'none',
    get ledgers() {
      return [
        ['read', opened.ledger],
        ['ring', ring.ledger],
      ] as const
    },
    batches: ring.batches,
    close,
  }
}
