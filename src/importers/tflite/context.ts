// What an operator's conversion works with: the tensors it reads, the network being built, refusals that name operator and tensor, and the steps
// from a tensor of the file to a type or a constant of a network.

import { malformedFile, unsupported } from '../../errors.js'
import type { TfliteDocument, TfliteOperator, TfliteTensor } from '../../formats/tflite.js'
import type { NetworkBuilder, NodeSpec } from '../../network/builder.js'
import { type Emission, LINEAR } from '../../network/emission.js'
import { reluBounds } from '../../network/operators/relu.js'
import {
  arrayClass,
  elementCount,
  type Float32Type,
  hasEqualQuantization,
  perChannel,
  perTensor,
  type QuantizedType,
  type Shape,
  type Stage,
  type Tensor,
} from '../../network/types.js'
import type { Padding } from '../../network/window.js'

/** A value, and the zero padding that its reader must take over. */
export interface Source {
  readonly value: number
  readonly padding: Padding | null
}

export interface Context {
  readonly path: string
  readonly document: TfliteDocument
  readonly operator: TfliteOperator
  /** its position in the file */
  readonly index: number
  readonly stage: Stage
  readonly builder: NetworkBuilder<Stage>
  /** the source of a tensor; undefined where nothing computed it */
  readonly sources: ReadonlyMap<number, Source>
  /** the node's name; a suffix where an operator becomes several nodes */
  readonly name: string
}

export const plainSource = (value: number): Source => ({ value, padding: null })

/** Names the operator in messages: operator 3 CONV_2D "model/conv". */
export const whereOf = ({ index, operator, name }: Context): string => `operator ${index} ${operator.name} "${name}"`

/** An UNSUPPORTED that names the operator. */
export const refused = (context: Context, what: string, remedy: string): Error => unsupported(`${whereOf(context)} ${what}.`, remedy)

/** A FILE_MALFORMED that names the operator. */
export const broken = (context: Context, what: string): Error => malformedFile(context.path, null, `${whereOf(context)} ${what}`)

export const option = ({ operator }: Context, name: string): number => operator.options[name] as number

const REQUANTIZE = 'Convert the model again with full integer quantization (int8 inputs, weights and activations), or as a float32 model.'

const inTensor = ({ name }: TfliteTensor): string => `tensor "${name}"`

const checkPlain = (tensor: TfliteTensor, kinds: readonly string[]): void => {
  if (!kinds.includes(tensor.type)) throw unsupported(`${inTensor(tensor)} is ${tensor.type}, expected ${kinds.join(' or ')}.`, REQUANTIZE)
  if (tensor.isSparse) throw unsupported(`${inTensor(tensor)} is sparse.`, 'Convert the model without sparsity.')
}

const scaleOf = (tensor: TfliteTensor): number => {
  const { scales, zeroPoints } = tensor
  if (scales.length !== 1 || zeroPoints.length > 1)
    throw unsupported(`${inTensor(tensor)} is int8 with ${scales.length} scales and ${zeroPoints.length} zero points, expected one.`, REQUANTIZE)
  return scales[0] as number
}

/** The shape without the batch axis, which must be 1. */
const shapeOf = (tensor: TfliteTensor): Shape => {
  if (tensor.isDynamic || tensor.shape.some((size) => size < 1))
    throw unsupported(`${inTensor(tensor)} has an unknown size in [${tensor.shape.join(',')}].`, 'Convert the model with fixed input shapes.')
  if (tensor.shape[0] !== 1)
    throw unsupported(`${inTensor(tensor)} has shape [${tensor.shape.join(',')}], the first axis must be a batch of 1.`, 'Convert the model with a batch of 1.')
  return tensor.shape.slice(1)
}

/** The type that a computed tensor has in a network of this stage. @throws UNSUPPORTED naming the tensor */
export const valueType = (tensor: TfliteTensor, stage: Stage): QuantizedType | Float32Type => {
  checkPlain(tensor, stage === 'integer' ? ['int8'] : ['float32'])
  const shape = shapeOf(tensor)
  return stage === 'float' ? { kind: 'float32', shape } : perTensor('int8', shape, scaleOf(tensor), tensor.zeroPoints[0] ?? 0)
}

/** The tensor at a position of the operator's inputs, or null where it is left out. */
export const optionalInput = ({ document, operator }: Context, position: number): TfliteTensor | null => {
  const index = operator.inputs[position] ?? -1
  return index < 0 ? null : (document.tensors[index] as TfliteTensor)
}

export const inputTensor = (context: Context, position: number): TfliteTensor => {
  const tensor = optionalInput(context, position)
  if (tensor === null) throw broken(context, `has no input ${position}`)
  return tensor
}

export const outputTensor = (context: Context): TfliteTensor => {
  const { outputs } = context.operator
  if (outputs.length !== 1) throw broken(context, `has ${outputs.length} outputs, expected 1`)
  return context.document.tensors[outputs[0] as number] as TfliteTensor
}

export const outputType = (context: Context): QuantizedType | Float32Type => valueType(outputTensor(context), context.stage)

/** The source at a position of the inputs, with its padding. */
export const sourceAt = (context: Context, position: number): Source => {
  const tensor = inputTensor(context, position)
  const source = context.sources.get(context.operator.inputs[position] as number)
  if (source !== undefined) return source
  if (tensor.data !== null)
    throw refused(context, `reads the constant "${tensor.name}" as a value`, 'Only weights, biases, shapes, axes and paddings may be constants.')
  throw broken(context, `reads tensor "${tensor.name}", which nothing before it computes`)
}

