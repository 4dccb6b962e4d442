// Float networks over time as NIR graphs: one row an operator. Steps of a membrane become the time constants they came from (docs/spiking.md, NIR), so that
// reading the file with the same rules gives the same network.

import type { Row } from '#src/contracts/exporter.js'
import { unsupported } from '#src/errors.js'
import type { NirArray, NirField, NirNode } from '#src/formats/nir.js'
import { whereOf } from '#src/network/operator.js'
import type { Node, NodeOf, OperatorKind } from '#src/network/operators/index.js'
import { type NeuronBase, parameterAt } from '#src/network/operators/neuron.js'
import { elementCount, type Shape, type Tensor } from '#src/network/types.js'
import type { Rules } from './rules.js'

/** What a row needs of the network around its node; shapes are ours, channels last. */
export interface LowerContext {
  readonly rules: Rules
  readonly inputShape: Shape
  /** the image whose elements a flat input holds in our order, or the input's own shape */
  readonly imageShape: Shape
}

type Lower<N extends Node> = (node: N, context: LowerContext) => NirNode

export const floats = (data: Iterable<number>, shape: readonly number[], dtype: NirArray['dtype'] = 'float32'): NirArray => ({
  shape,
  dtype,
  data: Array.from(data),
})
export const integers = (...data: number[]): NirArray => ({ shape: [data.length], dtype: 'int64', data })
const scalar = (x: number): NirArray => ({ shape: [], dtype: 'int64', data: [x] })
const node = (type: string, fields: Readonly<Record<string, NirField>>): NirNode => ({ type, fields })

/** Our shape as NIR's: channels first. */
export const nirShape = (shape: Shape): Shape => (shape.length < 2 ? shape : [shape.at(-1) as number, ...shape.slice(0, -1)])

/** at[i]: where element i of NIR's order lies in ours, for one of our shapes. */
const ourOrder = (shape: Shape): Int32Array => {
  const channels = shape.length < 2 ? 1 : (shape.at(-1) as number)
  const pixels = elementCount(shape) / channels
  return Int32Array.from({ length: channels * pixels }, (_, i) => (i % pixels) * channels + Math.floor(i / pixels))
}

/** Columns of dense weights in NIR's order. */
export const denseNode = (weights: Float32Array, bias: Float32Array | null, outputs: number, imageShape: Shape): NirNode => {
  const order = shapeOrder(imageShape)
  const width = order.length
  const columns = Array.from({ length: outputs * width }, (_, i) => weights[Math.floor(i / width) * width + (order[i % width] as number)] as number)
  const weight = floats(columns, [outputs, width])
  return bias === null ? node('Linear', { weight }) : node('Affine', { weight, bias: floats(bias, [outputs]) })
}

const shapeOrder = (shape: Shape): Int32Array => (shape.length < 2 ? Int32Array.from({ length: elementCount(shape) }, (_, i) => i) : ourOrder(shape))

const linearOnly = (layer: { readonly emission: { readonly kind: string } } & Node): void => {
  const { min = null, max = null } = layer.emission as { min?: number | null; max?: number | null }
  if (min !== null || max !== null) throw unsupported(`${whereOf(layer)} is bounded (ReLU), which NIR does not have.`, 'Put spiking units behind it instead.')
}

const biasOf = (bias: Tensor | null, channels: number): NirArray => floats(bias === null ? new Float32Array(channels) : (bias.data as Float32Array), [channels])

/** [out, ...kernel, in] as [out, in, ...kernel]. */
const channelsFirst = ({ type, data }: Tensor): NirArray => {
  const [out, inner] = [type.shape[0] as number, type.shape.at(-1) as number]
  const kernel = type.shape.slice(1, -1)
  const taps = elementCount(kernel)
  const moved = Array.from({ length: data.length }, (_, i) => {
    const [o, rest] = [Math.floor(i / (inner * taps)), i % (inner * taps)]
    return data[(o * taps + (rest % taps)) * inner + Math.floor(rest / taps)] as number
  })
  return floats(moved, [out, inner, ...kernel])
}

