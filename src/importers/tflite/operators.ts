// Each operator of a .tflite file as nodes of a network, in the order of its inputs and outputs; what rounding 'tflite' cannot give bit-exactly is refused.

import { elementCount, type Shape } from '../../network/types.js'
import { type Padding, type Pair, samePadding } from '../../network/window.js'
import {
  activationOf,
  addNode,
  biasOf,
  broken,
  type Context,
  checkSameQuantization,
  constantIntegers,
  emissionOf,
  inputTensor,
  option,
  optionalInput,
  outputTensor,
  outputType,
  plainSource,
  readPlain,
  refused,
  type Source,
  sourceAt,
  valueAt,
  valueType,
  weightsOf,
} from './context.js'

export type Convert = (context: Context) => Source

const PADDING_SAME = 0

/** The shape behind a source, refused where it is not an image. */
const imageOf = (context: Context, { value }: Source): readonly [number, number, number] => {
  const shape = context.builder.shapeOf(value)
  if (shape.length !== 3) throw broken(context, `gets the shape [${shape.join(',')}], expected an image`)
  return shape as unknown as readonly [number, number, number]
}

const windowOf = (context: Context, source: Source, kernel: Pair, dilation: Pair): { readonly stride: Pair; readonly padding: Padding } => {
  const [height, width] = imageOf(context, source)
  const stride: Pair = [option(context, 'strideY'), option(context, 'strideX')]
  if (Math.min(...stride, ...dilation, ...kernel) < 1) throw broken(context, `has stride ${stride}, dilation ${dilation}, kernel ${kernel}, expected 1 or more`)
  if (option(context, 'padding') !== PADDING_SAME) return { stride, padding: source.padding ?? [0, 0, 0, 0] }
  readPlain(context, source)
  const [vertical, horizontal] = [samePadding(height, kernel[0], stride[0], dilation[0]), samePadding(width, kernel[1], stride[1], dilation[1])]
  return { stride, padding: [...vertical, ...horizontal] }
}

const weightsShape = (context: Context): readonly [number, number, number, number] => {
  const { shape, name } = inputTensor(context, 1)
  if (shape.length !== 4) throw broken(context, `has weights "${name}" of shape [${shape.join(',')}], expected 4 axes`)
  return shape as unknown as readonly [number, number, number, number]
}

const convolution: Convert = (context) => {
  const source = sourceAt(context, 0)
  const shape = weightsShape(context)
  const dilation: Pair = [option(context, 'dilationY'), option(context, 'dilationX')]
  const weights = weightsOf(context, 1, shape, 0)
  const window = windowOf(context, source, [shape[1], shape[2]], dilation)
  const layer = { weights, bias: biasOf(context, 2, weights), emission: emissionOf(context) }
  return addNode(context, { kind: 'conv2d', name: context.name, inputs: [source.value], ...layer, ...window, dilation })
}

const depthwise: Convert = (context) => {
  const source = sourceAt(context, 0)
  const [one, ...shape] = weightsShape(context)
  if (one !== 1) throw broken(context, `has depthwise weights with ${one} in front, expected 1`)
  const dilation: Pair = [option(context, 'dilationY'), option(context, 'dilationX')]
  const weights = weightsOf(context, 1, shape, 2)
  const window = windowOf(context, source, [shape[0], shape[1]], dilation)
  const layer = { weights, bias: biasOf(context, 2, weights), emission: emissionOf(context) }
  return addNode(context, { kind: 'depthwiseConv2d', name: context.name, inputs: [source.value], ...layer, ...window, dilation })
}

/** A value as a flat vector: itself, or through a flatten node. */
const flattened = (context: Context, value: number): number => {
  const shape = context.builder.shapeOf(value)
  if (shape.length === 1) return value
  const type = valueType(inputTensor(context, 0), context.stage)
  return context.builder.add({ kind: 'flatten', name: `${context.name}/flatten`, inputs: [value] }, { ...type, shape: [elementCount(shape)] })
}

