// Accuracy of a tfjs model on labelled data.

import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import { type DataSet, floatImages } from './data.js'
import type { TensorFlow } from './tfjs.js'

const BATCH = 250

/** Class scores for x [n, ...]: [n, classes]. */
export type Scorer = (x: Tensor) => Tensor

/** The share of samples whose highest score is their label's, 0..1. */
export const accuracy = (tf: TensorFlow, model: LayersModel, data: DataSet): number => accuracyOf(tf, (x) => model.predictOnBatch(x) as Tensor, data)

/** The same for any function that scores. */
export const accuracyOf = (tf: TensorFlow, score: Scorer, data: DataSet): number => {
  let correct = 0
  for (let first = 0; first < data.count; first += BATCH) {
    const count = Math.min(BATCH, data.count - first)
    const guesses = tf.tidy(() => tf.argMax(score(tf.tensor(floatImages(data, first, count), [count, ...data.shape])), -1).dataSync())
    for (let i = 0; i < count; i++) if (guesses[i] === data.labels[first + i]) correct += 1
  }
  return correct / data.count
}
