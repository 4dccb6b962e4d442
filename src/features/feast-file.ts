// A FEAST learner as bytes: versioned, checksummed, every field checked on reading; a restored learner goes on with the same bits.
// Implements docs/feast.md, "The .feast file".

import { crc32 } from '../crc32.js'
import { malformedFile } from '../errors.js'
import type { FeastBank, SurfaceState } from './bank.js'
import { type Feast, type FeastState, resumeFeast } from './feast.js'
import { ARITHMETICS, bankCount, DECAYS, type FeastSettings, ONE_Q15, POLARITY_MODES, settingsFault, windowLength } from './settings.js'
import { STALE_TICKS } from './tick-stamps.js'

/** "FEAS" in the order of the bytes. */
const MAGIC = 0x53414546
const VERSION = 1
const HEADER_BYTES = 72
const CHECKSUM_BYTES = 4

export interface SaveOptions {
  /** keep the time surface too, so that learning goes on in the middle of a recording; default true */
  readonly hasSurface?: boolean
}

/** Bytes of one bank: weights, thresholds, wins, missed, saturations. */
const bankBytes = (settings: FeastSettings): number => {
  const { featureCount, arithmetic } = settings
  const [weight, threshold] = arithmetic === 'float' ? [8, 8] : [2, 4]
  return featureCount * (weight * windowLength(settings) + threshold + 8) + 16
}

const stampBytes = ({ arithmetic }: FeastSettings): number => (arithmetic === 'float' ? 8 : 2)

const surfaceBytes = (settings: FeastSettings): number => 8 + bankCount(settings) * settings.geometry.width * settings.geometry.height * stampBytes(settings)

const fileBytes = (settings: FeastSettings, hasSurface: boolean): number =>
  HEADER_BYTES + bankCount(settings) * bankBytes(settings) + (hasSurface ? surfaceBytes(settings) : 0) + CHECKSUM_BYTES

/** Reads or writes numbers one after the other, little-endian. */
interface Cursor {
  readonly view: DataView
  at: number
}

const SIZES = { u8: 1, u16: 2, i16: 2, u32: 4, i32: 4, f64: 8 } as const
type NumberKind = keyof typeof SIZES

const SETTERS: Readonly<Record<NumberKind, (view: DataView, at: number, value: number) => void>> = {
  u8: (view, at, value) => view.setUint8(at, value),
  u16: (view, at, value) => view.setUint16(at, value, true),
  i16: (view, at, value) => view.setInt16(at, value, true),
  u32: (view, at, value) => view.setUint32(at, value, true),
  i32: (view, at, value) => view.setInt32(at, value, true),
  f64: (view, at, value) => view.setFloat64(at, value, true),
}

const GETTERS: Readonly<Record<NumberKind, (view: DataView, at: number) => number>> = {
  u8: (view, at) => view.getUint8(at),
  u16: (view, at) => view.getUint16(at, true),
  i16: (view, at) => view.getInt16(at, true),
  u32: (view, at) => view.getUint32(at, true),
  i32: (view, at) => view.getInt32(at, true),
  f64: (view, at) => view.getFloat64(at, true),
}

const put = (cursor: Cursor, kind: NumberKind, value: number): void => {
  SETTERS[kind](cursor.view, cursor.at, value)
  cursor.at += SIZES[kind]
}

const take = (cursor: Cursor, kind: NumberKind): number => {
  const value = GETTERS[kind](cursor.view, cursor.at)
  cursor.at += SIZES[kind]
  return value
}

const putAll = (cursor: Cursor, kind: NumberKind, values: Iterable<number>): void => {
  for (const value of values) put(cursor, kind, value)
}

const writeHeader = (cursor: Cursor, settings: FeastSettings, hasSurface: boolean): void => {
  put(cursor, 'u32', MAGIC)
  put(cursor, 'u16', VERSION)
  put(cursor, 'u16', hasSurface ? 1 : 0)
  putAll(cursor, 'u8', [ARITHMETICS.indexOf(settings.arithmetic), DECAYS.indexOf(settings.decay), POLARITY_MODES.indexOf(settings.polarity), settings.radius])
  putAll(cursor, 'u32', [settings.featureCount, settings.geometry.width, settings.geometry.height, settings.tauMicros])
  put(cursor, 'u32', 0)
  putAll(cursor, 'f64', [settings.learningRate, settings.closeStep, settings.openStep, settings.initialThreshold, settings.seed])
}

const writeBank = (cursor: Cursor, { arithmetic }: FeastSettings, bank: FeastBank): void => {
  putAll(cursor, arithmetic === 'float' ? 'f64' : 'i16', bank.weights)
  putAll(cursor, arithmetic === 'float' ? 'f64' : 'i32', bank.thresholds)
  putAll(cursor, 'f64', bank.wins)
  putAll(cursor, 'f64', [bank.missed, bank.saturations])
}

const writeSurface = (cursor: Cursor, { arithmetic }: FeastSettings, surface: SurfaceState): void => {
  put(cursor, 'f64', surface.latest)
  for (const stamps of surface.stamps) putAll(cursor, arithmetic === 'float' ? 'f64' : 'u16', stamps)
}

/** The learner as bytes. */
export const saveFeast = (feast: Feast, { hasSurface = true }: SaveOptions = {}): Uint8Array => {
  const { settings } = feast
  const bytes = new Uint8Array(fileBytes(settings, hasSurface))
  const cursor: Cursor = { view: new DataView(bytes.buffer), at: 0 }
  writeHeader(cursor, settings, hasSurface)
  for (const bank of feast.banks) writeBank(cursor, settings, bank)
  if (hasSurface) writeSurface(cursor, settings, feast.surface())
  put(cursor, 'u32', crc32(bytes.subarray(0, cursor.at)))
  return bytes
}

