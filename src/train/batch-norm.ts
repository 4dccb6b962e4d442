// Batch normalization over the last axis in training, as one operation with its own gradient. Means are average pools and scaling
// is a depthwise convolution of one pixel: the fastest forms in the wasm backend, an order of magnitude faster than the layer's own.

import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs'
import type { TensorFlow } from './tfjs.js'

/** Told the batch's mean and biased variance [channels]. */
export type OnStatistics = (mean: Tensor, variance: Tensor) => void

/** x [..., channels] normalized by its own statistics, times gamma [channels], plus beta [channels]. */
export const batchNormTraining = (tf: TensorFlow, x: Tensor, gamma: Tensor, beta: Tensor, epsilon: number, onStatistics: OnStatistics): Tensor => {
  const channels = x.shape.at(-1) ?? 1
  const rows = tf.reshape(x, [1, x.size / channels, 1, channels]) as Tensor4D
  const normalize = tf.customGrad((x4, gamma1, beta1, save) => {
    const mean = channelMeans(tf, x4 as Tensor4D)
    const centred = scaleChannels(tf, x4 as Tensor4D, tf.onesLike(mean), tf.neg(mean))
    const variance = channelMeans(tf, tf.square(centred))
    onStatistics(mean, variance)
    const inverse = tf.rsqrt(tf.add(variance, epsilon)) as Tensor1D
    const value = scaleChannels(tf, centred, tf.mul(gamma1 as Tensor1D, inverse), beta1 as Tensor1D)
    ;(save as (tensors: Tensor[]) => void)([centred, inverse, gamma1 as Tensor])
    return { value, gradFunc: (dy, saved) => gradients(tf, dy as Tensor4D, saved as Tensor[]) }
  })
  return tf.reshape(normalize(rows, gamma, beta), x.shape)
}

/** With z = centred * inverse: dx = gamma inverse (dy - mean(dy) - z mean(dy z)), dgamma = sum(dy z), dbeta = sum(dy). */
const gradients = (tf: TensorFlow, dy: Tensor4D, saved: readonly Tensor[]): Tensor[] => {
  const [centred, inverse, gamma] = saved as [Tensor4D, Tensor1D, Tensor1D]
  const count = dy.shape[1]
  const meanDy = channelMeans(tf, dy)
  const meanDyZ = tf.mul(channelMeans(tf, tf.mul(dy, centred)), inverse) as Tensor1D
  const factor = tf.mul(gamma, inverse) as Tensor1D
  const zero = tf.zerosLike(factor)
  const straight = scaleChannels(tf, dy, factor, tf.neg(tf.mul(factor, meanDy)) as Tensor1D)
  const sideways = scaleChannels(tf, centred, tf.neg(tf.mul(factor, tf.mul(inverse, meanDyZ))) as Tensor1D, zero)
  return [tf.add(straight, sideways), tf.mul(meanDyZ, count), tf.mul(meanDy, count)]
}

/** [1, rows, 1, channels] to the mean of each channel [channels]. */
const channelMeans = (tf: TensorFlow, x: Tensor4D): Tensor1D => tf.reshape(tf.avgPool(x, [x.shape[1], 1], 1, 'valid'), [x.shape[3]])

/** x * scale + shift, channel by channel. */
const scaleChannels = (tf: TensorFlow, x: Tensor4D, scale: Tensor1D, shift: Tensor1D): Tensor4D =>
  tf.fused.depthwiseConv2d({ x, filter: tf.reshape(scale, [1, 1, x.shape[3], 1]), strides: 1, pad: 'valid', bias: shift }) as Tensor4D
