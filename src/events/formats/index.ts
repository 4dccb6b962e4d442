// The table of recording formats: how each is recognised, read and written. A new format is one file here and one row below.

import type { DecoderOptions, EventDecoder } from '../decoder.js'
import type { EncoderOptions, EventEncoder } from '../encoder.js'
import { createAedat2Decoder, createAedat2Encoder } from './aedat2.js'
import { createAedat3Decoder, createAedat3Encoder } from './aedat3.js'
import { createAedat4Decoder, createAedat4Encoder, isAedat4 } from './aedat4.js'
import { createDatDecoder, createDatEncoder } from './dat.js'
import { createDvsdDecoder, createDvsdEncoder } from './dvsd.js'
import { createEsAtisEncoder, createEsColourEncoder, createEsDecoder, createEsDvsEncoder, isEs } from './es.js'
import { createEvt2Decoder, createEvt2Encoder } from './evt2.js'
import { createEvt3Decoder, createEvt3Encoder } from './evt3.js'
import { createEvt21Decoder, createEvt21Encoder } from './evt21.js'
import { createNmnistDecoder, createNmnistEncoder, looksLikeNmnist } from './nmnist.js'
import { peekPropheseeHeader } from './prophesee-header.js'
import { createTextDecoder, createTextEncoder, looksLikeText } from './text.js'
import { ascii, hasMarker, u16le, u32le } from './words.js'

/** Names of the streaming formats. */
export const FORMAT_NAMES = ['evt2', 'evt21', 'evt3', 'dat', 'aedat2', 'aedat3', 'aedat4', 'es', 'es-atis', 'es-colour', 'dvsd', 'nmnist', 'text'] as const
export type FormatName = (typeof FORMAT_NAMES)[number]

/** How sure a format is that bytes are its own: a magic number, a structure that fits, or no. */
export type Likeness = 'certain' | 'likely' | 'no'

export interface EventFormat {
  readonly title: string
  /** usual file name endings, without the dot */
  readonly extensions: readonly string[]
  detect(head: Uint8Array): Likeness
  createDecoder(options?: DecoderOptions): EventDecoder
  createEncoder(options: EncoderOptions): EventEncoder
}

const certainIf = (condition: boolean): Likeness => (condition ? 'certain' : 'no')
const likelyIf = (condition: boolean): Likeness => (condition ? 'likely' : 'no')

/** Share of 32-bit words with types that EVT2 has; EVT3 words read as EVT2 rarely have them. */
const looksLikeEvt2 = (head: Uint8Array, start: number): boolean => {
  let known = 0
  let words = 0
  for (let at = start; at + 4 <= head.length; at += 4, words++) {
    const type = u32le(head, at) >>> 28
    if (type < 2 || type === 8 || type === 0xa || type >= 0xd) known++
  }
  return words > 0 && known === words
}

const looksLikeEvt3 = (head: Uint8Array, start: number): boolean => {
  let known = 0
  let words = 0
  for (let at = start; at + 2 <= head.length; at += 2, words++) if (![1, 9, 0xb, 0xc].includes(u16le(head, at) >>> 12)) known++
  return words > 0 && known === words && !looksLikeEvt2(head, start)
}

/** Prophesee files share one header: it names the encoding, or (old files) the words do. */
const detectRaw =
  (encoding: 'evt2' | 'evt21' | 'evt3', looksLike: (head: Uint8Array, start: number) => boolean) =>
  (head: Uint8Array): Likeness => {
    const peek = peekPropheseeHeader(head)
    if (peek === null || peek.header.isDat) return 'no'
    if (peek.header.encoding !== null) return certainIf(peek.header.encoding === encoding)
    return detectDat(head) === 'no' ? likelyIf(looksLike(head, peek.dataStart)) : 'no'
  }

/** DAT: its header says so, or a known event type and a record size of 8 follow the header. */
const detectDat = (head: Uint8Array): Likeness => {
  const peek = peekPropheseeHeader(head)
  if (peek === null || peek.header.encoding !== null) return 'no'
  if (peek.header.isDat) return 'certain'
  const [type = -1, size = -1] = head.subarray(peek.dataStart, peek.dataStart + 2)
  return likelyIf([0, 0x0c, 0x0e].includes(type) && size === 8)
}

const startsWith = (marker: string) => {
  const bytes = ascii(marker)
  return (head: Uint8Array): Likeness => certainIf(hasMarker(head, 0, bytes))
}

const detectEs =
  (...kinds: readonly number[]) =>
  (head: Uint8Array): Likeness =>
    certainIf(isEs(head) && head.length >= 16 && kinds.includes(head[15] as number))

