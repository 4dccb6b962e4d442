// Schemes staircase and binary: a layer in front of a staircase or a sign gets integer thresholds, in which its scale and bias (and whatever batch
// norm simplify() folded into them) disappear; layers that read levels or signs and end the network give int32 scores; all others are int8.

import { unsupported } from '../errors.js'
import { packSigns } from '../network/accumulate.js'
import { roundHalfEven } from '../network/arithmetic.js'
import { compact, consumersOf, producerOf } from '../network/graph.js'
import { whereOf } from '../network/operator.js'
import type { Node, NodeOf } from '../network/operators/index.js'
import { staircaseBoundaries } from '../network/operators/staircase.js'
import {
  channelScale,
  isQuantized,
  type Network,
  perTensor,
  type QuantizedType,
  type Shape,
  type Tensor,
  type Value,
  type ValueType,
} from '../network/types.js'
import { verify } from '../network/verify.js'
import type { Range } from './calibration.js'
import { int8Types, quantizeNode, quantizeWeights, withScores } from './int8.js'

type Layer = NodeOf<'dense' | 'conv1d' | 'conv2d' | 'depthwiseConv2d'>
type Activation = NodeOf<'sign' | 'staircase'>

const isLayer = (node: Node | undefined): node is Layer => node !== undefined && 'weights' in node
const isActivation = (node: Node | undefined): node is Activation => node?.kind === 'sign' || node?.kind === 'staircase'
const channelAxis = (layer: Layer): number => (layer.kind === 'depthwiseConv2d' ? 2 : 0)
const channelsOf = (layer: Layer): number => layer.weights.type.shape[channelAxis(layer)] as number

const channelOf = (layer: Layer): ((index: number) => number) => {
  const inner = layer.weights.type.shape.slice(channelAxis(layer) + 1).reduce((a, b) => a * b, 1)
  return (index) => Math.floor(index / inner) % channelsOf(layer)
}

const INT32_MIN = -(2 ** 31)
const INT32_MAX = 2 ** 31 - 1

/**
 * The least integer S with scale * S + shift >= boundary, computed in float64 (scale >= 0), kept in int32. A channel of scale 0 is constant:
 * its threshold is always reached (-2^31) or never (2^31 - 1).
 */
export const integerThreshold = (scale: number, shift: number, boundary: number): number => {
  const isReached = (sum: number): boolean => scale * sum + shift >= boundary
  if (scale === 0) return isReached(0) ? INT32_MIN : INT32_MAX
  const guess = Math.ceil((boundary - shift) / scale)
  if (guess > INT32_MAX) return INT32_MAX
  if (guess <= INT32_MIN) return INT32_MIN
  let threshold = guess
  while (threshold < INT32_MAX && !isReached(threshold)) threshold++
  while (threshold > INT32_MIN && isReached(threshold - 1)) threshold--
  return threshold
}

/** Per channel the magnitude that all of its weights share, or null where they differ: then the weights are not signs. */
const signScales = (layer: Layer): Float64Array | null => {
  const magnitudes = new Float64Array(channelsOf(layer)).fill(-1)
  const at = channelOf(layer)
  const isShared = layer.weights.data.every((w: number, i: number) => {
    const known = magnitudes[at(i)] as number
    magnitudes[at(i)] = Math.abs(w)
    return known === -1 || known === Math.abs(w)
  })
  return isShared ? magnitudes : null
}

interface Weights {
  readonly weights: Tensor
  /** real units of one step, by channel */
  readonly scales: ArrayLike<number>
}

const packed = (layer: Layer): Tensor => ({
  type: { kind: 'binary', shape: layer.weights.type.shape },
  data: packSigns(layer.weights.data),
})

/** Signs where the weights are, otherwise int8 per channel. */
const layerWeights = (layer: Layer, inputScale: number): Weights => {
  const scales = signScales(layer)
  if (scales !== null) return { weights: packed(layer), scales }
  const weights = quantizeWeights(layer.weights, null, channelAxis(layer), inputScale)
  return { weights, scales: weights.type.scales }
}

