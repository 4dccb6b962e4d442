// The table of wire formats: what cameras send over serial lines, UDP and TCP. Their decoders are those of recordings in all else.

import type { Geometry } from '../batch.js'
import type { DecoderOptions, EventDecoder } from '../decoder.js'
import type { EncoderOptions, EventEncoder } from '../encoder.js'
import { createAedat4Decoder, createDvNetworkEncoder } from '../formats/aedat4.js'
import { createCaerDecoder, createCaerEncoder } from './caer.js'
import { createEdvsDecoder, createEdvsEncoder, EDVS_GEOMETRY, type EdvsFormat } from './edvs.js'
import { createSpifDecoder, createSpifEncoder } from './spif.js'

export const WIRE_FORMAT_NAMES = ['edvs-e0', 'edvs-e1', 'edvs-e2', 'edvs-e3', 'edvs-e4', 'spif', 'caer', 'dv'] as const
export type WireFormatName = (typeof WIRE_FORMAT_NAMES)[number]

export interface WireFormat {
  readonly title: string
  /** what of the sender's data may be missing: nothing on a reliable line; datagrams whose numbers tell; datagrams, and nobody knows */
  readonly loss: 'none' | 'counted' | 'unknown'
  /** every push() of a decoder must be one whole datagram */
  readonly isDatagrams: boolean
  /** the sensor, where the format has only one */
  readonly geometry: Geometry | null
  createDecoder(options?: DecoderOptions): EventDecoder
  createEncoder(options: EncoderOptions): EventEncoder
}

const edvs = (format: EdvsFormat, time: string): WireFormat => ({
  title: `eDVS ${format}: ${time}`,
  loss: 'none',
  isDatagrams: false,
  geometry: EDVS_GEOMETRY,
  createDecoder: (options) => createEdvsDecoder(format, options),
  createEncoder: (options) => createEdvsEncoder(format, options),
})

export const WIRE_FORMATS: Readonly<Record<WireFormatName, WireFormat>> = {
  'edvs-e0': edvs('E0', 'no time'),
  'edvs-e1': edvs('E1', 'time since the event before'),
  'edvs-e2': edvs('E2', '16-bit time'),
  'edvs-e3': edvs('E3', '24-bit time'),
  'edvs-e4': edvs('E4', '32-bit time'),
  spif: {
    title: 'SPIF (UDP)',
    loss: 'unknown',
    isDatagrams: true,
    geometry: null,
    createDecoder: (options) => createSpifDecoder({ ...options, isDatagrams: options?.isDatagrams ?? true }),
    createEncoder: createSpifEncoder,
  },
  caer: {
    title: 'cAER messages with AEDAT 3.1 packets (UDP)',
    loss: 'counted',
    isDatagrams: true,
    geometry: null,
    createDecoder: createCaerDecoder,
    createEncoder: createCaerEncoder,
  },
  dv: {
    title: 'DV network stream (TCP)',
    loss: 'none',
    isDatagrams: false,
    geometry: null,
    createDecoder: createAedat4Decoder,
    createEncoder: createDvNetworkEncoder,
  },
}
