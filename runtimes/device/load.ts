// Loading a network into the inactive slot of a board: chunks within the board's credit, resumed wherever the board says it is
// (docs/protocol.md, "Loading"). The network that was active stays active until the last step.

import { crc32 } from '#src/crc32.js'
import { DeviceError, garbledLine, silentDevice } from '#src/errors.js'
import { MESSAGES, STATUSES } from '#src/protocol/codes.js'
import { type Frame, RESPONSE_BIT, wireBytes } from '#src/protocol/frame.js'
import { CHUNK_ALIGNMENT, CHUNK_HEAD_BYTES, type Hello, loadBeginRequest, loadChunkRequest, readLoadBegin, readLoadChunk } from '#src/protocol/messages.js'
import { type Connection, throwStatus } from './connection.js'

export interface LoadOptions {
  readonly onProgress?: (storedBytes: number, totalBytes: number) => void
}

export interface LoadResult {
  /** bytes that this call sent; 0 where the network was there already */
  readonly sentBytes: number
  /** where it started: more than 0 where an interrupted load went on */
  readonly resumedAt: number
  /** the board had this network active already */
  readonly wasActive: boolean
}

/** Erasing a block and verifying a network take longest. */
const STALL_MILLIS = 15_000
const CHUNK_TIMEOUT_MILLIS = 1_500
const MOST_RESTARTS = 3
const MOST_DAMAGED_IN_A_ROW = 300

interface Sending {
  /** bytes the board has stored */
  stored: number
  /** where the next chunk starts */
  next: number
  sentBytes: number
  /** chunks on their way: sequence number and wire bytes */
  underWay: { readonly sequence: number; readonly bytes: number }[]
  /** answers to earlier chunks than this are history */
  epoch: number
}

const creditUsed = (sending: Sending): number => sending.underWay.reduce((sum, chunk) => sum + chunk.bytes, 0)

const chunkBytes = (connection: Connection, hello: Hello): number => {
  const most = hello.maxPayloadBytes - CHUNK_HEAD_BYTES
  return Math.max(CHUNK_ALIGNMENT, Math.floor(connection.pieceBytes(most) / CHUNK_ALIGNMENT) * CHUNK_ALIGNMENT)
}

/** Sends chunks as far as the credit goes; one is always allowed. */
const fill = async (connection: Connection, hello: Hello, bytes: Uint8Array, sending: Sending): Promise<void> => {
  while (sending.next < bytes.length) {
    const length = Math.min(chunkBytes(connection, hello), bytes.length - sending.next)
    const wire = wireBytes(length + CHUNK_HEAD_BYTES)
    if (sending.underWay.length > 0 && creditUsed(sending) + wire > hello.creditBytes) return
    const sequence = await connection.send('loadChunk', loadChunkRequest(sending.next, bytes.subarray(sending.next, sending.next + length)))
    sending.underWay.push({ sequence, bytes: wire })
    sending.next += length
    sending.sentBytes += length
  }
}

const goBack = (sending: Sending): void => {
  sending.next = sending.stored
  sending.epoch = ((sending.underWay.at(-1)?.sequence ?? sending.epoch - 1) + 1) & 0xffff
}

/** True where sequence number a was sent before b, on a circle of 65536. */
const isBefore = (a: number, b: number): boolean => ((a - b) & 0xffff) >= 0x8000

const settle = (sending: Sending, sequence: number): void => {
  const index = sending.underWay.findIndex((chunk) => chunk.sequence === sequence)
  if (index >= 0) sending.underWay.splice(0, index + 1)
}

/** Takes the answer to a chunk. */
const takeAnswer = (connection: Connection, sending: Sending, frame: Frame): void => {
  settle(sending, frame.sequence)
  if (frame.status !== STATUSES.ok && frame.status !== STATUSES.outOfOrder) throwStatus(connection.place, 'loadChunk', frame.status)
  sending.stored = Math.max(sending.stored, readLoadChunk(frame.payload))
  if (sending.next < sending.stored) sending.next = sending.stored
  if (frame.status === STATUSES.outOfOrder && !isBefore(frame.sequence, sending.epoch)) goBack(sending)
}

