// Folding a batch norm y = scale x + shift (per channel) into the layer in front of it, into the layer behind it, or into a 1x1 depthwise layer.

import { unsupported } from '../errors.js'
import { type ClampEmission, LINEAR } from '../network/emission.js'
import { type BatchNormNode, batchNormAffine } from '../network/operators/batch-norm.js'
import type { Node, NodeOf } from '../network/operators/index.js'
import type { Shape, Tensor } from '../network/types.js'

type Foldable = NodeOf<'dense' | 'conv1d' | 'conv2d' | 'depthwiseConv2d'>
type Affine = ReturnType<typeof batchNormAffine>

const isFoldable = (node: Node): node is Foldable => 'weights' in node
const isLinear = ({ emission }: Foldable): boolean =>
  emission.kind === 'clamp' && (emission as ClampEmission).min === null && (emission as ClampEmission).max === null

const float32 = (shape: Shape, values: ArrayLike<number>): Tensor => ({ type: { kind: 'float32', shape }, data: Float32Array.from(values) })

/** The output channel that a weight belongs to: the last axis of depthwise weights, the first of all others. */
const outputChannel = (node: Foldable): ((index: number) => number) => {
  const { shape } = node.weights.type
  if (node.kind === 'depthwiseConv2d') return (i) => i % (shape[2] as number)
  const inner = shape.slice(1).reduce((a, b) => a * b, 1)
  return (i) => Math.floor(i / inner)
}

/** The layer in front with the batch norm inside: w' = scale w, b' = scale b + shift. null where it cannot be. */
export const foldBackward = (producer: Node, norm: BatchNormNode): Foldable | null => {
  if (!isFoldable(producer) || !isLinear(producer)) return null
  const affine = batchNormAffine(norm)
  const channelOf = outputChannel(producer)
  const weights = Float32Array.from(producer.weights.data as ArrayLike<number>, (w, i) => w * (affine[channelOf(i)] as Affine[number])[0])
  const bias = affine.map(([scale, shift], c) => scale * ((producer.bias?.data[c] as number | undefined) ?? 0) + shift)
  return { ...producer, weights: float32(producer.weights.type.shape, weights), bias: float32([bias.length], bias) } as Foldable
}

const hasPadding = (node: Foldable): boolean => 'padding' in node && (node.padding as readonly number[]).some((p) => p > 0)

/** The layer behind with the batch norm inside: w' = w scale, b' = b + sum w shift. Only where no padding enters the sum, else null. */
export const foldForward = (norm: BatchNormNode, reader: Node): Foldable | null => {
  if (!isFoldable(reader) || reader.kind === 'depthwiseConv2d' || hasPadding(reader)) return null
  const affine = batchNormAffine(norm)
  const channelOf = outputChannel(reader)
  const bias = Float64Array.from({ length: reader.weights.type.shape[0] as number }, (_, c) => (reader.bias?.data[c] as number | undefined) ?? 0)
  const weights = Float32Array.from(reader.weights.data as ArrayLike<number>, (w, i) => {
    const [scale, shift] = affine[i % affine.length] as Affine[number]
    bias[channelOf(i)] = (bias[channelOf(i)] as number) + w * shift
    return w * scale
  })
  return { ...reader, weights: float32(reader.weights.type.shape, weights), bias: float32([bias.length], bias) } as Foldable
}

/** The batch norm as a layer of its own: a 1x1 depthwise convolution over an image. @throws UNSUPPORTED for other shapes */
export const standAlone = (norm: BatchNormNode, shape: Shape): NodeOf<'depthwiseConv2d'> => {
  if (shape.length !== 3) {
    throw unsupported(
      `batch normalization "${norm.name}" over [${shape.join(',')}] has no dense or convolution layer beside it to fold into.`,
      'Put the batch normalization directly behind a linear dense or convolution layer, before its activation.',
    )
  }
  const affine = batchNormAffine(norm)
  return {
    kind: 'depthwiseConv2d',
    name: norm.name,
    inputs: norm.inputs,
    output: norm.output,
    weights: float32(
      [1, 1, affine.length],
      affine.map(([scale]) => scale),
    ),
    bias: float32(
      [affine.length],
      affine.map(([, shift]) => shift),
    ),
    emission: LINEAR,
    stride: [1, 1],
    dilation: [1, 1],
    padding: [0, 0, 0, 0],
  }
}
