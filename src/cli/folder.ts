// Writing a folder of generated files: each file atomically, with a list of what was written, so that writing again replaces those files and no others.

import { readdir, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Folder } from '../contracts/exporter.js'
import { crc32 } from '../crc32.js'
import { type SpikeportError, unwritableFile, usage } from '../errors.js'
import { makeFolder, readBytes, readText, writeBytes } from '../files.js'

/** The list lies in the folder under this name: path -> CRC-32 of what was written. */
const LIST = '.spikeport-export.json'

type Checksums = Readonly<Record<string, number>>

const bytesOf = (content: Uint8Array | string): Uint8Array => (typeof content === 'string' ? new TextEncoder().encode(content) : content)

/** A path that stays inside its folder. */
const isInside = (path: string): boolean => !/^[/\\]|^[a-z]:|\\/i.test(path) && !path.split('/').some((part) => part === '..' || part === '')

const namesIn = async (folder: string): Promise<readonly string[]> => {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return []
    throw unwritableFile(folder, error)
  }
}

/** What the last export wrote here, or null where no readable list says so. */
const readList = async (folder: string): Promise<Checksums | null> => {
  try {
    const { files } = JSON.parse(await readText(join(folder, LIST))) as { files?: unknown }
    const entries = Object.entries(files as Record<string, unknown>)
    return entries.every(([path, sum]) => isInside(path) && typeof sum === 'number') ? (Object.fromEntries(entries) as Checksums) : null
  } catch {
    return null
  }
}

const checksumAt = (path: string): Promise<number | null> =>
  readBytes(path, { keepsGzip: true }).then(
    (bytes) => crc32(bytes),
    () => null,
  )

const refusal = (what: string): SpikeportError => usage(what, 'Choose another folder with -o, or replace what is there with --force.')

/** Refuses to replace or remove anything that the last export did not write as it is now. */
const checkOwned = async (folder: string, old: Checksums | null, fresh: Checksums): Promise<void> => {
  if (old === null) throw refusal(`${folder} is not empty and was not written by spikeport export.`)
  for (const path of new Set([...Object.keys(old), ...Object.keys(fresh)])) {
    const found = await checksumAt(join(folder, path))
    if (found !== null && found !== old[path] && found !== fresh[path]) throw refusal(`${join(folder, path)} was changed since it was exported.`)
  }
}

/** Removes files that the last export wrote and this one does not have, and folders that this leaves empty. */
const removeStale = async (folder: string, old: Checksums, fresh: Checksums): Promise<void> => {
  const stale = Object.keys(old).filter((path) => !(path in fresh))
  for (const path of stale) await rm(join(folder, path), { force: true })
  const parents = new Set(stale.map((path) => dirname(path)).filter((path) => path !== '.'))
  for (const path of [...parents].sort().reverse()) await rmdir(join(folder, path)).catch(() => undefined) // not empty: it stays
}

/**
 * Writes files into a folder, which is made; files of an earlier export that are gone from this one are removed.
 * @throws USAGE where the folder holds anything else and `force` is false; FILE_UNWRITABLE
 */
export const writeFolder = async (folder: string, files: Folder, options: { readonly force: boolean }): Promise<void> => {
  const contents = Object.entries(files).map(([path, content]) => [path, bytesOf(content)] as const)
  const fresh: Checksums = Object.fromEntries(contents.map(([path, bytes]) => [path, crc32(bytes)]))
  const old = await readList(folder)
  if (!options.force && (await namesIn(folder)).length > 0) await checkOwned(folder, old, fresh)
  for (const parent of new Set(['.', ...contents.map(([path]) => dirname(path))])) await makeFolder(join(folder, parent))
  for (const [path, bytes] of contents) await writeBytes(join(folder, path), bytes)
  await removeStale(folder, old ?? {}, fresh)
  await writeBytes(join(folder, LIST), `${JSON.stringify({ writtenBy: 'spikeport export', files: fresh }, null, 2)}\n`)
}
