// A board that was greeted: what it can be asked to do, one function a message. Errors are DeviceErrors with the remedy.

import { type Board, networkCapacityBytes } from '#src/contracts/board.js'
import type { OpenTransport } from '#src/contracts/transport.js'
import { DeviceError, doesNotFit, missingOperator, wrongBoard, wrongFirmware } from '#src/errors.js'
import { OPERATOR_CODES } from '#src/formats/eventnet/codes.js'
import { EVENTNET_VERSION, type EventnetDocument, readEventnet } from '#src/formats/eventnet/index.js'
import {
  type Hello,
  helloRequest,
  INPUT_HEAD_BYTES,
  type Info,
  NO_SLOT,
  PROTOCOL_VERSION,
  type ProfileResult,
  profileNodes,
  profileRequest,
  type ResetKind,
  RUN_HEAD_BYTES,
  type RunResult,
  readHello,
  readInfo,
  readNetworkRequest,
  readProfile,
  readRun,
  readValueRequest,
  resetRequest,
  runNodeRequest,
  runRequest,
  writeInputRequest,
} from '#src/protocol/messages.js'
import { type Connection, type ConnectionOptions, openConnection } from './connection.js'
import { type LoadOptions, type LoadResult, loadNetwork } from './load.js'
import { readPieces, transferPieces } from './pieces.js'

export interface Device {
  readonly board: Board
  /** what the line is called: "/dev/ttyACM0" */
  readonly port: string
  readonly hello: Hello
  readonly isEmulated: boolean
  /** The active network, or null. */
  readonly info: () => Promise<Info | null>
  /** Loads a flash file and makes it the active network. @throws DeviceError, DoesNotFitError */
  readonly load: (bytes: Uint8Array, options?: LoadOptions) => Promise<LoadResult>
  /** Makes the network of the other slot the active one. */
  readonly rollback: () => Promise<void>
  /** One inference: elements of the inputs as bytes -> elements of all outputs, one after the other. */
  readonly infer: (inputs: readonly Uint8Array[], outputs: readonly OutputPlace[]) => Promise<RunResult>
  /** Runs node after node; `take` may read values with read(value, bytes) in between. */
  readonly trace: (
    inputs: readonly Uint8Array[],
    size: { readonly nodes: number; readonly steps: number },
    take: (node: number, read: ReadValue) => Promise<void>,
  ) => Promise<void>
  /** Counter ticks of each node. */
  readonly profile: (inputs: readonly Uint8Array[], nodeCount: number) => Promise<ProfileResult>
  /** Bytes of the active flash file as the board has them. */
  readonly readNetwork: (offset: number, lengthBytes: number) => Promise<Uint8Array>
  /** Runs the sample stored in the network. @throws DEVICE_REFUSED where outputs differ */
  readonly selfTest: () => Promise<void>
  /** Restarts the board; the conversation goes on after a restart, not after 'bootloader'. */
  readonly reset: (kind: ResetKind) => Promise<void>
  readonly close: () => Promise<void>
}

/** A network output: its value index and how long it is. */
export interface OutputPlace {
  readonly value: number
  readonly bytes: number
}

export type ReadValue = (value: number, lengthBytes: number) => Promise<Uint8Array>

/** Outputs up to so many bytes come with the answer of a run; longer ones are read in pieces. */
const MOST_INLINE_OUTPUT_BYTES = 64
const RUN_PATIENCE_MILLIS = 180_000
const GREETING_PATIENCE_MILLIS = 3_000
const NOTHING = new Uint8Array(0)

const greet = async (connection: Connection, board: Board): Promise<Hello> => {
  connection.expectSession(false)
  const hello = readHello(await connection.request('hello', helloRequest(), GREETING_PATIENCE_MILLIS))
  const { place } = connection
  if (!('board' in hello)) throw wrongFirmware(place, 'protocol version', hello.protocolVersion, PROTOCOL_VERSION)
  if (hello.formatVersion !== EVENTNET_VERSION) throw wrongFirmware(place, 'flash format version', hello.formatVersion, EVENTNET_VERSION)
  if (hello.board !== board.id) throw wrongBoard(place, hello.board)
  connection.expectSession(true)
  return hello
}

/** Refuses a network that the board cannot take, before a byte is sent. */
const checkFits = (connection: Connection, board: Board, hello: Hello, bytes: Uint8Array, document: EventnetDocument): void => {
  const missing = new Set(document.nodes.map((node) => node.operator).filter((operator) => ((hello.operators >> BigInt(OPERATOR_CODES[operator])) & 1n) === 0n))
  if (missing.size > 0) throw missingOperator(connection.place, [...missing])
  const name = document.names?.network ?? 'the network'
  const note = '"spikeport plan --board" shows what takes most, and a board where it fits.'
  if (bytes.length > hello.slotBytes) throw doesNotFit(name, board.id, 'flash', bytes.length, hello.slotBytes, note)
  if (document.arenaBytes > hello.arenaBytes) throw doesNotFit(name, board.id, 'RAM', document.arenaBytes, hello.arenaBytes, note)
}

