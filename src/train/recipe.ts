// What a file models/<name>/recipe.ts exports as `recipe`: data, network and schedule of one model, as plain data and functions.

import type { LayersModel } from '@tensorflow/tfjs'
import type { Splits } from './data.js'
import type { Schedule } from './schedule.js'
import type { TensorFlow } from './tfjs.js'

/**
 * One model to train.
 *
 *     export const recipe: Recipe = {
 *       name: 'my-digits',
 *       description: 'one dense layer on MNIST',
 *       data: mnist,
 *       model: (tf, seed) => tf.sequential({ layers: [
 *         tf.layers.flatten({ inputShape: [28, 28, 1] }),
 *         tf.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: tf.initializers.glorotUniform({ seed }) }),
 *       ] }),
 *       seed: 1,
 *       schedule: { epochs: 2, batchSize: 128, learningRate: { kind: 'one-cycle', peak: 0.002 } },
 *     }
 */
export interface Recipe {
  readonly name: string
  readonly description: string
  readonly data: () => Promise<Splits>
  /** an uncompiled model that ends with softmax over the classes; initial weights must depend on the seed alone */
  readonly model: (tf: TensorFlow, seed: number) => LayersModel
  /** default seed of weights, order and augmentation */
  readonly seed: number
  /** how the trained model is quantized; default int8 */
  readonly scheme?: 'int8' | 'staircase' | 'binary' | 'spiking'
  readonly schedule: Schedule
  /** a shorter schedule for a quick look */
  readonly fast?: Schedule
}
