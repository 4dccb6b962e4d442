// Plain data of a run that is not finished as bytes and back: JSON with typed arrays and non-finite numbers, versioned and checksummed. Layout
// (little-endian): magic "SPKT", version u16, reserved u16, total length u32, CRC-32 u32 of everything behind byte 16, header length u32, JSON header,
// then the arrays' elements, each 8-byte aligned.

import { crc32 } from '../crc32.js'
import { malformedFile, SpikeportError } from '../errors.js'

export const CHECKPOINT_VERSION = 1
const MAGIC = 0x544b5053 // "SPKT"
const FIXED_BYTES = 20

const ARRAYS = { Int8Array, Uint8Array, Int32Array, Uint32Array, Float32Array, Float64Array } as const
type ArrayName = keyof typeof ARRAYS
type PlainArray = InstanceType<(typeof ARRAYS)[ArrayName]>

/** What stands in the JSON for an array, and for a number that JSON lacks. */
interface StoredArray {
  readonly $array: ArrayName
  readonly offset: number
  readonly length: number
}
interface StoredNumber {
  readonly $number: string
}

const align8 = (n: number): number => Math.ceil(n / 8) * 8
const isObject = (x: unknown): x is Record<string, unknown> => x !== null && typeof x === 'object'
const isStoredArray = (x: unknown): x is StoredArray => isObject(x) && typeof x['$array'] === 'string'
const isStoredNumber = (x: unknown): x is StoredNumber => isObject(x) && typeof x['$number'] === 'string'
const needsText = (x: unknown): x is number => typeof x === 'number' && (!Number.isFinite(x) || Object.is(x, -0))
const textOf = (x: number): string => (Object.is(x, -0) ? '-0' : String(x))

/** Plain data (no functions; typed arrays of numbers) as bytes. */
export const encodeCheckpoint = (content: unknown): Uint8Array => {
  const chunks: PlainArray[] = []
  let dataBytes = 0
  const store = (_: string, x: unknown): unknown => {
    if (needsText(x)) return { $number: textOf(x) } satisfies StoredNumber
    if (!ArrayBuffer.isView(x)) return x
    const array = x as PlainArray
    const stored: StoredArray = { $array: array.constructor.name as ArrayName, offset: dataBytes, length: array.length }
    chunks.push(array)
    dataBytes = align8(dataBytes + array.byteLength)
    return stored
  }
  const header = new TextEncoder().encode(JSON.stringify(content, store))
  const dataStart = align8(FIXED_BYTES + header.length)
  const bytes = new Uint8Array(dataStart + dataBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint16(4, CHECKPOINT_VERSION, true)
  view.setUint32(8, bytes.length, true)
  view.setUint32(16, header.length, true)
  bytes.set(header, FIXED_BYTES)
  let at = dataStart
  for (const { buffer, byteOffset, byteLength } of chunks) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at)
    at = align8(at + byteLength)
  }
  view.setUint32(12, crc32(bytes.subarray(16)), true)
  return bytes
}

/** Checks everything but the JSON and returns its length. */
const checkFixed = (bytes: Uint8Array, path: string): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < FIXED_BYTES || view.getUint32(0, true) !== MAGIC) throw malformedFile(path, 0, 'not a checkpoint (the magic "SPKT" is missing)')
  const version = view.getUint16(4, true)
  if (version !== CHECKPOINT_VERSION)
    throw malformedFile(path, 4, `checkpoint version ${version}, this spikeport reads version ${CHECKPOINT_VERSION}`, 'Start the run anew without --resume.')
  if (view.getUint32(8, true) !== bytes.length) throw malformedFile(path, 8, `the file has ${bytes.length} bytes, its header says ${view.getUint32(8, true)}`)
  if (view.getUint32(12, true) !== crc32(bytes.subarray(16))) throw malformedFile(path, 12, 'the checksum does not match')
  const headerBytes = view.getUint32(16, true)
  if (headerBytes > bytes.length - FIXED_BYTES) throw malformedFile(path, 16, `a header of ${headerBytes} bytes does not fit the file`)
  return headerBytes
}

/** Copies an array out of the data section. */
const readArray = (data: Uint8Array, { $array, offset, length }: StoredArray, path: string): PlainArray => {
  if (!Object.hasOwn(ARRAYS, $array)) throw malformedFile(path, null, `an array of kind "${$array}"`)
  const type = ARRAYS[$array]
  const isInside = [offset, length].every((n) => Number.isInteger(n) && n >= 0) && offset + length * type.BYTES_PER_ELEMENT <= data.length
  if (!isInside) throw malformedFile(path, null, 'an array lies outside the file')
  const copy = new Uint8Array(data.subarray(offset, offset + length * type.BYTES_PER_ELEMENT))
  return new type(copy.buffer, 0, length)
}

/** The data that encodeCheckpoint was given; `path` is for messages. @throws FILE_MALFORMED for bytes of another version or kind, or damaged ones */
export const decodeCheckpoint = (bytes: Uint8Array, path: string): unknown => {
  const headerBytes = checkFixed(bytes, path)
  const data = bytes.subarray(align8(FIXED_BYTES + headerBytes))
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(FIXED_BYTES, FIXED_BYTES + headerBytes))
    return JSON.parse(text, (_, x: unknown) => (isStoredArray(x) ? readArray(data, x, path) : isStoredNumber(x) ? Number(x.$number) : x))
  } catch (error) {
    if (error instanceof SpikeportError) throw error
    throw malformedFile(path, FIXED_BYTES, `the header does not parse (${error instanceof Error ? error.message : String(error)})`)
  }
}