const biasAt = (layer: Layer, channel: number): number => (layer.bias?.data[channel] as number | undefined) ?? 0

/** A layer and the activation behind it as one integer layer. */
const withThresholds = (layer: Layer, activation: Activation, inputScale: number): Node => {
  const { weights, scales } = layerWeights(layer, inputScale)
  const boundaries = activation.kind === 'sign' ? Float64Array.of(0) : staircaseBoundaries(activation.levels, activation.curve)
  const channels = channelsOf(layer)
  const data = Int32Array.from({ length: channels * boundaries.length }, (_, i) => {
    const channel = Math.floor(i / boundaries.length)
    return integerThreshold(inputScale * (scales[channel] as number), biasAt(layer, channel), boundaries[i % boundaries.length] as number)
  })
  const thresholds: Tensor = { type: perTensor('int32', [channels, boundaries.length], 1, 0), data }
  return { ...withoutPaddingValue(layer), weights, bias: null, emission: { kind: 'thresholds', thresholds }, output: activation.output } as Node
}

/** int8 weights with one scale for all channels, so that the scores of classes compare. */
const tensorWeights = (layer: Layer): Weights => {
  const { shape } = layer.weights.type
  const largest = Array.from(layer.weights.data as ArrayLike<number>, Math.abs).reduce((most, w) => Math.max(most, w), 0)
  const scale = Math.fround(largest / 127) || 1
  const data = Int8Array.from(layer.weights.data as ArrayLike<number>, (w) => roundHalfEven(w / scale))
  return { weights: { type: perTensor('int8', shape, scale, 0), data }, scales: [scale] }
}

const scoreWeights = (layer: Layer): Weights => {
  const scales = signScales(layer)
  const isUniform = scales?.every((scale) => scale === scales[0] && scale > 0) ?? false
  return isUniform && scales !== null ? { weights: packed(layer), scales } : tensorWeights(layer)
}

const scoreScale = (layer: Layer, inputScale: number): number => Math.fround(inputScale * (scoreWeights(layer).scales[0] as number))

/** A layer whose int32 sums are read as they are. */
const withScoresOnly = (layer: Layer, inputScale: number): Node => {
  const scale = scoreScale(layer, inputScale)
  const channels = channelsOf(layer)
  const data = Int32Array.from({ length: channels }, (_, c) => roundHalfEven(biasAt(layer, c) / scale))
  const bias: Tensor = { type: perTensor('int32', [channels], scale, 0), data }
  return { ...withoutPaddingValue(layer), weights: scoreWeights(layer).weights, bias, emission: { kind: 'none' } } as Node
}

const withoutPaddingValue = (layer: Layer): Omit<Layer, 'paddingValue'> => {
  const { paddingValue: _, ...rest } = layer as Layer & { paddingValue?: -1 }
  return rest as Omit<Layer, 'paddingValue'>
}

// ---- types of values ----

/** What a value holds and what one step of it stands for. */
interface Stored {
  readonly type: ValueType
  readonly scale: number
}

/** Operators that pass levels and signs on. */
const MOVES: ReadonlySet<Node['kind']> = new Set(['maxPool', 'globalMaxPool', 'flatten', 'reshape'])

const isCoarse = (stored: Stored | undefined): boolean => stored?.type.kind === 'level' || stored?.type.kind === 'binary'

const activated = (activation: Activation, shape: Shape): Stored =>
  activation.kind === 'sign'
    ? { type: { kind: 'binary', shape }, scale: 1 }
    : { type: { kind: 'level', shape, levels: activation.levels - 1 }, scale: 1 / activation.levels }

/** The activation that alone reads a layer, or null. @throws UNSUPPORTED where others read the layer too */
const activationOf = (network: Network, layer: Layer): Activation | null => {
  const readers = consumersOf(network, layer.output)
  const activation = readers.find(isActivation)
  if (activation === undefined) return null
  const { min, max } = layer.emission as { min: number | null; max: number | null }
  if (readers.length > 1 || network.outputs.includes(layer.output) || min !== null || max !== null) {
    throw unsupported(
      `${whereOf(activation)} does not follow a linear layer that it alone reads.`,
      'Put it directly behind its layer (or the batch norm between).',
    )
  }
  return activation
}

