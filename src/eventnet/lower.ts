// Lowers each operator of an integer network to a node of the flash format: one row an operator. Factors of requantizations are computed
// here, once, and stored as constants.

import type { Row } from '../contracts/exporter.js'
import { unsupported } from '../errors.js'
import { type ConstantAt, type EventnetNode, type FieldValues, NO_VALUE, VALUE_KIND_CODES } from '../formats/eventnet/index.js'
import { averageScale } from '../network/arithmetic.js'
import { addMultipliers, type Multiplier, softmaxScale } from '../network/arithmetic-tflite.js'
import { type Emission, type MultiplierRule, requantizeMultipliers, requantizeScales } from '../network/emission.js'
import { type NodeTypes, whereOf } from '../network/operator.js'
import { addScale } from '../network/operators/add.js'
import { concatChunk } from '../network/operators/concat.js'
import { conv1dGeometry } from '../network/operators/conv1d.js'
import { conv2dGeometry } from '../network/operators/conv2d.js'
import { depthwiseGeometry } from '../network/operators/depthwise-conv2d.js'
import { ENCODE_CODES } from '../network/operators/encode.js'
import type { NodeOf, OperatorKind } from '../network/operators/index.js'
import type { NeuronBase } from '../network/operators/neuron.js'
import { globalGeometry, poolGeometry } from '../network/operators/pool.js'
import { reluBounds } from '../network/operators/relu.js'
import { byteLength, channelScale, type ElementArray, elementCount, isQuantized, type NodeBase, type QuantizedType, type Tensor } from '../network/types.js'
import { type Geometry, MAX_AXIS, type Padding } from '../network/window.js'

/** What lowering a node needs of the file around it. */
export interface LowerContext {
  readonly types: NodeTypes
  readonly runsOverTime: boolean
  /** stores elements that can change on a device (weights, bias) */
  readonly storeTunable: (data: ElementArray) => ConstantAt
  /** stores elements that never change */
  readonly store: (data: ElementArray) => ConstantAt
}

type Lowered = Pick<EventnetNode, 'operator' | 'fields' | 'emission'> & { readonly chunks?: readonly number[] }
type Lower<K extends OperatorKind> = (node: NodeOf<K>, context: LowerContext) => Lowered

/** The most valid taps of an average whose sum fits int32. */
const MAX_AVERAGE_TAPS = 2 ** 23
const NO_EMISSION = { kind: 'none', fields: {} } as const
const NO_PADDING: Padding = [0, 0, 0, 0]

const quantized = (types: NodeTypes, input: number): QuantizedType => types.inputs[input] as QuantizedType

/** One factor where all are equal: a per-tensor layer stores four bytes, not four a channel. */
const compactFactors = (factors: Float32Array): Float32Array => (factors.every((m) => m === factors[0]) ? factors.slice(0, 1) : factors)

const compactMultipliers = (all: readonly Multiplier[]): readonly Multiplier[] =>
  all.every(({ q, shift }) => q === all[0]?.q && shift === all[0]?.shift) ? all.slice(0, 1) : all

/** Multipliers of rounding 'tflite' as they are stored: int32 q of each, then int8 shift of each. */
const multiplierBytes = (multipliers: readonly Multiplier[]): Uint8Array => {
  const bytes = new Uint8Array(5 * multipliers.length)
  const view = new DataView(bytes.buffer)
  multipliers.forEach(({ q, shift }, i) => {
    view.setInt32(4 * i, q, true)
    view.setInt8(4 * multipliers.length + i, shift)
  })
  return bytes
}

interface Layer extends NodeBase<string> {
  readonly weights: Tensor
  readonly bias: Tensor | null
  readonly emission: Emission
}

/** Stores the factors of a requantization in the form of the network's rounding. */
const storeFactors = (node: Layer, channels: number, { types, store }: LowerContext, rule: MultiplierRule): FieldValues => {
  const layer = [quantized(types, 0), node.weights.type as QuantizedType, types.output as QuantizedType, channels] as const
  if (types.rounding === 'single') {
    const factors = compactFactors(requantizeScales(...layer))
    return { scales: store(factors), scaleCount: factors.length }
  }
  const multipliers = compactMultipliers(requantizeMultipliers(...layer, rule))
  return { scales: store(multiplierBytes(multipliers)), scaleCount: multipliers.length }
}

const lowerEmission = (node: Layer, channels: number, context: LowerContext, rule: MultiplierRule = 'convolution'): EventnetNode['emission'] => {
  if (node.emission.kind === 'thresholds') {
    const { type, data } = node.emission.thresholds
    return { kind: 'thresholds', fields: { thresholds: context.store(data), levels: type.shape[1] as number } }
  }
  if (node.emission.kind !== 'requantize') return NO_EMISSION
  const { zeroPoint } = context.types.output as QuantizedType
  const { min, max } = node.emission
  return { kind: 'requantize', fields: { ...storeFactors(node, channels, context, rule), zeroPoint, low: min, high: max } }
}

