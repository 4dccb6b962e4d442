// A pseudo terminal for emulated cameras. Node cannot make one; the program "script" can (package bsdutils, on every Debian): it holds
// the camera's end on its stdin and stdout, while a shell that only sleeps keeps the host's end open.

import { createInterface } from 'node:readline'
import { missingTool } from '#src/errors.js'
import { endChild, spawnGuarded } from '../transports/children.js'

export interface Pty {
  /** "/dev/pts/3" */
  readonly path: string
  /** false where the line is full: it did not take the bytes */
  readonly write: (bytes: Uint8Array) => boolean
  /** resolves when the line takes more */
  readonly drained: () => Promise<void>
  readonly close: () => Promise<void>
}

const START_MILLIS = 10_000

/** Opens a pseudo terminal whose other end is `path`. @throws TOOL_MISSING */
export const openPty = async (onBytes: (bytes: Uint8Array) => void): Promise<Pty> => {
  const missing = (cause?: unknown): Error =>
    missingTool('script', 'make a pseudo terminal', 'On Debian: apt-get install bsdutils. Other systems: use --as udp or --as tcp.', cause)
  const child = spawnGuarded('script', ['-qefc', 'stty raw -echo; tty; exec sleep 2147483647', '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] })
  const { stdin, stdout } = child
  if (stdin === null || stdout === null) throw missing()
  stdin.on('error', () => {})
  const path = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(missing()), START_MILLIS)
    const lines = createInterface({ input: stdout })
    child.once('error', (error) => reject(missing(error)))
    child.once('exit', () => reject(missing()))
    lines.once('line', (line) => {
      clearTimeout(timer)
      lines.close()
      resolve(line.trim())
    })
  }).catch(async (error: unknown) => {
    await endChild(child)
    throw error
  })
  child.once('exit', () => stdin.destroy())
  stdout.on('data', onBytes)
  stdout.resume()
  return {
    path,
    write: (bytes) => {
      if (stdin.destroyed || stdin.writableNeedDrain) return false
      stdin.write(bytes)
      return true
    },
    drained: () =>
      stdin.destroyed || !stdin.writableNeedDrain
        ? Promise.resolve()
        : new Promise((resolve) => {
            stdin.once('drain', resolve)
            stdin.once('close', () => resolve())
          }),
    close: () => {
      child.kill('SIGTERM')
      return endChild(child)
    },
  }
}