/** Equal padding on both sides. @throws UNSUPPORTED */
const symmetric = (layer: Node, padding: readonly number[]): NirArray => {
  const pairs = Array.from({ length: padding.length / 2 }, (_, i) => [padding[2 * i], padding[2 * i + 1]] as const)
  if (!pairs.every(([before, after]) => before === after)) throw unsupported(`${whereOf(layer)} pads ${padding.join(', ')}.`, 'NIR pads equally on both sides.')
  return integers(...pairs.map(([before]) => before as number))
}

const conv2d: Lower<NodeOf<'conv2d'>> = (layer, { inputShape }) => {
  linearOnly(layer)
  return node('Conv2d', {
    input_shape: integers(...inputShape.slice(0, 2)),
    weight: channelsFirst(layer.weights),
    bias: biasOf(layer.bias, layer.weights.type.shape[0] as number),
    stride: integers(...layer.stride),
    padding: symmetric(layer, layer.padding),
    dilation: integers(...layer.dilation),
    groups: scalar(1),
  })
}

const depthwise: Lower<NodeOf<'depthwiseConv2d'>> = (layer, { inputShape }) => {
  linearOnly(layer)
  const [kh, kw, out] = layer.weights.type.shape as [number, number, number]
  const taps = kh * kw
  const weight = Array.from({ length: out * taps }, (_, i) => layer.weights.data[(i % taps) * out + Math.floor(i / taps)] as number)
  return node('Conv2d', {
    input_shape: integers(...inputShape.slice(0, 2)),
    weight: floats(weight, [out, 1, kh, kw]),
    bias: biasOf(layer.bias, out),
    stride: integers(...layer.stride),
    padding: symmetric(layer, layer.padding),
    dilation: integers(...layer.dilation),
    groups: scalar(inputShape[2] as number),
  })
}

const conv1d: Lower<NodeOf<'conv1d'>> = (layer, { inputShape }) => {
  linearOnly(layer)
  return node('Conv1d', {
    input_shape: scalar(inputShape[0] as number),
    weight: channelsFirst(layer.weights),
    bias: biasOf(layer.bias, layer.weights.type.shape[0] as number),
    stride: scalar(layer.stride),
    padding: { ...symmetric(layer, layer.padding), shape: [] },
    dilation: scalar(layer.dilation),
    groups: scalar(1),
  })
}

const pool =
  (type: string): Lower<NodeOf<'sumPool'> | NodeOf<'averagePool'>> =>
  (layer) => {
    const padding = symmetric(layer, layer.padding)
    if (type === 'AvgPool2d' && padding.data.some((pad) => pad !== 0))
      throw unsupported(`${whereOf(layer)} pads.`, 'NIR counts padding in the mean, spikeport does not.')
    return node(type, { kernel_size: integers(...layer.kernel), stride: integers(...layer.stride), padding })
  }

const flatten: Lower<NodeOf<'flatten'>> = (_, { inputShape }) =>
  node('Flatten', { start_dim: scalar(0), end_dim: scalar(-1), input_type: integers(...nirShape(inputShape)) })

// ---- units ----

/** One number a unit, in NIR's order. */
const unitNumbers = (shape: Shape, f: (unit: number) => number): NirArray => floats(Array.from(shapeOrder(shape), f), nirShape(shape), 'float64')

const isZero = (tensor: Tensor): boolean => tensor.data.every((x: number) => x === 0)

interface Membrane {
  readonly fields: Readonly<Record<string, NirArray>>
  readonly leaks: boolean
}

/** Fields of the membrane's equation, by the names that nodes without and with a current give its time constant. */
const membraneOf = (unit: NeuronBase<string> & Node, shape: Shape, { dt, tauOf, gainOf }: Rules): Membrane => {
  const gain = (i: number): number => parameterAt(unit.gain, i, 1)
  if (isZero(unit.leak) && unit.currentLeak === null) {
    if (unit.drive !== null && !isZero(unit.drive))
      throw unsupported(`${whereOf(unit)} is driven by a constant.`, 'NIR has a bias in the layer in front (Affine).')
    return { fields: { r: unitNumbers(shape, (i) => gain(i) / dt) }, leaks: false }
  }
  const leak = (i: number): number => parameterAt(unit.leak, i, 0)
  const bad = unit.leak.data.find((x: number) => x === 0)
  if (bad !== undefined) throw unsupported(`${whereOf(unit)} has units that leak and units that do not.`, 'NIR has LIF or IF for a whole layer.')
  return {
    fields: {
      [unit.currentLeak === null ? 'tau' : 'tau_mem']: unitNumbers(shape, (i) => tauOf(leak(i))),
      r: unitNumbers(shape, (i) => gain(i) / gainOf(leak(i))),
      v_leak: unitNumbers(shape, (i) => parameterAt(unit.drive, i, 0) / leak(i)),
    },
    leaks: true,
  }
}