const zeroPointOf = ({ inputs: [input] }: NodeTypes): number => (input !== undefined && isQuantized(input) ? input.zeroPoint : 0)

const GENERAL = { dense: 'generalDense', conv2d: 'generalConv2d', depthwise: 'generalDepthwise' } as const

/** Weights [out, taps, in] (dense: one tap) laid out by input, [in, taps, out]: what one active input adds lies together. */
export const weightsByInput = ({ type, data }: Tensor): Int8Array => {
  const { shape } = type
  const [outputs, inputs] = [shape[0] as number, shape.at(-1) as number]
  const taps = elementCount(shape) / outputs / inputs
  const byInput = new Int8Array(data.length)
  for (let o = 0; o < outputs; o++)
    for (let t = 0; t < taps; t++) for (let i = 0; i < inputs; i++) byInput[(i * taps + t) * outputs + o] = data[(o * taps + t) * inputs + i] as number
  return byInput
}

const SPIKE = { dense: 'spikeDense', conv2d: 'spikeConv2d' } as const

/** In a network that runs over time, layers of levels with int8 weights and int32 sums work through active inputs only. */
const isSpikeLayer = (operator: string, node: Layer, { types, runsOverTime }: LowerContext): operator is keyof typeof SPIKE =>
  runsOverTime && Object.hasOwn(SPIKE, operator) && types.inputs[0]?.kind === 'level' && node.weights.type.kind === 'int8' && node.emission.kind === 'none'

/** A layer with anything but int8 inputs, int8 weights and int8 or int32 outputs is a general one; kernels for int8 never see it. */
const generalized = (lowered: Lowered & { readonly operator: keyof typeof GENERAL }, node: Layer, context: LowerContext): Lowered => {
  const { types } = context
  const isInt8 = types.inputs[0]?.kind === 'int8' && node.weights.type.kind === 'int8' && node.emission.kind !== 'thresholds'
  if (isInt8) return lowered
  if (isSpikeLayer(lowered.operator, node, context)) return { ...lowered, operator: SPIKE[lowered.operator] }
  return { ...lowered, operator: GENERAL[lowered.operator], fields: { ...lowered.fields, weightsKind: VALUE_KIND_CODES[node.weights.type.kind] } }
}

const lowerWeights = (operator: string, node: Layer, context: LowerContext): FieldValues => ({
  inputZeroPoint: zeroPointOf(context.types),
  weights: context.storeTunable(isSpikeLayer(operator, node, context) ? weightsByInput(node.weights) : node.weights.data),
  bias: node.bias === null ? null : context.storeTunable(node.bias.data),
})

const geometryFields = (g: Geometry, [, padBottom, , padRight]: Padding, node: NodeBase<string>): FieldValues => {
  const { padTop, padLeft, ...rest } = g
  const fields = { ...rest, padTop, padBottom, padLeft, padRight }
  const large = Object.entries(fields).find(([, size]) => size > MAX_AXIS)
  if (large !== undefined) throw unsupported(`${whereOf(node)}: ${large[0]} is ${large[1]}.`, `The flash format stores sizes up to ${MAX_AXIS}.`)
  return fields
}

const lowerConvolution = (operator: 'conv2d' | 'depthwise', node: Layer, g: Geometry, padding: Padding, context: LowerContext): Lowered =>
  generalized(
    {
      operator,
      fields: { ...geometryFields(g, padding, node), ...lowerWeights(operator, node, context) },
      emission: lowerEmission(node, g.outputChannels, context),
    },
    node,
    context,
  )

/** Fewest and most valid taps of a window along one axis. */
const tapRange = (out: number, stride: number, kernel: number, size: number, before: number): readonly [number, number] => {
  const counts = Array.from({ length: out }, (_, i) => Math.min(kernel, size - (i * stride - before)) - Math.max(0, before - i * stride))
  return counts.reduce<readonly [number, number]>(([least, most], count) => [Math.min(least, count), Math.max(most, count)], [kernel, 0])
}

