// Event cameras by address, and recordings as if they were cameras.

import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import type { OpenCamera } from '#src/contracts/camera.js'
import { unreadableFile } from '#src/errors.js'
import { parseCameraAddress } from './address.js'
import { openEdvs } from './edvs.js'
import { openTcpCamera, openUdp } from './network.js'

const CHUNK_BYTES = 1 << 16

/** A file or stdin, read as fast as the reader takes it. */
const openFile =
  (path: string): OpenCamera =>
  async (listener) => {
    const stream: Readable = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES })
    let isClosed = false
    const close = (error: ReturnType<typeof unreadableFile> | null): void => {
      if (isClosed) return
      isClosed = true
      listener.onClose(error)
    }
    stream.on('error', (error: Error) => close(unreadableFile(path, error)))
    stream.on('end', () => close(null))
    stream.on('data', (bytes: unknown) => listener.onBytes(bytes as Uint8Array))
    return {
      name: path === '-' ? 'stdin' : path,
      format: null,
      geometry: null,
      waits: true,
      pause: () => void stream.pause(),
      resume: () => void stream.resume(),
      close: async () => {
        stream.destroy()
        close(null)
      },
    }
  }

/** How to open the camera of an address. @throws USAGE */
export const cameraFor = (text: string): OpenCamera => {
  const address = parseCameraAddress(text)
  if (address.kind === 'edvs') return openEdvs(address)
  if (address.kind === 'udp') return openUdp(address)
  return address.kind === 'tcp' ? openTcpCamera(address) : openFile(address.path)
}
