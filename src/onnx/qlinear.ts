// The qlinear form: integer operators that give the bytes of src/network/arithmetic.ts in any exact implementation of ONNX. Average pools and adds
// are float32 steps on small integers (docs/arithmetic.md): Cast, Sub, Mul, Add, then QuantizeLinear of scale 1, which is Round, Add, Clip, Cast.

import { unsupported } from '../errors.js'
import { averageScale } from '../network/arithmetic.js'
import { type Emission, requantizeScales } from '../network/emission.js'
import { typeOf } from '../network/graph.js'
import { type NodeTypes, whereOf } from '../network/operator.js'
import { type AddNode, addScale } from '../network/operators/add.js'
import type { ConvolutionBase } from '../network/operators/convolution.js'
import type { DenseNode } from '../network/operators/dense.js'
import type { NodeOf } from '../network/operators/index.js'
import { globalGeometry, type PoolBase, poolGeometry } from '../network/operators/pool.js'
import { type ReluNode, reluBounds } from '../network/operators/relu.js'
import { channelScale, type QuantizedType, type Tensor } from '../network/types.js'
import { asImage, type Geometry } from '../network/window.js'
import { commonLayout, type Draft, int, ints, type Layout, quantizationOf, scalar, shapeConstant, storedZeroPoint } from './draft.js'
import { denseMatrix, type Kernel, transposed, weightConstants, weightsConstant, windowAttributes } from './kernels.js'

const FLOAT32 = 1
const UINT8 = 2
const INT32 = 6

/** Float32 holds every integer up to here exactly, so sums below it are exact in any order. */
const EXACT_FLOAT32 = 2 ** 24

const quantizedAt = (types: NodeTypes, i: number): QuantizedType => types.inputs[i] as QuantizedType

/** Writes a uint8 value by an operator, then bounds it where the emission asks for more than the type's range. */
const writeBounded = (
  draft: Draft,
  value: number,
  layout: Layout,
  [low, high]: readonly [number, number],
  operator: string,
  inputs: readonly string[],
  attributes: NodeAttributes = {},
  domain = '',
): void => {
  if (low <= -128 && high >= 127) {
    draft.write(operator, value, layout, inputs, attributes, domain)
    return
  }
  const name = draft.network.values[value]?.name ?? ''
  const free = draft.node(operator, `${name}/unbounded`, inputs, attributes, domain)
  draft.write('Clip', value, layout, [free, scalar(draft, 'uint8', low + 128), scalar(draft, 'uint8', high + 128)])
}

type NodeAttributes = Parameters<Draft['node']>[3]

const boundsOf = (emission: Emission): readonly [number, number] => (emission.kind === 'requantize' ? [emission.min, emission.max] : [-128, 127])

const biasConstant = (draft: Draft, name: string, bias: Tensor | null, channels: number, dims: readonly number[]): string =>
  draft.constant(`${name}/bias`, 'int32', dims, bias === null ? new Int32Array(channels) : (bias.data as Int32Array))

/** Zero point of the weights as one number: 0, or 128 where they are stored as uint8. */
const weightZeroPoint = (draft: Draft): string => scalar(draft, draft.options.weights, draft.options.weights === 'uint8' ? 128 : 0)

const quantizedInput = (draft: Draft, value: number, layout: 'plain' | 'channelsFirst'): readonly [string, string, string] => {
  const { scale, zeroPoint } = quantizationOf(draft, value)
  return [draft.read(value, layout), scale, zeroPoint ?? '']
}

// ---- sums that are not requantized ----

/** Thresholds compared at once: bounds the memory of the comparison. */
const THRESHOLDS_AT_ONCE = 16

/** Thresholds [channels, count] -> their columns first..first + count - 1 as [count, channels]. */
const thresholdRows = (data: Int32Array, channels: number, first: number, count: number): Int32Array => {
  const levels = data.length / channels
  return Int32Array.from({ length: count * channels }, (_, i) => data[(i % channels) * levels + first + Math.floor(i / channels)] as number)
}

