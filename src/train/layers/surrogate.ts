// The derivative that stands in for a spike's: forward, s = 1 where u - threshold >= 0; backward, the slope of a smooth function.

import type { Tensor } from '@tensorflow/tfjs'
import type { TensorFlow } from '../tfjs.js'

/** fast-sigmoid: 1 / (1 + k |x|)^2 (Zenke, Ganguli 2018). arctangent: 1 / (1 + (pi/2 k x)^2) (Fang et al. 2021). straight-through: 1 where |x| <= 1. */
export type Surrogate = 'fast-sigmoid' | 'arctangent' | 'straight-through'
export const SURROGATES: readonly Surrogate[] = ['fast-sigmoid', 'arctangent', 'straight-through']

type Slope = (tf: TensorFlow, x: Tensor, k: number) => Tensor

const SLOPES: Readonly<Record<Surrogate, Slope>> = {
  'fast-sigmoid': (tf, x, k) => tf.reciprocal(tf.square(tf.add(tf.mul(tf.abs(x), k), 1))),
  arctangent: (tf, x, k) => tf.reciprocal(tf.add(tf.square(tf.mul(x, (Math.PI / 2) * k)), 1)),
  'straight-through': (tf, x) => tf.cast(tf.lessEqual(tf.abs(x), 1), 'float32'),
}

/** 1 where x >= 0, otherwise 0, with the gradient of a surrogate of steepness k > 0. */
export const spike = (tf: TensorFlow, x: Tensor, surrogate: Surrogate, k: number): Tensor =>
  tf.customGrad((input, save) => {
    ;(save as (tensors: Tensor[]) => void)([input as Tensor])
    return {
      value: tf.cast(tf.greaterEqual(input as Tensor, 0), 'float32'),
      gradFunc: (dy: Tensor, saved: Tensor[]) => tf.mul(dy, SLOPES[surrogate](tf, saved[0] as Tensor, k)),
    }
  })(x)
