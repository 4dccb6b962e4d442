// Reading and writing files so that nothing surprises: reads are bounded and unpack gzip, writes appear whole or not at all,
// also on a full disk, Ctrl-C and process.exit().

import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { type FileHandle, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { malformedFile, SpikeportError, unreadableFile, unwritableFile } from './errors.js'

/** The most bytes a file may have, packed or unpacked, where the caller names no other limit: 1 GiB. */
export const MAX_FILE_BYTES = 2 ** 30
const CHUNK_BYTES = 2 ** 16

export interface ReadOptions {
  /** refuse more bytes than this, packed or unpacked; default MAX_FILE_BYTES */
  readonly maxBytes?: number
  /** true: give the bytes as they are, even if they begin like gzip (raw weights may); default false */
  readonly keepsGzip?: boolean
}

const tooLong = (path: string, maxBytes: number): SpikeportError =>
  malformedFile(path, null, `longer than ${maxBytes} bytes`, 'Check that this is the right file, or split it.')

/** Reads to the end, whatever the size claims to be (pipes and devices claim 0). */
const readAll = async (file: FileHandle, path: string, maxBytes: number): Promise<Uint8Array> => {
  let bytes = new Uint8Array(Math.min((await file.stat()).size + 1, maxBytes + 1))
  let length = 0
  for (;;) {
    if (length === bytes.length) {
      if (length > maxBytes) throw tooLong(path, maxBytes)
      const larger = new Uint8Array(Math.min(Math.max(2 * length, CHUNK_BYTES), maxBytes + 1))
      larger.set(bytes)
      bytes = larger
    }
    const { bytesRead } = await file.read(bytes, length, bytes.length - length)
    if (bytesRead === 0) return bytes.subarray(0, length)
    length += bytesRead
  }
}

const unpack = async (bytes: Uint8Array, path: string, maxBytes: number): Promise<Uint8Array> => {
  try {
    return new Uint8Array(await promisify(gunzip)(bytes, { maxOutputLength: maxBytes }))
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLong(path, maxBytes)
    throw malformedFile(path, null, `the gzip data do not unpack (${error instanceof Error ? error.message : String(error)})`)
  }
}

/**
 * Reads a whole file; content that begins as gzip (1f 8b) is unpacked.
 * @throws FILE_UNREADABLE where the system refuses, FILE_MALFORMED for broken gzip and for files beyond the limit
 */
export const readBytes = async (path: string, { maxBytes = MAX_FILE_BYTES, keepsGzip = false }: ReadOptions = {}): Promise<Uint8Array> => {
  let bytes: Uint8Array
  try {
    const file = await open(path, 'r')
    try {
      bytes = await readAll(file, path, maxBytes)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw error instanceof SpikeportError ? error : unreadableFile(path, error)
  }
  return !keepsGzip && bytes[0] === 0x1f && bytes[1] === 0x8b ? unpack(bytes, path, maxBytes) : bytes
}

/** Reads a UTF-8 text file; a byte order mark is dropped. @throws as readBytes, and FILE_MALFORMED where it is not UTF-8 */
export const readText = async (path: string, options: ReadOptions = {}): Promise<string> => {
  const bytes = await readBytes(path, options)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw malformedFile(path, null, 'not UTF-8 text')
  }
}

/** Temporary files that exist now; removed when the process ends before they are renamed. */
const unfinished = new Set<string>()
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const removeUnfinished = (): void => {
  for (const path of unfinished) rmSync(path, { force: true })
}

/** Ends the process as the signal would have; where the program handles the signal itself, it decides, and writing goes on. */
const onSignal = (signal: NodeJS.Signals): void => {
  if (process.listenerCount(signal) > 1) return
  removeUnfinished()
  process.off(signal, onSignal)
  process.kill(process.pid, signal)
}

/** Names a temporary file that is removed if the process ends by exit or signal before `releaseTemporary`. */
export const guardTemporary = (temporary: string): void => {
  if (unfinished.size === 0) {
    process.on('exit', removeUnfinished)
    for (const signal of SIGNALS) process.on(signal, onSignal)
  }
  unfinished.add(temporary)
}

/** The temporary file was renamed or removed. */
export const releaseTemporary = (temporary: string): void => {
  unfinished.delete(temporary)
  if (unfinished.size > 0) return
  process.off('exit', removeUnfinished)
  for (const signal of SIGNALS) process.off(signal, onSignal)
}

const writeAndSync = async (path: string, flags: string, mode: number, bytes: Uint8Array): Promise<void> => {
  const file = await open(path, flags, mode)
  try {
    await file.writeFile(bytes)
    await file.sync().catch((error: { code?: unknown }) => {
      if (error.code !== 'EINVAL' && error.code !== 'ENOTSUP') throw error // pipes and devices have nothing to sync
    })
  } finally {
    await file.close()
  }
}

/** Where a write ends up: links are followed; `mode` is the old file's; `isPlain` is false for devices and pipes (/dev/stdout may lead to a file), which are never replaced. */
const targetOf = async (path: string): Promise<{ target: string; mode: number; isPlain: boolean }> => {
  if (/^\/(dev|proc)\//.test(resolve(path))) return { target: path, mode: 0o666, isPlain: false }
  const target = await realpath(path).catch(() => path)
  const old = await stat(target).catch(() => null)
  return { target, mode: old?.isFile() ? old.mode & 0o777 : 0o666, isPlain: old === null || old.isFile() }
}

const writeBeside = async (target: string, mode: number, bytes: Uint8Array): Promise<void> => {
  const temporary = join(dirname(target), `.spikeport-${randomBytes(6).toString('hex')}.tmp`)
  guardTemporary(temporary)
  try {
    await writeAndSync(temporary, 'wx', mode, bytes)
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  } finally {
    releaseTemporary(temporary)
  }
}

/**
 * Writes a whole file: a temporary file in the same folder, synced, then renamed; a reader sees the old content or the new one.
 * Devices and pipes are written directly.
 * @throws FILE_UNWRITABLE where the system refuses; nothing half-written is left
 */
export const writeBytes = async (path: string, content: Uint8Array | string): Promise<void> => {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  try {
    const { target, mode, isPlain } = await targetOf(path)
    if (isPlain) await writeBeside(target, mode, bytes)
    else await writeAndSync(target, 'a', mode, bytes)
  } catch (error) {
    throw unwritableFile(path, error)
  }
}

/** Creates a folder and its parents; an existing one is fine. @throws FILE_UNWRITABLE */
export const makeFolder = async (path: string): Promise<void> => {
  try {
    await mkdir(path, { recursive: true })
  } catch (error) {
    throw unwritableFile(path, error)
  }
}