/** How many of some thresholds each sum reaches, int32: a comparison with a new axis 1, summed over it. */
const countReached = (draft: Draft, name: string, sums: string, data: Int32Array, dims: readonly number[], first: number, count: number): string => {
  const rows = draft.constant(`${name}/thresholds_${first}`, 'int32', [count, ...dims], thresholdRows(data, dims[0] as number, first, count))
  const axis = draft.constant('axes/1', 'int64', [1], BigInt64Array.of(1n))
  const reached = draft.node('GreaterOrEqual', `${name}/reached`, [draft.node('Unsqueeze', `${name}/each`, [sums, axis]), rows])
  return draft.node('ReduceSum', `${name}/count`, [draft.node('Cast', `${name}/ones`, [reached], { to: int(INT32) }), axis], { keepdims: int(0) })
}

/** The number of thresholds reached as uint8, or 2 and 0 (+1 and -1) for a sign. All on int32, so exact. `dims`: [channels, 1, ...] as the sums broadcast. */
const writeThresholds = (draft: Draft, value: number, name: string, layout: Layout, sums: string, thresholds: Tensor, dims: readonly number[]): void => {
  const data = thresholds.data as Int32Array
  const levels = data.length / (dims[0] as number)
  if (levels === 1) {
    const reached = draft.node('GreaterOrEqual', `${name}/reached`, [sums, draft.constant(`${name}/thresholds`, 'int32', dims, data)])
    if (typeOf(draft.network, value).kind === 'level') draft.write('Cast', value, layout, [reached], { to: int(UINT8) })
    else draft.write('Where', value, layout, [reached, scalar(draft, 'uint8', 2), scalar(draft, 'uint8', 0)])
    return
  }
  const firsts = Array.from({ length: Math.ceil(levels / THRESHOLDS_AT_ONCE) }, (_, i) => i * THRESHOLDS_AT_ONCE)
  const counts = firsts.map((first) => countReached(draft, name, sums, data, dims, first, Math.min(THRESHOLDS_AT_ONCE, levels - first)))
  const total = counts.reduce((sum, count) => draft.node('Add', `${name}/total`, [sum, count]))
  draft.write('Cast', value, layout, [total], { to: int(UINT8) })
}

/** Adds the bias; gives the sums, or how many thresholds they reach. `dims`: [channels, 1, ...] as the sums broadcast. */
const emitSums = (
  draft: Draft,
  node: ConvolutionBase<string> | DenseNode,
  layout: 'plain' | 'channelsFirst',
  products: string,
  dims: readonly number[],
): void => {
  const { emission, output, name } = node
  if (emission.kind !== 'thresholds') {
    draft.write('Add', output, layout, [products, biasConstant(draft, name, node.bias, dims[0] as number, dims)])
    return
  }
  const bias = node.bias === null ? null : biasConstant(draft, name, node.bias, dims[0] as number, dims)
  const sums = bias === null ? products : draft.node('Add', `${name}/biased`, [products, bias])
  writeThresholds(draft, output, name, layout, sums, emission.thresholds, dims)
}

// ---- convolutions ----

/** Signs padded with -1, stored as 0: ConvInteger by itself pads with the zero point, which adds nothing. */
const paddedSigns = (draft: Draft, node: ConvolutionBase<string>, x: string, kernel: Kernel): readonly [string, NodeAttributes] => {
  const { value: sides } = kernel.attributes['pads'] as { readonly value: readonly number[] }
  if (typeOf(draft.network, node.inputs[0] as number).kind !== 'binary' || sides.every((side) => side === 0)) return [x, kernel.attributes]
  const [top, left, bottom, right] = sides as [number, number, number, number]
  const pads = draft.constant(`${node.name}/padding`, 'int64', [8], BigInt64Array.from([0, 0, top, left, 0, 0, bottom, right], BigInt))
  return [draft.node('Pad', `${node.name}/padded`, [x, pads, scalar(draft, 'uint8', 0)]), { ...kernel.attributes, pads: ints([0, 0, 0, 0]) }]
}