const detectDvsd = (head: Uint8Array): Likeness => {
  const [version, width = 0, height = 0, stamps = 9] = head
  if (version !== 1 || width === 0 || height === 0 || stamps > 3 || head.length < 12) return 'no'
  for (let at = 4; at + 8 <= head.length && at < 260; at += 8) {
    if ((head[at] as number) >= width || (head[at + 1] as number) >= height || (head[at + 2] as number) > 1) return 'no'
  }
  return 'likely'
}

export const FORMATS: Readonly<Record<FormatName, EventFormat>> = {
  evt2: {
    title: 'Prophesee EVT 2.0',
    extensions: ['raw'],
    detect: detectRaw('evt2', looksLikeEvt2),
    createDecoder: createEvt2Decoder,
    createEncoder: createEvt2Encoder,
  },
  evt21: {
    title: 'Prophesee EVT 2.1',
    extensions: ['raw'],
    detect: detectRaw('evt21', () => false),
    createDecoder: createEvt21Decoder,
    createEncoder: createEvt21Encoder,
  },
  evt3: {
    title: 'Prophesee EVT 3.0',
    extensions: ['raw'],
    detect: detectRaw('evt3', looksLikeEvt3),
    createDecoder: createEvt3Decoder,
    createEncoder: createEvt3Encoder,
  },
  dat: {
    title: 'Prophesee DAT',
    extensions: ['dat'],
    detect: detectDat,
    createDecoder: createDatDecoder,
    createEncoder: createDatEncoder,
  },
  aedat2: {
    title: 'AEDAT 1.0 and 2.0 (jAER)',
    extensions: ['aedat', 'dat'],
    detect: (head) => (startsWith('#!AER-DAT2')(head) === 'certain' ? 'certain' : startsWith('#!AER-DAT1')(head)),
    createDecoder: createAedat2Decoder,
    createEncoder: createAedat2Encoder,
  },
  aedat3: {
    title: 'AEDAT 3.1 and 3.0 (cAER)',
    extensions: ['aedat'],
    detect: startsWith('#!AER-DAT3'),
    createDecoder: createAedat3Decoder,
    createEncoder: createAedat3Encoder,
  },
  aedat4: {
    title: 'AEDAT 4 (DV)',
    extensions: ['aedat4'],
    detect: (head) => certainIf(isAedat4(head)),
    createDecoder: createAedat4Decoder,
    createEncoder: createAedat4Encoder,
  },
  es: {
    title: 'Event Stream (generic and DVS)',
    extensions: ['es'],
    detect: detectEs(0, 1),
    createDecoder: createEsDecoder,
    createEncoder: createEsDvsEncoder,
  },
  'es-atis': {
    title: 'Event Stream (ATIS)',
    extensions: ['es'],
    detect: detectEs(2),
    createDecoder: createEsDecoder,
    createEncoder: createEsAtisEncoder,
  },
  'es-colour': {
    title: 'Event Stream (colour)',
    extensions: ['es'],
    detect: detectEs(3),
    createDecoder: createEsDecoder,
    createEncoder: createEsColourEncoder,
  },
  dvsd: {
    title: 'eDVS viewer',
    extensions: ['dvsd'],
    detect: detectDvsd,
    createDecoder: createDvsdDecoder,
    createEncoder: createDvsdEncoder,
  },
  nmnist: {
    title: 'N-MNIST and N-Caltech101',
    extensions: ['bin', 'bs2'],
    detect: (head) => likelyIf(looksLikeNmnist(head)),
    createDecoder: createNmnistDecoder,
    createEncoder: createNmnistEncoder,
  },
  text: {
    title: 'text (txt, csv)',
    extensions: ['csv', 'txt'],
    detect: (head) => likelyIf(looksLikeText(head)),
    createDecoder: createTextDecoder,
    createEncoder: createTextEncoder,
  },
}

/** Bytes that `detectFormat` wants to see; fewer are enough for formats with a magic number. */
export const DETECTION_BYTES = 16384

/**
 * The format of a recording by its first bytes, or null. The file name only decides between formats that have no magic number.
 * HDF5 recordings are read by `readHdf5Events`, not by a streaming decoder: they give null here.
 */
export const detectFormat = (head: Uint8Array, fileName = ''): FormatName | null => {
  const extension = fileName.toLowerCase().split('.').at(-1) ?? ''
  const likeness = FORMAT_NAMES.map((name) => ({ name, likeness: FORMATS[name].detect(head) }))
  const certain = likeness.find((row) => row.likeness === 'certain')
  if (certain !== undefined) return certain.name
  const likely = likeness.filter((row) => row.likeness === 'likely')
  const named = likely.find((row) => FORMATS[row.name].extensions.includes(extension))
  return (named ?? likely[0])?.name ?? null
}
