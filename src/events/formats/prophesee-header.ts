// The "% key value" header of Prophesee RAW and DAT files: format, geometry and byte order, with the older files that name only
// their plugin or sensor. See docs/events.md, "Prophesee RAW header".

import type { Geometry } from '../batch.js'
import { readHeaderLine } from './header-lines.js'

/** What header lines said so far; plain data. */
export interface PropheseeHeader {
  /** evt2, evt21, evt3, or null where the header does not say */
  encoding: 'evt2' | 'evt21' | 'evt3' | null
  width: number | null
  height: number | null
  /** geometry that the plugin or sensor generation implies, used where the header states none */
  implied: Geometry | null
  byteOrder: 'little' | 'legacy' | null
  /** DAT: the version, 1 where the header does not say */
  version: number
  /** "Data file containing ..." of DAT files */
  isDat: boolean
}

export const createPropheseeHeader = (): PropheseeHeader => ({
  encoding: null,
  width: null,
  height: null,
  implied: null,
  byteOrder: null,
  version: 1,
  isDat: false,
})

const sizeOf = (text: string | undefined): number | null => {
  const size = Number(text)
  return Number.isInteger(size) && size >= 1 && size <= 65536 ? size : null
}

const SENSORS: readonly (readonly [RegExp, Geometry])[] = [
  [/genx320|^320/i, { width: 320, height: 320 }],
  [/gen4|imx636|imx646|^4\./i, { width: 1280, height: 720 }],
  [/gen3|^3\./i, { width: 640, height: 480 }],
]

const impliedBy = (text: string): Geometry | null => SENSORS.find(([pattern]) => pattern.test(text))?.[1] ?? null

const ENCODINGS: readonly (readonly [RegExp, PropheseeHeader['encoding']])[] = [
  [/^(EVT)?2[.]?1\b/i, 'evt21'],
  [/^(EVT)?2(\.0)?\b/i, 'evt2'],
  [/^(EVT)?3(\.0)?\b/i, 'evt3'],
]

const setEncoding = (header: PropheseeHeader, text: string): void => {
  header.encoding = ENCODINGS.find(([pattern]) => pattern.test(text))?.[1] ?? header.encoding
}

const setByteOrder = (header: PropheseeHeader, text: string | undefined): void => {
  if (text === 'little' || text === 'legacy') header.byteOrder = text
}

const setFormat = (header: PropheseeHeader, value: string): void => {
  const [name = '', ...options] = value.split(';')
  setEncoding(header, name)
  for (const option of options) {
    const [key, text] = option.split('=')
    if (key === 'width') header.width = sizeOf(text)
    if (key === 'height') header.height = sizeOf(text)
    if (key === 'endianness') setByteOrder(header, text)
  }
}

const setGeometry = (header: PropheseeHeader, value: string): void => {
  const [width, height] = value.split('x')
  header.width = sizeOf(width)
  header.height = sizeOf(height)
}

const KEYS: Readonly<Record<string, (header: PropheseeHeader, value: string) => void>> = {
  format: setFormat,
  evt: setEncoding,
  geometry: setGeometry,
  endianness: setByteOrder,
  width: (header, value) => {
    header.width = sizeOf(value)
  },
  height: (header, value) => {
    header.height = sizeOf(value)
  },
  version: (header, value) => {
    header.version = Number(value) || 1
  },
  plugin_name: (header, value) => {
    header.implied ??= impliedBy(value)
  },
  sensor_generation: (header, value) => {
    header.implied = impliedBy(value) ?? header.implied
  },
  sensor_name: (header, value) => {
    header.implied = impliedBy(value) ?? header.implied
  },
  data: (header, value) => {
    header.isDat ||= value.startsWith('file containing')
  },
}

/** Takes one header line (without "% "); true where it ends the header. */
export const takeHeaderLine = (header: PropheseeHeader, text: string): boolean => {
  const trimmed = text.trim()
  if (trimmed === 'end') return true
  const space = trimmed.indexOf(' ')
  const key = (space < 0 ? trimmed : trimmed.slice(0, space)).toLowerCase()
  if (Object.hasOwn(KEYS, key)) KEYS[key]?.(header, space < 0 ? '' : trimmed.slice(space + 1).trim())
  return false
}

/** The geometry the header states, else the one its sensor implies, else null. */
export const headerGeometry = (header: PropheseeHeader): Geometry | null =>
  header.width !== null && header.height !== null ? { width: header.width, height: header.height } : header.implied

/** Reads the whole header of the first bytes of a recording, for detection; null where there is none. */
export const peekPropheseeHeader = (head: Uint8Array): { header: PropheseeHeader; dataStart: number } | null => {
  const header = createPropheseeHeader()
  let at = 0
  for (;;) {
    const line = readHeaderLine(head, at, head.length, '% ')
    if (typeof line === 'string') return at === 0 ? null : { header, dataStart: at }
    at = line.next
    if (takeHeaderLine(header, line.text)) return { header, dataStart: at }
  }
}
