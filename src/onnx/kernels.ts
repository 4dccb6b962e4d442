// Weights in ONNX's order: convolution kernels [out, in / group, kh, kw], dense matrices with the columns of a flattened image permuted.

import type { OnnxAttribute, OnnxTensor } from '../formats/onnx.js'
import { decodeConstant } from '../network/accumulate.js'
import type { Conv1dNode } from '../network/operators/conv1d.js'
import type { Conv2dNode } from '../network/operators/conv2d.js'
import type { DenseNode } from '../network/operators/dense.js'
import type { DepthwiseConv2dNode } from '../network/operators/depthwise-conv2d.js'
import { channelScale, type QuantizedType, type Shape, type Tensor } from '../network/types.js'
import { asImage } from '../network/window.js'
import { type Draft, ints } from './draft.js'

/** A convolution as ONNX states it. */
export interface Kernel {
  readonly weights: Int8Array // [out, in / group, kh, kw]
  readonly dims: readonly [number, number, number, number]
  readonly group: number
  readonly attributes: Readonly<Record<string, OnnxAttribute>>
}

/** ONNX attributes of a window; padding [top, bottom, left, right] becomes [top, left, bottom, right]. */
export const windowAttributes = (
  kernel: readonly number[],
  stride: readonly number[],
  padding: readonly number[],
  dilation: readonly number[] | null,
): Readonly<Record<string, OnnxAttribute>> => ({
  kernel_shape: ints(kernel),
  strides: ints(stride),
  pads: ints([0, 2, 1, 3].map((i) => padding[i] as number)),
  ...(dilation === null ? {} : { dilations: ints(dilation) }),
})

const group = (count: number): Readonly<Record<string, OnnxAttribute>> => ({ group: { type: 'int', value: count } })

/** Weights as integers: int8 as they are, packed signs as +1 and -1. */
const weightNumbers = (tensor: Tensor): Int8Array => (tensor.type.kind === 'int8' ? (tensor.data as Int8Array) : Int8Array.from(decodeConstant(tensor)))

/** [out, taps, in] -> [out, in, taps]. */
const channelsBeforeTaps = (data: Int8Array, out: number, taps: number, channels: number): Int8Array => {
  const moved = new Int8Array(data.length)
  for (let o = 0; o < out; o++) {
    for (let t = 0; t < taps; t++) for (let c = 0; c < channels; c++) moved[(o * channels + c) * taps + t] = data[(o * taps + t) * channels + c] as number
  }
  return moved
}

export const conv2dKernel = (node: Conv2dNode): Kernel => {
  const [out, kh, kw, channels] = node.weights.type.shape as [number, number, number, number]
  return {
    weights: channelsBeforeTaps(weightNumbers(node.weights), out, kh * kw, channels),
    dims: [out, channels, kh, kw],
    group: 1,
    attributes: { ...windowAttributes([kh, kw], node.stride, node.padding, node.dilation), ...group(1) },
  }
}

export const conv1dKernel = (node: Conv1dNode): Kernel => {
  const [out, k, channels] = node.weights.type.shape as [number, number, number]
  return {
    weights: channelsBeforeTaps(weightNumbers(node.weights), out, k, channels),
    dims: [out, channels, 1, k],
    group: 1,
    attributes: { ...windowAttributes([1, k], [1, node.stride], [0, 0, ...node.padding], [1, node.dilation]), ...group(1) },
  }
}

export const depthwiseKernel = (node: DepthwiseConv2dNode, input: Shape): Kernel => {
  const [kh, kw, out] = node.weights.type.shape as [number, number, number]
  const channels = input[2] as number
  return {
    weights: channelsBeforeTaps(weightNumbers(node.weights), 1, kh * kw, out),
    dims: [out, 1, kh, kw],
    group: channels,
    attributes: { ...windowAttributes([kh, kw], node.stride, node.padding, node.dilation), ...group(channels) },
  }
}

/** Where element i of an image flattened channels first stands in the image flattened channels last. */
const flattenedOrder = (image: Shape): Uint32Array => {
  const [height, width, channels] = asImage(image, 'a flattened value')
  const pixels = height * width
  return Uint32Array.from({ length: pixels * channels }, (_, i) => (i % pixels) * channels + Math.floor(i / pixels))
}

/** Dense weights [out, in] with the columns in the order of the input; `image` is the shape before a flattening that went channels first. */
export const denseMatrix = (node: DenseNode, image: Shape | null): Int8Array => {
  const data = weightNumbers(node.weights)
  if (image === null) return data
  const order = flattenedOrder(image)
  return Int8Array.from(data, (_, i) => {
    const column = i % order.length
    return data[i - column + (order[column] as number)] as number
  })
}

/** [out, in] -> [in, out]. */
export const transposed = (matrix: Int8Array, out: number): Int8Array => {
  const width = matrix.length / out
  return Int8Array.from(matrix, (_, i) => matrix[(i % out) * width + Math.floor(i / out)] as number)
}

/** int8 weights as the stored element type asks: unchanged, or + 128 as uint8. */
export const storedWeights = (name: string, dims: readonly number[], data: Int8Array, element: 'int8' | 'uint8'): OnnxTensor => ({
  name,
  element,
  dims,
  data: element === 'int8' ? data : Uint8Array.from(data, (x) => x + 128),
})

/** The name of a layer's weights. */
export const weightsConstant = (draft: Draft, name: string, dims: readonly number[], data: Int8Array): string => {
  const { weights: element } = draft.options
  return draft.constant(`${name}/weights`, element, dims, storedWeights(`${name}/weights`, dims, data, element).data)
}

/** Names of a layer's weights, their scale and zero point. Scale and zero point are [out] where scales are per channel, else scalars. */
export const weightConstants = (
  draft: Draft,
  name: string,
  tensor: Tensor,
  dims: readonly number[],
  data: Int8Array,
): { readonly weights: string; readonly scale: string; readonly zeroPoint: string } => {
  const type = tensor.type as QuantizedType
  const { weights: element } = draft.options
  const shape = type.channelAxis === null ? [] : [type.scales.length]
  const zeros = element === 'int8' ? new Int8Array(type.scales.length) : new Uint8Array(type.scales.length).fill(128)
  return {
    weights: weightsConstant(draft, name, dims, data),
    scale: draft.constant(`${name}/weights_scale`, 'float32', shape, Float32Array.from(type.scales)),
    zeroPoint: draft.constant(`${name}/weights_zero_point`, element, shape, zeros),
  }
}

/** fl32(sx * sw[c]): the scale of a bias. */
export const biasScales = (input: QuantizedType, weights: QuantizedType): Float32Array =>
  Float32Array.from(weights.scales, (scale) => Math.fround(channelScale(input, 0) * scale))
