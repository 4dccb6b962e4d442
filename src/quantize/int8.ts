// int8 post-training quantization: per-channel symmetric weights, per-tensor asymmetric activations, int32 bias (docs/arithmetic.md).
// Takes a simplified float network and the ranges of its values; the result gives the same bytes in every engine.

import { unsupported } from '../errors.js'
import { clamp, quantizeReal, roundHalfEven } from '../network/arithmetic.js'
import type { ClampEmission, Emission } from '../network/emission.js'
import { producerOf } from '../network/graph.js'
import type { Node, OperatorKind } from '../network/operators/index.js'
import {
  arrayLength,
  channelScale,
  type Network,
  perChannel,
  perTensor,
  type QuantizedType,
  type Tensor,
  type Value,
  type ValueType,
} from '../network/types.js'
import { verify } from '../network/verify.js'
import type { Range } from './calibration.js'

/** Operators that move or compare stored integers: their inputs and output share one quantization. */
const SHARES_QUANTIZATION: Readonly<Record<OperatorKind, boolean>> = {
  dense: false,
  conv1d: false,
  conv2d: false,
  depthwiseConv2d: false,
  averagePool: false,
  maxPool: true,
  globalAveragePool: false,
  globalMaxPool: true,
  add: false,
  concat: true,
  flatten: true,
  reshape: true,
  relu: true,
  softmax: false,
  batchNorm: false,
  sign: false,
  staircase: false,
  lif: false,
  li: false,
  carry: false,
  sumPool: false,
  timeSlice: true,
  encode: false,
}

/** The representative of each value's group of values with one quantization (union-find). */
const quantizationGroups = (network: Network): ((value: number) => number) => {
  const parent = [...network.values.keys()]
  const find = (value: number): number => (parent[value] === value ? value : find(parent[value] as number))
  for (const node of network.nodes) {
    if (SHARES_QUANTIZATION[node.kind]) for (const input of node.inputs) parent[find(input)] = find(node.output)
  }
  return find
}

/** The asymmetric int8 scale and zero point of a range; the range is widened to hold 0, an empty one gets scale 1/255. */
export const affineOf = ({ min, max }: Range): { readonly scale: number; readonly zeroPoint: number } => {
  const low = Math.min(0, min)
  const high = Math.max(0, max)
  const scale = high > low ? Math.fround((high - low) / 255) : Math.fround(1 / 255)
  if (!(scale > 0)) return { scale: Math.fround(1 / 255), zeroPoint: -128 }
  return { scale, zeroPoint: clamp(roundHalfEven(-128 - low / scale), -128, 127) }
}

/** The range that a value must hold: what was seen, within the emission's bounds of the layer that computes it. */
const boundedRange = (network: Network, value: number, range: Range): Range => {
  const producer = producerOf(network, value)
  if (producer === undefined || !('emission' in producer) || producer.emission.kind !== 'clamp') return range
  const { min, max } = producer.emission
  return { min: Math.max(range.min, min ?? -Infinity), max: Math.min(range.max, max ?? Infinity) }
}

/** int8 types of all values but probabilities. */
export const int8Types = (network: Network<'float'>, ranges: readonly Range[]): readonly ValueType[] => {
  const groupOf = quantizationGroups(network)
  const joint = new Map<number, Range>()
  network.values.forEach((_, value) => {
    const range = boundedRange(network, value, ranges[value] as Range)
    const known = joint.get(groupOf(value))
    joint.set(groupOf(value), known === undefined ? range : { min: Math.min(known.min, range.min), max: Math.max(known.max, range.max) })
  })
  return network.values.map(({ type }, value) => {
    if (producerOf(network, value)?.kind === 'softmax') return type
    const { scale, zeroPoint } = affineOf(joint.get(groupOf(value)) as Range)
    return perTensor('int8', type.shape, scale, zeroPoint)
  })
}

/** Largest |bias| in accumulator units: leaves room for the sum in int32. */
const BIAS_LIMIT = 2 ** 30

/** Per-channel symmetric weights along an axis; a channel's scale also keeps its bias within BIAS_LIMIT. */
export const quantizeWeights = (weights: Tensor, bias: Tensor | null, axis: number, inputScale: number): Tensor<QuantizedType> => {
  const { shape } = weights.type
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
  const channels = shape[axis] as number
  const channelOf = (i: number): number => Math.floor(i / inner) % channels
  const largest = new Float64Array(channels)
  weights.data.forEach((w: number, i: number) => {
    largest[channelOf(i)] = Math.max(largest[channelOf(i)] as number, Math.abs(w))
  })
  const scales = Array.from(largest, (max, c) => {
    const forBias = Math.abs((bias?.data[c] as number | undefined) ?? 0) / (inputScale * BIAS_LIMIT)
    return Math.fround(Math.max(max / 127, forBias)) || 1
  })
  const data = Int8Array.from(weights.data as ArrayLike<number>, (w, i) => clamp(roundHalfEven(w / (scales[channelOf(i)] as number)), -127, 127))
  return { type: perChannel('int8', shape, scales, axis), data }
}