/** Puts a layer's output into the shape that the file states for it. */
const reshaped = (context: Context, value: number, shape: Shape): Source =>
  shape.length === 1 ? plainSource(value) : addNode(context, { kind: 'reshape', name: `${context.name}/reshape`, inputs: [value], shape })

const fullyConnected: Convert = (context) => {
  const { shape, name } = inputTensor(context, 1)
  if (shape.length !== 2) throw broken(context, `has weights "${name}" of shape [${shape.join(',')}], expected 2 axes`)
  if (option(context, 'weightsFormat') !== 0) throw refused(context, 'has shuffled weights', 'Convert the model again with the default weights format.')
  const value = valueAt(context, 0)
  const inputShape = context.builder.shapeOf(value)
  if (elementCount(inputShape) !== shape[1])
    throw refused(
      context,
      `applies weights of [${shape.join(',')}] to each row of [${inputShape.join(',')}]`,
      'Flatten the value in front of it, or use a 1x1 convolution.',
    )
  const weights = weightsOf(context, 1, shape, 0)
  const layer = { weights, bias: biasOf(context, 2, weights), emission: emissionOf(context) }
  const type = outputType(context)
  const units = context.builder.add(
    { kind: 'dense', name: context.name, inputs: [flattened(context, value)], ...layer },
    { ...type, shape: [shape[0] as number] },
  )
  return reshaped(context, units, type.shape)
}

/** Appends the fused activation of an operator whose node has no bounds of its own. */
const activated = (context: Context, add: (name: string) => Source): Source => {
  const max = activationOf(context)
  if (max === undefined) return add(context.name)
  const { value } = add(`${context.name}/linear`)
  return addNode(context, { kind: 'relu', name: context.name, inputs: [value], max })
}

const pool =
  (kind: 'averagePool' | 'maxPool'): Convert =>
  (context) => {
    const source = sourceAt(context, 0)
    readPlain(context, source)
    checkSameQuantization(context, [0])
    const kernel: Pair = [option(context, 'kernelY'), option(context, 'kernelX')]
    const window = windowOf(context, source, kernel, [1, 1])
    return activated(context, (name) => addNode(context, { kind, name, inputs: [source.value], kernel, ...window }))
  }

const add: Convert = (context) => {
  const inputs = [valueAt(context, 0), valueAt(context, 1)]
  const [a, b] = inputs.map((value) => context.builder.shapeOf(value).join(','))
  if (a !== b) throw refused(context, `adds [${a}] and [${b}]`, 'Give both inputs one shape; spikeport does not broadcast.')
  return addNode(context, { kind: 'add', name: context.name, inputs, emission: emissionOf(context) })
}

const reshape: Convert = (context) => {
  checkSameQuantization(context, [0])
  return addNode(context, { kind: 'reshape', name: context.name, inputs: [valueAt(context, 0)], shape: outputType(context).shape })
}

const softmax: Convert = (context) => {
  if (option(context, 'beta') !== 1) throw refused(context, `has beta ${option(context, 'beta')}`, 'Use a softmax with beta 1.')
  return addNode(context, { kind: 'softmax', name: context.name, inputs: [valueAt(context, 0)] })
}

const relu =
  (max: number | null): Convert =>
  (context) => {
    checkSameQuantization(context, [0])
    return addNode(context, { kind: 'relu', name: context.name, inputs: [valueAt(context, 0)], max })
  }

const concatenation: Convert = (context) => {
  const positions = [...context.operator.inputs.keys()]
  checkSameQuantization(context, positions)
  if (activationOf(context) !== undefined) throw refused(context, 'has a fused activation', 'Put the activation in front of the concatenation.')
  const inputs = positions.map((position) => valueAt(context, position))
  const { shape } = outputTensor(context)
  const axis = option(context, 'axis') + (option(context, 'axis') < 0 ? shape.length : 0)
  if (axis < 1) throw refused(context, `joins along axis ${option(context, 'axis')}, the batch`, 'Join along another axis.')
  const [only] = inputs
  if (only === undefined) throw broken(context, 'joins nothing')
  return inputs.length === 1 ? plainSource(only) : addNode(context, { kind: 'concat', name: context.name, inputs, axis: axis - 1 })
}

