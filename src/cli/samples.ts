// From what a user types to samples for a network: a known data set, .npy, idx, images or folders of images. Bytes become 0..1 in
// steps of 1/255 unless --scale says otherwise; .npy of int8 are taken as the network's stored integers.

import { existsSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { Batch } from '../contracts/runtime.js'
import { inputMismatch, unreadableFile, usage } from '../errors.js'
import { readBytes } from '../files.js'
import { readIdx } from '../formats/idx.js'
import { isImagePath, readImage } from '../formats/image.js'
import { readNpy } from '../formats/npy.js'
import type { NumericArray, NumericData } from '../formats/numeric-array.js'
import { typeOf } from '../network/graph.js'
import { elementCount, isQuantized, type Network } from '../network/types.js'
import { inputLength, quantizeInput } from '../quantize/index.js'
import { type DataSet, floatImages } from '../train/data.js'
import { readImageFolders } from '../train/data-files.js'
import { fashionMnist, mnist } from '../train/mnist.js'

/** Samples for one network input. */
export interface Samples {
  readonly count: number
  /** real units, or stored integers where isStored */
  readonly values: Float32Array | Int8Array
  readonly isStored: boolean
  readonly labels: ArrayLike<number> | null
  readonly classes: readonly string[]
}

export interface SampleOptions {
  /** a file of labels: .npy or idx */
  readonly labels?: string
  /** at most so many samples */
  readonly limit?: number
  /** factor on byte data, default 1/255 */
  readonly scale?: number
  /** the split of a known data set where the source names none */
  readonly split: 'train' | 'validation' | 'test'
}

const DATA_SETS = { mnist, 'fashion-mnist': () => fashionMnist() } as const

const fromDataSet = (data: DataSet, options: SampleOptions): Samples => {
  const count = Math.min(data.count, options.limit ?? data.count)
  const scaled = options.scale === undefined ? data : { ...data, valueScale: data.images instanceof Uint8Array ? options.scale : 1 }
  return { count, values: floatImages(scaled, 0, count), isStored: false, labels: data.labels.subarray(0, count), classes: data.classes }
}

const readNumbers = async (path: string): Promise<NumericData> => {
  const bytes = await readBytes(path)
  return bytes[0] === 0x93 ? readNpy(bytes, path) : readIdx(bytes, path)
}

const toReals = (data: NumericArray, scale: number | undefined): Float32Array => {
  const factor = data instanceof Uint8Array ? (scale ?? 1 / 255) : 1
  return Float32Array.from(data as ArrayLike<number>, (x) => x * factor)
}

/** How many samples an array holds: its first axis counts them, unless it has the shape of a single sample. */
const countSamples = ({ shape, data }: NumericData, network: Network, source: string): number => {
  const each = inputLength(network)
  const type = typeOf(network, network.inputs[0] as number)
  const inner = elementCount(shape.slice(1))
  if (shape.length > 0 && inner === each) return shape[0] as number
  if (data.length === each) return 1
  throw inputMismatch(
    `${source} has shape [${shape.join(',')}], the network takes samples of [${type.shape.join(',')}].`,
    'The first axis counts samples, the others must hold one sample each.',
  )
}

/** Refuses labels that are not classes: they would count as wrong and be missing in the confusion matrix. */
const checkLabels = (labels: NumericArray, network: Network, path: string): void => {
  const classes = typeOf(network, network.outputs[0] as number).shape.at(-1) ?? 1
  const wrong = labels.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes))
  if (wrong >= 0)
    throw inputMismatch(
      `${path}: label ${wrong} is ${labels[wrong]}, the network has ${classes} classes.`,
      `Labels are whole numbers from 0 to ${classes - 1}.`,
    )
}

const fromArray = async (numbers: NumericData, network: Network, source: string, options: SampleOptions): Promise<Samples> => {
  const total = countSamples(numbers, network, source)
  if (total === 0) throw inputMismatch(`${source} holds no samples.`, 'Pass a file with at least one.')
  const count = Math.min(total, options.limit ?? total)
  const part = numbers.data.subarray(0, count * inputLength(network))
  const isStored = part instanceof Int8Array && network.stage === 'integer'
  const labels = options.labels === undefined ? null : (await readNumbers(options.labels)).data
  if (labels !== null && labels.length < count)
    throw inputMismatch(`${options.labels} has ${labels.length} labels, there are ${count} samples.`, 'Pass one label a sample.')
  if (labels !== null) checkLabels(labels.subarray(0, count), network, options.labels as string)
  return {
    count,
    values: isStored ? (part as Int8Array) : toReals(part, options.scale),
    isStored,
    labels: labels?.subarray(0, count) ?? null,
    classes: network.labels,
  }
}

const fromKnown = async (name: string, split: string, options: SampleOptions): Promise<Samples> => {
  const splits = await DATA_SETS[name as keyof typeof DATA_SETS]()
  if (!Object.hasOwn(splits, split)) throw usage(`"${name}:${split}" is not a split.`, 'The splits are train, validation and test.')
  return fromDataSet(splits[split as keyof typeof splits], options)
}

/**
 * Reads samples for a network's first input. `source`: mnist or fashion-mnist (with :train, :validation or :test), an .npy or idx file, an
 * image, or a folder with one subfolder of images a class.
 */
export const readSamples = async (source: string, network: Network, options: SampleOptions): Promise<Samples> => {
  const [name = '', split = options.split] = source.split(':')
  if (Object.hasOwn(DATA_SETS, name) && !existsSync(source)) return checked(await fromKnown(name, split, options), network, source)
  if (!existsSync(source)) throw unreadableFile(source, new Error(`there is no such file, and the known data sets are ${Object.keys(DATA_SETS).join(', ')}`))
  if (statSync(source).isDirectory()) return checked(fromDataSet(await readImageFolders(source, basename(source)), options), network, source)
  const numbers = isImagePath(source) ? readImage(await readBytes(source), source) : await readNumbers(source)
  return fromArray(numbers, network, source, options)
}

const checked = (samples: Samples, network: Network, source: string): Samples => {
  const each = samples.values.length / samples.count
  if (each === inputLength(network)) return samples
  throw inputMismatch(`${source} has samples of ${each} values, the network takes ${inputLength(network)}.`, 'Resize the images or choose another data set.')
}

/** Samples as a batch of the network's stored integers, or of floats for a float network. */
export const toBatch = (network: Network, samples: Samples): Batch => {
  const type = typeOf(network, network.inputs[0] as number)
  if (network.inputs.length !== 1)
    throw inputMismatch(`"${network.name}" has ${network.inputs.length} inputs, data files feed one.`, 'Use the library for networks with several inputs.')
  const isReal = samples.values instanceof Float32Array
  const values = isReal && isQuantized(type) ? quantizeInput(network as Network<'integer'>, 0, samples.values) : samples.values
  return { count: samples.count, inputs: [values] }
}