const lowerAverage = (node: NodeBase<string>, g: Geometry, padding: Padding, { types, store }: LowerContext): Lowered => {
  const [leastY, mostY] = tapRange(g.outputHeight, g.strideY, g.kernelHeight, g.inputHeight, g.padTop)
  const [leastX, mostX] = tapRange(g.outputWidth, g.strideX, g.kernelWidth, g.inputWidth, g.padLeft)
  const [firstCount, lastCount] = [leastY * leastX, mostY * mostX]
  if (lastCount > MAX_AVERAGE_TAPS)
    throw unsupported(`${whereOf(node)}: a window of ${lastCount} taps.`, `The core sums up to ${MAX_AVERAGE_TAPS} in an int32.`)
  const [input, output] = [quantized(types, 0), types.output as QuantizedType]
  const fields = { ...geometryFields(g, padding, node), inputZeroPoint: input.zeroPoint }
  if (types.rounding === 'tflite')
    return { operator: 'averagePool', fields, emission: { kind: 'round', fields: { zeroPoint: output.zeroPoint, low: -128, high: 127 } } }
  const factors = Float32Array.from({ length: lastCount - firstCount + 1 }, (_, i) =>
    averageScale(channelScale(input, 0), channelScale(output, 0), firstCount + i),
  )
  return {
    operator: 'averagePool',
    fields,
    emission: {
      kind: 'requantizeByCount',
      fields: { scales: store(factors), scaleCount: factors.length, firstCount, zeroPoint: output.zeroPoint, low: -128, high: 127 },
    },
  }
}

const lowerMax = (node: NodeBase<string>, g: Geometry, padding: Padding, { types }: LowerContext): Lowered => ({
  operator: types.inputs[0]?.kind === 'int8' ? 'maxPool' : 'generalMaxPool',
  fields: { ...geometryFields(g, padding, node), inputZeroPoint: zeroPointOf(types) },
  emission: NO_EMISSION,
})

const lowerReshape = (_: unknown, { types }: LowerContext): Lowered => ({
  operator: 'reshape',
  fields: { byteCount: byteLength(types.output) },
  emission: NO_EMISSION,
})

const lowerAddFixed = (node: NodeOf<'add'>, { types, store }: LowerContext): Lowered => {
  const [a, b, output] = [quantized(types, 0), quantized(types, 1), types.output as QuantizedType]
  const { min, max } = node.emission as Extract<Emission, { kind: 'requantize' }>
  const m = addMultipliers(channelScale(a, 0), channelScale(b, 0), channelScale(output, 0))
  return {
    operator: 'addFixed',
    fields: {
      count: elementCount(output.shape),
      zeroPointA: a.zeroPoint,
      zeroPointB: b.zeroPoint,
      factorA: m.a.q,
      factorB: m.b.q,
      shiftA: m.a.shift,
      shiftB: m.b.shift,
    },
    emission: { kind: 'requantize', fields: { scales: store(multiplierBytes([m.output])), scaleCount: 1, zeroPoint: output.zeroPoint, low: min, high: max } },
  }
}

const lowerSoftmaxFixed = (rows: number, count: number, scale: number): Lowered => {
  const { q, shift, least } = softmaxScale(scale)
  return { operator: 'softmaxFixed', fields: { rows, count, factor: q, shift, least }, emission: NO_EMISSION }
}

/** A parameter of spiking units: where its numbers lie and how many they are. */
const parameterFields = (name: string, tensor: Tensor | null, store: LowerContext['store']): FieldValues => ({
  [name]: tensor === null ? null : store(tensor.data),
  [`${name}Count`]: tensor === null ? 0 : tensor.data.length,
})

const lowerNeuron = (
  node: NeuronBase<string>,
  { threshold, resetTo, reset }: Pick<NodeOf<'lif'>, 'reset' | 'resetTo'> & { readonly threshold: Tensor | null },
  { types, store, storeTunable }: LowerContext,
): Lowered => ({
  operator: 'neuron',
  fields: {
    count: elementCount(types.output.shape),
    membrane: node.states[0] as number,
    current: node.states[1] ?? NO_VALUE,
    shift: node.shift,
    subtracts: reset === 'subtract' ? 1 : 0,
    ...parameterFields('leak', node.leak, storeTunable),
    ...parameterFields('drive', node.drive, store),
    ...parameterFields('currentLeak', node.currentLeak, storeTunable),
    ...parameterFields('threshold', threshold, storeTunable),
    ...parameterFields('resetTo', resetTo, store),
  },
  emission: NO_EMISSION,
})

const inputShape = ({ types }: LowerContext): readonly number[] => types.inputs[0]?.shape ?? []

