// A tfjs model (Sequential or Functional) as a list of layer calls in execution order, and layers as the few facts that training
// needs: which weights they hold and how they compute before their activation.

import type { LayersModel, layers, SymbolicTensor, Tensor, Tensor3D, Tensor4D, Variable } from '@tensorflow/tfjs'
import { unsupported } from '#src/errors.js'
import type { TensorFlow } from './tfjs.js'

export type Layer = layers.Layer

/** One call of a layer. `inputs` and `output` are indices into the values of a run; value 0 is the input of the model. */
export interface LayerCall {
  readonly layer: Layer
  readonly kind: string
  readonly config: LayerConfig
  readonly inputs: readonly number[]
  readonly output: number
}

/** The settings of layers that training reads. */
export interface LayerConfig {
  readonly activation?: string
  readonly strides?: number | readonly number[]
  readonly padding?: string
  readonly dilationRate?: number | readonly number[]
  readonly axis?: number | readonly number[]
  readonly epsilon?: number
  readonly momentum?: number
  readonly rate?: number
  readonly maxValue?: number | null
}

export interface ModelGraph {
  readonly calls: readonly LayerCall[]
  /** index of the model's output among the values */
  readonly output: number
}

/** The calls of a model with one input and one output. */
export const modelGraph = (model: LayersModel): ModelGraph => {
  const [input] = model.inputs
  const [output] = model.outputs
  if (model.inputs.length !== 1 || model.outputs.length !== 1 || input === undefined || output === undefined) {
    throw unsupported(
      `model "${model.name}" has ${model.inputs.length} inputs and ${model.outputs.length} outputs, training takes one of each.`,
      'Build a model with one input and one output.',
    )
  }
  const indices = new Map<number, number>([[input.id, 0]])
  const calls: LayerCall[] = []
  const visit = (tensor: SymbolicTensor): number => {
    const known = indices.get(tensor.id)
    if (known !== undefined) return known
    const inputs = tensor.inputs.map(visit)
    const index = calls.length + 1
    indices.set(tensor.id, index)
    calls.push(layerCall(tensor.sourceLayer, inputs, index))
    return index
  }
  return { output: visit(output), calls }
}

const layerCall = (layer: Layer, inputs: readonly number[], output: number): LayerCall => ({
  layer,
  kind: layer.getClassName(),
  config: layer.getConfig() as LayerConfig,
  inputs,
  output,
})

/** A weight of a layer by the end of its name ("kernel", "moving_mean"), or undefined. */
export const findWeight = (layer: Layer, name: string): Variable | undefined =>
  layer.weights.find((weight) => weight.originalName.endsWith(`/${name}`) || weight.originalName === name)?.read() as Variable | undefined

/** The computation of a layer with weights, before bias and activation. */
export interface WeightedKind {
  readonly kernelName: string
  /** the layer's output without bias and activation */
  readonly apply: (tf: TensorFlow, config: LayerConfig, x: Tensor, kernel: Tensor) => Tensor
}

const first = (value: number | readonly number[] | undefined): number => (typeof value === 'number' ? value : (value?.[0] ?? 1))
const pair = (value: number | readonly number[] | undefined): [number, number] =>
  typeof value === 'number' ? [value, value] : [value?.[0] ?? 1, value?.[1] ?? value?.[0] ?? 1]
const padding = (config: LayerConfig): 'same' | 'valid' => (config.padding === 'same' ? 'same' : 'valid')

const WEIGHTED: Readonly<Record<string, WeightedKind>> = {
  Dense: {
    kernelName: 'kernel',
    apply: (tf, _config, x, kernel) => {
      const rows = tf.reshape(x, [-1, x.shape.at(-1) ?? 1])
      return tf.reshape(tf.matMul(rows, kernel), [...x.shape.slice(0, -1), kernel.shape[1] ?? 1])
    },
  },
  Conv1D: {
    kernelName: 'kernel',
    apply: (tf, config, x, kernel) => tf.conv1d(x as Tensor3D, kernel as Tensor3D, first(config.strides), padding(config), 'NWC', first(config.dilationRate)),
  },
  Conv2D: {
    kernelName: 'kernel',
    apply: (tf, config, x, kernel) => tf.conv2d(x as Tensor4D, kernel as Tensor4D, pair(config.strides), padding(config), 'NHWC', pair(config.dilationRate)),
  },
  DepthwiseConv2D: {
    kernelName: 'depthwise_kernel',
    apply: (tf, config, x, kernel) =>
      tf.depthwiseConv2d(x as Tensor4D, kernel as Tensor4D, pair(config.strides), padding(config), 'NHWC', pair(config.dilationRate)),
  },
}

/** How a layer with weights computes, or undefined for other layers. */
export const weightedKind = (call: LayerCall): WeightedKind | undefined => WEIGHTED[call.kind]

/** The layer's output before its activation. */
export const beforeActivation = (tf: TensorFlow, call: LayerCall, kind: WeightedKind, x: Tensor): Tensor => {
  const kernel = findWeight(call.layer, kind.kernelName)
  if (kernel === undefined) throw unsupported(`layer "${call.layer.name}" has no weight "${kind.kernelName}".`, 'Build the model before training it.')
  const bias = findWeight(call.layer, 'bias')
  const sum = kind.apply(tf, call.config, x, kernel)
  return bias === undefined ? sum : tf.add(sum, bias)
}
