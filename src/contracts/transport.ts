// A line to a board: bytes both ways, in order, not reliable. targets/transports holds the implementations.

import type { SpikeportError } from '../errors.js'

/** What the line reports to its user. */
export interface TransportListener {
  readonly onBytes: (bytes: Uint8Array) => void
  /** The line is gone: closed by close() (null), or by itself. Called once. */
  readonly onClose: (error: SpikeportError | null) => void
}

export interface Transport {
  /** for messages: "/dev/ttyACM0", "tcp:127.0.0.1:4000", "rp2040js" */
  readonly port: string
  /** null where the line has no baud rate */
  readonly baudRate: number | null
  /** an emulator is behind it: it may be slow, and its time means nothing */
  readonly isEmulated: boolean
  /** Hands bytes on; resolves when the line takes more. After the line is gone it does nothing. */
  readonly write: (bytes: Uint8Array) => Promise<void>
  /** Closes the line and ends every process behind it; never throws. */
  readonly close: () => Promise<void>
}

/** Opens a line. @throws a DeviceError that says why it cannot */
export type OpenTransport = (listener: TransportListener) => Promise<Transport>

/** Time, so that tests need not wait. */
export interface Clock {
  readonly nowMillis: () => number
  /** Calls back once after so long; the function returned cancels. */
  readonly after: (millis: number, callback: () => void) => () => void
}

export const systemClock: Clock = {
  nowMillis: () => performance.now(),
  after: (millis, callback) => {
    const timer = setTimeout(callback, millis)
    return () => clearTimeout(timer)
  },
}
