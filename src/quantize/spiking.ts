// Scheme spiking: a float network over time as integers (docs/spiking.md, quantization). Layers in front of spiking units give int32 sums; the units'
// membranes count in steps of those sums, so that neither multiplications nor floats are left. Spikes stay what they are.

import { unsupported } from '../errors.js'
import { roundHalfEven } from '../network/arithmetic.js'
import { compact, consumersOf, producerOf, typeOf } from '../network/graph.js'
import { whereOf } from '../network/operator.js'
import { latencyStep, rateThreshold } from '../network/operators/encode.js'
import type { Node, NodeOf } from '../network/operators/index.js'
import { LEAK_UNIT, MAX_SHIFT, MEMBRANE_LIMIT, type NeuronBase, parameterAt } from '../network/operators/neuron.js'
import {
  type Network,
  perChannel,
  perTensor,
  type QuantizedType,
  type Shape,
  spikes,
  statesOf,
  type Tensor,
  type Value,
  type ValueType,
} from '../network/types.js'
import { verify } from '../network/verify.js'
import type { Range } from './calibration.js'
import { affineOf } from './int8.js'

type Layer = NodeOf<'dense' | 'conv1d' | 'conv2d' | 'depthwiseConv2d'>
type Neuron = NodeOf<'lif' | 'li'>

/** What a value holds, and the real units of one step: one number for all elements, or one a channel (the last axis). */
interface Stored {
  readonly type: ValueType
  readonly scales: readonly number[]
}

/** Integer thresholds are kept below this, so that membranes reach a few times their thresholds before they saturate. */
const THRESHOLD_ROOM = 16384

const isLayer = (node: Node | undefined): node is Layer => node !== undefined && 'weights' in node
const isNeuron = (node: Node | undefined): node is Neuron => node?.kind === 'lif' || node?.kind === 'li'
const axisOf = (layer: Layer): number => (layer.kind === 'depthwiseConv2d' ? 2 : 0)
const channelsOf = (layer: Layer): number => layer.weights.type.shape[axisOf(layer)] as number

const channelAt = (layer: Layer): ((index: number) => number) => {
  const inner = layer.weights.type.shape.slice(axisOf(layer) + 1).reduce((a, b) => a * b, 1)
  return (index) => Math.floor(index / inner) % channelsOf(layer)
}

/** The units that alone read a layer's sums. @throws UNSUPPORTED */
const readerOf = (network: Network, layer: Layer): Neuron => {
  const [reader, ...others] = consumersOf(network, layer.output)
  const { min, max } = layer.emission as { min: number | null; max: number | null }
  if (!isNeuron(reader) || others.length > 0 || network.outputs.includes(layer.output) || min !== null || max !== null)
    throw unsupported(`${whereOf(layer)} is not followed by spiking or integrating units that alone read it.`, 'Put lif or li directly behind each layer.')
  return reader
}

/** What one unit of a layer's sum counts on the membrane, as far as it is one number a channel. */
const gainOf = (neuron: Neuron, channel: number): number => parameterAt(neuron.gain, channel, 1) * parameterAt(neuron.currentGain, channel, 1)

/**
 * The scale of a channel's weights: largest / 127, made a little larger where that makes the integer threshold exact. Units that do not fire are read as
 * numbers: all their channels get one scale, so that they compare.
 */
const weightScales = (layer: Layer, neuron: Neuron, inputScale: number): readonly number[] => {
  const channels = channelsOf(layer)
  const at = channelAt(layer)
  const largest = new Float64Array(channels)
  layer.weights.data.forEach((w: number, i: number) => {
    largest[at(i)] = Math.max(largest[at(i)] as number, Math.abs(w))
  })
  if (neuron.kind === 'li') return [Math.fround(Math.max(...largest) / 127) || 1]
  return Array.from(largest, (most, c) => {
    const scale = Math.fround(most / 127) || 1
    const gain = gainOf(neuron, c) * inputScale
    const steps = Math.floor(parameterAt(neuron.threshold, c, 1) / (scale * gain))
    return steps >= 1 && neuron.threshold.data.length <= channels ? Math.fround(parameterAt(neuron.threshold, c, 1) / (steps * gain)) : scale
  })
}

