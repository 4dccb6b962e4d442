// The layers that spikeport adds to TensorFlow.js (src/train/layers): Staircase, Sign, BinaryDense and BinaryConv2D. Latent weights become their
// signs times the layer's scale, which quantize() recognises.

import { LINEAR } from '../../network/emission.js'
import { MAX_STAIRS, STAIRCASE_CURVES, type StaircaseCurve } from '../../network/operators/staircase.js'
import type { Float32Type, Tensor } from '../../network/types.js'
import { type Padding, type Pair, samePadding } from '../../network/window.js'
import { addNode, type Context, type Convert, float32Tensor, onlySource, plainSource, readValue, shapeOfRank, transposed } from './context.js'
import { brokenLayer, type Layer, refusedLayer, show } from './document.js'
import { countOf, countsOf, flagOf, paddingModeOf } from './settings.js'

const stairsOf = (layer: Layer): { levels: number; curve: StaircaseCurve } => {
  const levels = countOf(layer, 'levels')
  const curve = layer.config.curve ?? 'sigmoid'
  if (levels < 2 || levels > MAX_STAIRS) throw refusedLayer(layer, `has ${levels} levels`, `Use 2 to ${MAX_STAIRS} levels.`)
  if (!STAIRCASE_CURVES.includes(curve as StaircaseCurve)) throw brokenLayer(layer, `has curve ${show(curve)}, expected ${STAIRCASE_CURVES.join(' or ')}`)
  return { levels, curve: curve as StaircaseCurve }
}

export const checkStaircase = (layer: Layer): void => {
  stairsOf(layer)
}

export const convertStaircase: Convert = (context) => {
  const input = readValue(onlySource(context))
  return plainSource(addNode(context, (name) => ({ kind: 'staircase', name, inputs: [input], ...stairsOf(context.layer) })))
}

export const convertSign: Convert = (context) => {
  const input = readValue(onlySource(context))
  return plainSource(addNode(context, (name) => ({ kind: 'sign', name, inputs: [input] })))
}

/** The latent kernel [..., in, out] as weights [out, ..., in] of +1 and -1 over the root of the taps. */
const signWeights = ({ layer, weights }: Context, shape: readonly number[]): Tensor<Float32Type> => {
  const out = shape.at(-1) as number
  const taps = shape.slice(0, -1).reduce((a, b) => a * b, 1)
  const scale = Math.fround(1 / Math.sqrt(taps))
  const latent = transposed(weights.get(layer, 'kernel', shape), taps, out)
  return float32Tensor(
    [out, ...shape.slice(0, -1)],
    latent.map((w) => (w >= 0 ? scale : -scale)),
  )
}

const biasOf = ({ layer, weights }: Context, channels: number): Tensor<Float32Type> | null =>
  flagOf(layer, 'use_bias', false) ? weights.get(layer, 'bias', [channels]) : null

export const convertBinaryDense: Convert = (context) => {
  const { layer } = context
  const source = onlySource(context)
  const [width] = shapeOfRank(context, source, 1) as [number]
  const input = readValue(source)
  const units = countOf(layer, 'units')
  return plainSource(
    addNode(context, (name) => ({
      kind: 'dense',
      name,
      inputs: [input],
      weights: signWeights(context, [width, units]),
      bias: biasOf(context, units),
      emission: LINEAR,
    })),
  )
}

export const checkBinaryConv2d = (layer: Layer): void => {
  if (paddingModeOf(layer) === 'causal') throw brokenLayer(layer, 'has padding causal, which is for one axis')
  countsOf(layer, 'kernel_size', 2)
}

/** Padding same pads with -1. */
export const convertBinaryConv2d: Convert = (context) => {
  const { layer } = context
  const source = onlySource(context)
  const [height, width, channels] = shapeOfRank(context, source, 3) as [number, number, number]
  const input = readValue(source)
  const kernel = countsOf(layer, 'kernel_size', 2) as unknown as Pair
  const stride = countsOf(layer, 'strides', 2, [1, 1]) as unknown as Pair
  const filters = countOf(layer, 'filters')
  const isSame = paddingModeOf(layer) === 'same'
  const sides = [height, width].map((size, axis): Pair => (isSame ? samePadding(size, kernel[axis] as number, stride[axis] as number, 1) : [0, 0]))
  return plainSource(
    addNode(context, (name) => ({
      kind: 'conv2d',
      name,
      inputs: [input],
      stride,
      dilation: [1, 1],
      padding: sides.flat() as unknown as Padding,
      ...(isSame ? { paddingValue: -1 as const } : {}),
      weights: signWeights(context, [...kernel, channels, filters]),
      bias: biasOf(context, filters),
      emission: LINEAR,
    })),
  )
}
