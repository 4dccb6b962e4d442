// Cameras over a network: datagrams of SPIF or cAER on a UDP port, DV's stream (or any recording) over TCP.

import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { OpenCamera } from '#src/contracts/camera.js'
import { busyPort, failedPort, missingPort, vanishedPort } from '#src/errors.js'
import type { CameraAddress } from './address.js'

/** Datagrams wait in the system while this process is busy: a second of 200 kev/s. */
const RECEIVE_BUFFER_BYTES = 2 ** 21

/** Listens on a UDP port; an address 0.0.0.0 takes datagrams from everywhere. */
export const openUdp =
  ({ host, port, format }: Extract<CameraAddress, { kind: 'udp' }>): OpenCamera =>
  async (listener) => {
    const name = `udp://${host}:${port}`
    const place = { board: 'the camera', port: name }
    const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES })
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'EADDRINUSE' ? busyPort(place, error) : failedPort(place, error)))
      socket.bind(port, host, () => resolve())
    })
    let isClosed = false
    socket.removeAllListeners('error')
    socket.on('message', (bytes) => listener.onBytes(bytes))
    const close = (error: ReturnType<typeof failedPort> | null): Promise<void> =>
      new Promise((resolve) => {
        if (isClosed) return resolve()
        isClosed = true
        socket.close(() => {
          listener.onClose(error)
          resolve()
        })
      })
    socket.on('error', (error) => void close(failedPort(place, error)))
    return { name, format, geometry: null, waits: false, pause: () => {}, resume: () => {}, close: () => close(null) }
  }

/** Connects to a TCP server that sends a stream; the end of the stream is the end of the recording. */
export const openTcpCamera =
  ({ host, port, format }: Extract<CameraAddress, { kind: 'tcp' }>): OpenCamera =>
  async (listener) => {
    const name = `tcp://${host}:${port}`
    const place = { board: 'the camera', port: name }
    const socket = connect({ host, port, noDelay: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ECONNREFUSED' ? missingPort(place, error) : failedPort(place, error)))
    })
    let failure: unknown = null
    let isClosing = false
    socket.removeAllListeners('error')
    socket.on('error', (error) => {
      failure = error
    })
    socket.on('data', (bytes) => listener.onBytes(bytes))
    socket.once('close', () => listener.onClose(failure === null || isClosing ? null : vanishedPort(place, failure)))
    return {
      name,
      format: format ?? 'dv',
      geometry: null,
      waits: true,
      pause: () => void socket.pause(),
      resume: () => void socket.resume(),
      close: () =>
        new Promise((resolve) => {
          isClosing = true
          if (socket.closed) return resolve()
          socket.once('close', () => resolve())
          socket.destroy()
        }),
    }
  }