/** One row an operator. */
export const LOWER: { readonly [K in OperatorKind]: Row<Lower<K>> } = {
  dense: {
    lower: (node, context) => {
      const [units, inputSize] = node.weights.type.shape as readonly [number, number]
      const fields = { inputSize, units, ...lowerWeights('dense', node, context) }
      return generalized({ operator: 'dense', fields, emission: lowerEmission(node, units, context, 'dense') }, node, context)
    },
  },
  conv1d: {
    lower: (node, context) => lowerConvolution('conv2d', node, conv1dGeometry(node, inputShape(context)), [0, 0, ...node.padding], context),
  },
  conv2d: {
    lower: (node, context) => lowerConvolution('conv2d', node, conv2dGeometry(node, inputShape(context)), node.padding, context),
  },
  depthwiseConv2d: {
    lower: (node, context) => lowerConvolution('depthwise', node, depthwiseGeometry(node, inputShape(context)), node.padding, context),
  },
  averagePool: { lower: (node, context) => lowerAverage(node, poolGeometry(node, inputShape(context)), node.padding, context) },
  maxPool: { lower: (node, context) => lowerMax(node, poolGeometry(node, inputShape(context)), node.padding, context) },
  globalAveragePool: { lower: (node, context) => lowerAverage(node, globalGeometry(node, inputShape(context)), NO_PADDING, context) },
  globalMaxPool: { lower: (node, context) => lowerMax(node, globalGeometry(node, inputShape(context)), NO_PADDING, context) },
  add: {
    lower: (node, context) => {
      const { types } = context
      if (types.rounding === 'tflite') return lowerAddFixed(node, context)
      const [a, b, output] = [quantized(types, 0), quantized(types, 1), types.output as QuantizedType]
      const { min, max } = node.emission as Extract<Emission, { kind: 'requantize' }>
      return {
        operator: 'add',
        fields: {
          count: elementCount(output.shape),
          zeroPointA: a.zeroPoint,
          zeroPointB: b.zeroPoint,
          scaleA: addScale(a, output),
          scaleB: addScale(b, output),
        },
        emission: { kind: 'round', fields: { zeroPoint: output.zeroPoint, low: min, high: max } },
      }
    },
  },
  concat: {
    lower: (node, { types }) => {
      const elementBytes = byteLength(types.output) / elementCount(types.output.shape)
      const chunks = types.inputs.map((type) => concatChunk(type.shape, node.axis) * elementBytes)
      const chunkBytes = concatChunk(types.output.shape, node.axis) * elementBytes
      return { operator: 'concat', fields: { outer: byteLength(types.output) / chunkBytes, chunkBytes }, chunks, emission: NO_EMISSION }
    },
  },
  flatten: { lower: lowerReshape },
  reshape: { lower: lowerReshape },
  relu: {
    lower: (node, { types }) => {
      const output = types.output as QuantizedType
      const [low, high] = reluBounds(node.max, output, types.rounding)
      return { operator: 'relu', fields: { count: elementCount(output.shape), low, high }, emission: NO_EMISSION }
    },
  },
  softmax: {
    lower: (_, { types }) => {
      const { shape } = types.output
      const count = shape.at(-1) ?? 1
      if (types.rounding === 'tflite') return lowerSoftmaxFixed(elementCount(shape) / count, count, channelScale(quantized(types, 0), 0))
      return { operator: 'softmax', fields: { rows: elementCount(shape) / count, count, scale: channelScale(quantized(types, 0), 0) }, emission: NO_EMISSION }
    },
  },
  batchNorm: { unsupported: 'exists in the float stage only; simplify() folds it away' },
  sign: { unsupported: 'exists in the float stage only; quantize() turns it into thresholds' },
  lif: { lower: (node, context) => lowerNeuron(node, node, context) },
  li: { lower: (node, context) => lowerNeuron(node, { threshold: null, resetTo: null, reset: 'zero' }, context) },
  carry: { lower: lowerReshape },
  sumPool: {
    lower: (node, context) => ({
      operator: 'sumPool',
      fields: { ...geometryFields(poolGeometry(node, inputShape(context)), node.padding, node), inputZeroPoint: 0 },
      emission: NO_EMISSION,
    }),
  },
  timeSlice: {
    lower: (node, { types }) => ({
      operator: 'timeSlice',
      fields: { steps: types.inputs[0]?.shape[0] ?? 1, sliceBytes: byteLength(types.output), counter: node.states[0] as number },
      emission: NO_EMISSION,
    }),
  },
  encode: {
    lower: (node, { types, store }) => ({
      operator: 'encode',
      fields: {
        count: elementCount(types.inputs[0]?.shape ?? []),
        state: node.states[0] as number,
        code: ENCODE_CODES.indexOf(node.code),
        seed: node.seed,
        table: node.table === null ? null : store(node.table.data),
        threshold: node.code === 'delta' ? node.threshold : 1,
      },
      emission: NO_EMISSION,
    }),
  },
  staircase: { unsupported: 'exists in the float stage only; quantize() turns it into thresholds' },
}