type Refuse = (what: string) => never

const readHeader = (cursor: Cursor, refuse: Refuse): { settings: FeastSettings; hasSurface: boolean } => {
  if (take(cursor, 'u32') !== MAGIC) refuse('this is not a .feast file')
  const version = take(cursor, 'u16')
  if (version !== VERSION) refuse(`version ${version} of the .feast format, this spikeport reads ${VERSION}`)
  const flags = take(cursor, 'u16')
  if (flags > 1) refuse(`unknown flags ${flags}`)
  const [arithmetic, decay, polarity] = [ARITHMETICS[take(cursor, 'u8')], DECAYS[take(cursor, 'u8')], POLARITY_MODES[take(cursor, 'u8')]]
  if (arithmetic === undefined || decay === undefined || polarity === undefined) return refuse('an unknown arithmetic, decay or polarity mode')
  const radius = take(cursor, 'u8')
  const [featureCount, width, height, tauMicros, reserved] = [0, 1, 2, 3, 4].map(() => take(cursor, 'u32')) as [number, number, number, number, number]
  if (reserved !== 0) refuse('a reserved field is not 0')
  const [learningRate, closeStep, openStep, initialThreshold, seed] = [0, 1, 2, 3, 4].map(() => take(cursor, 'f64')) as [number, number, number, number, number]
  const geometry = { width, height }
  const settings = { geometry, featureCount, radius, tauMicros, decay, arithmetic, polarity, learningRate, closeStep, openStep, initialThreshold, seed }
  const fault = settingsFault(settings)
  if (fault !== null) refuse(fault)
  return { settings, hasSurface: flags === 1 }
}

/** Fills an array with numbers that all satisfy a rule. */
const fill = <T extends Float64Array | Int16Array | Int32Array | Uint16Array>(
  array: T,
  cursor: Cursor,
  kind: NumberKind,
  isValid: (value: number) => boolean,
  what: string,
  refuse: Refuse,
): T => {
  for (let i = 0; i < array.length; i++) {
    const value = take(cursor, kind)
    if (!isValid(value)) refuse(`${what} of ${value}`)
    array[i] = value
  }
  return array
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
const isShare = (value: number): boolean => value >= 0 && value <= 1.000001
const isQ15 = (value: number): boolean => value >= 0 && value < ONE_Q15

const readBank = (cursor: Cursor, settings: FeastSettings, refuse: Refuse): FeastBank => {
  const { featureCount, arithmetic } = settings
  const length = featureCount * windowLength(settings)
  const isFloat = arithmetic === 'float'
  const weights = isFloat
    ? fill(new Float64Array(length), cursor, 'f64', isShare, 'a weight', refuse)
    : fill(new Int16Array(length), cursor, 'i16', isQ15, 'a weight', refuse)
  const thresholds = isFloat
    ? fill(new Float64Array(featureCount), cursor, 'f64', (value) => value >= 0 && value <= 1, 'a threshold', refuse)
    : fill(new Int32Array(featureCount), cursor, 'i32', isQ15, 'a threshold', refuse)
  const wins = fill(new Float64Array(featureCount), cursor, 'f64', isCount, 'a count', refuse)
  const [missed, saturations] = fill(new Float64Array(2), cursor, 'f64', isCount, 'a count', refuse) as unknown as [number, number]
  return { weights, thresholds, wins, missed, saturations }
}

const readSurface = (cursor: Cursor, settings: FeastSettings, refuse: Refuse): SurfaceState => {
  const { geometry, arithmetic } = settings
  const pixels = geometry.width * geometry.height
  const latest = take(cursor, 'f64')
  const isBegun = latest !== Number.NEGATIVE_INFINITY
  if (isBegun && !Number.isSafeInteger(latest)) refuse(`a latest time of ${latest}`)
  const isTime = (time: number): boolean => time === Number.NEGATIVE_INFINITY || (Number.isSafeInteger(time) && time <= latest)
  const isAge = (age: number): boolean => age === 0 || (isBegun && age <= STALE_TICKS)
  const stamps = Array.from({ length: bankCount(settings) }, () =>
    arithmetic === 'float'
      ? fill(new Float64Array(pixels), cursor, 'f64', isTime, 'a time', refuse)
      : fill(new Uint16Array(pixels), cursor, 'u16', isAge, 'an age', refuse),
  )
  return { latest, stamps }
}

/** What bytes of saveFeast hold; `path` is for messages. @throws FILE_MALFORMED */
export const readFeastState = (bytes: Uint8Array, path = 'learner'): FeastState => {
  const cursor: Cursor = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 0 }
  const refuse: Refuse = (what) => {
    throw malformedFile(path, cursor.at, what)
  }
  if (bytes.length < HEADER_BYTES + CHECKSUM_BYTES) refuse(`a .feast file has at least ${HEADER_BYTES + CHECKSUM_BYTES} bytes, this one ${bytes.length}`)
  const { settings, hasSurface } = readHeader(cursor, refuse)
  const needed = fileBytes(settings, hasSurface)
  if (bytes.length !== needed) refuse(`these settings make a file of ${needed} bytes, this one has ${bytes.length}`)
  const body = bytes.subarray(0, needed - CHECKSUM_BYTES)
  if (crc32(body) !== cursor.view.getUint32(body.length, true)) refuse('the checksum does not match')
  const banks = Array.from({ length: bankCount(settings) }, () => readBank(cursor, settings, refuse))
  return { settings, banks, surface: hasSurface ? readSurface(cursor, settings, refuse) : null }
}

/** The learner that saveFeast saved; it goes on with the same bits. @throws FILE_MALFORMED */
export const restoreFeast = (bytes: Uint8Array, path = 'learner'): Feast => resumeFeast(readFeastState(bytes, path))