/** int32 sums of any input and weights: ConvInteger, then Add, or thresholds. */
const lowerConvolutionSums = (draft: Draft, node: ConvolutionBase<string>, kernel: Kernel): void => {
  const [input] = node.inputs as [number]
  const [channels] = kernel.dims
  const [x, attributes] = paddedSigns(draft, node, draft.read(input, 'channelsFirst'), kernel)
  const weights = weightsConstant(draft, node.name, kernel.dims, kernel.weights)
  const products = draft.node(
    'ConvInteger',
    `${node.name}/sums`,
    [x, weights, quantizationOf(draft, input).zeroPoint ?? '', weightZeroPoint(draft)],
    attributes,
  )
  emitSums(draft, node, 'channelsFirst', products, [channels, 1, 1])
}

/** conv1d, conv2d and depthwiseConv2d: QLinearConv with an int32 bias, or ConvInteger for sums that are not requantized. */
export const lowerConvolution = (draft: Draft, node: ConvolutionBase<string>, kernel: Kernel): void => {
  if (node.emission.kind !== 'requantize') {
    lowerConvolutionSums(draft, node, kernel)
    return
  }
  const [input] = node.inputs as [number]
  const [x, xScale, xZero] = quantizedInput(draft, input, 'channelsFirst')
  const [channels] = kernel.dims
  const w = weightConstants(draft, node.name, node.weights, kernel.dims, kernel.weights)
  const y = quantizationOf(draft, node.output)
  const bias = node.bias === null ? [] : [biasConstant(draft, node.name, node.bias, channels, [channels])]
  const inputs = [x, xScale, xZero, w.weights, w.scale, w.zeroPoint, y.scale, y.zeroPoint ?? '', ...bias]
  writeBounded(draft, node.output, 'channelsFirst', boundsOf(node.emission), 'QLinearConv', inputs, kernel.attributes)
}

// ---- dense ----

/** A dense layer's input: its name and the image shape behind a flattening that went channels first. */
export const denseInput = (draft: Draft, value: number): { readonly name: string; readonly image: readonly number[] | null } => {
  const flattened = draft.placesOf(value).find((place) => place.layout === 'flattened')
  if (flattened === undefined) return { name: draft.read(value, 'plain'), image: null }
  const producer = draft.network.nodes.find((node) => node.output === value)
  return { name: flattened.name, image: draft.network.values[producer?.inputs[0] ?? 0]?.type.shape ?? null }
}

/** com.microsoft.QGemm: the same sums and the same requantization in one operator of ONNX Runtime. */
const lowerQGemm = (draft: Draft, node: DenseNode, x: string, matrix: Int8Array): void => {
  const dims = node.weights.type.shape
  const { scale, zeroPoint } = quantizationOf(draft, node.inputs[0] as number)
  const w = weightConstants(draft, node.name, node.weights, dims, matrix)
  const y = quantizationOf(draft, node.output)
  const bias = biasConstant(draft, node.name, node.bias, dims[0] as number, [dims[0] as number])
  const inputs = [x, scale, zeroPoint ?? '', w.weights, w.scale, w.zeroPoint, bias, y.scale, y.zeroPoint ?? '']
  writeBounded(draft, node.output, 'plain', boundsOf(node.emission), 'QGemm', inputs, { transB: int(1) }, 'com.microsoft')
}

/**
 * MatMulInteger and Add give the int32 sums; Cast, Mul and QuantizeLinear of scale 1 requantize them: clamp(rne(fl32(fl32(acc) * m)) + zy).
 * The Add stays where there is no bias, so that MatMulInteger, Cast and Mul do not stand together: ONNX Runtime has a fusion for these three.
 */
