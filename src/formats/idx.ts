// The idx format of MNIST: two zero bytes, an element type, the number of dimensions, big-endian uint32 sizes, big-endian elements.

import { malformedFile } from '../errors.js'
import { decodeElements, NUMERIC_ARRAYS, type NumericData, type NumericKind } from './numeric-array.js'

const KIND_OF_CODE: Readonly<Record<number, NumericKind>> = { 8: 'u1', 9: 'i1', 11: 'i2', 12: 'i4', 13: 'f4', 14: 'f8' }

/**
 * Reads an idx file's bytes (already unpacked); `path` is for messages.
 * @throws FILE_MALFORMED where the header or the length is wrong
 */
export const readIdx = (bytes: Uint8Array, path: string): NumericData => {
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) throw malformedFile(path, 0, 'not an idx file (it must begin with two zero bytes)')
  const kind = KIND_OF_CODE[bytes[2] as number]
  if (kind === undefined) throw malformedFile(path, 2, `unknown idx element type 0x${(bytes[2] as number).toString(16).padStart(2, '0')}`)
  const rank = bytes[3] as number
  const start = 4 + 4 * rank
  if (rank === 0 || bytes.length < start) throw malformedFile(path, 3, `an idx header of ${rank} dimensions does not fit ${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  const needed = shape.reduce((product, size) => product * size, NUMERIC_ARRAYS[kind].BYTES_PER_ELEMENT)
  if (needed !== bytes.length - start) throw malformedFile(path, start, `[${shape.join(',')}] takes ${needed} bytes, the file holds ${bytes.length - start}`)
  return { shape, data: decodeElements(bytes.subarray(start), kind, false) }
}
