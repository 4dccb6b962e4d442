// The .npy format of NumPy, versions 1 to 3: magic, version, header length, a Python dictionary, elements. Reads numbers and
// booleans; int64 and uint64 become int32 where every element fits, half precision becomes float32. Writes version 1.

import { malformedFile, unsupported } from '../errors.js'
import { decodeElements, decodeHalf, encodeElements, NUMERIC_ARRAYS, type NumericArray, type NumericData, type NumericKind } from './numeric-array.js'

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] // \x93NUMPY
const MAX_RANK = 32

interface Header {
  /** byte order and type, as in "<f4" */
  readonly descr: string
  readonly isFortran: boolean
  readonly shape: readonly number[]
  /** where the elements begin */
  readonly dataStart: number
}

const readPreamble = (bytes: Uint8Array, path: string): { text: string; dataStart: number } => {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) throw malformedFile(path, 0, 'not a .npy file (the magic "\\x93NUMPY" is missing)')
  const version = bytes[6] as number
  if (version < 1 || version > 3) throw malformedFile(path, 6, `.npy version ${version}, versions 1 to 3 are known`)
  const textStart = version === 1 ? 10 : 12
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < textStart) throw malformedFile(path, 8, 'the header is cut off')
  const dataStart = textStart + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  if (dataStart > bytes.length) throw malformedFile(path, 8, `a header of ${dataStart - textStart} bytes does not fit the file`)
  return { text: new TextDecoder('latin1').decode(bytes.subarray(textStart, dataStart)), dataStart }
}

const readShape = (text: string | undefined, path: string): readonly number[] => {
  const sizes = (text ?? '?').split(',').map((size) => size.trim())
  if (sizes.at(-1) === '') sizes.pop()
  if (sizes.length > MAX_RANK || !sizes.every((size) => /^\d{1,15}L?$/.test(size)))
    throw malformedFile(path, 10, `the header's shape "(${text ?? ''})" does not parse`)
  return sizes.map((size) => Number.parseInt(size, 10))
}

const readHeader = (bytes: Uint8Array, path: string): Header => {
  const { text, dataStart } = readPreamble(bytes, path)
  const descr = /['"]descr['"]\s*:\s*(['"]([^'"]*)['"]|\[)/.exec(text)
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text)
  const shape = /['"]shape['"]\s*:\s*\(([^)]*)\)/.exec(text)
  if (descr === null || order === null || shape === null) throw malformedFile(path, 10, 'the header lacks descr, fortran_order or shape')
  if (descr[2] === undefined) throw unsupported(`${path}: holds records of several fields.`, 'Save one plain array: numpy.save(path, array["field"]).')
  return { descr: descr[2], isFortran: order[1] === 'True', shape: readShape(shape[1], path), dataStart }
}

const int64ToInt32 = (bytes: Uint8Array, isLittleEndian: boolean, isSigned: boolean, path: string, start: number): Int32Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Int32Array.from({ length: bytes.length / 8 }, (_, i) => {
    const x = isSigned ? view.getBigInt64(8 * i, isLittleEndian) : view.getBigUint64(8 * i, isLittleEndian)
    if (x !== BigInt.asIntN(32, x))
      throw malformedFile(path, start + 8 * i, `element ${i} is ${x}, beyond int32`, 'Save it with a smaller type: array.astype("int32").')
    return Number(x)
  })
}

interface Decoder {
  readonly bytes: number
  readonly decode: (bytes: Uint8Array, isLittleEndian: boolean, path: string, start: number) => NumericArray
}

const plain = (kind: NumericKind): Decoder => ({
  bytes: NUMERIC_ARRAYS[kind].BYTES_PER_ELEMENT,
  decode: (bytes, isLittleEndian) => decodeElements(bytes, kind, isLittleEndian),
})

const DECODERS: ReadonlyMap<string, Decoder> = new Map([
  ...(Object.keys(NUMERIC_ARRAYS) as NumericKind[]).map((kind) => [kind, plain(kind)] as const),
  ['b1', { bytes: 1, decode: (bytes) => bytes.map((x) => (x === 0 ? 0 : 1)) }],
  ['f2', { bytes: 2, decode: (bytes, isLittleEndian) => decodeHalf(decodeElements(bytes, 'u2', isLittleEndian) as Uint16Array) }],
  ['i8', { bytes: 8, decode: (bytes, isLittleEndian, path, start) => int64ToInt32(bytes, isLittleEndian, true, path, start) }],
  ['u8', { bytes: 8, decode: (bytes, isLittleEndian, path, start) => int64ToInt32(bytes, isLittleEndian, false, path, start) }],
])

/** Column-major elements in row-major order. */
const transpose = (data: NumericArray, shape: readonly number[]): NumericArray => {
  const out = data.slice()
  const index = new Array<number>(shape.length).fill(0)
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, 1))
  let from = 0
  for (let at = 0; at < out.length; at++) {
    out[at] = data[from] as number
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis] as number
      index[axis] = (index[axis] as number) + 1
      if ((index[axis] as number) < (shape[axis] as number)) break
      from -= (index[axis] as number) * (strides[axis] as number)
      index[axis] = 0
    }
  }
  return out
}

/**
 * Reads a .npy file's bytes; `path` is for messages. Columns-first arrays are put in row-major order; a scalar has shape [].
 * @throws FILE_MALFORMED for damaged bytes, UNSUPPORTED for element types without a number (text, objects, complex, records)
 */
export const readNpy = (bytes: Uint8Array, path: string): NumericData => {
  const { descr, isFortran, shape, dataStart } = readHeader(bytes, path)
  const decoder = /^[<>|=]/.test(descr) ? DECODERS.get(descr.slice(1)) : undefined
  if (decoder === undefined)
    throw unsupported(`${path}: elements of type "${descr}" are not read.`, 'Save numbers: array.astype("float32") or another float, integer or bool type.')
  const needed = shape.reduce((product, size) => product * size, decoder.bytes)
  if (needed !== bytes.length - dataStart)
    throw malformedFile(path, dataStart, `[${shape.join(',')}] of ${descr} takes ${needed} bytes, the file holds ${bytes.length - dataStart}`)
  const data = decoder.decode(bytes.subarray(dataStart), descr[0] !== '>', path, dataStart)
  return { shape, data: isFortran && shape.length > 1 ? transpose(data, shape) : data }
}

const descrOf = (data: NumericArray): string => {
  const kind = (Object.keys(NUMERIC_ARRAYS) as NumericKind[]).find((name) => data instanceof NUMERIC_ARRAYS[name]) as NumericKind
  return `${data.BYTES_PER_ELEMENT === 1 ? '|' : '<'}${kind}`
}

/** The bytes of a .npy file, version 1, row major, little-endian; `data` holds as many elements as `shape` takes. */
export const writeNpy = (shape: readonly number[], data: NumericArray): Uint8Array => {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const dictionary = `{'descr': '${descrOf(data)}', 'fortran_order': False, 'shape': ${tuple}, }`
  const dataStart = Math.ceil((10 + dictionary.length + 1) / 64) * 64
  const bytes = new Uint8Array(dataStart + data.byteLength)
  bytes.set(MAGIC)
  bytes[6] = 1
  new DataView(bytes.buffer).setUint16(8, dataStart - 10, true)
  bytes.set(new TextEncoder().encode(`${dictionary.padEnd(dataStart - 11)}\n`), 10)
  bytes.set(encodeElements(data), dataStart)
  return bytes
}
