// spikeport events view: serves the page for a recording until Ctrl-C.

import { open } from 'node:fs/promises'
import { unreadableFile, usage } from '../../errors.js'
import type { ByteSource } from '../../events/index.js'
import { type Io, processIo } from '../io.js'
import type { SourceOptions } from './source.js'

interface Options extends SourceOptions {
  readonly port: number
  readonly host: string
  readonly json?: boolean
}

/** A file as bytes that can be read anywhere; it stays open. @throws FILE_UNREADABLE */
export const byteSourceOf = async (path: string): Promise<ByteSource> => {
  try {
    const file = await open(path, 'r')
    const { size } = await file.stat()
    return {
      byteLength: size,
      read: async (byteOffset, byteCount) => {
        const bytes = new Uint8Array(byteCount)
        const { bytesRead } = await file.read(bytes, 0, byteCount, byteOffset)
        return bytes.subarray(0, bytesRead)
      },
    }
  } catch (error) {
    throw unreadableFile(path, error)
  }
}

const untilStopped = (io: Io): Promise<void> => new Promise((done) => io.signal.addEventListener('abort', () => done(), { once: true }))

/** Runs the command. */
export const runView = async (path: string | undefined, { json, port, host, format, geometry }: Options): Promise<void> => {
  if (path === '-') throw usage('the page reads a recording more than once, stdin can be read once.', 'Pass a file.')
  const io = processIo(json === true)
  const { serveView } = await import('../../view/server.js')
  const { recordingSource } = await import('../../view/source.js')
  const source =
    path === undefined ? null : await recordingSource(await byteSourceOf(path), { name: path, ...(format && { format }), ...(geometry && { geometry }) })
  const server = await serveView(source, { port, host })
  io.json({ url: server.url, recording: path ?? null })
  io.print(`${server.url} shows ${path ?? 'files that are dropped on it'}; Ctrl-C ends`)
  await untilStopped(io)
  await server.close()
}
