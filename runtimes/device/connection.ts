// One conversation with a board: requests that are repeated until they are answered, over a line that may lose or damage bytes
// (docs/protocol.md, "Host"). Time comes from a clock that is passed in.

import type { Board } from '#src/contracts/board.js'
import { type Clock, type OpenTransport, systemClock, type Transport } from '#src/contracts/transport.js'
import { type DevicePlace, garbledLine, missingOperator, refusedByDevice, resetDevice, type SpikeportError, silentDevice, vanishedPort } from '#src/errors.js'
import { MESSAGES, type MessageName, STATUS_TEXTS, STATUSES } from '#src/protocol/codes.js'
import { encodeFrame, type Frame, frameReader, RESPONSE_BIT } from '#src/protocol/frame.js'

/** How long a request is repeated, in milliseconds. */
export const PATIENCE_MILLIS = 5_000
/** Emulators share the machine with whatever else runs there. */
const EMULATOR_FACTOR = 6
const FIRST_TIMEOUT_MILLIS = 400
const LONGEST_TIMEOUT_MILLIS = 4_000
/** Damaged frames in one request before the line is given up. */
const MOST_DAMAGED = 300
/** Pieces of long contents become no smaller, however bad the line is. */
const SMALLEST_PIECE_BYTES = 32
/** Pieces that must pass before they grow again. */
const CALM_PIECES = 16

/** What the line brought: a frame, a damaged one on either side, or nothing in time. */
export type Event = Frame | 'damaged' | 'timeout'

export interface Connection {
  readonly place: DevicePlace
  readonly isEmulated: boolean
  /** Sends a request once; gives its sequence number. */
  readonly send: (message: MessageName, payload: Uint8Array) => Promise<number>
  /** The next thing the line brings. @throws DEVICE_GONE, DEVICE_RESET */
  readonly next: (timeoutMillis: number) => Promise<Event>
  /** Sends a request until it is answered; gives the payload of the answer. @throws DeviceError */
  readonly request: (message: MessageName, payload: Uint8Array, patienceMillis?: number) => Promise<Uint8Array>
  /** As request, but null where the line damaged a piece of so many bytes twice: the caller tries a smaller one. */
  readonly attempt: (message: MessageName, payload: Uint8Array, pieceBytes: number) => Promise<Uint8Array | null>
  /** Bytes to put into one frame on this line, at most so many. */
  readonly pieceBytes: (most: number) => number
  /** Tells how a piece went; pieces halve on damage and grow again when the line is calm. */
  readonly note: (result: 'passed' | 'damaged') => void
  /** Work that must not be mixed with other work on the same board. */
  readonly exclusive: <T>(work: () => Promise<T>) => Promise<T>
  /** From now on a restart of the board is an error. */
  readonly expectSession: (isExpected: boolean) => void
  readonly close: () => Promise<void>
  readonly clock: Clock
}

/** Throws what a status of an answer means. */
export const throwStatus = (place: DevicePlace, message: string, status: number): never => {
  if (status === STATUSES.noSession) throw resetDevice(place)
  if (status === STATUSES.operator) throw missingOperator(place, [], status)
  throw refusedByDevice(place, message, status, STATUS_TEXTS[status] ?? 'unknown status')
}

/** A queue of what the line brings, one reader at a time. */
const eventQueue = (clock: Clock) => {
  const events: (Frame | 'damaged')[] = []
  let wake: (() => void) | null = null
  let failure: SpikeportError | null = null
  const signal = (): void => {
    wake?.()
    wake = null
  }
  const wait = (timeoutMillis: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(timeoutMillis, () => {
        wake = null
        resolve()
      })
      wake = () => {
        cancel()
        resolve()
      }
    })
  return {
    push: (event: Frame | 'damaged'): void => {
      events.push(event)
      signal()
    },
    fail: (error: SpikeportError): void => {
      failure = error
      signal()
    },
    take: async (timeoutMillis: number): Promise<Event> => {
      if (events.length === 0 && failure === null) await wait(timeoutMillis)
      const event = events.shift()
      if (event !== undefined) return event
      if (failure !== null) throw failure
      return 'timeout'
    },
  }
}

const pieceSizer = () => {
  let limit = Number.POSITIVE_INFINITY
  let calm = 0
  return {
    pieceBytes: (most: number): number => Math.min(most, limit),
    note: (result: 'passed' | 'damaged', last: number): void => {
      calm = result === 'passed' ? calm + 1 : 0
      if (result === 'damaged') limit = Math.max(SMALLEST_PIECE_BYTES, Math.floor(Math.min(limit, last) / 2))
      else if (calm >= CALM_PIECES) {
        limit *= 2
        calm = 0
      }
    },
  }
}

/** Frames of the board that end a conversation, or concern nobody. */
const isUnasked = (frame: Frame): boolean => frame.message === MESSAGES.log || frame.message === MESSAGES.garbled

