// The qdq form: float operators between DequantizeLinear and QuantizeLinear, as tools that compile or fuse quantized models expect them.
// Bytes are not promised: engines fuse, and a fused tie may move by one. Values keep the names, layouts and scales of the qlinear form.

import type { OnnxAttribute } from '../formats/onnx.js'
import type { Emission } from '../network/emission.js'
import { typeOf } from '../network/graph.js'
import { type NodeTypes, whereOf } from '../network/operator.js'
import type { ConvolutionBase } from '../network/operators/convolution.js'
import type { DenseNode } from '../network/operators/dense.js'
import type { NodeOf } from '../network/operators/index.js'
import { channelScale, isQuantized, perTensor, type QuantizedType, type Tensor } from '../network/types.js'
import { asImage } from '../network/window.js'
import { commonLayout, type Draft, int, type Layout, quantizationOf, scalar, shapeConstant } from './draft.js'
import { biasScales, denseMatrix, type Kernel, weightConstants, windowAttributes } from './kernels.js'
import { concatAxis, denseInput } from './qlinear.js'

type Attributes = Readonly<Record<string, OnnxAttribute>>
type DenseLayout = 'plain' | 'channelsFirst'

/** True for int8 values, which this form stores as uint8; int32 sums are real numbers here. */
const isStored = (draft: Draft, value: number): boolean => {
  const type = typeOf(draft.network, value)
  return isQuantized(type) && type.kind !== 'int32'
}

/** A stored value as real numbers. One DequantizeLinear a reader, as quantization tools write it. */
const dequantized = (draft: Draft, value: number, stored: string): string => {
  if (!isStored(draft, value)) return stored
  const { scale, zeroPoint } = quantizationOf(draft, value)
  return draft.node('DequantizeLinear', `${draft.network.values[value]?.name}/real`, [stored, scale, zeroPoint ?? ''])
}

const real = (draft: Draft, value: number, layout: DenseLayout): string => dequantized(draft, value, draft.read(value, layout))

/** Writes a value from real numbers: a QuantizeLinear behind the operator, or the operator alone where the value is real. */
const writeReal = (draft: Draft, value: number, layout: Layout, operator: string, inputs: readonly string[], attributes: Attributes = {}): void => {
  if (!isStored(draft, value)) {
    draft.write(operator, value, layout, inputs, attributes)
    return
  }
  const { scale, zeroPoint } = quantizationOf(draft, value)
  const result = draft.node(operator, `${draft.network.values[value]?.name}/float`, inputs, attributes)
  draft.write('QuantizeLinear', value, layout, [result, scale, zeroPoint ?? ''])
}

/** The same with an emission's bounds between: nothing where the type's range bounds already, Relu, or Clip. */
const writeEmission = (
  draft: Draft,
  value: number,
  layout: Layout,
  emission: Emission,
  operator: string,
  inputs: readonly string[],
  attributes: Attributes = {},
): void => {
  if (emission.kind !== 'requantize' || (emission.min <= -128 && emission.max >= 127)) {
    writeReal(draft, value, layout, operator, inputs, attributes)
    return
  }
  const type = typeOf(draft.network, value) as QuantizedType
  const free = draft.node(operator, `${draft.network.values[value]?.name}/unbounded`, inputs, attributes)
  const bound = (q: number): string => scalar(draft, 'float32', Math.fround(channelScale(type, 0) * (q - type.zeroPoint)))
  if (emission.min === type.zeroPoint && emission.max >= 127) writeReal(draft, value, layout, 'Relu', [free])
  else writeReal(draft, value, layout, 'Clip', [free, bound(emission.min), bound(emission.max)])
}

const PER_TENSOR: Attributes = {}

/** Attributes of the DequantizeLinear of a constant: output channels are axis 0, wherever the network has them. */
const axisOf = (tensor: Tensor): Attributes => ((tensor.type as QuantizedType).channelAxis === null ? PER_TENSOR : { axis: int(0) })

/** The weights with the scales that give the layer's real results: raw sums are real in the scale that the network states for them, whatever their weights'. */
const realWeights = (draft: Draft, node: ConvolutionBase<string> | DenseNode): Tensor => {
  if (node.emission.kind !== 'none') return node.weights
  const [input, output] = [node.inputs[0] as number, node.output].map((value) => channelScale(typeOf(draft.network, value) as QuantizedType, 0)) as [
    number,
    number,
  ]
  return { type: perTensor('int8', node.weights.type.shape, output / input, 0), data: node.weights.data }
}