const quantizeLayer = (layer: Layer, scales: readonly number[], inputScale: number): Node => {
  const { shape } = layer.weights.type
  const at = channelAt(layer)
  const scaleAt = (channel: number): number => scales[channel % scales.length] as number
  const data = Int8Array.from(layer.weights.data as ArrayLike<number>, (w, i) => Math.min(Math.max(roundHalfEven(w / scaleAt(at(i))), -127), 127))
  const type: QuantizedType = scales.length === 1 ? perTensor('int8', shape, scales[0] as number, 0) : perChannel('int8', shape, scales, axisOf(layer))
  const channels = channelsOf(layer)
  const sumScale = (channel: number): number => Math.fround(inputScale * scaleAt(channel))
  const biasType = perChannel(
    'int32',
    [channels],
    Array.from({ length: channels }, (_, c) => sumScale(c)),
    0,
  )
  const bias: Tensor | null =
    layer.bias === null ? null : { type: biasType, data: Int32Array.from(layer.bias.data as ArrayLike<number>, (b, c) => roundHalfEven(b / sumScale(c))) }
  return { ...layer, weights: { type, data }, bias, emission: { kind: 'none' } } as Node
}

const int32Tensor = (numbers: readonly number[]): Tensor => {
  const isOne = numbers.every((x) => x === numbers[0])
  const data = Int32Array.from(isOne ? numbers.slice(0, 1) : numbers)
  return { type: perTensor('int32', [data.length], 1, 0), data }
}

/** The most numbers that a unit's parameters and scales have: 1, one a channel or one a unit. */
const parameterCount = (node: NeuronBase<string>, tensors: readonly (Tensor | null)[], scales: readonly number[]): number =>
  Math.max(scales.length, ...[node.gain, node.currentGain, ...tensors].map((tensor) => tensor?.data.length ?? 1))

const clampMembrane = (x: number): number => Math.min(Math.max(x, -MEMBRANE_LIMIT), MEMBRANE_LIMIT)

const leakTensor = (leak: Tensor): Tensor => int32Tensor(Array.from(leak.data as ArrayLike<number>, (x) => roundHalfEven(x * LEAK_UNIT)))

/** u >= threshold or u > threshold, in steps of the membrane. */
const integerThreshold = (node: NodeOf<'lif'>, threshold: number, unit: number): number =>
  node.fires === 'above' ? Math.floor(threshold / unit) + 1 : Math.max(1, roundHalfEven(threshold / unit))

/** The least shift at which every threshold leaves room. @throws UNSUPPORTED for thresholds below one step */
const shiftOf = (node: Neuron, units: readonly number[]): number => {
  if (node.kind === 'li') return 0
  const largest = Math.max(...units.map((unit, i) => parameterAt(node.threshold, i, 1) / unit))
  if (!(largest > 0)) throw unsupported(`${whereOf(node)} has a threshold that is not above 0.`, 'Integer units fire from 1 on.')
  const shift = Math.max(0, Math.ceil(Math.log2(largest / THRESHOLD_ROOM)))
  if (shift > MAX_SHIFT)
    throw unsupported(
      `${whereOf(node)}: its threshold is ${largest} steps of its input.`,
      `At most 2^${MAX_SHIFT} times ${THRESHOLD_ROOM} are possible; scale the input up.`,
    )
  return shift
}

