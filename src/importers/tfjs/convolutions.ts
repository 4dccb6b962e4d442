// Dense and convolution layers: weights from tfjs layout ([..., in, out]) to the network's ([out, ..., in]), padding modes to
// explicit padding, a zero padding in front taken over.

import type { Float32Type, Shape, Tensor } from '../../network/types.js'
import { type Padding, type Pair, samePadding } from '../../network/window.js'
import { addNode, type Context, type Convert, float32Tensor, onlySource, readValue, type Source, shapeOfRank, transposed, withSoftmax } from './context.js'
import { brokenLayer, type Layer, refusedLayer } from './document.js'
import { countOf, countsOf, flagOf, type PaddingMode, paddingModeOf, readActivation, refuseChannelsFirst } from './settings.js'

/** A window as the layer states it, one number an axis. */
interface WindowSettings {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
  readonly mode: PaddingMode
}

const windowSettings = (layer: Layer, axes: number): WindowSettings => {
  const ones = new Array<number>(axes).fill(1)
  return {
    kernel: countsOf(layer, 'kernel_size', axes),
    stride: countsOf(layer, 'strides', axes, ones),
    dilation: countsOf(layer, 'dilation_rate', axes, ones),
    mode: paddingModeOf(layer),
  }
}

/** Checks what a convolution's config says without its input. */
export const checkConvolution =
  (axes: number) =>
  (layer: Layer): void => {
    refuseChannelsFirst(layer)
    readActivation(layer)
    const { mode } = windowSettings(layer, axes)
    if (mode === 'causal' && axes !== 1) throw brokenLayer(layer, 'has padding causal, which is for one axis')
    const groups = countOf(layer, 'groups', 1)
    if (groups !== 1) throw refusedLayer(layer, `has ${groups} groups`, 'Use groups 1, or a depthwise convolution.')
  }

/** [before, after] along one axis. */
const axisPadding = ({ kernel, stride, dilation, mode }: WindowSettings, axis: number, size: number): Pair => {
  const [k, s, d] = [kernel[axis] as number, stride[axis] as number, dilation[axis] as number]
  if (mode === 'causal') return [d * (k - 1), 0]
  return mode === 'same' ? samePadding(size, k, s, d) : [0, 0]
}

/** Explicit padding [top, bottom, left, right]; a zero padding layer in front is taken over. `sizes` are [height, width] or [steps]. */
const paddingOf = (layer: Layer, settings: WindowSettings, source: Source, sizes: readonly number[]): Padding => {
  const axes = sizes.map((size, axis) => axisPadding(settings, axis, size))
  const [vertical, horizontal] = axes.length === 1 ? [[0, 0] as Pair, axes[0] as Pair] : [axes[0] as Pair, axes[1] as Pair]
  const own: Padding = [vertical[0], vertical[1], horizontal[0], horizontal[1]]
  if (source.padding === null) return own
  if (settings.mode !== 'valid') readValue(source)
  const { sides, by } = source.padding
  const extents = settings.kernel.map((k, axis) => (settings.dilation[axis] as number) * (k - 1) + 1)
  const [height, width] = extents.length === 1 ? [1, extents[0] as number] : [extents[0] as number, extents[1] as number]
  if ((extents.length > 1 && Math.max(sides[0], sides[1]) >= height) || Math.max(sides[2], sides[3]) >= width) {
    throw refusedLayer(by, `pads ${sides.join(',')}, as much as the whole window of layer "${layer.name}"`, 'Pad less than the kernel that follows covers.')
  }
  return sides
}

const biasOf = ({ layer, weights }: Context, channels: number): Tensor<Float32Type> | null =>
  flagOf(layer, 'use_bias', true) ? weights.get(layer, 'bias', [channels]) : null

const turned = new WeakMap<Tensor<Float32Type>, Tensor<Float32Type>>()

/** The kernel [..., out] of a layer as weights [out, ...]; once a kernel, calls share it. */
const outputsFirst = (kernel: Tensor<Float32Type>): Tensor<Float32Type> => {
  const { shape } = kernel.type
  const out = shape.at(-1) as number
  const weights = turned.get(kernel) ?? float32Tensor([out, ...shape.slice(0, -1)], transposed(kernel, kernel.data.length / out, out))
  turned.set(kernel, weights)
  return weights
}

export const convertConv2d: Convert = (context) => {
  const { layer, weights } = context
  const source = onlySource(context)
  const [height, width, channels] = shapeOfRank(context, source, 3) as [number, number, number]
  const settings = windowSettings(layer, 2)
  const filters = countOf(layer, 'filters')
  const { emission, isSoftmax } = readActivation(layer)
  const value = addNode(context, (name) => ({
    kind: 'conv2d',
    name,
    inputs: [source.value],
    ...windowOf(settings, paddingOf(layer, settings, withoutSoftmax(source), [height, width])),
    weights: outputsFirst(weights.get(layer, 'kernel', [...settings.kernel, channels, filters])),
    bias: biasOf(context, filters),
    emission,
  }))
  return withSoftmax(context, value, isSoftmax, 'softmax')
}

