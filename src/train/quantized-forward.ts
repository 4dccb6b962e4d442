// The forward pass of a model as it will run in int8: batch norm folded into the weights with its moving statistics, ReLU fused,
// weights and activations on their int8 grids, dropout off. Ends before softmax.

import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import { unsupported } from '#src/errors.js'
import { fakeQuantize, fakeQuantizeWeights, type Range } from './fake-quantize.js'
import { isSoftmax } from './forward.js'
import { findWeight, type LayerCall, type ModelGraph, weightedKind } from './model-graph.js'
import type { TensorFlow } from './tfjs.js'

/** What runs as one integer node: a layer with the batch norm and the activation that follow it. */
export interface Stage {
  readonly call: LayerCall
  readonly norm: LayerCall | undefined
  readonly activation: Activation
  readonly inputs: readonly number[]
  readonly output: number
  /** false where the layer only moves numbers that are on the grid already */
  readonly hasOwnRange: boolean
}

export type Activation = 'linear' | 'relu' | 'relu6'

/** The range of each value by its index; value 0 is the input. */
export type Ranges = Map<number, Range>

/** Told each value before it is put on its grid; returns the range to use. */
export type RangeOf = (value: number, x: Tensor) => Range

/** Layers that move numbers without making new ones. */
const MOVING = new Set([
  'Dropout',
  'SpatialDropout1D',
  'SpatialDropout2D',
  'Flatten',
  'Reshape',
  'MaxPooling1D',
  'MaxPooling2D',
  'GlobalMaxPooling1D',
  'GlobalMaxPooling2D',
])

/** The stages of a model in execution order, and the value that holds the scores before softmax. */
export const quantizedStages = (graph: ModelGraph): { stages: readonly Stage[]; output: number } => {
  const stages: Stage[] = []
  const fused = new Set<LayerCall>()
  let output = graph.output
  for (const call of graph.calls) {
    if (fused.has(call)) continue
    if (call.output === graph.output && isSoftmax(call)) {
      output = call.inputs[0] as number
      continue
    }
    const stage = fuse(graph, call)
    for (const next of [stage.norm, ...activationCalls(graph, stage)]) if (next !== undefined) fused.add(next)
    stages.push(stage)
  }
  return { stages, output }
}

const fuse = (graph: ModelGraph, call: LayerCall): Stage => {
  const own = ownActivation(graph, call)
  const norm = weightedKind(call) && own === 'linear' ? onlyConsumer(graph, call.output, (next) => next.kind === 'BatchNormalization') : undefined
  const end = norm?.output ?? call.output
  const relu = own === 'linear' && !MOVING.has(call.kind) ? onlyConsumer(graph, end, (next) => activationOf(next) !== undefined) : undefined
  return {
    call,
    norm,
    activation: (relu && activationOf(relu)) ?? own,
    inputs: call.inputs,
    output: relu?.output ?? end,
    hasOwnRange: !MOVING.has(call.kind),
  }
}

const activationCalls = (graph: ModelGraph, { output, call }: Stage): readonly LayerCall[] =>
  graph.calls.filter((next) => next.output === output && next !== call)

const onlyConsumer = (graph: ModelGraph, value: number, accepts: (call: LayerCall) => boolean): LayerCall | undefined => {
  const consumers = graph.calls.filter(({ inputs }) => inputs.includes(value))
  return consumers.length === 1 && value !== graph.output && consumers[0] && accepts(consumers[0]) ? consumers[0] : undefined
}

/** The activation that a layer of nothing else computes. */
const activationOf = ({ kind, config }: LayerCall): Activation | undefined => {
  if (kind === 'ReLU') return config.maxValue === undefined || config.maxValue === null ? 'relu' : config.maxValue === 6 ? 'relu6' : undefined
  if (kind === 'Activation' && (config.activation === 'relu' || config.activation === 'relu6' || config.activation === 'linear')) return config.activation
  return undefined
}

