// Payloads of the wire protocol (docs/protocol.md, "Messages"): requests to bytes, answers from bytes. Little-endian; answers are not trusted.

import { malformedAnswer } from '../errors.js'

/** The protocol this library speaks. */
export const PROTOCOL_VERSION = 1
/** Hello.activeSlot and Info.slot where no network is active. */
export const NO_SLOT = 255
/** Chunks of a load start at multiples of this. */
export const CHUNK_ALIGNMENT = 16

export interface Hello {
  readonly protocolVersion: number
  /** of the flash file */
  readonly formatVersion: number
  readonly maxPayloadBytes: number
  /** 0, 1 or NO_SLOT */
  readonly activeSlot: number
  /** status that kept the active network from starting; 0: none */
  readonly bootStatus: number
  /** bytes the board buffers while it handles a request; 0: one request at a time */
  readonly creditBytes: number
  readonly clockHz: number
  /** of the counter that run and profile report; 0: none */
  readonly counterHz: number
  readonly slotBytes: number
  readonly arenaBytes: number
  /** of the firmware in the chip */
  readonly imageCrc32: number
  /** bit n: operator code n is there */
  readonly operators: bigint
  readonly board: string
}

export interface Info {
  readonly slot: number
  /** constants were laid out anew for fast kernels */
  readonly isPrepared: boolean
  readonly inputCount: number
  readonly outputCount: number
  readonly fileBytes: number
  readonly crc32: number
  readonly nodeCount: number
  readonly valueCount: number
  readonly arenaBytes: number
  /** most stack in use since boot; null: the board does not know */
  readonly stackBytes: number | null
}

export interface LoadState {
  /** bytes stored: where the next chunk starts */
  readonly nextOffset: number
  /** the network is the active one already */
  readonly isActive: boolean
}

export interface RunResult {
  /** of the counter */
  readonly ticks: number
  readonly stackBytes: number | null
  /** outputs one after the other, as far as asked for */
  readonly outputs: Uint8Array
}

export interface ProfileResult {
  readonly totalTicks: number
  readonly stackBytes: number | null
  /** of the nodes asked for */
  readonly ticks: readonly number[]
}

/** What a reset does. */
export type ResetKind = 'restart' | 'bootloader'

const UNKNOWN_STACK = 0xffffffff

/** Reads little-endian fields one after the other. */
const fieldReader = (payload: Uint8Array, message: string) => {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  let at = 0
  const take = (bytes: number): number => {
    if (at + bytes > payload.length) throw malformedAnswer(message, payload.length)
    at += bytes
    return at - bytes
  }
  return {
    u8: () => view.getUint8(take(1)),
    u16: () => view.getUint16(take(2), true),
    u32: () => view.getUint32(take(4), true),
    u64: () => view.getBigUint64(take(8), true),
    bytes: (length: number) => new Uint8Array(payload.subarray(take(length), at)),
    rest: () => new Uint8Array(payload.subarray(at)),
  }
}

/** Little-endian fields: [bytes, value] pairs. */
const fields = (...pairs: readonly (readonly [1 | 2 | 4, number])[]): Uint8Array => {
  const payload = new Uint8Array(pairs.reduce((sum, [bytes]) => sum + bytes, 0))
  let at = 0
  for (const [bytes, value] of pairs) for (let i = 0; i < bytes; i++) payload[at++] = Math.floor(value / 256 ** i) & 255
  return payload
}

const followedBy = (head: Uint8Array, bytes: Uint8Array): Uint8Array => {
  const payload = new Uint8Array(head.length + bytes.length)
  payload.set(head)
  payload.set(bytes, head.length)
  return payload
}

const stackOf = (bytes: number): number | null => (bytes === UNKNOWN_STACK ? null : bytes)

export const helloRequest = (): Uint8Array => fields([2, PROTOCOL_VERSION])

/** Bytes of the greeting of another protocol version stop being read after the version. */
export const readHello = (payload: Uint8Array): Hello | { readonly protocolVersion: number } => {
  const read = fieldReader(payload, 'hello')
  const protocolVersion = read.u16()
  if (protocolVersion !== PROTOCOL_VERSION) return { protocolVersion }
  return {
    protocolVersion,
    formatVersion: read.u16(),
    maxPayloadBytes: read.u16(),
    activeSlot: read.u8(),
    bootStatus: read.u8(),
    creditBytes: read.u32(),
    clockHz: read.u32(),
    counterHz: read.u32(),
    slotBytes: read.u32(),
    arenaBytes: read.u32(),
    imageCrc32: read.u32(),
    operators: read.u64(),
    board: new TextDecoder().decode(read.bytes(read.u8())),
  }
}

export const readInfo = (payload: Uint8Array): Info => {
  const read = fieldReader(payload, 'info')
  const [slot, isPrepared, inputCount, outputCount] = [read.u8(), read.u8() !== 0, read.u16(), read.u16()]
  read.u16()
  const [fileBytes, crc32, nodeCount, valueCount, arenaBytes] = [read.u32(), read.u32(), read.u32(), read.u32(), read.u32()]
  return { slot, isPrepared, inputCount, outputCount, fileBytes, crc32, nodeCount, valueCount, arenaBytes, stackBytes: stackOf(read.u32()) }
}

export const resetRequest = (kind: ResetKind): Uint8Array => fields([1, kind === 'restart' ? 1 : 2])

export const loadBeginRequest = (lengthBytes: number, crc32: number): Uint8Array => fields([4, lengthBytes], [4, crc32])

export const readLoadBegin = (payload: Uint8Array): LoadState => {
  const read = fieldReader(payload, 'loadBegin')
  return { nextOffset: read.u32(), isActive: read.u8() !== 0 }
}

/** Bytes of a chunk's payload beside the chunk. */
export const CHUNK_HEAD_BYTES = 4
export const loadChunkRequest = (offset: number, bytes: Uint8Array): Uint8Array => followedBy(fields([4, offset]), bytes)

export const readLoadChunk = (payload: Uint8Array): number => fieldReader(payload, 'loadChunk').u32()

/** Bytes of an input's payload beside the elements. */
export const INPUT_HEAD_BYTES = 6
export const writeInputRequest = (input: number, offset: number, bytes: Uint8Array): Uint8Array => followedBy(fields([2, input], [4, offset]), bytes)

/** Bytes of a run's answer beside the outputs. */
export const RUN_HEAD_BYTES = 12
export const runRequest = (outputBytes: number): Uint8Array => fields([2, outputBytes])

export const readRun = (payload: Uint8Array): RunResult => {
  const read = fieldReader(payload, 'run')
  return { ticks: Number(read.u64()), stackBytes: stackOf(read.u32()), outputs: read.rest() }
}

export const runNodeRequest = (node: number): Uint8Array => fields([4, node])

export const readValueRequest = (value: number, offset: number, length: number): Uint8Array => fields([2, value], [4, offset], [2, length])

export const readNetworkRequest = (offset: number, length: number): Uint8Array => fields([4, offset], [2, length])

/** Nodes whose ticks fit into an answer of so many bytes. */
export const profileNodes = (payloadBytes: number): number => Math.floor((payloadBytes - 12) / 4)
export const profileRequest = (firstNode: number, count: number): Uint8Array => fields([4, firstNode], [2, count])

export const readProfile = (payload: Uint8Array): ProfileResult => {
  const read = fieldReader(payload, 'profile')
  const [totalTicks, stackBytes] = [Number(read.u64()), stackOf(read.u32())]
  return { totalTicks, stackBytes, ticks: Array.from({ length: (payload.length - 12) / 4 }, () => read.u32()) }
}
