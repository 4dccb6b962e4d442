// Typed arrays as readers of data files give them, and the two conversions they share: byte order and half precision.

export type NumericArray = Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array

/** Row-major elements and their shape, as idx and .npy files hold them. */
export interface NumericData {
  readonly shape: readonly number[]
  readonly data: NumericArray
}

export const NUMERIC_ARRAYS = {
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  u1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
} as const

/** Element types: f float, i signed, u unsigned, then the bytes of one element. */
export type NumericKind = keyof typeof NUMERIC_ARRAYS

const isLittleEndianHost = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** Reverses every group of `size` bytes in place. */
const swapBytes = (bytes: Uint8Array, size: number): void => {
  for (let at = 0; at + size <= bytes.length; at += size) bytes.subarray(at, at + size).reverse()
}

/** Copies bytes into an array of a kind; the bytes hold whole elements. */
export const decodeElements = (bytes: Uint8Array, kind: NumericKind, isLittleEndian: boolean): NumericArray => {
  const copy = new Uint8Array(bytes) // a Buffer's slice() would not copy
  const Elements = NUMERIC_ARRAYS[kind]
  if (Elements.BYTES_PER_ELEMENT > 1 && isLittleEndian !== isLittleEndianHost) swapBytes(copy, Elements.BYTES_PER_ELEMENT)
  return new Elements(copy.buffer, 0, copy.length / Elements.BYTES_PER_ELEMENT)
}

/** The little-endian bytes of an array, as a copy. */
export const encodeElements = (data: NumericArray): Uint8Array => {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
  if (!isLittleEndianHost) swapBytes(bytes, data.BYTES_PER_ELEMENT)
  return bytes
}

/** The number that 16 bits of IEEE 754 half precision stand for. */
export const halfToNumber = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

/** Half-precision bits as float32, exactly. */
export const decodeHalf = (bits: Uint16Array): Float32Array => Float32Array.from(bits, halfToNumber)
