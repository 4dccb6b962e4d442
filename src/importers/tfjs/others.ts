// Layers without a kernel: pools, merges, shapes, activations, batch norm, zero padding, and those that do nothing at inference.

import { LINEAR } from '../../network/emission.js'
import { elementCount, type Float32Type, type Shape, type Tensor } from '../../network/types.js'
import { type Padding, type Pair, samePadding } from '../../network/window.js'
import { addNode, type Context, type Convert, float32Tensor, onlySource, plainSource, readValue, shapeOfRank, withSoftmax } from './context.js'
import { brokenLayer, type Layer, refusedLayer, show } from './document.js'
import { ACTIVATION_REMEDY, activationOf, axisOf, countsOf, flagOf, numberOf, paddingModeOf, refuseChannelsFirst, zeroPaddingOf } from './settings.js'

/** Dropout, noise and their like: nothing at inference. */
export const convertIdentity: Convert = onlySource

const POOL_KINDS = { max: 'maxPool', average: 'averagePool' } as const
const GLOBAL_KINDS = { max: 'globalMaxPool', average: 'globalAveragePool' } as const

export const checkPool =
  (axes: number) =>
  (layer: Layer): void => {
    refuseChannelsFirst(layer)
    countsOf(layer, 'strides', axes, countsOf(layer, 'pool_size', axes, new Array<number>(axes).fill(2)))
    if (paddingModeOf(layer) === 'causal') throw brokenLayer(layer, 'has padding causal, which is for Conv1D')
  }

export const convertPool =
  (reduce: keyof typeof POOL_KINDS, axes: 1 | 2): Convert =>
  (context) => {
    const { layer, builder } = context
    const input = readValue(onlySource(context))
    shapeOfRank(context, plainSource(input), axes + 1)
    const size = countsOf(layer, 'pool_size', axes, new Array<number>(axes).fill(2))
    const step = countsOf(layer, 'strides', axes, size)
    const isSame = paddingModeOf(layer) === 'same'
    const sides = size.map((k, axis): Pair => (isSame ? samePadding(builder.shapeOf(input)[axis] as number, k, step[axis] as number, 1) : [0, 0]))
    const wide = <T>(list: readonly T[], height: T): readonly [T, T] => (axes === 1 ? [height, list[0] as T] : [list[0] as T, list[1] as T])
    const padding = wide<Pair>(sides, [0, 0]).flat() as unknown as Padding
    return plainSource(addNode(context, (name) => ({ kind: POOL_KINDS[reduce], name, inputs: [input], kernel: wide(size, 1), stride: wide(step, 1), padding })))
  }

export const convertGlobalPool =
  (reduce: keyof typeof GLOBAL_KINDS, axes: 1 | 2): Convert =>
  (context) => {
    const input = readValue(onlySource(context))
    const shape = shapeOfRank(context, plainSource(input), axes + 1)
    const keepsAxes = flagOf(context.layer, 'keepdims', false)
    const pooled = addNode(context, (name) => ({ kind: GLOBAL_KINDS[reduce], name, inputs: [input] }))
    if (!keepsAxes) return plainSource(pooled)
    return plainSource(
      addNode(
        context,
        (name) => ({ kind: 'reshape', name, inputs: [pooled], shape: [...new Array<number>(axes).fill(1), shape.at(-1) as number] }),
        'keepdims',
      ),
    )
  }

export const convertAdd: Convert = (context) => {
  const { layer, sources, builder } = context
  const [first, ...rest] = sources.map(readValue)
  if (first === undefined) throw brokenLayer(layer, 'reads no value')
  const shapes = sources.map(({ value }) => builder.shapeOf(value).join(','))
  if (new Set(shapes).size > 1) throw refusedLayer(layer, `adds the shapes ${shapes.map((shape) => `[${shape}]`).join(' and ')}`, 'Add values of one shape.')
  const sum = rest.reduce(
    (left, right, i) =>
      addNode(context, (name) => ({ kind: 'add', name, inputs: [left, right], emission: LINEAR }), i === rest.length - 1 ? undefined : `sum${i + 1}`),
    first,
  )
  return plainSource(sum)
}

export const convertConcatenate: Convert = (context) => {
  const { layer, sources, builder } = context
  const inputs = sources.map(readValue)
  const shapes = inputs.map(builder.shapeOf)
  const rank = shapes[0]?.length ?? 0
  const stated = axisOf(layer, -1)
  const axis = stated < 0 ? rank + stated : stated - 1
  if (axis < 0 || axis >= rank)
    throw refusedLayer(layer, `joins along axis ${stated} of [${shapes[0]?.join(',')}]`, 'Join along an axis of the data, not along the batch.')
  if (shapes.some((shape) => shape.length !== rank || shape.some((size, i) => i !== axis && size !== shapes[0]?.[i]))) {
    throw brokenLayer(layer, `joins the shapes ${show(shapes)}, which differ outside the axis`)
  }
  if (inputs.length === 1) return plainSource(inputs[0] as number)
  return plainSource(addNode(context, (name) => ({ kind: 'concat', name, inputs, axis })))
}

export const convertFlatten: Convert = (context) => {
  const input = readValue(onlySource(context))
  return plainSource(addNode(context, (name) => ({ kind: 'flatten', name, inputs: [input] })))
}

