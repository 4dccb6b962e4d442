// mnist-cnn-binary: an int8 convolution, then two with weights and activations +1 and -1, on handwritten digits.

import { spikeportLayers } from '#src/train/layers/index.js'
import { mnist } from '#src/train/mnist.js'
import type { Recipe } from '#src/train/recipe.js'
import type { TensorFlow } from '#src/train/tfjs.js'

const STEM = 32
const BODY = [64, 96] as const

const network = (tf: TensorFlow, seed: number) => {
  const { sign, binaryConv2d } = spikeportLayers(tf)
  const model = tf.sequential({ name: 'mnist-cnn-binary' })
  const kernelInitializer = tf.initializers.heNormal({ seed: 10 * seed })
  const stem = { name: 'conv1', filters: STEM, kernelSize: 3, strides: 2, padding: 'same', useBias: false } as const
  model.add(tf.layers.conv2d({ ...stem, kernelInitializer, inputShape: [28, 28, 1] }))
  const normAndSign = (i: number): void => {
    model.add(tf.layers.batchNormalization({ name: `norm${i}`, momentum: 0.95 }))
    model.add(sign({ name: `sign${i}` }))
  }
  normAndSign(1)
  BODY.forEach((filters, i) => {
    model.add(binaryConv2d({ name: `conv${i + 2}`, filters, kernelSize: 3, strides: 2, padding: 'same', seed: 10 * seed + i + 1 }))
    normAndSign(i + 2)
  })
  model.add(tf.layers.flatten({ name: 'flatten' }))
  model.add(tf.layers.dense({ name: 'scores', units: 10, activation: 'softmax', kernelInitializer: tf.initializers.glorotUniform({ seed: 10 * seed + 9 }) }))
  return model
}

export const recipe: Recipe = {
  name: 'mnist-cnn-binary',
  description: 'an int8 conv 3x3x32, binary convs 3x3x64 and 3x3x96, each stride 2 with batch norm and sign, int8 dense 10, on MNIST',
  data: mnist,
  model: network,
  seed: 1,
  scheme: 'binary',
  schedule: {
    epochs: 22,
    batchSize: 128,
    learningRate: { kind: 'cosine', peak: 0.01 },
    augmentation: { shiftPixels: 1 },
  },
  fast: { epochs: 2, batchSize: 128, learningRate: { kind: 'cosine', peak: 0.01 } },
}