const writeInputs = async (connection: Connection, hello: Hello, inputs: readonly Uint8Array[]): Promise<void> => {
  const most = hello.maxPayloadBytes - INPUT_HEAD_BYTES
  for (const [input, bytes] of inputs.entries()) {
    await transferPieces(connection, 'writeInput', { total: bytes.length, most }, (offset, length) =>
      writeInputRequest(input, offset, bytes.subarray(offset, offset + length)),
    )
  }
}

const readValue =
  (connection: Connection, hello: Hello): ReadValue =>
  (value, total) =>
    readPieces(connection, 'readValue', { total, most: hello.maxPayloadBytes }, (offset, length) => readValueRequest(value, offset, length))

const infer = async (connection: Connection, hello: Hello, inputs: readonly Uint8Array[], outputs: readonly OutputPlace[]): Promise<RunResult> => {
  const total = outputs.reduce((sum, output) => sum + output.bytes, 0)
  const isInline = total <= Math.min(MOST_INLINE_OUTPUT_BYTES, hello.maxPayloadBytes - RUN_HEAD_BYTES)
  await writeInputs(connection, hello, inputs)
  const result = readRun(await connection.request('run', runRequest(isInline ? total : 0), RUN_PATIENCE_MILLIS))
  if (isInline) return result
  const all = new Uint8Array(total)
  let at = 0
  for (const output of outputs) {
    all.set(await readValue(connection, hello)(output.value, output.bytes), at)
    at += output.bytes
  }
  return { ...result, outputs: all }
}

const profile = async (connection: Connection, hello: Hello, inputs: readonly Uint8Array[], nodeCount: number): Promise<ProfileResult> => {
  const ticks: number[] = []
  let last: ProfileResult = { totalTicks: 0, stackBytes: null, ticks: [] }
  do {
    await writeInputs(connection, hello, inputs)
    const count = Math.min(nodeCount - ticks.length, profileNodes(connection.pieceBytes(hello.maxPayloadBytes)))
    last = readProfile(await connection.request('profile', profileRequest(ticks.length, count), RUN_PATIENCE_MILLIS))
    ticks.push(...last.ticks)
  } while (ticks.length < nodeCount)
  return { ...last, ticks }
}

const deviceOf = (board: Board, connection: Connection, hello: Hello): Device => {
  const { exclusive } = connection
  return {
    board,
    port: connection.place.port,
    hello,
    isEmulated: connection.isEmulated,
    info: () =>
      exclusive(async () => {
        const { activeSlot } = await greet(connection, board)
        return activeSlot === NO_SLOT ? null : readInfo(await connection.request('info', NOTHING))
      }),
    load: (bytes, options) =>
      exclusive(async () => {
        checkFits(connection, board, hello, bytes, readEventnet(bytes, 'the network'))
        return loadNetwork(connection, hello, bytes, () => greet(connection, board), options)
      }),
    rollback: () => exclusive(async () => void (await connection.request('rollback', NOTHING, RUN_PATIENCE_MILLIS))),
    infer: (inputs, outputs) => exclusive(() => infer(connection, hello, inputs, outputs)),
    trace: (inputs, { nodes, steps }, take) =>
      exclusive(async () => {
        await writeInputs(connection, hello, inputs)
        for (let i = 0; i < nodes * steps; i++) {
          await connection.request('runNode', runNodeRequest(i % nodes), RUN_PATIENCE_MILLIS)
          if (i >= nodes * (steps - 1)) await take(i % nodes, readValue(connection, hello))
        }
      }),
    profile: (inputs, nodeCount) => exclusive(() => profile(connection, hello, inputs, nodeCount)),
    readNetwork: (start, total) =>
      exclusive(() =>
        readPieces(connection, 'readNetwork', { total, most: hello.maxPayloadBytes }, (offset, length) => readNetworkRequest(start + offset, length)),
      ),
    selfTest: () => exclusive(async () => void (await connection.request('selfTest', NOTHING, RUN_PATIENCE_MILLIS))),
    reset: (kind) =>
      exclusive(async () => {
        connection.expectSession(false)
        await connection.request('reset', resetRequest(kind)).catch((error: unknown) => {
          // its answer was lost, and the repeated request met a board that had restarted already
          if (!(error instanceof DeviceError) || error.code !== 'DEVICE_RESET') throw error
        })
        if (kind === 'restart') await greet(connection, board)
      }),
    close: () => connection.close(),
  }
}

/**
 * Opens a line to a board and greets it.
 * @throws a DeviceError that says what is wrong and what to do
 * @example
 * const device = await connectDevice(boards['rpi-pico'], openSerial('/dev/ttyACM0'))
 */
export const connectDevice = async (board: Board, open: OpenTransport, options: ConnectionOptions = {}): Promise<Device> => {
  const connection = await openConnection(board, open, options)
  try {
    return deviceOf(board, connection, await greet(connection, board))
  } catch (error) {
    await connection.close()
    throw error
  }
}

export { networkCapacityBytes }