/** target_shape with -1 (TensorFlow.js writes null) replaced by what is left. */
const targetShape = (layer: Layer, input: Shape): Shape => {
  const stated = layer.config.target_shape
  const target: unknown = Array.isArray(stated) ? stated.map((size: unknown) => size ?? -1) : stated
  const isShape =
    Array.isArray(target) && target.every((size) => size === -1 || (Number.isInteger(size) && size >= 1)) && target.filter((size) => size === -1).length <= 1
  if (!isShape) throw brokenLayer(layer, `has target_shape ${show(stated)}, expected positive integers and at most one -1`)
  const sizes = target as number[]
  const known = sizes.reduce((product, size) => (size === -1 ? product : product * size), 1)
  const shape = sizes.map((size) => (size === -1 ? elementCount(input) / known : size))
  if (elementCount(shape) !== elementCount(input) || !shape.every(Number.isInteger))
    throw brokenLayer(layer, `cannot turn [${input.join(',')}] into ${show(target)}`)
  return shape
}

export const convertReshape: Convert = (context) => {
  const input = readValue(onlySource(context))
  const shape = targetShape(context.layer, context.builder.shapeOf(input))
  if (shape.length > 4) throw refusedLayer(context.layer, `gives ${shape.length} dimensions`, 'At most 4 dimensions beside the batch are possible.')
  return plainSource(addNode(context, (name) => ({ kind: 'reshape', name, inputs: [input], shape })))
}

const reluMax = (layer: Layer): number | null => {
  if (layer.config.max_value === null || layer.config.max_value === undefined) return null
  const max = numberOf(layer, 'max_value', 0)
  if (max <= 0) throw refusedLayer(layer, `has max_value ${max}`, 'Use a positive max_value, or none.')
  return max
}

export const checkRelu = (layer: Layer): void => {
  reluMax(layer)
  for (const key of ['negative_slope', 'threshold']) {
    const x = numberOf(layer, key, 0)
    if (x !== 0) throw refusedLayer(layer, `has ${key} ${x}`, 'Use a plain ReLU, with or without max_value.')
  }
}

export const convertRelu: Convert = (context) => {
  const input = readValue(onlySource(context))
  return plainSource(addNode(context, (name) => ({ kind: 'relu', name, inputs: [input], max: reluMax(context.layer) })))
}

const softmaxNode: Convert = (context) => withSoftmax(context, readValue(onlySource(context)), true)
const reluNode =
  (max: number | null): Convert =>
  (context) => {
    const input = readValue(onlySource(context))
    return plainSource(addNode(context, (name) => ({ kind: 'relu', name, inputs: [input], max })))
  }

const ACTIVATION_LAYERS: ReadonlyMap<string, Convert> = new Map([
  ['linear', convertIdentity],
  ['relu', reluNode(null)],
  ['relu6', reluNode(6)],
  ['softmax', softmaxNode],
])

const activationLayer = (layer: Layer): Convert => {
  const convert = ACTIVATION_LAYERS.get(activationOf(layer))
  if (convert === undefined) throw refusedLayer(layer, `has the activation ${activationOf(layer)}`, ACTIVATION_REMEDY)
  return convert
}

export const checkActivation = (layer: Layer): void => {
  activationLayer(layer)
}

export const convertActivation: Convert = (context) => activationLayer(context.layer)(context)

const refuseOtherAxis = ({ layer, builder }: Context, value: number): void => {
  const rank = builder.shapeOf(value).length
  const axis = axisOf(layer, -1)
  if (axis !== -1 && axis !== rank) throw refusedLayer(layer, `works along axis ${axis} of ${rank + 1}`, 'Only the last axis (-1) is supported.')
}

export const convertSoftmax: Convert = (context) => {
  refuseOtherAxis(context, readValue(onlySource(context)))
  return softmaxNode(context)
}

export const convertBatchNorm: Convert = (context) => {
  const { layer, weights, builder } = context
  const input = readValue(onlySource(context))
  refuseOtherAxis(context, input)
  const channels = builder.shapeOf(input).at(-1) ?? 1
  const weight = (name: string): Tensor<Float32Type> => weights.get(layer, name, [channels])
  const constant = (x: number): Tensor<Float32Type> => float32Tensor([channels], new Float32Array(channels).fill(x))
  return plainSource(
    addNode(context, (name) => ({
      kind: 'batchNorm',
      name,
      inputs: [input],
      gamma: flagOf(layer, 'scale', true) ? weight('gamma') : constant(1),
      beta: flagOf(layer, 'center', true) ? weight('beta') : constant(0),
      mean: weight('moving_mean'),
      variance: weight('moving_variance'),
      epsilon: numberOf(layer, 'epsilon', 0.001),
    })),
  )
}

export const checkZeroPadding =
  (axes: 1 | 2) =>
  (layer: Layer): void => {
    refuseChannelsFirst(layer)
    zeroPaddingOf(layer, axes)
  }

/** No node: the convolution that follows takes the padding over. */
export const convertZeroPadding =
  (axes: 1 | 2): Convert =>
  (context) => {
    const source = onlySource(context)
    readValue({ ...source, padding: null })
    shapeOfRank(context, source, axes + 1)
    const pairs = zeroPaddingOf(context.layer, axes)
    const own = [...(axes === 1 ? [0, 0] : (pairs[0] as Pair)), ...(pairs.at(-1) as Pair)]
    const sides = own.map((n, i) => n + (source.padding?.sides[i] ?? 0)) as unknown as Padding
    return { ...source, padding: sides.every((n) => n === 0) ? null : { sides, by: context.layer } }
  }
