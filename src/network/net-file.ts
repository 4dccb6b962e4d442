// The .net file: one network, self-contained, versioned and checksummed. Layout (little-endian): magic "SPKN", version u16, reserved u16,
// total length u32, CRC-32 u32 of everything behind byte 16, header length u32, JSON header, then the constants' elements, each 8-byte aligned.

import { crc32 } from '../crc32.js'
import { malformedFile, SpikeportError } from '../errors.js'
import { arrayClass, arrayLength, byteLength, type ElementArray, type Network, type Stage, type Tensor } from './types.js'
import { checkType, verify } from './verify.js'

export const NET_VERSION = 1
const MAGIC = 0x4e4b5053 // "SPKN"
const FIXED_BYTES = 20

interface StoredTensor {
  readonly type: Tensor['type']
  readonly offset: number
}

/** Free text in the metadata may use the same two names, for strings. */
const isStored = (x: unknown): x is StoredTensor =>
  x !== null && typeof x === 'object' && 'type' in x && typeof x.type === 'object' && 'offset' in x && typeof x.offset === 'number'
const isTensor = (x: unknown): x is Tensor => x !== null && typeof x === 'object' && 'type' in x && 'data' in x && ArrayBuffer.isView((x as Tensor).data)
const align8 = (n: number): number => Math.ceil(n / 8) * 8

/** A network as the bytes of a .net file. */
export const saveNetwork = (network: Network): Uint8Array => {
  const chunks: ElementArray[] = []
  let dataBytes = 0
  const store = (_: string, x: unknown): unknown => {
    if (!isTensor(x)) return x
    const stored: StoredTensor = { type: x.type, offset: dataBytes }
    chunks.push(x.data)
    dataBytes = align8(dataBytes + x.data.byteLength)
    return stored
  }
  const header = new TextEncoder().encode(JSON.stringify(network, store))
  const dataStart = align8(FIXED_BYTES + header.length)
  const bytes = new Uint8Array(dataStart + dataBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint16(4, NET_VERSION, true)
  view.setUint32(8, bytes.length, true)
  view.setUint32(16, header.length, true)
  bytes.set(header, FIXED_BYTES)
  let at = dataStart
  for (const chunk of chunks) {
    bytes.set(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength), at)
    at = align8(at + chunk.byteLength)
  }
  view.setUint32(12, crc32(bytes.subarray(16)), true)
  return bytes
}

const readFixed = (bytes: Uint8Array, path: string): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < FIXED_BYTES || view.getUint32(0, true) !== MAGIC) throw malformedFile(path, 0, 'not a .net file (the magic "SPKN" is missing)')
  const version = view.getUint16(4, true)
  if (version !== NET_VERSION) {
    throw malformedFile(
      path,
      4,
      `.net version ${version}, this spikeport reads version ${NET_VERSION}`,
      'Install the spikeport that wrote the file, or export it again.',
    )
  }
  if (view.getUint32(8, true) !== bytes.length) throw malformedFile(path, 8, `the file has ${bytes.length} bytes, its header says ${view.getUint32(8, true)}`)
  if (view.getUint32(12, true) !== crc32(bytes.subarray(16))) throw malformedFile(path, 12, 'the checksum does not match')
  const headerBytes = view.getUint32(16, true)
  if (headerBytes > bytes.length - FIXED_BYTES) throw malformedFile(path, 16, `a header of ${headerBytes} bytes does not fit the file`)
  return headerBytes
}

/** Copies a constant out of the data section; types come from an untrusted header, so they are checked before memory is taken. `room` are the bytes that constants may still take: they do not overlap. */
const readTensor = (data: Uint8Array, stored: StoredTensor, room: { bytes: number }, path: string): Tensor => {
  checkType(stored.type, 'constant')
  const size = byteLength(stored.type)
  if (!Number.isInteger(stored.offset) || stored.offset < 0 || stored.offset + size > data.length)
    throw malformedFile(path, null, 'a constant lies outside the file')
  room.bytes -= size
  if (room.bytes < 0) throw malformedFile(path, null, 'constants overlap')
  const copy = new Uint8Array(data.subarray(stored.offset, stored.offset + size)) // a Buffer's slice() would not copy
  return { type: stored.type, data: new (arrayClass(stored.type.kind))(copy.buffer, 0, arrayLength(stored.type)) }
}

/**
 * Reads and verifies the bytes of a .net file; `path` is for messages.
 * @throws FILE_MALFORMED for damaged bytes, NETWORK_INVALID for a well-formed file with a broken network
 */
export const loadNetwork = (bytes: Uint8Array, path: string): Network<Stage> => {
  const headerBytes = readFixed(bytes, path)
  const data = bytes.subarray(align8(FIXED_BYTES + headerBytes))
  const room = { bytes: data.length }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(FIXED_BYTES, FIXED_BYTES + headerBytes))
    const network: unknown = JSON.parse(text, (_, x) => (isStored(x) ? readTensor(data, x, room, path) : x))
    if (network === null || typeof network !== 'object') throw malformedFile(path, FIXED_BYTES, 'the header holds no network')
    return verify(network as Network<Stage>)
  } catch (error) {
    if (error instanceof SpikeportError) throw error
    throw malformedFile(path, FIXED_BYTES, `the header does not parse (${error instanceof Error ? error.message : String(error)})`)
  }
}
