// mnist-cnn: three strided convolutions on handwritten digits, small enough for any board and trained in a minute.

import { mnist } from '#src/train/mnist.js'
import type { Recipe } from '#src/train/recipe.js'
import type { TensorFlow } from '#src/train/tfjs.js'

const CHANNELS = [16, 32, 32] as const

const network = (tf: TensorFlow, seed: number) => {
  const model = tf.sequential({ name: 'mnist-cnn' })
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
    model.add(tf.layers.reLU({ name: `relu${i + 1}` }))
  })
  model.add(tf.layers.globalAveragePooling2d({ name: 'pool', dataFormat: 'channelsLast' }))
  model.add(tf.layers.dense({ name: 'scores', units: 10, activation: 'softmax', kernelInitializer: tf.initializers.glorotUniform({ seed: 10 * seed + 9 }) }))
  return model
}

export const recipe: Recipe = {
  name: 'mnist-cnn',
  description: 'conv 3x3x16, 3x3x32, 3x3x32, each stride 2 with batch norm and ReLU, global average pool, dense 10, on MNIST',
  data: mnist,
  model: network,
  seed: 1,
  schedule: {
    epochs: 6,
    batchSize: 128,
    learningRate: { kind: 'one-cycle', peak: 0.04, warmup: 0.15 },
    optimizer: { kind: 'adam', weightDecay: 0.02 },
    augmentation: { shiftPixels: 1 },
  },
  fast: {
    epochs: 1,
    batchSize: 128,
    learningRate: { kind: 'one-cycle', peak: 0.03, warmup: 0.15 },
    optimizer: { kind: 'adam', weightDecay: 0.02 },
  },
}
