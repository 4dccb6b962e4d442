// mnist-mlp-binary: three dense layers on handwritten digits with weights +1 and -1 and, behind the first layer, activations +1 and -1.

import { spikeportLayers } from '#src/train/layers/index.js'
import { mnist } from '#src/train/mnist.js'
import type { Recipe } from '#src/train/recipe.js'
import type { TensorFlow } from '#src/train/tfjs.js'

const UNITS = [256, 256] as const

const network = (tf: TensorFlow, seed: number) => {
  const { sign, binaryDense } = spikeportLayers(tf)
  const model = tf.sequential({ name: 'mnist-mlp-binary' })
  model.add(tf.layers.flatten({ name: 'flatten', inputShape: [28, 28, 1] }))
  UNITS.forEach((units, i) => {
    model.add(binaryDense({ name: `dense${i + 1}`, units, seed: 10 * seed + i }))
    model.add(tf.layers.batchNormalization({ name: `norm${i + 1}`, momentum: 0.95 }))
    model.add(sign({ name: `sign${i + 1}` }))
  })
  model.add(binaryDense({ name: 'dense3', units: 10, useBias: true, seed: 10 * seed + 9 }))
  model.add(tf.layers.softmax({ name: 'softmax' }))
  return model
}

export const recipe: Recipe = {
  name: 'mnist-mlp-binary',
  description: 'dense 784-256-256-10 with sign weights, batch norm and sign activations, on MNIST',
  data: mnist,
  model: network,
  seed: 1,
  scheme: 'binary',
  schedule: {
    epochs: 20,
    batchSize: 128,
    learningRate: { kind: 'cosine', peak: 0.01 },
  },
  fast: { epochs: 2, batchSize: 128, learningRate: { kind: 'cosine', peak: 0.01 } },
}
