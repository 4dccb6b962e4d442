// Quantization-aware fine-tuning: a trained tfjs model learns for a few hundred steps with its weights and activations on the int8
// grid, so that quantizing it afterwards loses little. The result is a plain tfjs model for src/quantize.

import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import { permutation, STREAMS } from '#src/random.js'
import { makeBatch } from './batches.js'
import { type DataSet, floatImages } from './data.js'
import { accuracyOf } from './evaluate.js'
import type { Range } from './fake-quantize.js'
import { crossEntropy } from './forward.js'
import { cloneModel } from './model-files.js'
import { type ModelGraph, modelGraph } from './model-graph.js'
import { quantizedForward, type RangeOf, type Ranges } from './quantized-forward.js'
import { type Augmentation, learningRateAt } from './schedule.js'
import { loadTensorFlow, type TensorFlow } from './tfjs.js'
import { makeTrainer, trainStep } from './trainer.js'
import { copyWeights, restoreWeights } from './weights.js'

export interface QuantizationAwareOptions {
  /** optimizer steps; default 300 */
  readonly steps?: number | undefined
  /** samples a step; default 128 */
  readonly batchSize?: number | undefined
  /** peak of the cosine schedule; default 0.001 */
  readonly learningRate?: number | undefined
  /** validation happens, and the best weights are kept, every so many steps; default 100 */
  readonly validateEverySteps?: number | undefined
  /** training samples that set the first activation ranges; default 512 */
  readonly calibrationCount?: number | undefined
  /** default: none */
  readonly augmentation?: Augmentation | undefined
  /** of the order of samples; default 1 */
  readonly seed?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: QuantizationAwareProgress) => void) | undefined
}

export interface QuantizationAwareProgress {
  /** 1..steps */
  readonly step: number
  readonly steps: number
  readonly loss: number
  /** 0..1, fake-quantized; of the last validation */
  readonly validationAccuracy: number
}

export interface QuantizationAwareResult {
  /** a new model with the best weights; the caller disposes of it */
  readonly model: LayersModel
  /** fake-quantized validation accuracy of the model as it came, 0..1 */
  readonly accuracyBefore: number
  /** the same of the result; never less than accuracyBefore */
  readonly accuracyAfter: number
}

/** How much of a range survives a step, the rest comes from the batch. */
const RANGE_MOMENTUM = 0.98

/**
 * Fine-tunes a copy of a model for int8.
 *
 *     const { model } = await fineTuneQuantized(trained, splits)
 *     await saveModel(tf, model, 'digits-int8-ready')
 */
export const fineTuneQuantized = async (
  original: LayersModel,
  data: { readonly train: DataSet; readonly validation: DataSet },
  options: QuantizationAwareOptions = {},
): Promise<QuantizationAwareResult> => {
  const { steps = 300, batchSize = 128, learningRate = 0.001, validateEverySteps = 100, seed = 1 } = options
  const tf = await loadTensorFlow()
  const model = await cloneModel(tf, original)
  const graph = modelGraph(model)
  const ranges = calibrateRanges(tf, graph, data.train, options.calibrationCount ?? 512)
  const trainer = makeTrainer(tf, model, { kind: 'adam' })
  const validate = (): number => accuracyOf(tf, (x) => quantizedForward(tf, graph, x, fixedRanges(ranges)), data.validation)
  const accuracyBefore = validate()
  let best = { accuracy: accuracyBefore, weights: copyWeights(model) }
  let last = accuracyBefore
  for (let step = 0; step < steps && !options.signal?.aborted; step++) {
    const indices = batchIndices(data.train.count, batchSize, seed, step)
    const { images, labels } = makeBatch(data.train, indices, { seed, epoch: step, position: 0 }, options.augmentation)
    const loss = trainStep(trainer, learningRateAt({ kind: 'cosine', peak: learningRate }, step, steps), () => {
      const x = tf.tensor(images, [labels.length, ...data.train.shape])
      return crossEntropy(tf, quantizedForward(tf, graph, x, movingRanges(tf, ranges)), labels)
    })
    if ((step + 1) % validateEverySteps === 0 || step + 1 === steps) {
      last = validate()
      if (last > best.accuracy) best = { accuracy: last, weights: copyWeights(model) }
    }
    options.onProgress?.({ step: step + 1, steps, loss, validationAccuracy: last })
    await new Promise((resolve) => setImmediate(resolve))
  }
  restoreWeights(tf, model, best.weights)
  return { model, accuracyBefore, accuracyAfter: best.accuracy }
}

/** Accuracy of a model as if it were int8, 0..1: weights and activations on their grids, ranges from `calibration`. */
export const fakeQuantizedAccuracy = async (model: LayersModel, calibration: DataSet, data: DataSet): Promise<number> => {
  const tf = await loadTensorFlow()
  const graph = modelGraph(model)
  const ranges = calibrateRanges(tf, graph, calibration, calibration.count)
  return accuracyOf(tf, (x) => quantizedForward(tf, graph, x, fixedRanges(ranges)), data)
}

/** Smallest and largest of each value over the first `count` samples. */
const calibrateRanges = (tf: TensorFlow, graph: ModelGraph, data: DataSet, count: number): Ranges => {
  const ranges: Ranges = new Map()
  const batch = 128
  const widen: RangeOf = (value, x) => {
    const seen = rangeOfTensor(tf, x)
    const known = ranges.get(value) ?? seen
    const wider = { min: Math.min(known.min, seen.min), max: Math.max(known.max, seen.max) }
    ranges.set(value, wider)
    return wider
  }
  for (let first = 0; first < Math.min(count, data.count); first += batch) {
    const samples = Math.min(batch, count - first, data.count - first)
    tf.tidy(() => void quantizedForward(tf, graph, tf.tensor(floatImages(data, first, samples), [samples, ...data.shape]), widen))
  }
  return ranges
}

const fixedRanges =
  (ranges: Ranges): RangeOf =>
  (value) =>
    ranges.get(value) ?? { min: 0, max: 0 }

/** Ranges that follow the batches slowly. */
const movingRanges =
  (tf: TensorFlow, ranges: Ranges): RangeOf =>
  (value, x) => {
    const seen = rangeOfTensor(tf, x)
    const known = ranges.get(value) ?? seen
    const mix = (a: number, b: number): number => RANGE_MOMENTUM * a + (1 - RANGE_MOMENTUM) * b
    const moved = { min: mix(known.min, seen.min), max: mix(known.max, seen.max) }
    ranges.set(value, moved)
    return moved
  }

const rangeOfTensor = (tf: TensorFlow, x: Tensor): Range => {
  const [min, max] = [tf.min(x), tf.max(x)].map((tensor) => tensor.dataSync()[0] ?? 0) as [number, number]
  return { min: Math.min(0, min), max: Math.max(0, max) }
}

/** Samples of a step: consecutive batches of a random order, a new order for each pass. */
const batchIndices = (count: number, batchSize: number, seed: number, step: number): Uint32Array => {
  const size = Math.min(batchSize, count)
  const perPass = Math.floor(count / size)
  const at = (step % perPass) * size
  return permutation(count, seed, Math.floor(step / perPass), STREAMS.shuffle).subarray(at, at + size)
}