const lowerMatMulInteger = (draft: Draft, node: DenseNode, types: NodeTypes, x: string, matrix: Int8Array): void => {
  const [units, width] = node.weights.type.shape as [number, number]
  const weights = weightsConstant(draft, node.name, [width, units], transposed(matrix, units))
  const { zeroPoint } = quantizationOf(draft, node.inputs[0] as number)
  const products = draft.node('MatMulInteger', `${node.name}/products`, [x, weights, zeroPoint ?? '', weightZeroPoint(draft)])
  if (node.emission.kind !== 'requantize') {
    emitSums(draft, node, 'plain', products, [units])
    return
  }
  const bias = biasConstant(draft, node.name, node.bias, units, [units])
  const sums = draft.node('Add', `${node.name}/sums`, [products, bias])
  const real = draft.node('Cast', `${node.name}/real`, [sums], { to: int(FLOAT32) })
  const scales = requantizeScales(quantizedAt(types, 0), node.weights.type as QuantizedType, types.output as QuantizedType, units)
  const factor = draft.constant(`${node.name}/factor`, 'float32', [units], scales)
  requantized(draft, node, 'plain', draft.node('Mul', `${node.name}/scaled`, [real, factor]), boundsOf(node.emission), types)
}

export const lowerDense = (draft: Draft, node: DenseNode, types: NodeTypes): void => {
  const { name, image } = denseInput(draft, node.inputs[0] as number)
  const matrix = denseMatrix(node, image)
  if (draft.options.dense === 'qgemm' && node.emission.kind === 'requantize') lowerQGemm(draft, node, name, matrix)
  else lowerMatMulInteger(draft, node, types, name, matrix)
}

/** clamp(rne(x) + zero point): QuantizeLinear of scale 1. */
const requantized = (
  draft: Draft,
  node: NodeOf<'add'> | DenseNode | PoolNode,
  layout: Layout,
  scaled: string,
  bounds: readonly [number, number],
  types: NodeTypes,
): void => {
  const zeroPoint = scalar(draft, 'uint8', storedZeroPoint(types.output as QuantizedType))
  writeBounded(draft, node.output, layout, bounds, 'QuantizeLinear', [scaled, scalar(draft, 'float32', 1), zeroPoint])
}

/** x - zero point in float32. */
const centered = (draft: Draft, name: string, x: string, type: QuantizedType): string => {
  const real = draft.node('Cast', `${name}/real`, [x], { to: int(FLOAT32) })
  if (storedZeroPoint(type) === 0) return real
  return draft.node('Sub', `${name}/centered`, [real, scalar(draft, 'float32', storedZeroPoint(type))])
}

// ---- add ----

/** clamp(rne(fl32(fl32((a - za) ra) + fl32((b - zb) rb))) + zc), every step its own operator. */
export const lowerAdd = (draft: Draft, node: AddNode, types: NodeTypes): void => {
  const layout = commonLayout(draft, node.inputs)
  const terms = node.inputs.map((value, i) => {
    const type = quantizedAt(types, i)
    const name = `${node.name}/${i === 0 ? 'a' : 'b'}`
    const factor = scalar(draft, 'float32', addScale(type, types.output as QuantizedType))
    return draft.node('Mul', `${name}/scaled`, [centered(draft, name, draft.read(value, layout), type), factor])
  })
  requantized(draft, node, layout, draft.node('Add', `${node.name}/sum`, terms), boundsOf(node.emission), types)
}

// ---- pools ----

type PoolNode = NodeOf<'averagePool'> | NodeOf<'globalAveragePool'>

/** Valid taps along one axis, by output position. */
const tapsAlong = (outputs: number, stride: number, pad: number, kernel: number, size: number): Float64Array =>
  Float64Array.from({ length: outputs }, (_, i) => Math.min(size, i * stride - pad + kernel) - Math.max(0, i * stride - pad))

