// All weights of a tfjs model as plain arrays, in the order of model.weights: for keeping the best of a training.

import type { LayersModel } from '@tensorflow/tfjs'
import type { TensorFlow } from './tfjs.js'

/** A copy of the weights. */
export const copyWeights = (model: LayersModel): Float32Array[] => model.weights.map((weight) => Float32Array.from(weight.read().dataSync()))

/** Puts copied weights back. */
export const restoreWeights = (tf: TensorFlow, model: LayersModel, weights: readonly Float32Array[]): void => {
  tf.tidy(() => {
    model.setWeights(model.weights.map(({ shape }, i) => tf.tensor(weights[i] as Float32Array, shape as number[])))
  })
}
