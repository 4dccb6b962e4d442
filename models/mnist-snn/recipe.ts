// mnist-snn: two layers of leaky integrate-and-fire units on handwritten digits, fifteen time steps, the image as a direct current.

import { spikeportLayers } from '#src/train/layers/index.js'
import { mnist } from '#src/train/mnist.js'
import type { Recipe } from '#src/train/recipe.js'
import type { TensorFlow } from '#src/train/tfjs.js'

const STEPS = 15
const UNITS = { beta: 0.95, surrogate: 'arctangent', slope: 2 } as const

const network = (tf: TensorFlow, seed: number) => {
  const { lif, spikeCount } = spikeportLayers(tf)
  const kernel = (i: number) => tf.initializers.glorotUniform({ seed: 10 * seed + i })
  const model = tf.sequential({ name: 'mnist-snn' })
  model.add(tf.layers.flatten({ name: 'flatten', inputShape: [28, 28, 1] }))
  model.add(tf.layers.dense({ name: 'dense1', units: 128, kernelInitializer: kernel(1) }))
  model.add(tf.layers.repeatVector({ name: 'steps', n: STEPS }))
  model.add(lif({ name: 'units1', ...UNITS }))
  model.add(tf.layers.dense({ name: 'dense2', units: 10, kernelInitializer: kernel(2) }))
  model.add(lif({ name: 'units2', ...UNITS }))
  model.add(spikeCount({ name: 'count' }))
  model.add(tf.layers.softmax({ name: 'softmax' }))
  return model
}

export const recipe: Recipe = {
  name: 'mnist-snn',
  description: 'dense 784-128-10 of leaky integrate-and-fire units, fifteen time steps, on MNIST',
  data: mnist,
  model: network,
  seed: 1,
  scheme: 'spiking',
  schedule: {
    epochs: 24,
    batchSize: 128,
    learningRate: { kind: 'one-cycle', peak: 0.002 },
    optimizer: { kind: 'adam', weightDecay: 0.01 },
    augmentation: { shiftPixels: 1 },
  },
  fast: { epochs: 2, batchSize: 128, learningRate: { kind: 'one-cycle', peak: 0.002 } },
}
