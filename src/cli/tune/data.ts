// Labelled samples for tuning from what a user types: checked for what would only show later as a strange loss (labels of another length or beyond the
// classes, values that are not numbers), turned if asked, and encoded for the network.

import { inputMismatch, usage } from '../../errors.js'
import { readBytes } from '../../files.js'
import { readIdx } from '../../formats/idx.js'
import { readNpy } from '../../formats/npy.js'
import { typeOf } from '../../network/graph.js'
import { type ElementArray, elementCount, type Network } from '../../network/types.js'
import { imageSize, scoreNetwork, type TuneData, turnImages } from '../../tune/index.js'
import { readSamples, type Samples, toBatch } from '../samples.js'

export interface TuneSource {
  /** what --data or --test names */
  readonly source: string
  readonly labels?: string
  readonly limit?: number
  readonly scale?: number
  /** degrees that images are turned by */
  readonly turn?: number
  readonly split: 'train' | 'test'
  /** the option that names the labels, for messages */
  readonly labelOption: string
}

const readLabels = async (path: string): Promise<ArrayLike<number>> => {
  const bytes = await readBytes(path)
  return (bytes[0] === 0x93 ? readNpy(bytes, path) : readIdx(bytes, path)).data
}

/** The labels of a file, one a sample (with a limit, at least one a sample), or those that came with the data. */
const labelsFor = async (samples: Samples, { source, labels, limit, labelOption }: TuneSource): Promise<ArrayLike<number>> => {
  if (labels === undefined) {
    if (samples.labels === null) throw usage(`${source} has no labels.`, `Name the file that holds them, one a sample: ${labelOption} labels.npy`)
    return samples.labels
  }
  const all = await readLabels(labels)
  const isRight = limit === undefined ? all.length === samples.count : all.length >= samples.count
  if (!isRight)
    throw inputMismatch(`${labels} has ${all.length} labels, ${source} has ${samples.count} samples.`, 'Give one label for each sample, in the same order.')
  return all
}

/** Labels as classes of the network. */
const checkedLabels = (network: Network<'integer'>, labels: ArrayLike<number>, count: number, source: string): Int32Array => {
  const scored = scoreNetwork(network)
  const classes = elementCount(typeOf(scored, scored.outputs[0] as number).shape)
  return Int32Array.from({ length: count }, (_, n) => {
    const label = labels[n] as number
    if (!(Number.isInteger(label) && label >= 0 && label < classes))
      throw inputMismatch(
        `sample ${n} of ${source} has label ${String(label)}, "${network.name}" has ${classes} classes.`,
        `Labels are whole numbers from 0 to ${classes - 1}.`,
      )
    return label
  })
}

const checkFinite = ({ values, count }: Samples, source: string): void => {
  const at = values.findIndex((x) => !Number.isFinite(x))
  if (at < 0) return
  const each = values.length / count
  throw inputMismatch(
    `value ${at % each} of sample ${Math.floor(at / each)} in ${source} is ${String(values[at])}, not a finite number.`,
    'Remove such samples, or repair them, before tuning.',
  )
}

const turned = (network: Network<'integer'>, samples: Samples, degrees: number): Samples => {
  const { shape } = typeOf(network, network.inputs[0] as number)
  const size = imageSize(shape)
  if (size === null || !(samples.values instanceof Float32Array))
    throw usage(
      `samples of shape [${shape.join(',')}] cannot be turned.`,
      'Leave --turn out; it takes images [height, width, channels] or square ones in a row.',
    )
  return { ...samples, values: turnImages(samples.values, { ...size, degrees }) }
}

/** Reads, checks and encodes samples. @throws USAGE, INPUT_MISMATCH, FILE_UNREADABLE, FILE_MALFORMED */
export const readTuneData = async (network: Network<'integer'>, options: TuneSource): Promise<TuneData> => {
  const { source, limit, scale, turn, split } = options
  const samples = await readSamples(source, network, { split, ...(limit !== undefined && { limit }), ...(scale !== undefined && { scale }) })
  const labels = checkedLabels(network, await labelsFor(samples, options), samples.count, source)
  checkFinite(samples, source)
  const { count, inputs } = toBatch(network, turn === undefined ? samples : turned(network, samples, turn))
  return { count, inputs: inputs as readonly ElementArray[], labels }
}