export const convertConv1d: Convert = (context) => {
  const { layer, weights } = context
  const source = onlySource(context)
  const [steps, channels] = shapeOfRank(context, source, 2) as [number, number]
  const settings = windowSettings(layer, 1)
  const filters = countOf(layer, 'filters')
  const { emission, isSoftmax } = readActivation(layer)
  const [, , before, after] = paddingOf(layer, settings, withoutSoftmax(source), [steps])
  const value = addNode(context, (name) => ({
    kind: 'conv1d',
    name,
    inputs: [source.value],
    stride: settings.stride[0] as number,
    dilation: settings.dilation[0] as number,
    padding: [before, after],
    weights: outputsFirst(weights.get(layer, 'kernel', [...settings.kernel, channels, filters])),
    bias: biasOf(context, filters),
    emission,
  }))
  return withSoftmax(context, value, isSoftmax, 'softmax')
}

const windowOf = ({ stride, dilation }: WindowSettings, padding: Padding): { stride: Pair; dilation: Pair; padding: Padding } => ({
  stride: stride as unknown as Pair,
  dilation: dilation as unknown as Pair,
  padding,
})

/** Refuses a source behind a softmax; a pending padding may stay. */
const withoutSoftmax = (source: Source): Source => {
  readValue({ ...source, padding: null })
  return source
}

/**
 * The depthwise weights [kh, kw, in * multiplier] of a kernel [kh, kw, in, multiplier]: the same bytes. TensorFlow.js leaves the
 * multiplier of a separable convolution out of the file, so the kernel's shape decides where the config is silent.
 */
const depthwiseWeights = ({ layer, weights }: Context, settings: WindowSettings, channels: number): Tensor<Float32Type> => {
  const stated = (layer.config.depth_multiplier ?? null) === null ? null : countOf(layer, 'depth_multiplier')
  const kernel = weights.get(layer, 'depthwise_kernel', [...settings.kernel, channels, stated])
  return float32Tensor([...settings.kernel, channels * (kernel.type.shape[3] as number)], kernel.data as Float32Array)
}

export const convertDepthwiseConv2d: Convert = (context) => {
  const { layer } = context
  const source = onlySource(context)
  const [height, width, channels] = shapeOfRank(context, source, 3) as [number, number, number]
  const settings = windowSettings(layer, 2)
  const { emission, isSoftmax } = readActivation(layer)
  const weights = depthwiseWeights(context, settings, channels)
  const value = addNode(context, (name) => ({
    kind: 'depthwiseConv2d',
    name,
    inputs: [source.value],
    ...windowOf(settings, paddingOf(layer, settings, withoutSoftmax(source), [height, width])),
    weights,
    bias: biasOf(context, weights.type.shape[2] as number),
    emission,
  }))
  return withSoftmax(context, value, isSoftmax, 'softmax')
}

/** A separable convolution: depthwise without bias, then 1x1 with bias and activation. */
export const convertSeparableConv2d: Convert = (context) => {
  const { layer, weights } = context
  const source = onlySource(context)
  const [height, width, channels] = shapeOfRank(context, source, 3) as [number, number, number]
  const settings = windowSettings(layer, 2)
  const filters = countOf(layer, 'filters')
  const depthwise = depthwiseWeights(context, settings, channels)
  const { emission, isSoftmax } = readActivation(layer)
  const spread = addNode(
    context,
    (name) => ({
      kind: 'depthwiseConv2d',
      name,
      inputs: [source.value],
      ...windowOf(settings, paddingOf(layer, settings, withoutSoftmax(source), [height, width])),
      weights: depthwise,
      bias: null,
      emission: { kind: 'clamp', min: null, max: null },
    }),
    'depthwise',
  )
  const kernel = weights.get(layer, 'pointwise_kernel', [1, 1, depthwise.type.shape[2] as number, filters])
  const value = addNode(context, (name) => ({
    kind: 'conv2d',
    name,
    inputs: [spread],
    ...POINT,
    weights: outputsFirst(kernel),
    bias: biasOf(context, filters),
    emission,
  }))
  return withSoftmax(context, value, isSoftmax, 'softmax')
}

const POINT = { stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] } as const

/** A dense layer works on the last axis; over an image or a signal it is a convolution with kernel 1. */
export const convertDense: Convert = (context) => {
  const { layer, weights, builder } = context
  const input = readValue(onlySource(context))
  const shape: Shape = builder.shapeOf(input)
  const [units, width] = [countOf(layer, 'units'), shape.at(-1) ?? 0]
  if (shape.length < 1 || shape.length > 3) throw refusedLayer(layer, `works on the shape [${shape.join(',')}]`, 'Flatten in front of the dense layer.')
  const { emission, isSoftmax } = readActivation(layer)
  const matrix = outputsFirst(weights.get(layer, 'kernel', [width, units]))
  const bias = biasOf(context, units)
  const constants = (rank: number) => ({
    weights: float32Tensor([units, ...new Array<number>(rank - 1).fill(1), width], matrix.data as Float32Array),
    bias,
    emission,
  })
  const value = addNode(context, (name) => {
    if (shape.length === 1) return { kind: 'dense', name, inputs: [input], ...constants(1) }
    if (shape.length === 2) return { kind: 'conv1d', name, inputs: [input], stride: 1, dilation: 1, padding: [0, 0], ...constants(2) }
    return { kind: 'conv2d', name, inputs: [input], ...POINT, ...constants(3) }
  })
  return withSoftmax(context, value, isSoftmax, 'softmax')
}