const ownActivation = (graph: ModelGraph, { layer, kind, config, output }: LayerCall): Activation => {
  const { activation = 'linear' } = config
  if (weightedKind({ layer, kind, config, inputs: [], output }) === undefined) return 'linear'
  if (activation === 'linear' || activation === 'relu' || activation === 'relu6') return activation
  if (activation === 'softmax' && output === graph.output) return 'linear'
  throw unsupported(
    `layer "${layer.name}" has the activation ${activation}, quantization-aware training handles relu, relu6 and a last softmax.`,
    'Use one of these.',
  )
}

/** The scores before softmax of x [n, ...], as int8 arithmetic will give them but for the rounding of scales. */
export const quantizedForward = (tf: TensorFlow, graph: ModelGraph, x: Tensor, rangeOf: RangeOf): Tensor => {
  const { stages, output } = quantizedStages(graph)
  const values = new Map<number, Tensor>([[0, fakeQuantize(tf, x, rangeOf(0, x))]])
  for (const stage of stages) {
    const result = stageOutput(
      tf,
      stage,
      stage.inputs.map((index) => values.get(index) as Tensor),
    )
    values.set(stage.output, stage.hasOwnRange ? fakeQuantize(tf, result, rangeOf(stage.output, result)) : result)
  }
  return values.get(output) as Tensor
}

const stageOutput = (tf: TensorFlow, stage: Stage, inputs: Tensor[]): Tensor => {
  const { call, activation } = stage
  if (call.kind.endsWith('Dropout') || call.kind === 'SpatialDropout1D' || call.kind === 'SpatialDropout2D') return inputs[0] as Tensor
  const weighted = weightedKind(call)
  if (weighted === undefined) {
    return activate(tf, call.layer.apply(inputs.length === 1 ? (inputs[0] as Tensor) : inputs, { training: false }) as Tensor, activation)
  }
  const { kernel, bias } = foldedWeights(tf, stage, weighted.kernelName)
  const quantized = tf.reshape(fakeQuantizeWeights(tf, kernel), findWeight(call.layer, weighted.kernelName)?.shape ?? [])
  return activate(tf, tf.add(weighted.apply(tf, call.config, inputs[0] as Tensor, quantized), bias), activation)
}

const activate = (tf: TensorFlow, x: Tensor, activation: Activation): Tensor =>
  activation === 'linear' ? x : activation === 'relu' ? tf.relu(x) : tf.clipByValue(x, 0, 6)

/** Kernel [rows, channels] and bias [channels] with the batch norm in them: gamma / sqrt(variance + epsilon) times the kernel. */
const foldedWeights = (tf: TensorFlow, { call, norm }: Stage, kernelName: string): { kernel: Tensor2D; bias: Tensor1D } => {
  const weight = findWeight(call.layer, kernelName) as Tensor
  const { size, shape } = weight
  const channels = kernelName === 'kernel' ? (shape.at(-1) ?? 1) : (shape.at(-1) ?? 1) * (shape.at(-2) ?? 1)
  const kernel = tf.reshape(weight, [size / channels, channels]) as Tensor2D
  const bias = (findWeight(call.layer, 'bias') ?? tf.zeros([channels])) as Tensor1D
  if (norm === undefined) return { kernel, bias }
  const [mean, variance] = ['moving_mean', 'moving_variance'].map((name) => findWeight(norm.layer, name) as Tensor) as [Tensor, Tensor]
  const inverse = tf.rsqrt(tf.add(variance, norm.config.epsilon ?? 1e-3))
  const gamma = findWeight(norm.layer, 'gamma')
  const scale = gamma === undefined ? inverse : tf.mul(gamma, inverse)
  const beta = findWeight(norm.layer, 'beta') ?? tf.zeros([channels])
  return { kernel: tf.mul(kernel, scale) as Tensor2D, bias: tf.add(tf.mul(tf.sub(bias, mean), scale), beta) as Tensor1D }
}
