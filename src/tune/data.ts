// Samples to tune on, and which of them a step sees: the same for every probe of the step, and a function of (seed, step) alone.

import { inputMismatch } from '../errors.js'
import { typeOf } from '../network/graph.js'
import { arrayLength, type ElementArray, type Network } from '../network/types.js'
import { permutation, STREAMS } from '../random.js'

/** Samples in the elements of the network's inputs. */
export interface TuneData {
  readonly count: number
  /** one array a network input: [count, ...shape] */
  readonly inputs: readonly ElementArray[]
  /** class of each sample, where the objective needs one */
  readonly labels?: Int32Array // [count]
}

/** Refuses data that does not fit the network. @throws INPUT_MISMATCH */
export const checkTuneData = (network: Network, data: TuneData): void => {
  network.inputs.forEach((value, i) => {
    const expected = data.count * arrayLength(typeOf(network, value))
    if (data.inputs[i]?.length !== expected) {
      throw inputMismatch(
        `the data has ${data.inputs[i]?.length ?? 0} elements for input ${i}, ${data.count} samples take ${expected}.`,
        'Encode the data for the network that is tuned.',
      )
    }
  })
  if (data.labels !== undefined && data.labels.length !== data.count) {
    throw inputMismatch(`the data has ${data.count} samples and ${data.labels.length} labels.`, 'Give one label for each sample.')
  }
}

/** Draws mini-batches without replacement; the rest of an epoch that fills no batch is left out. */
export const batches = (count: number, batchSize: number, seed: number): ((step: number) => Uint32Array) => {
  const size = Math.min(batchSize, count)
  const perEpoch = Math.floor(count / size)
  let epoch: { readonly index: number; readonly order: Uint32Array } = { index: -1, order: new Uint32Array(0) }
  return (step) => {
    const index = Math.floor(step / perEpoch)
    if (epoch.index !== index) epoch = { index, order: permutation(count, seed, index, STREAMS.tuneBatch) }
    const first = (step % perEpoch) * size
    return epoch.order.subarray(first, first + size)
  }
}

/** The chosen samples of each input, copied. */
export const gather = (network: Network, data: TuneData, samples: Uint32Array): ElementArray[] =>
  network.inputs.map((value, i) => {
    const length = arrayLength(typeOf(network, value))
    const from = data.inputs[i] as ElementArray
    const out = new (from.constructor as new (length: number) => ElementArray)(length * samples.length)
    samples.forEach((sample, n) => {
      out.set(from.subarray(sample * length, (sample + 1) * length) as never, n * length)
    })
    return out
  })

/** The chosen samples with their labels, as data of their own. */
export const selectSamples = (network: Network, data: TuneData, samples: Uint32Array): TuneData => {
  const { labels } = data
  const inputs = gather(network, data, samples)
  return labels === undefined
    ? { count: samples.length, inputs }
    : { count: samples.length, inputs, labels: Int32Array.from(samples, (sample) => labels[sample] as number) }
}

/** Cuts data in two by the seed alone: round(share * count) samples for validation, the others to take losses on. @throws INPUT_MISMATCH where one part is empty */
export const splitData = (network: Network, data: TuneData, share: number, seed: number): { readonly data: TuneData; readonly validation: TuneData } => {
  const held = Math.round(share * data.count)
  if (held < 1 || held >= data.count) {
    throw inputMismatch(
      `${share} of ${data.count} samples for validation leaves ${held} to choose by and ${data.count - held} to tune on.`,
      'Give more samples, or another part.',
    )
  }
  const order = permutation(data.count, seed, 0, STREAMS.split)
  return { data: selectSamples(network, data, order.slice(held)), validation: selectSamples(network, data, order.slice(0, held)) }
}