/** The factor of an average: one number, or one a position [oh, ow] where padding changes the count. */
const averageFactors = (draft: Draft, name: string, g: Geometry, types: NodeTypes): string => {
  const [sx, sy] = [channelScale(quantizedAt(types, 0), 0), channelScale(types.output as QuantizedType, 0)]
  const rows = tapsAlong(g.outputHeight, g.strideY, g.padTop, g.kernelHeight, g.inputHeight)
  const columns = tapsAlong(g.outputWidth, g.strideX, g.padLeft, g.kernelWidth, g.inputWidth)
  const counts = Array.from(rows).flatMap((r) => Array.from(columns, (c) => r * c))
  if (counts.every((count) => count === counts[0])) return scalar(draft, 'float32', averageScale(sx, sy, counts[0] as number))
  return draft.constant(
    `${name}/factors`,
    'float32',
    [1, 1, rows.length, columns.length],
    Float32Array.from(counts, (count) => averageScale(sx, sy, count)),
  )
}

/** The sum of a window as float32 AveragePool times the window's size, rounded: exact while sums stay below 2^22, where the mean's error is below 1/2. */
const windowSums = (draft: Draft, node: NodeOf<'averagePool'>, x: string): string => {
  const taps = node.kernel[0] * node.kernel[1]
  if (taps * 255 >= EXACT_FLOAT32 / 4)
    throw unsupported(`${whereOf(node)} averages windows of ${taps} elements, the ONNX exporter takes at most 16448.`, 'Use a global average pool.')
  const attributes = { ...windowAttributes(node.kernel, node.stride, node.padding, null), count_include_pad: int(1) }
  const mean = draft.node('AveragePool', `${node.name}/mean`, [x], attributes)
  const sums = draft.node('Mul', `${node.name}/nearly`, [mean, scalar(draft, 'float32', taps)])
  return draft.node('Round', `${node.name}/sums`, [sums])
}

export const lowerAveragePool = (draft: Draft, node: NodeOf<'averagePool'>, types: NodeTypes): void => {
  const [input] = node.inputs as [number]
  const type = quantizedAt(types, 0)
  const g = poolGeometry(node, type.shape)
  const sums = windowSums(draft, node, centered(draft, node.name, draft.read(input, 'channelsFirst'), type))
  const scaled = draft.node('Mul', `${node.name}/scaled`, [sums, averageFactors(draft, node.name, g, types)])
  requantized(draft, node, 'channelsFirst', scaled, [-128, 127], types)
}

/** The axes of the image in a layout, batch axis counted. */
const imageAxes = (rank: number, layout: 'plain' | 'channelsFirst'): readonly number[] => {
  if (layout === 'channelsFirst') return [2, 3]
  return rank === 3 ? [1, 2] : [1]
}

/** Sums of a whole image: ReduceSum in float32 where exact, in int32 beyond. */
const imageSums = (draft: Draft, node: NodeOf<'globalAveragePool'>, type: QuantizedType, taps: number): string => {
  const layout = commonLayout(draft, node.inputs)
  const x = draft.read(node.inputs[0] as number, layout)
  const axes = imageAxes(type.shape.length, layout)
  const inputs = (name: string): readonly string[] => [name, draft.constant(`axes/${axes.join(',')}`, 'int64', [axes.length], BigInt64Array.from(axes, BigInt))]
  if (taps * 255 <= EXACT_FLOAT32) return draft.node('ReduceSum', `${node.name}/sums`, inputs(centered(draft, node.name, x, type)), { keepdims: int(0) })
  const whole = draft.node('Cast', `${node.name}/whole`, [x], { to: int(INT32) })
  const zeroPoint = draft.constant(`${node.name}/zero_point`, 'int32', [], Int32Array.of(storedZeroPoint(type)))
  const shifted = draft.node('Sub', `${node.name}/centered`, [whole, zeroPoint])
  return draft.node('Cast', `${node.name}/sums`, [draft.node('ReduceSum', `${node.name}/whole_sums`, inputs(shifted), { keepdims: int(0) })], {
    to: int(FLOAT32),
  })
}

export const lowerGlobalAveragePool = (draft: Draft, node: NodeOf<'globalAveragePool'>, types: NodeTypes): void => {
  const type = quantizedAt(types, 0)
  const g = globalGeometry(node, type.shape)
  const sums = imageSums(draft, node, type, g.kernelHeight * g.kernelWidth)
  const scaled = draft.node('Mul', `${node.name}/scaled`, [sums, averageFactors(draft, node.name, g, types)])
  requantized(draft, node, 'plain', scaled, [-128, 127], types)
}