/** Bias in accumulator units: rne(b / fl32(sx sw[c])). */
const quantizeBias = (bias: Tensor | null, weights: QuantizedType, inputScale: number, channels: number): Tensor => {
  const scales = Array.from({ length: channels }, (_, c) => Math.fround(inputScale * channelScale(weights, c)))
  const data = Int32Array.from({ length: channels }, (_, c) => roundHalfEven(((bias?.data[c] as number | undefined) ?? 0) / (scales[c] as number)))
  return { type: perChannel('int32', [channels], scales, 0), data }
}

/** Clamp bounds in real units as stored integers of the output. */
const requantizeEmission = ({ min, max }: ClampEmission, output: QuantizedType): Emission => {
  const scale = channelScale(output, 0)
  const stored = (bound: number): number => quantizeReal(bound, scale, output.zeroPoint, -128, 127)
  return { kind: 'requantize', min: min === null ? -128 : stored(min), max: max === null ? 127 : stored(max) }
}

/** A float node as an int8 one. @throws UNSUPPORTED for nodes without an int8 form */
export const quantizeNode = (node: Node, types: readonly ValueType[]): Node => {
  if (node.kind === 'sign' || node.kind === 'staircase') {
    throw unsupported(`${node.kind} "${node.name}" has no int8 form.`, `Quantize with scheme ${node.kind === 'sign' ? 'binary' : 'staircase'}.`)
  }
  if (node.kind === 'batchNorm') {
    throw unsupported(
      `batch normalization "${node.name}" cannot be quantized by itself.`,
      'Call simplify() first: it folds batch normalizations into the layers beside them.',
    )
  }
  if (!('emission' in node)) return node
  const output = types[node.output] as QuantizedType
  const emission = requantizeEmission(node.emission as ClampEmission, output)
  if (!('weights' in node)) return { ...node, emission }
  const inputScale = channelScale(types[node.inputs[0] as number] as QuantizedType, 0)
  const axis = node.kind === 'depthwiseConv2d' ? 2 : 0
  const weights = quantizeWeights(node.weights, node.bias, axis, inputScale)
  const bias = quantizeBias(node.bias, weights.type, inputScale, node.weights.type.shape[axis] as number)
  return { ...node, weights, bias, emission }
}

/** The outputs of an integer network: the scores first where an output is a softmax: engines agree on scores byte for byte, probabilities are for reading. */
export const withScores = (network: Network): readonly number[] => {
  const scores = network.outputs.flatMap((output) => {
    const producer = producerOf(network, output)
    return producer?.kind === 'softmax' ? [producer.inputs[0] as number] : []
  })
  return [...new Set([...scores, ...network.outputs])]
}

/**
 * Quantizes a simplified float network to int8.
 * @param ranges by value, from calibrate()
 * @throws UNSUPPORTED for a batch norm, ACCUMULATOR_OVERFLOW where a sum cannot be proven to fit int32
 */
export const quantizeInt8 = (network: Network<'float'>, ranges: readonly Range[]): Network<'integer'> => {
  const types = int8Types(network, ranges)
  return verify({
    ...network,
    stage: 'integer',
    values: network.values.map((value, i): Value => ({ name: value.name, type: types[i] as ValueType })),
    nodes: network.nodes.map((node) => quantizeNode(node, types)),
    outputs: withScores(network),
  })
}

/** Real inputs as the stored integers of the network's i-th input: clamp(rne(fl32(x / scale)) + zero point, -128, 127); counts of levels as they are, up to the highest. */
export const quantizeInput = (network: Network<'integer'>, input: number, reals: ArrayLike<number>): Int8Array | Uint8Array => {
  const { type: stored } = network.values[network.inputs[input] as number] as Value
  if (stored.kind === 'level') return Uint8Array.from(reals, (x) => clamp(roundHalfEven(x), 0, stored.levels))
  const type = stored as QuantizedType
  const scale = channelScale(type, 0)
  const out = new Int8Array(reals.length)
  for (let i = 0; i < out.length; i++) out[i] = quantizeReal(reals[i] as number, scale, type.zeroPoint, -128, 127)
  return out
}

/** Stored integers (of any number of samples) as reals: scale * (q - zero point). */
export const dequantize = (type: QuantizedType, stored: ArrayLike<number>): Float32Array =>
  Float32Array.from({ length: stored.length }, (_, i) => channelScale(type, 0) * ((stored[i] as number) - type.zeroPoint))

/** Elements of one sample of the network's i-th input. */
export const inputLength = (network: Network, input = 0): number => arrayLength((network.values[network.inputs[input] as number] as Value).type)