const ANSWER_BYTES = 4

/** What a board says of a chunk that arrived as another message: chunks as they are sent fit. */
const DAMAGED: readonly number[] = [STATUSES.payload, STATUSES.range, STATUSES.unknownMessage]

/** A checksum of 16 bits lets one damaged frame in 65,536 pass. So an answer of the wrong length was damaged itself, and one that refuses what was never sent answers a damaged chunk. */
const whole = <E extends string>(event: Frame | E): Frame | E | 'garbled' => {
  if (typeof event === 'string' || event.message !== (MESSAGES.loadChunk | RESPONSE_BIT)) return event
  const hasAnswer = event.status === STATUSES.ok || event.status === STATUSES.outOfOrder
  return DAMAGED.includes(event.status) || (hasAnswer && event.payload.length !== ANSWER_BYTES) ? 'garbled' : event
}

/** Sends everything from `from` on; resolves when the board has stored it. */
const sendAll = async (connection: Connection, hello: Hello, bytes: Uint8Array, from: number, options: LoadOptions): Promise<number> => {
  const sending: Sending = { stored: from, next: from, sentBytes: 0, underWay: [], epoch: 0 }
  let lastProgress = connection.clock.nowMillis()
  let damagedInARow = 0
  while (sending.stored < bytes.length) {
    await fill(connection, hello, bytes, sending)
    const before = sending.stored
    const event = whole(await connection.next(CHUNK_TIMEOUT_MILLIS))
    if (typeof event === 'string') {
      connection.note('damaged')
      if (event === 'timeout') sending.underWay = []
      else sending.underWay.shift()
      goBack(sending)
      if (++damagedInARow > MOST_DAMAGED_IN_A_ROW) throw garbledLine(connection.place, sending.sentBytes, null)
    } else if (event.message === (MESSAGES.loadChunk | RESPONSE_BIT)) takeAnswer(connection, sending, event)
    if (sending.stored > before) {
      damagedInARow = 0
      lastProgress = connection.clock.nowMillis()
      connection.note('passed')
      options.onProgress?.(sending.stored, bytes.length)
    } else if (connection.clock.nowMillis() - lastProgress > (connection.isEmulated ? 4 : 1) * STALL_MILLIS)
      throw silentDevice(connection.place, 'loadChunk', STALL_MILLIS)
  }
  return sending.sentBytes
}

const loadOnce = async (connection: Connection, hello: Hello, bytes: Uint8Array, options: LoadOptions): Promise<LoadResult> => {
  const state = readLoadBegin(await connection.request('loadBegin', loadBeginRequest(bytes.length, crc32(bytes)), STALL_MILLIS))
  if (state.isActive) return { sentBytes: 0, resumedAt: bytes.length, wasActive: true }
  const resumedAt = Math.min(state.nextOffset, bytes.length)
  const sentBytes = await sendAll(connection, hello, bytes, resumedAt, options)
  await connection.request('loadCommit', new Uint8Array(0), 2 * STALL_MILLIS)
  return { sentBytes, resumedAt, wasActive: false }
}

/**
 * Loads a flash file and makes it the active network. A board that restarts on the way is greeted again (`greet`), and the load goes on.
 * @throws DeviceError
 */
export const loadNetwork = async (
  connection: Connection,
  hello: Hello,
  bytes: Uint8Array,
  greet: () => Promise<unknown>,
  options: LoadOptions = {},
): Promise<LoadResult> => {
  for (let restarts = 0; ; restarts++) {
    try {
      return await loadOnce(connection, hello, bytes, options)
    } catch (error) {
      if (!(error instanceof DeviceError) || error.code !== 'DEVICE_RESET' || restarts === MOST_RESTARTS) throw error
      await greet()
    }
  }
}