const storedOf = (network: Network, node: Node, int8: Stored, inputs: readonly Stored[]): Stored => {
  const { shape } = int8.type
  const [input] = inputs as [Stored]
  if (isActivation(node)) return activated(node, shape)
  if (!inputs.some(isCoarse)) return int8
  if (MOVES.has(node.kind)) return { ...input, type: { ...input.type, shape } as ValueType }
  if (!isLayer(node))
    throw unsupported(
      `${whereOf(node)} reads ${input.type.kind} values.`,
      'Between a staircase or sign and the next layer only max pools, flatten and reshape can stand.',
    )
  const scale = scoreScale(node, input.scale)
  const isRead = consumersOf(network, node.output).every((reader) => reader.kind === 'softmax' || isActivation(reader))
  if (!isRead)
    throw unsupported(`${whereOf(node)} reads ${input.type.kind} values and has no staircase or sign behind it.`, 'Add one, or make it the last layer.')
  return { type: perTensor('int32', shape, scale, 0), scale }
}

const checkPadding = (layer: Layer, input: Stored): void => {
  if (layer.kind === 'dense' || layer.padding.every((pad) => pad === 0)) return
  if ((input.type.kind === 'binary') === (layer.paddingValue === -1)) return
  throw unsupported(
    `${whereOf(layer)} pads ${input.type.kind} values with ${layer.paddingValue ?? 0}.`,
    'Values +1 and -1 are padded with -1 (BinaryConv2D), all others with 0; or use padding valid.',
  )
}

const scaleOf = (type: ValueType): number => (isQuantized(type) ? channelScale(type as QuantizedType, 0) : 1)

const storedValues = (network: Network<'float'>, ranges: readonly Range[]): readonly Stored[] => {
  const stored: Stored[] = int8Types(network, ranges).map((type) => ({ type, scale: scaleOf(type) }))
  for (const node of network.nodes) {
    const inputs = node.inputs.map((value) => stored[value] as Stored)
    if (node.kind === 'softmax') continue
    if (isLayer(node)) checkPadding(node, inputs[0] as Stored)
    stored[node.output] = storedOf(network, node, stored[node.output] as Stored, inputs)
  }
  return stored
}

const quantizeOne = (network: Network, node: Node, stored: readonly Stored[]): readonly Node[] => {
  if (isActivation(node)) {
    if (!isLayer(producerOf(network, node.inputs[0] as number)))
      throw unsupported(`${whereOf(node)} does not follow a dense or convolution layer.`, 'Put it directly behind its layer (or the batch norm between).')
    return []
  }
  const input = stored[node.inputs[0] as number] as Stored
  const activation = isLayer(node) ? activationOf(network, node) : null
  if (isLayer(node) && activation !== null) return [withThresholds(node, activation, input.scale)]
  if (isLayer(node) && isCoarse(input)) return [withScoresOnly(node, input.scale)]
  return [
    quantizeNode(
      node,
      stored.map(({ type }) => type),
    ),
  ]
}

/**
 * The scheme for networks with staircases or signs.
 * @throws UNSUPPORTED for an activation that no layer can take in, a layer without an integer form, or a network without the activation
 */
export const quantizeThresholds =
  (kind: Activation['kind']) =>
  (network: Network<'float'>, ranges: readonly Range[]): Network<'integer'> => {
    if (!network.nodes.some((node) => node.kind === kind))
      throw unsupported(`network "${network.name}" has no ${kind}, scheme ${kind === 'sign' ? 'binary' : 'staircase'} needs one.`, 'Use scheme int8.')
    const stored = storedValues(network, ranges)
    const integer: Network<'integer'> = {
      ...network,
      stage: 'integer',
      values: network.values.map((value, i): Value => ({ name: value.name, type: (stored[i] as Stored).type })),
      nodes: network.nodes.flatMap((node) => quantizeOne(network, node, stored)),
      outputs: withScores(network),
    }
    return verify(compact(integer))
  }
