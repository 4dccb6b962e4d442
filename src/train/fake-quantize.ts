// Rounding to the int8 grid in float, with the straight-through gradient: what quantization will do to weights and activations,
// so that training can adapt to it. The same grids as src/quantize: weights symmetric per output channel, activations asymmetric.

import type { Tensor, Tensor2D } from '@tensorflow/tfjs'
import type { TensorFlow } from './tfjs.js'

/** The real numbers an activation takes; always includes 0, so that zero has an exact code. */
export interface Range {
  readonly min: number
  readonly max: number
}

/** The int8 grid of a range: real = scale * (code - zeroPoint). */
export const rangeGrid = ({ min, max }: Range): { scale: number; zeroPoint: number } => {
  const scale = Math.max(max - min, 1e-8) / 255
  return { scale, zeroPoint: Math.max(-128, Math.min(127, Math.round(-128 - min / scale))) }
}

/** x on the grid of a range; the gradient passes where x is inside the range. */
export const fakeQuantize = (tf: TensorFlow, x: Tensor, range: Range): Tensor => {
  const { scale, zeroPoint } = rangeGrid(range)
  const [low, high] = [-128 - zeroPoint, 127 - zeroPoint]
  const round = tf.customGrad((input, save) => {
    const steps = tf.mul(input as Tensor, 1 / scale)
    ;(save as (tensors: Tensor[]) => void)([steps])
    return {
      value: tf.mul(tf.clipByValue(tf.round(steps), low, high), scale),
      gradFunc: (dy, saved) => tf.mul(dy, insideMask(tf, (saved as Tensor[])[0] as Tensor, low - 0.5, high + 0.5)),
    }
  })
  return round(x)
}

const insideMask = (tf: TensorFlow, x: Tensor, low: number, high: number): Tensor =>
  tf.cast(tf.logicalAnd(tf.greaterEqual(x, low), tf.lessEqual(x, high)), 'float32')

/** Weights [rows, channels] on a symmetric grid -127..127 per channel, whose scale is the largest magnitude over 127. */
export const fakeQuantizeWeights = (tf: TensorFlow, weights: Tensor2D): Tensor2D => {
  const round = tf.customGrad((input) => {
    const scales = tf.mul(tf.maximum(tf.max(tf.abs(input as Tensor), 0, true), 1e-12), 1 / 127)
    return { value: tf.mul(tf.round(tf.div(input as Tensor, scales)), scales), gradFunc: (dy) => dy }
  })
  return round(weights) as Tensor2D
}