const currentOf = (unit: NeuronBase<string>, shape: Shape, { tauOf, gainOf }: Rules): Readonly<Record<string, NirArray>> =>
  unit.currentLeak === null
    ? {}
    : {
        tau_syn: unitNumbers(shape, (i) => tauOf(parameterAt(unit.currentLeak, i, 0))),
        w_in: unitNumbers(shape, (i) => parameterAt(unit.currentGain, i, 1) / gainOf(parameterAt(unit.currentLeak, i, 0))),
      }

const lif: Lower<NodeOf<'lif'>> = (unit, { inputShape, rules }) => {
  if (unit.fires !== 'above')
    throw unsupported(`${whereOf(unit)} fires on reaching its threshold.`, 'NIR fires above it; a threshold a little lower does the same.')
  if (unit.reset !== rules.reset)
    throw unsupported(`${whereOf(unit)} resets by ${unit.reset}, the graph by ${rules.reset}.`, 'NIR does not say how; all units of a graph share one rule.')
  const { fields, leaks } = membraneOf(unit, inputShape, rules)
  const spiking = {
    v_threshold: unitNumbers(inputShape, (i) => parameterAt(unit.threshold, i, 1)),
    v_reset: unitNumbers(inputShape, (i) => parameterAt(unit.resetTo, i, 0)),
  }
  const type = unit.currentLeak !== null ? 'CubaLIF' : leaks ? 'LIF' : 'IF'
  return node(type, { ...fields, ...currentOf(unit, inputShape, rules), ...spiking })
}

const li: Lower<NodeOf<'li'>> = (unit, { inputShape, rules }) => {
  const { fields, leaks } = membraneOf(unit, inputShape, rules)
  return node(unit.currentLeak !== null ? 'CubaLI' : leaks ? 'LI' : 'I', { ...fields, ...currentOf(unit, inputShape, rules) })
}

/** gamma x, without a shift. */
const scale: Lower<NodeOf<'batchNorm'>> = (norm, { inputShape }) => {
  const plain =
    norm.epsilon === 0 &&
    norm.beta.data.every((x: number) => x === 0) &&
    norm.mean.data.every((x: number) => x === 0) &&
    norm.variance.data.every((x: number) => x === 1)
  if (!plain) throw unsupported(`${whereOf(norm)} has no NIR form.`, 'Simplify the network first: it folds batch normalizations away.')
  return node('Scale', { scale: unitNumbers(inputShape, (i) => parameterAt(norm.gamma, i, 1)) })
}

const REASON = 'has no NIR form'
const NONE = { unsupported: REASON } as const

/** Rows of single nodes; inputs, sums, joined inputs and states become edges (graph.ts). */
export const LOWER: { readonly [K in OperatorKind]: Row<Lower<NodeOf<K>>> } = {
  dense: {
    lower: (layer, { imageShape }) => {
      linearOnly(layer)
      return denseNode(
        layer.weights.data as Float32Array,
        (layer.bias?.data as Float32Array | undefined) ?? null,
        layer.weights.type.shape[0] as number,
        imageShape,
      )
    },
  },
  conv1d: { lower: conv1d },
  conv2d: { lower: conv2d },
  depthwiseConv2d: { lower: depthwise },
  averagePool: { lower: pool('AvgPool2d') },
  sumPool: { lower: pool('SumPool2d') },
  flatten: { lower: flatten },
  lif: { lower: lif },
  li: { lower: li },
  batchNorm: { lower: scale },
  maxPool: NONE,
  globalAveragePool: NONE,
  globalMaxPool: NONE,
  add: NONE,
  concat: NONE,
  reshape: NONE,
  relu: NONE,
  softmax: NONE,
  sign: NONE,
  staircase: NONE,
  carry: NONE,
  timeSlice: NONE,
  encode: NONE,
}
