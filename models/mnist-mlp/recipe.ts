// mnist-mlp: three dense layers on handwritten digits, the plainest network there is.

import { mnist } from '#src/train/mnist.js'
import type { Recipe } from '#src/train/recipe.js'
import type { TensorFlow } from '#src/train/tfjs.js'

const UNITS = [128, 128] as const

const network = (tf: TensorFlow, seed: number) => {
  const model = tf.sequential({ name: 'mnist-mlp' })
  model.add(tf.layers.flatten({ name: 'flatten', inputShape: [28, 28, 1] }))
  UNITS.forEach((units, i) => {
    const kernelInitializer = tf.initializers.heNormal({ seed: 10 * seed + i })
    model.add(tf.layers.dense({ name: `dense${i + 1}`, units, activation: 'relu', kernelInitializer }))
  })
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 10 * seed + 9 })
  model.add(tf.layers.dense({ name: 'scores', units: 10, activation: 'softmax', kernelInitializer }))
  return model
}

export const recipe: Recipe = {
  name: 'mnist-mlp',
  description: 'dense 784-128-128-10 with ReLU, on MNIST',
  data: mnist,
  model: network,
  seed: 1,
  schedule: {
    epochs: 15,
    batchSize: 128,
    learningRate: { kind: 'one-cycle', peak: 0.003 },
    optimizer: { kind: 'adam', weightDecay: 0.01 },
    augmentation: { shiftPixels: 1 },
  },
  fast: { epochs: 2, batchSize: 128, learningRate: { kind: 'one-cycle', peak: 0.003 } },
}
