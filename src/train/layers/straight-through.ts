// Functions without a useful derivative, with the gradient of another function in its place (straight-through): sign, and staircases.
// The values are those of src/network/operators/sign.ts and staircase.ts.

import type { Tensor } from '@tensorflow/tfjs'
import { type StaircaseCurve, staircaseBoundaries } from '#src/network/operators/staircase.js'
import type { TensorFlow } from '../tfjs.js'

const signs = (tf: TensorFlow, x: Tensor): Tensor => tf.sub(tf.mul(tf.cast(tf.greaterEqual(x, 0), 'float32'), 2), 1)
const within = (tf: TensorFlow, x: Tensor, low: number, high: number): Tensor =>
  tf.cast(tf.logicalAnd(tf.greaterEqual(x, low), tf.lessEqual(x, high)), 'float32')

/** sign(x), sign(0) = +1; the gradient passes where |x| <= 1 (Courbariaux et al. 2016, section 1.3). */
export const signStraightThrough = (tf: TensorFlow, x: Tensor): Tensor =>
  tf.customGrad((input, save) => {
    ;(save as (tensors: Tensor[]) => void)([input as Tensor])
    return {
      value: signs(tf, input as Tensor),
      gradFunc: (dy: Tensor, saved: Tensor[]) => tf.mul(dy, within(tf, saved[0] as Tensor, -1, 1)),
    }
  })(x)

/** The stairs' number below x, times 1 / levels; the gradient is the curve's own. */
export const staircaseStraightThrough = (tf: TensorFlow, x: Tensor, levels: number, curve: StaircaseCurve): Tensor =>
  tf.customGrad((input, save) => {
    ;(save as (tensors: Tensor[]) => void)([input as Tensor])
    return { value: stairs(tf, input as Tensor, levels, curve), gradFunc: (dy: Tensor, saved: Tensor[]) => tf.mul(dy, slope(tf, saved[0] as Tensor, curve)) }
  })(x)

const stairs = (tf: TensorFlow, x: Tensor, levels: number, curve: StaircaseCurve): Tensor => {
  const reached = Array.from(staircaseBoundaries(levels, curve), (boundary) => tf.cast(tf.greaterEqual(x, boundary), 'float32') as Tensor)
  return tf.mul(
    reached.reduce((sum, one) => tf.add(sum, one)),
    1 / levels,
  )
}

const slope = (tf: TensorFlow, x: Tensor, curve: StaircaseCurve): Tensor => {
  if (curve === 'relu') return within(tf, x, 0, 1)
  const y = tf.sigmoid(x)
  return tf.mul(y, tf.sub(1, y))
}