/** A source's value; a pending padding is refused. */
export const readPlain = (context: Context, { value, padding }: Source): number => {
  if (padding !== null)
    throw refused(context, 'reads a padded value', 'PAD may only stand in front of a convolution with padding VALID: use such a one, or padding SAME.')
  return value
}

/** The value at a position of the inputs. */
export const valueAt = (context: Context, position: number): number => readPlain(context, sourceAt(context, position))

/** Appends a node whose output has the type of the operator's output. */
export const addNode = (context: Context, spec: NodeSpec): Source => plainSource(context.builder.add(spec, outputType(context)))

const COUNT_OF_BYTES = { int8: 1, int32: 4, float32: 4 } as const
type ConstantKind = keyof typeof COUNT_OF_BYTES

/** The elements of a constant, copied; undefined where it is not a constant. */
const elementsOf = (context: Context, tensor: TfliteTensor, kind: ConstantKind): Tensor['data'] => {
  checkPlain(tensor, [kind])
  if (tensor.data === null) throw refused(context, `computes or feeds "${tensor.name}"`, 'Weights, biases, axes and paddings must be constants.')
  if (tensor.shape.some((size) => size < 1) || elementCount(tensor.shape) * COUNT_OF_BYTES[kind] !== tensor.data.length)
    throw broken(context, `has ${tensor.data.length} bytes in "${tensor.name}", its shape [${tensor.shape.join(',')}] takes another number`)
  return new (arrayClass(kind))(new Uint8Array(tensor.data).buffer) // a Buffer's slice() would not copy
}

/** Small int32 constants: axes, paddings. */
export const constantIntegers = (context: Context, position: number): readonly number[] =>
  Array.from(elementsOf(context, inputTensor(context, position), 'int32') as Int32Array)

/** Weights under a network's shape; `axis` of that shape counts output channels. */
export const weightsOf = (context: Context, position: number, shape: Shape, axis: number): Tensor => {
  const tensor = inputTensor(context, position)
  if (context.stage === 'float') return { type: { kind: 'float32', shape }, data: elementsOf(context, tensor, 'float32') }
  const data = elementsOf(context, tensor, 'int8')
  if (tensor.zeroPoints.some((zero) => zero !== 0)) throw refused(context, `has weights "${tensor.name}" with a zero point`, REQUANTIZE)
  if (tensor.scales.length === 1) return { type: perTensor('int8', shape, tensor.scales[0] as number, 0), data }
  const fileAxis = axis + tensor.shape.length - shape.length
  if (tensor.channelAxis !== fileAxis || tensor.scales.length !== shape[axis])
    throw refused(
      context,
      `has weights "${tensor.name}" with ${tensor.scales.length} scales along axis ${tensor.channelAxis}, expected axis ${fileAxis}`,
      REQUANTIZE,
    )
  return { type: perChannel('int8', shape, tensor.scales, axis), data }
}

/** The bias at a position of the inputs, or null. Its scales follow from input and weights, whatever the file says. */
export const biasOf = (context: Context, position: number, weights: Tensor): Tensor | null => {
  const tensor = optionalInput(context, position)
  if (tensor === null) return null
  const shape = [elementCount(tensor.shape)]
  if (context.stage === 'float') return { type: { kind: 'float32', shape }, data: elementsOf(context, tensor, 'float32') }
  const scale = scaleOf(inputTensor(context, 0))
  const { scales, channelAxis } = weights.type as QuantizedType
  const products = scales.map((s) => Math.fround(scale * s))
  const type = channelAxis === null ? perTensor('int32', shape, products[0] as number, 0) : perChannel('int32', shape, products, 0)
  return { type, data: elementsOf(context, tensor, 'int32') }
}

const ACTIVATIONS = ['NONE', 'RELU', 'RELU_N1_TO_1', 'RELU6', 'TANH', 'SIGN_BIT'] as const

/** The upper bound of the fused activation: undefined without one, null for RELU, 6 for RELU6. */
export const activationOf = (context: Context): number | null | undefined => {
  const name = ACTIVATIONS[option(context, 'activation')] ?? `activation ${option(context, 'activation')}`
  if (name === 'NONE') return undefined
  if (name === 'RELU') return null
  if (name === 'RELU6') return 6
  throw refused(context, `has the fused activation ${name}`, 'Fused activations may be NONE, RELU or RELU6.')
}

/** The emission of a layer with the operator's fused activation. */
export const emissionOf = (context: Context): Emission => {
  const max = activationOf(context)
  const output = outputType(context)
  if (output.kind === 'float32') return max === undefined ? LINEAR : { kind: 'clamp', min: 0, max }
  const [low, high] = max === undefined ? [-128, 127] : reluBounds(max, output, 'tflite')
  return { kind: 'requantize', min: low, max: high }
}

/** Refuses an operator that moves numbers from one quantization to another. */
export const checkSameQuantization = (context: Context, positions: readonly number[]): void => {
  const output = outputType(context)
  for (const position of positions) {
    if (!hasEqualQuantization(valueType(inputTensor(context, position), context.stage), output))
      throw refused(
        context,
        'has an input and an output of different scale or zero point',
        'Convert the model with a current converter, which gives both one quantization.',
      )
  }
}
