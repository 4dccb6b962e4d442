// A line over TCP: "tcp:host:port".

import { connect } from 'node:net'
import type { OpenTransport } from '#src/contracts/transport.js'
import { failedPort, missingPort, usage, vanishedPort } from '#src/errors.js'

const parse = (address: string): { host: string; port: number } => {
  const match = /^tcp:(.+):(\d{1,5})$/.exec(address)
  if (match === null) throw usage(`"${address}" is not a TCP address.`, 'Write tcp:host:port, for example tcp:127.0.0.1:4000.')
  return { host: match[1] as string, port: Number(match[2]) }
}

/** Opens "tcp:host:port". @throws DEVICE_NOT_FOUND where nothing listens there */
export const openTcp =
  (address: string, board: string): OpenTransport =>
  async (listener) => {
    const place = { board, port: address }
    const socket = connect({ ...parse(address), noDelay: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ECONNREFUSED' ? missingPort(place, error) : failedPort(place, error)))
    })
    let isClosing = false
    socket.removeAllListeners('error')
    socket.on('error', () => {})
    socket.on('data', (bytes) => listener.onBytes(bytes))
    socket.once('close', () => listener.onClose(isClosing ? null : vanishedPort(place)))
    return {
      port: address,
      baudRate: null,
      isEmulated: false,
      write: (bytes) =>
        new Promise((resolve) => {
          if (socket.destroyed || socket.write(bytes)) resolve()
          else {
            socket.once('drain', resolve)
            socket.once('close', () => resolve())
          }
        }),
      close: () =>
        new Promise((resolve) => {
          isClosing = true
          if (socket.closed) return resolve()
          socket.once('close', () => resolve())
          socket.destroy()
        }),
    }
  }
