// mnist-mlp-staircase: three dense layers on handwritten digits with activations of five levels, which become integer thresholds.

import { spikeportLayers } from '#src/train/layers/index.js'
import { mnist } from '#src/train/mnist.js'
import type { Recipe } from '#src/train/recipe.js'
import type { TensorFlow } from '#src/train/tfjs.js'

const UNITS = [128, 128] as const
const LEVELS = 5

const network = (tf: TensorFlow, seed: number) => {
  const { staircase } = spikeportLayers(tf)
  const model = tf.sequential({ name: 'mnist-mlp-staircase' })
  model.add(tf.layers.flatten({ name: 'flatten', inputShape: [28, 28, 1] }))
  UNITS.forEach((units, i) => {
    const kernelInitializer = tf.initializers.glorotUniform({ seed: 10 * seed + i })
    model.add(tf.layers.dense({ name: `dense${i + 1}`, units, useBias: false, kernelInitializer }))
    model.add(tf.layers.batchNormalization({ name: `norm${i + 1}`, momentum: 0.95 }))
    model.add(staircase({ name: `stairs${i + 1}`, levels: LEVELS }))
  })
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 10 * seed + 9 })
  model.add(tf.layers.dense({ name: 'scores', units: 10, activation: 'softmax', kernelInitializer }))
  return model
}

export const recipe: Recipe = {
  name: 'mnist-mlp-staircase',
  description: 'dense 784-128-128-10 with batch norm and sigmoid staircases of five levels, on MNIST',
  data: mnist,
  model: network,
  seed: 1,
  scheme: 'staircase',
  schedule: {
    epochs: 12,
    batchSize: 128,
    learningRate: { kind: 'one-cycle', peak: 0.01 },
    optimizer: { kind: 'adam', weightDecay: 0.01 },
    augmentation: { shiftPixels: 1 },
  },
  fast: { epochs: 2, batchSize: 128, learningRate: { kind: 'one-cycle', peak: 0.01 } },
}