const quantizeNeuron = (node: Neuron, input: Stored): { readonly node: Node; readonly scales: readonly number[] } => {
  const own = node.kind === 'lif' ? [node.threshold, node.resetTo] : []
  const count = parameterCount(node, [node.leak, node.drive, node.currentLeak, ...own], input.scales)
  const units = Array.from({ length: count }, (_, i) => (input.scales[i % input.scales.length] as number) * gainOf(node, i))
  const bad = units.find((unit) => !(unit > 0 && Number.isFinite(unit)))
  if (bad !== undefined)
    throw unsupported(`${whereOf(node)} counts its input ${bad} times.`, 'Gains of integer units are above 0: put the sign into the weights in front.')
  const shift = shiftOf(node, units)
  const scales = units.map((unit) => unit * 2 ** shift)
  const inSteps = (tensor: Tensor | null, round: (x: number) => number): Tensor | null =>
    tensor === null ? null : int32Tensor(scales.map((scale, i) => clampMembrane(round(parameterAt(tensor, i, 0) / scale))))
  const common = {
    leak: leakTensor(node.leak),
    gain: null,
    drive: inSteps(node.drive, roundHalfEven),
    currentLeak: node.currentLeak === null ? null : leakTensor(node.currentLeak),
    currentGain: null,
    shift,
  }
  if (node.kind === 'li') return { node: { ...node, ...common }, scales }
  const threshold = int32Tensor(scales.map((scale, i) => Math.min(integerThreshold(node, parameterAt(node.threshold, i, 1), scale), MEMBRANE_LIMIT)))
  return { node: { ...node, ...common, threshold, fires: 'reaching', resetTo: inSteps(node.resetTo, roundHalfEven) }, scales: [1] }
}

// ---- types of values ----

/** Operators that pass their input's elements on. */
const MOVES: ReadonlySet<Node['kind']> = new Set(['maxPool', 'globalMaxPool', 'flatten', 'reshape', 'timeSlice', 'carry', 'concat'])

const withShape = (stored: Stored, shape: Shape): Stored => ({ ...stored, type: { ...stored.type, shape } as ValueType })

/** True where an input comes as events: what timeSlice cuts, or a layer of a network that declares spikes. */
const isEventInput = (network: Network, value: number): boolean => consumersOf(network, value).some((node) => node.kind === 'timeSlice')

const inputStored = (network: Network, value: number, range: Range): Stored => {
  const { shape } = typeOf(network, value)
  if (isEventInput(network, value)) return { type: { kind: 'level', shape, levels: range.max <= 1 ? 1 : 255 }, scales: [1] }
  const { scale, zeroPoint } = affineOf(range)
  return { type: perTensor('int8', shape, scale, zeroPoint), scales: [scale] }
}

/** The value that a carried state comes from: spikes, in the end, or an input. */
const carriedFrom = (network: Network, state: number): number => {
  let value = state
  for (let hops = 0; hops <= network.nodes.length; hops++) {
    const producer = producerOf(network, value)
    if (producer?.kind !== 'carry') return value
    value = producer.inputs[0] as number
  }
  return value
}

/** States as they are known before the nodes: membranes, counters, and carried spikes. @throws UNSUPPORTED for states that carry anything else */
const stateStored = (network: Network, state: number): Stored => {
  const { shape } = typeOf(network, state)
  const owner = network.nodes.find((node) => node.states?.includes(state))
  if (owner !== undefined) return { type: isNeuron(owner) ? { kind: 'membrane', shape } : perTensor('int32', shape, 1, 0), scales: [1] }
  const source = producerOf(network, carriedFrom(network, state))
  if (source?.kind !== 'lif')
    throw unsupported(`state "${network.values[state]?.name}" carries ${source?.kind ?? 'an input'}.`, 'Integer networks carry spikes from step to step.')
  return { type: spikes(shape), scales: [1] }
}

const sumPoolStored = (node: NodeOf<'sumPool' | 'averagePool'>, input: Stored, shape: Shape): Stored => {
  const taps = node.kernel[0] * node.kernel[1]
  const levels = (input.type.kind === 'level' ? input.type.levels : 256) * taps
  if (levels > 255) throw unsupported(`${whereOf(node)} sums levels up to ${levels}.`, 'Sums of levels reach 255 at most: use a smaller window.')
  return { type: { kind: 'level', shape, levels }, scales: node.kind === 'sumPool' ? input.scales : input.scales.map((scale) => scale / taps) }
}