export interface ConnectionOptions {
  /** default: the system's time */
  readonly clock?: Clock
}

/** Opens a line to a board; nothing is said yet. */
export const openConnection = async (board: Board, open: OpenTransport, options: ConnectionOptions = {}): Promise<Connection> => {
  const clock = options.clock ?? systemClock
  const queue = eventQueue(clock)
  const reader = frameReader()
  const sizer = pieceSizer()
  let receivedBytes = 0
  let goodFrames = 0
  let isSessionExpected = false
  let lastPieceBytes = 1024
  let sequence = Math.floor(clock.nowMillis() * 7) & 0xffff
  let turn: Promise<unknown> = Promise.resolve()

  const onBytes = (bytes: Uint8Array): void => {
    receivedBytes += bytes.length
    for (const frame of reader.take(bytes)) {
      if (frame !== null) goodFrames++
      queue.push(frame === null || frame.message === MESSAGES.garbled ? 'damaged' : frame)
    }
  }
  let place: DevicePlace = { board: board.id, port: '' }
  const transport: Transport = await open({ onBytes, onClose: (error) => queue.fail(error ?? vanishedPort(place)) })
  place = { board: board.id, port: transport.port }

  /** Writes, but waits for a line that takes nothing only so long: the answer's time-out then says what is wrong. */
  const write = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(LONGEST_TIMEOUT_MILLIS, resolve)
      transport.write(bytes).then(() => {
        cancel()
        resolve()
      }, resolve)
    })

  const send: Connection['send'] = async (message, payload) => {
    sequence = (sequence + 1) & 0xffff
    await write(encodeFrame({ message: MESSAGES[message], status: 0, sequence, payload }))
    return sequence
  }

  const next: Connection['next'] = async (timeoutMillis) => {
    for (;;) {
      const event = await queue.take(timeoutMillis)
      if (typeof event === 'string') return event
      if (event.message === MESSAGES.log && isSessionExpected) throw resetDevice(place)
      if (!isUnasked(event)) return event
    }
  }

  const patience = (millis: number): number => (transport.isEmulated ? EMULATOR_FACTOR * millis : millis)

  const unanswered = (message: MessageName, waitedMillis: number): SpikeportError =>
    goodFrames === 0 && receivedBytes > 0 ? garbledLine(place, receivedBytes, transport.baudRate) : silentDevice(place, message, waitedMillis)

  /** Repeats a frame until its answer comes, the patience ends, or `mostDamaged` damaged frames were seen (null). */
  const repeat = async (message: MessageName, payload: Uint8Array, patienceMillis: number, mostDamaged: number): Promise<Frame | null> => {
    const start = clock.nowMillis()
    const own = await send(message, payload)
    const wire = encodeFrame({ message: MESSAGES[message], status: 0, sequence: own, payload })
    let timeoutMillis = FIRST_TIMEOUT_MILLIS
    for (let damaged = 0; damaged < mostDamaged; ) {
      const left = start + patienceMillis - clock.nowMillis()
      if (left <= 0) throw unanswered(message, patienceMillis)
      const event = await next(Math.min(timeoutMillis, left))
      if (typeof event !== 'string') {
        if (event.message === (MESSAGES[message] | RESPONSE_BIT) && event.sequence === own) return event
        continue // an answer that came twice
      }
      if (event === 'timeout') timeoutMillis = Math.min(2 * timeoutMillis, LONGEST_TIMEOUT_MILLIS)
      else damaged++
      await write(wire)
    }
    return null
  }

  const payloadOf = (message: MessageName, frame: Frame): Uint8Array =>
    frame.status === STATUSES.ok ? frame.payload : throwStatus(place, message, frame.status)

  return {
    place,
    isEmulated: transport.isEmulated,
    clock,
    send,
    next,
    request: async (message, payload, patienceMillis = PATIENCE_MILLIS) => {
      const frame = await repeat(message, payload, patience(patienceMillis), MOST_DAMAGED)
      if (frame === null) throw garbledLine(place, receivedBytes, transport.baudRate)
      return payloadOf(message, frame)
    },
    attempt: async (message, payload, pieceBytes) => {
      const frame = await repeat(message, payload, patience(PATIENCE_MILLIS), pieceBytes > SMALLEST_PIECE_BYTES ? 2 : MOST_DAMAGED)
      return frame === null ? null : payloadOf(message, frame)
    },
    pieceBytes: (most) => {
      lastPieceBytes = sizer.pieceBytes(most)
      return lastPieceBytes
    },
    note: (result) => sizer.note(result, lastPieceBytes),
    exclusive: (work) => {
      const result = turn.then(work)
      turn = result.catch(() => {})
      return result
    },
    expectSession: (isExpected) => {
      isSessionExpected = isExpected
    },
    close: () => transport.close(),
  }
}