export const lowerMaxPool = (draft: Draft, node: PoolBase<'maxPool'>): void => {
  const x = draft.read(node.inputs[0] as number, 'channelsFirst')
  draft.write('MaxPool', node.output, 'channelsFirst', [x], windowAttributes(node.kernel, node.stride, node.padding, null))
}

/** A MaxPool over the whole image: GlobalMaxPool does not take uint8. */
export const lowerGlobalMaxPool = (draft: Draft, node: NodeOf<'globalMaxPool'>, types: NodeTypes): void => {
  const x = draft.read(node.inputs[0] as number, 'channelsFirst')
  const { shape } = quantizedAt(types, 0)
  const [height, width] = asImage(shape, whereOf(node))
  const largest = draft.node('MaxPool', `${node.name}/largest`, [x], windowAttributes([height, width], [1, 1], [0, 0, 0, 0], null))
  draft.write('Reshape', node.output, 'plain', [largest, shapeConstant(draft, types.output.shape)])
}

// ---- the rest ----

export const lowerRelu = (draft: Draft, node: ReluNode, types: NodeTypes): void => {
  const layout = commonLayout(draft, node.inputs)
  const [low, high] = reluBounds(node.max, types.output as QuantizedType)
  const bounds = [scalar(draft, 'uint8', low + 128), scalar(draft, 'uint8', high + 128)]
  draft.write('Clip', node.output, layout, [draft.read(node.inputs[0] as number, layout), ...bounds])
}

/** The axis of a concatenation in a layout, batch axis counted. */
export const concatAxis = (axis: number, rank: number, layout: 'plain' | 'channelsFirst'): number => {
  if (layout === 'plain') return axis + 1
  return axis === rank - 1 ? 1 : axis + 5 - rank
}

export const lowerConcat = (draft: Draft, node: NodeOf<'concat'>, types: NodeTypes): void => {
  const layout = commonLayout(draft, node.inputs)
  const axis = concatAxis(node.axis, types.output.shape.length, layout)
  draft.write(
    'Concat',
    node.output,
    layout,
    node.inputs.map((value) => draft.read(value, layout)),
    { axis: int(axis) },
  )
}

export const lowerReshape = (draft: Draft, node: NodeOf<'reshape'> | NodeOf<'flatten'>, types: NodeTypes): void => {
  draft.write('Reshape', node.output, 'plain', [draft.read(node.inputs[0] as number, 'plain'), shapeConstant(draft, types.output.shape)])
}

/** A flattening that only dense layers read takes the image as it lies; they permute their columns instead. */
export const lowerFlatten = (draft: Draft, node: NodeOf<'flatten'>, types: NodeTypes): void => {
  const [input] = node.inputs as [number]
  const readers = draft.network.nodes.filter((other) => other.inputs.includes(node.output))
  const onlyDense = readers.length > 0 && readers.every((other) => other.kind === 'dense') && !draft.network.outputs.includes(node.output)
  const isPlain = draft.placesOf(input).some((place) => place.layout === 'plain')
  if (!onlyDense || isPlain) lowerReshape(draft, node, types)
  else draft.write('Reshape', node.output, 'flattened', [draft.read(input, 'channelsFirst'), shapeConstant(draft, types.output.shape)])
}

export const lowerSoftmax = (draft: Draft, node: NodeOf<'softmax'>): void => {
  const [input] = node.inputs as [number]
  const { scale, zeroPoint } = quantizationOf(draft, input)
  const scores = draft.node('DequantizeLinear', `${node.name}/scores`, [draft.read(input, 'plain'), scale, ...(zeroPoint === null ? [] : [zeroPoint])])
  draft.write('Softmax', node.output, 'plain', [scores], { axis: int(-1) })
}
