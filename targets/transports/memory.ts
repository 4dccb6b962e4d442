// A line inside one process, for tests: what one end writes, the other end gets, through a function that may lose or damage it.

import type { OpenTransport, Transport, TransportListener } from '#src/contracts/transport.js'
import { vanishedPort } from '#src/errors.js'

/** The other end of a memory line. */
export interface MemoryPeer {
  /** called with what the host writes */
  readonly onBytes: (bytes: Uint8Array) => void
}

export interface MemoryLine {
  readonly open: OpenTransport
  /** Sends bytes to the host. */
  readonly send: (bytes: Uint8Array) => void
  /** Cuts the line. */
  readonly cut: () => void
}

/** A line to `peer`; `spoil` changes what passes, in either direction (default: nothing). */
export const memoryLine = (peer: MemoryPeer, spoil: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes): MemoryLine => {
  let listener: TransportListener | null = null
  const later = (work: () => void): void => void Promise.resolve().then(work)
  const open: OpenTransport = async (opened) => {
    listener = opened
    const transport: Transport = {
      port: 'memory',
      baudRate: null,
      isEmulated: false,
      write: async (bytes) => {
        if (listener !== null) later(() => peer.onBytes(spoil(bytes.slice())))
      },
      close: async () => {
        listener = null
        opened.onClose(null)
      },
    }
    return transport
  }
  return {
    open,
    send: (bytes) => later(() => listener?.onBytes(spoil(bytes.slice()))),
    cut: () => {
      const cut = listener
      listener = null
      cut?.onClose(vanishedPort({ board: 'memory', port: 'memory' }))
    },
  }
}
