// Small MNIST networks of integers, trained from random weights.

import { wasmUnitEvaluator } from '#runtimes/wasm/tune.js'
import { createBuilder, type NodeSpec } from '#src/network/builder.js'
import { elementCount, type Network, perTensor, type QuantizedType, type Shape } from '#src/network/types.js'
import { STREAMS } from '#src/random.js'
import type { DataSet } from '#src/train/data.js'
import { mnist } from '#src/train/mnist.js'
import type { TuneData } from '#src/tune/data.js'
import { gaussians } from '#src/tune/gaussian.js'
import { accuracyOf, tuneNetwork } from '#src/tune/tune.js'
import { unitProgram } from '#src/tune/units/program.js'
import { cpuMilliseconds, milliseconds, type Report, type Row, type Task } from './task.js'

/** Pixels as levels 0..3 (a chip needs two bits). */
export const levels = (data: DataSet): TuneData => ({
  count: data.count,
  inputs: [Int8Array.from(data.images, (pixel) => Math.round(pixel * data.valueScale * 3))],
  labels: data.labels,
})

const WEIGHT_SCALE = 0.01
const ACTIVATION_SCALE = 1 / 16

/** Integer layers with He-normal weights on the grid of WEIGHT_SCALE, halved in the last layer; ReLU in int8 of ACTIVATION_SCALE, raw scores. */
const layerSpec = (
  kind: 'dense' | 'conv2d',
  name: string,
  input: number,
  weightShape: Shape,
  inputScale: number,
  isLast: boolean,
  seed: number,
  part: number,
): NodeSpec => {
  const fanIn = elementCount(weightShape.slice(1))
  const weights = gaussians(elementCount(weightShape), seed, part, STREAMS.instance).map((g) => (g * Math.sqrt(2 / fanIn) * (isLast ? 0.5 : 1)) / WEIGHT_SCALE)
  const channels = weightShape[0] as number
  return {
    kind,
    name,
    inputs: [input],
    weights: { type: perTensor('int8', weightShape, WEIGHT_SCALE, 0), data: Int8Array.from(weights, (w) => Math.max(-127, Math.min(127, Math.round(w)))) },
    bias: { type: perTensor('int32', [channels], inputScale * WEIGHT_SCALE, 0), data: new Int32Array(channels) },
    emission: isLast ? { kind: 'none' } : { kind: 'requantize', min: 0, max: 127 },
    ...(kind === 'conv2d' ? { stride: [2, 2], dilation: [1, 1], padding: [0, 1, 0, 1] } : {}),
  } as NodeSpec
}

const activation = (shape: Shape): QuantizedType => perTensor('int8', shape, ACTIVATION_SCALE, 0)

/** 784-128-128-10. */
export const mlp = (seed: number): Network<'integer'> => {
  const b = createBuilder<'integer'>('integer')
  let x = b.input('pixels', perTensor('int8', [784], 1 / 3, 0))
  x = b.add(layerSpec('dense', 'hidden1', x, [128, 784], 1 / 3, false, seed, 0), activation([128]))
  x = b.add(layerSpec('dense', 'hidden2', x, [128, 128], ACTIVATION_SCALE, false, seed, 1), activation([128]))
  x = b.add(
    layerSpec('dense', 'scores', x, [10, 128], ACTIVATION_SCALE, true, seed, 2),
    perTensor('int32', [10], Math.fround(ACTIVATION_SCALE * WEIGHT_SCALE), 0),
  )
  return b.build({ name: 'int8', outputs: [x] })
}

/** conv 3x3x8 stride 2, conv 3x3x16 stride 2, dense 10. */
const cnn = (seed: number): Network<'integer'> => {
  const b = createBuilder<'integer'>('integer')
  let x = b.input('pixels', perTensor('int8', [28, 28, 1], 1 / 3, 0))
  x = b.add(layerSpec('conv2d', 'conv1', x, [8, 3, 3, 1], 1 / 3, false, seed, 0), activation([14, 14, 8]))
  x = b.add(layerSpec('conv2d', 'conv2', x, [16, 3, 3, 8], ACTIVATION_SCALE, false, seed, 1), activation([7, 7, 16]))
  x = b.add({ kind: 'flatten', name: 'flat', inputs: [x] }, activation([784]))
  x = b.add(
    layerSpec('dense', 'scores', x, [10, 784], ACTIVATION_SCALE, true, seed, 2),
    perTensor('int32', [10], Math.fround(ACTIVATION_SCALE * WEIGHT_SCALE), 0),
  )
  return b.build({ name: 'cnn', outputs: [x] })
}

/** Looks at the validation data in a run. */
const VALIDATIONS = 8

export interface ImageTask {
  readonly network: (seed: number) => Network<'integer'>
  readonly batchSize: number
  readonly goal: number
  readonly published?: number
}

/** Trains from random weights for about `seconds`; the number of steps follows from the time of the first ones, so that schedules end in time. */
export const trainImages = async (report: Report, name: string, task: ImageTask, seconds: number, seed: number): Promise<void> => {
  const splits = await mnist()
  const [data, validation, test] = [levels(splits.train), levels(splits.validation), levels(splits.test)]
  const network = task.network(seed)
  const loss = { scale: Math.fround(ACTIVATION_SCALE * WEIGHT_SCALE), smoothing256: 0 }
  const on = await wasmUnitEvaluator((network, probes) => unitProgram(network, loss, probes))
  const common = { data, seed, batchSize: task.batchSize, now: cpuMilliseconds, on }
  await tuneNetwork(network, { ...common, steps: 2 })
  const probing = await tuneNetwork(network, { ...common, steps: 4 })
  const validationSeconds = (await milliseconds(() => accuracyOf(network, validation))) / 1000
  const steps = Math.max(10, Math.floor(((seconds - VALIDATIONS * validationSeconds) * 4) / probing.seconds))
  const tuned = await tuneNetwork(network, { ...common, steps, validation, validateEvery: Math.ceil(steps / VALIDATIONS) })
  const row = (metric: string, value: number, unit: string, rest: Partial<Row> = {}): void => report({ case: name, metric, value, unit, ...rest })
  const published = task.published === undefined ? {} : { baseline: { name: 'published PolyStep, test-selected', value: task.published } }
  row('validation', 100 * (tuned.best?.score ?? 0), '%')
  row('test', 100 * accuracyOf(tuned.network, test), '%', { goal: task.goal, ...published })
  row('last-step test', 100 * accuracyOf(tuned.last, test), '%')
  row('steps', tuned.steps, 'steps')
  row('CPU time', tuned.seconds, 's')
  row('samples forward', tuned.steps * task.batchSize, 'samples')
  row('unit evaluations', tuned.unitEvaluations, 'evaluations')
  row('weight probes', tuned.weightProbes, 'probes')
  row('probe MACs', tuned.macs, 'MACs')
}

export const int8Task: Task = (report, seconds, seed) =>
  trainImages(report, 'int8', { network: mlp, batchSize: 256, goal: 98.2, published: 97.1 }, seconds, seed)

export const cnnTask: Task = (report, seconds, seed) => trainImages(report, 'cnn', { network: cnn, batchSize: 256, goal: 98.4 }, seconds, seed)