/** What a stored input stands for, as the encoder's table has it; delta counts in stored steps. */
const quantizeEncoder = (node: NodeOf<'encode'>, input: Stored, shape: Shape): Result => {
  const scale = input.scales[0] as number
  const real = (i: number): number => (input.type.kind === 'int8' ? scale * (i - 128 - input.type.zeroPoint) : scale * i)
  const stored: Stored = { type: spikes(shape), scales: [1] }
  if (node.code === 'delta') return { node: { ...node, threshold: Math.max(1, roundHalfEven(node.threshold / scale)) }, stored }
  const entry = (i: number): number => (node.code === 'rate' ? rateThreshold(real(i)) | 0 : latencyStep(real(i), node.steps))
  const table: Tensor = { type: perTensor('int32', [256], 1, 0), data: Int32Array.from({ length: 256 }, (_, i) => entry(i)) }
  return { node: { ...node, table }, stored }
}

interface Result {
  readonly node: Node
  readonly stored: Stored
}

const quantizeOne = (network: Network, node: Node, stored: readonly (Stored | undefined)[]): Result => {
  const { shape } = typeOf(network, node.output)
  const input = stored[node.inputs[0] as number] as Stored
  if (isLayer(node)) {
    const inputScale = input.scales[0] as number
    const scales = weightScales(node, readerOf(network, node), inputScale)
    const type = perTensor('int32', shape, Math.fround(inputScale * (scales[0] as number)), 0)
    return { node: quantizeLayer(node, scales, inputScale), stored: { type, scales: scales.map((scale) => inputScale * scale) } }
  }
  if (isNeuron(node)) {
    const neuron = quantizeNeuron(node, input)
    return {
      node: neuron.node,
      stored: node.kind === 'lif' ? { type: spikes(shape), scales: [1] } : { type: { kind: 'membrane', shape }, scales: neuron.scales },
    }
  }
  if (node.kind === 'encode') return quantizeEncoder(node, input, shape)
  if (node.kind === 'sumPool') return { node, stored: sumPoolStored(node, input, shape) }
  if (node.kind === 'averagePool' && input.type.kind === 'level' && node.padding.every((pad) => pad === 0))
    return { node: { ...node, kind: 'sumPool' }, stored: sumPoolStored(node, input, shape) }
  if (MOVES.has(node.kind)) return { node, stored: withShape(input, shape) }
  throw unsupported(`${whereOf(node)} has no form over spikes.`, 'Between spiking layers stand max, sum and average pools, flatten, reshape and concat.')
}

/** Membranes are read as scores: a softmax at the end is left out. */
const withoutSoftmax = (network: Network, value: number): number => {
  const producer = producerOf(network, value)
  return producer?.kind === 'softmax' ? (producer.inputs[0] as number) : value
}

/**
 * The scheme for networks with lif or li units.
 * @throws UNSUPPORTED for what has no integer form, by name; ACCUMULATOR_OVERFLOW
 */
export const quantizeSpiking = (network: Network<'float'>, ranges: readonly Range[]): Network<'integer'> => {
  if (!network.nodes.some(isNeuron)) throw unsupported(`network "${network.name}" has no lif or li units, scheme spiking needs some.`, 'Use scheme int8.')
  const stored: (Stored | undefined)[] = new Array(network.values.length).fill(undefined)
  for (const value of network.inputs) stored[value] = inputStored(network, value, ranges[value] as Range)
  for (const state of statesOf(network)) stored[state] = stateStored(network, state)
  const nodes = network.nodes.flatMap((node) => {
    if (node.kind === 'softmax') return []
    const result = quantizeOne(network, node, stored)
    stored[node.output] = result.stored
    return result.node
  })
  return verify(
    compact<'integer'>({
      ...network,
      stage: 'integer',
      values: network.values.map((value, i): Value => ({ name: value.name, type: stored[i]?.type ?? value.type })),
      nodes,
      outputs: [...new Set(network.outputs.map((value) => withoutSoftmax(network, value)))],
    }),
  )
}