/** Weights and bias of a layer as DequantizeLinear of constants; output channels are axis 0. */
const realConstants = (draft: Draft, node: ConvolutionBase<string> | DenseNode, dims: readonly number[], data: Int8Array): readonly string[] => {
  const tensor = realWeights(draft, node)
  const w = weightConstants(draft, node.name, tensor, dims, data)
  const weights = draft.node('DequantizeLinear', `${node.name}/weights_real`, [w.weights, w.scale, w.zeroPoint], axisOf(tensor))
  if (node.bias === null) return [weights]
  const scales = biasScales(typeOf(draft.network, node.inputs[0] as number) as QuantizedType, tensor.type as QuantizedType)
  const stored = draft.constant(`${node.name}/bias`, 'int32', [dims[0] as number], node.bias.data as Int32Array)
  const scale = draft.constant(`${node.name}/bias_scale`, 'float32', axisOf(tensor) === PER_TENSOR ? [] : [scales.length], scales)
  return [weights, draft.node('DequantizeLinear', `${node.name}/bias_real`, [stored, scale], axisOf(tensor))]
}

export const qdqConvolution = (draft: Draft, node: ConvolutionBase<string>, kernel: Kernel): void => {
  const x = real(draft, node.inputs[0] as number, 'channelsFirst')
  writeEmission(draft, node.output, 'channelsFirst', node.emission, 'Conv', [x, ...realConstants(draft, node, kernel.dims, kernel.weights)], kernel.attributes)
}

export const qdqDense = (draft: Draft, node: DenseNode): void => {
  const [input] = node.inputs as [number]
  const { name, image } = denseInput(draft, input)
  const constants = realConstants(draft, node, node.weights.type.shape, denseMatrix(node, image))
  writeEmission(draft, node.output, 'plain', node.emission, 'Gemm', [dequantized(draft, input, name), ...constants], { transB: int(1) })
}

export const qdqAdd = (draft: Draft, node: NodeOf<'add'>): void => {
  const layout = commonLayout(draft, node.inputs)
  writeEmission(
    draft,
    node.output,
    layout,
    node.emission,
    'Add',
    node.inputs.map((value) => real(draft, value, layout)),
  )
}

const qdqPool =
  (operator: string, extra: Attributes) =>
  (draft: Draft, node: NodeOf<'averagePool'> | NodeOf<'maxPool'>): void =>
    writeReal(draft, node.output, 'channelsFirst', operator, [real(draft, node.inputs[0] as number, 'channelsFirst')], {
      ...windowAttributes(node.kernel, node.stride, node.padding, null),
      ...extra,
    })

export const qdqAveragePool = qdqPool('AveragePool', { count_include_pad: int(0) })
export const qdqMaxPool = qdqPool('MaxPool', {})

const qdqGlobalPool =
  (operator: string) =>
  (draft: Draft, node: NodeOf<'globalAveragePool'> | NodeOf<'globalMaxPool'>, types: NodeTypes): void => {
    const [input] = node.inputs as [number]
    asImage(typeOf(draft.network, input).shape, whereOf(node))
    const pooled = draft.node(operator, `${node.name}/pooled`, [real(draft, input, 'channelsFirst')])
    writeReal(draft, node.output, 'plain', 'Reshape', [pooled, shapeConstant(draft, types.output.shape)])
  }

export const qdqGlobalAveragePool = qdqGlobalPool('GlobalAveragePool')
export const qdqGlobalMaxPool = qdqGlobalPool('GlobalMaxPool')

export const qdqRelu = (draft: Draft, node: NodeOf<'relu'>): void => {
  const layout = commonLayout(draft, node.inputs)
  const x = real(draft, node.inputs[0] as number, layout)
  if (node.max === null) writeReal(draft, node.output, layout, 'Relu', [x])
  else writeReal(draft, node.output, layout, 'Clip', [x, scalar(draft, 'float32', 0), scalar(draft, 'float32', Math.fround(node.max))])
}

export const qdqConcat = (draft: Draft, node: NodeOf<'concat'>, types: NodeTypes): void => {
  const layout = commonLayout(draft, node.inputs)
  const axis = int(concatAxis(node.axis, types.output.shape.length, layout))
  writeReal(
    draft,
    node.output,
    layout,
    'Concat',
    node.inputs.map((value) => real(draft, value, layout)),
    { axis },
  )
}

export const qdqSoftmax = (draft: Draft, node: NodeOf<'softmax'>): void =>
  writeReal(draft, node.output, 'plain', 'Softmax', [real(draft, node.inputs[0] as number, 'plain')], { axis: int(-1) })
