// Reads a tfjs LayersModel from its files: model.json, the shards it names, and class names beside it (labels.txt, or the
// metadata.json of Teachable Machine). TensorFlow.js is not loaded.

import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { malformedFile } from '../../errors.js'
import { readBytes, readText } from '../../files.js'
import type { Network } from '../../network/types.js'
import { readModelGraph } from './document.js'
import { importTfjsModel } from './model.js'
import { readManifest } from './weights.js'

export { SUPPORTED_LAYERS } from './layers.js'
export { type ImportOptions, importTfjsModel } from './model.js'

const isFolder = async (path: string): Promise<boolean> => (await stat(path).catch(() => null))?.isDirectory() ?? false
const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => null)) !== null

const parseJson = (text: string, path: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw malformedFile(path, null, `not JSON (${error instanceof Error ? error.message : String(error)})`)
  }
}

/** The labels beside a model: labels.txt, one a line ("0 cat" as Teachable Machine writes is "cat"), or metadata.json; null where there are none. */
const readLabels = async (folder: string): Promise<readonly string[] | null> => {
  const [plain, metadata] = [join(folder, 'labels.txt'), join(folder, 'metadata.json')]
  if (await exists(plain)) {
    const lines = (await readText(plain))
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== '')
    return lines.every((line, i) => line.startsWith(`${i} `)) ? lines.map((line, i) => line.slice(`${i} `.length)) : lines
  }
  if (!(await exists(metadata))) return null
  const { labels } = (parseJson(await readText(metadata), metadata) ?? {}) as { labels?: unknown }
  return Array.isArray(labels) && labels.every((label) => typeof label === 'string') ? labels : null
}

/** The model's own name unless it was numbered automatically; then the folder's for folder/model.json, else the file's without its ending. */
const nameOf = (path: string, own: string): string => {
  if (!/^(sequential|model|functional)(_?\d+)?$/i.test(own)) return own
  const file = basename(path, '.json')
  return (file === 'model' ? basename(dirname(resolve(path))) : file) || 'model'
}

const readShards = async (json: unknown, path: string): Promise<ReadonlyMap<string, Uint8Array>> => {
  const names = readManifest(json, path).flatMap(({ paths }) => paths)
  const shards = new Map<string, Uint8Array>()
  for (const name of names) if (!shards.has(name)) shards.set(name, await readBytes(join(dirname(path), name), { keepsGzip: true }))
  return shards
}

/**
 * Reads model.json (or a folder that holds it) and its shards into a float network.
 * @throws FILE_UNREADABLE, FILE_MALFORMED, UNSUPPORTED naming every unsupported layer
 * @example const network = await importTfjs('gestures/model.json')
 */
export const importTfjs = async (path: string): Promise<Network<'float'>> => {
  const file = (await isFolder(path)) ? join(path, 'model.json') : path
  const json = parseJson(await readText(file), file)
  const { name } = readModelGraph(json, file) // what cannot be read at all is refused before its shards are looked for
  const shards = await readShards(json, file)
  const labels = await readLabels(dirname(file))
  return importTfjsModel(json, (shard) => shards.get(shard) ?? new Uint8Array(), nameOf(file, name), { path: file, ...(labels === null ? {} : { labels }) })
}
