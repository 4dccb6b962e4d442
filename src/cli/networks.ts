// From what a user types to a network: a .net file, a .tflite file, a .nir file, a TensorFlow.js model (model.json or its folder), or the name of a shipped model.

import { existsSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { unreadableFile, usage } from '../errors.js'
import { readBytes } from '../files.js'
import { isHdf5 } from '../formats/hdf5.js'
import { readNir } from '../formats/nir.js'
import { importNirDocument, type NirOptions } from '../importers/nir/index.js'
import { importTfjs } from '../importers/tfjs/index.js'
import { importTfliteBytes, isTflite } from '../importers/tflite/index.js'
import { loadNetwork } from '../network/net-file.js'
import type { Network } from '../network/types.js'
import { modelFolder } from './package-root.js'

/** Shipped models: folders of models/ that hold an int8.net. */
const shippedNet = (name: string): string | null => {
  const path = join(modelFolder(name), 'int8.net')
  return /^[\w-]+$/.test(name) && existsSync(path) ? path : null
}

const isTfjs = (path: string): boolean => path.endsWith('.json') || (existsSync(path) && statSync(path).isDirectory())

/** A file by its first bytes: a .tflite model, a NIR graph, otherwise a .net file. */
const readNetwork = async (bytes: Uint8Array, path: string, nir: NirOptions): Promise<Network> => {
  if (isTflite(bytes)) return importTfliteBytes(bytes, path)
  if (!isHdf5(bytes)) return loadNetwork(bytes, path)
  return importNirDocument(await readNir(bytes, path), basename(path).replace(/\.nir$/i, '') || 'model', path, nir)
}

/** Opens a network of either stage; `nir` says how a NIR graph becomes steps. @throws FILE_UNREADABLE, FILE_MALFORMED, UNSUPPORTED */
export const openNetwork = async (source: string, nir: NirOptions = {}): Promise<Network> => {
  if (existsSync(source) && isTfjs(source)) return importTfjs(source)
  if (existsSync(source)) return readNetwork(await readBytes(source), source, nir)
  const shipped = shippedNet(source)
  if (shipped === null) throw unreadableFile(source, new Error('there is no such file, and no shipped model of that name (spikeport list models shows them)'))
  return loadNetwork(await readBytes(shipped), shipped)
}

/** Opens a network that must be float. */
export const openFloat = async (source: string): Promise<Network<'float'>> => {
  const network = await openNetwork(source)
  if (network.stage !== 'float') throw usage(`${source} is quantized already.`, 'Pass the float network that `spikeport import` wrote, or a model.json.')
  return network as Network<'float'>
}

/** Opens a network that must be integer. */
export const openInteger = async (source: string): Promise<Network<'integer'>> => {
  const network = await openNetwork(source)
  if (network.stage !== 'integer')
    throw usage(`${source} is a float network.`, 'Quantize it first: spikeport quantize MODEL --calibrate SAMPLES -o MODEL.int8.net')
  return network as Network<'integer'>
}
