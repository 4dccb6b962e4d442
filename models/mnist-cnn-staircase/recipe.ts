// mnist-cnn-staircase: three strided convolutions on handwritten digits with activations of five levels, which become integer thresholds.

import { spikeportLayers } from '#src/train/layers/index.js'
import { mnist } from '#src/train/mnist.js'
import type { Recipe } from '#src/train/recipe.js'
import type { TensorFlow } from '#src/train/tfjs.js'

const CHANNELS = [16, 32, 32] as const
const LEVELS = 5

const network = (tf: TensorFlow, seed: number) => {
  const { staircase } = spikeportLayers(tf)
  const model = tf.sequential({ name: 'mnist-cnn-staircase' })
  CHANNELS.forEach((filters, i) => {
    model.add(
      tf.layers.conv2d({
        name: `conv${i + 1}`,
        filters,
        kernelSize: 3,
        strides: 2,
        padding: 'same',
        useBias: false,
        kernelInitializer: tf.initializers.heNormal({ seed: 10 * seed + i }),
        ...(i === 0 ? { inputShape: [28, 28, 1] } : {}),
      }),
    )
    model.add(tf.layers.batchNormalization({ name: `norm${i + 1}`, momentum: 0.95 }))
    model.add(staircase({ name: `stairs${i + 1}`, levels: LEVELS }))
  })
  model.add(tf.layers.flatten({ name: 'flatten' }))
  model.add(tf.layers.dense({ name: 'scores', units: 10, activation: 'softmax', kernelInitializer: tf.initializers.glorotUniform({ seed: 10 * seed + 9 }) }))
  return model
}

export const recipe: Recipe = {
  name: 'mnist-cnn-staircase',
  description: 'conv 3x3x16, 3x3x32, 3x3x32, each stride 2 with batch norm and a sigmoid staircase of five levels, dense 10, on MNIST',
  data: mnist,
  model: network,
  seed: 1,
  scheme: 'staircase',
  schedule: {
    epochs: 10,
    batchSize: 128,
    learningRate: { kind: 'one-cycle', peak: 0.03 },
    optimizer: { kind: 'adam', weightDecay: 0.01 },
    augmentation: { shiftPixels: 1 },
  },
  fast: {
    epochs: 2,
    batchSize: 128,
    learningRate: { kind: 'one-cycle', peak: 0.03 },
    optimizer: { kind: 'adam', weightDecay: 0.01 },
  },
}
