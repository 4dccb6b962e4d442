// Where the events commands write: a file that appears whole or not at all, or stdout. Bytes are passed on as they come, except that
// stdout can hold them back until it is known that nothing was lost.

import { randomBytes } from 'node:crypto'
import { open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { unwritableFile } from '../../errors.js'
import { guardTemporary, releaseTemporary } from '../../files.js'

export interface Output {
  write(bytes: Uint8Array): Promise<void>
  /** the output is complete */
  commit(): Promise<void>
  /** nothing of it is to be seen */
  discard(): Promise<void>
}

const toStdout = (bytes: Uint8Array): Promise<void> => new Promise((done) => void process.stdout.write(bytes, () => done()))

const stdoutOutput = (isHeld: boolean): Output => {
  const held: Uint8Array[] = []
  return {
    write: async (bytes) => {
      if (isHeld) held.push(bytes.slice())
      else await toStdout(bytes)
    },
    commit: async () => {
      for (const bytes of held) await toStdout(bytes)
    },
    discard: async () => {},
  }
}

const isPlainTarget = async (path: string): Promise<boolean> => {
  if (/^\/(dev|proc)\//.test(resolve(path))) return false
  const old = await stat(path).catch(() => null)
  return old === null || old.isFile()
}

const fileOutput = async (path: string): Promise<Output> => {
  const isPlain = await isPlainTarget(path)
  const target = await realpath(path).catch(() => path)
  const temporary = isPlain ? join(dirname(target), `.spikeport-${randomBytes(6).toString('hex')}.tmp`) : target
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw unwritableFile(path, error)
    }
  }
  const file = await guarded(() => open(temporary, isPlain ? 'wx' : 'a'))
  if (isPlain) guardTemporary(temporary)
  return {
    write: (bytes) => guarded(() => file.writeFile(bytes)),
    commit: () =>
      guarded(async () => {
        if (isPlain) await file.sync()
        await file.close()
        if (isPlain) await rename(temporary, target)
        if (isPlain) releaseTemporary(temporary)
      }),
    discard: async () => {
      await file.close().catch(() => {})
      if (isPlain) await rm(temporary, { force: true })
      if (isPlain) releaseTemporary(temporary)
    },
  }
}

/** Opens a file, or stdout for "-"; isHeld: stdout gets everything at the end. @throws FILE_UNWRITABLE */
export const openOutput = async (path: string, isHeld: boolean): Promise<Output> => (path === '-' ? stdoutOutput(isHeld) : fileOutput(path))