/** Zeros around an image, which the convolution behind takes over. */
const pad: Convert = (context) => {
  checkSameQuantization(context, [0])
  const sides = constantIntegers(context, 1)
  const source = plainSource(valueAt(context, 0))
  imageOf(context, source)
  const [n0, n1, top, bottom, left, right, c0, c1] = sides
  if (sides.length !== 8 || [n0, n1, c0, c1].some((side) => side !== 0) || Math.min(...sides) < 0)
    throw refused(context, `pads by [${sides.join(',')}]`, 'Pad only height and width of an image [1, height, width, channels].')
  return { value: source.value, padding: [top as number, bottom as number, left as number, right as number] }
}

/** Refuses the integer mean where TensorFlow Lite's rounds ties otherwise than its average pool, which stands for it here. */
const checkMean = (context: Context, count: number): void => {
  checkSameQuantization(context, [0])
  const type = outputType(context)
  if (type.kind === 'float32' || (option(context, 'keepsDimensions') !== 0 && (count % 2 === 1 || type.zeroPoint === 0))) return
  throw refused(context, `is not the same as an average pool (${count} elements, zero point ${type.zeroPoint})`, 'Use AveragePooling2D over the whole image.')
}

const mean: Convert = (context) => {
  const source = sourceAt(context, 0)
  const [height, width] = imageOf(context, source)
  const axes = [...new Set(constantIntegers(context, 1).map((axis) => (axis < 0 ? axis + 4 : axis)))].sort()
  if (axes.join() !== '1,2') throw refused(context, `averages over the axes ${axes.join(', ')}`, 'Average over height and width of an image.')
  checkMean(context, height * width)
  const inputs = [readPlain(context, source)]
  if (option(context, 'keepsDimensions') === 0) return addNode(context, { kind: 'globalAveragePool', name: context.name, inputs })
  return addNode(context, { kind: 'averagePool', name: context.name, inputs, kernel: [height, width], stride: [1, 1], padding: [0, 0, 0, 0] })
}

/** float32 to int8 right behind a network input: the network takes the integers. */
const quantize: Convert = (context) => {
  const index = context.operator.inputs[0] ?? -1
  const tensor = optionalInput(context, 0)
  if (context.stage === 'float' || tensor?.type !== 'float32' || !context.document.inputs.includes(index))
    throw refused(context, 'stands in the middle of the network', 'QUANTIZE may only turn a float32 input of the network into int8.')
  return sourceAt(context, 0)
}

/** int8 to float32 as the last step: the network gives the integers. */
const dequantize: Convert = (context) => {
  const output = context.operator.outputs[0] ?? -1
  const isRead = context.document.operators.some(({ inputs }) => inputs.includes(output))
  if (context.stage === 'float' || outputTensor(context).type !== 'float32' || isRead)
    throw refused(
      context,
      'stands in the middle of the network',
      'DEQUANTIZE may only turn an int8 output of the network into float32; float16 weights must become float32.',
    )
  return plainSource(valueAt(context, 0))
}

/** One row an operator. */
export const CONVERT: Readonly<Record<string, Convert>> = {
  ADD: add,
  AVERAGE_POOL_2D: pool('averagePool'),
  CONCATENATION: concatenation,
  CONV_2D: convolution,
  DEPTHWISE_CONV_2D: depthwise,
  DEQUANTIZE: dequantize,
  FULLY_CONNECTED: fullyConnected,
  MAX_POOL_2D: pool('maxPool'),
  MEAN: mean,
  PAD: pad,
  QUANTIZE: quantize,
  RELU: relu(null),
  RELU6: relu(6),
  RESHAPE: reshape,
  SOFTMAX: softmax,
}
