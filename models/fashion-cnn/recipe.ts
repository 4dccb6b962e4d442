// fashion-cnn: a residual convolutional network with a depthwise stage on pictures of clothing, 46,898 weights.

import type { SymbolicTensor } from '@tensorflow/tfjs'
import { fashionMnist } from '#src/train/mnist.js'
import type { Recipe } from '#src/train/recipe.js'
import type { TensorFlow } from '#src/train/tfjs.js'

const network = (tf: TensorFlow, seed: number) => {
  let layer = 0
  const normalized = (x: SymbolicTensor, name: string, withRelu = true): SymbolicTensor => {
    const norm = tf.layers.batchNormalization({ name: `${name}_norm`, momentum: 0.95 }).apply(x) as SymbolicTensor
    return withRelu ? (tf.layers.reLU({ name: `${name}_relu` }).apply(norm) as SymbolicTensor) : norm
  }
  const convolution = (x: SymbolicTensor, name: string, filters: number, kernelSize: number, strides: number, withRelu = true): SymbolicTensor => {
    const kernelInitializer = tf.initializers.heNormal({ seed: 100 * seed + layer++ })
    const conv = tf.layers.conv2d({ name, filters, kernelSize, strides, padding: 'same', useBias: false, kernelInitializer })
    return normalized(conv.apply(x) as SymbolicTensor, name, withRelu)
  }
  const depthwise = (x: SymbolicTensor, name: string, strides: number): SymbolicTensor => {
    const depthwiseInitializer = tf.initializers.heNormal({ seed: 100 * seed + layer++ })
    const conv = tf.layers.depthwiseConv2d({ name, kernelSize: 3, strides, padding: 'same', useBias: false, depthwiseInitializer })
    return normalized(conv.apply(x) as SymbolicTensor, name)
  }
  const input = tf.input({ name: 'image', shape: [28, 28, 1] })
  const low = convolution(convolution(input, 'conv1', 24, 3, 2), 'conv2', 32, 3, 1)
  const middle = convolution(low, 'conv3', 48, 3, 2)
  const residual = convolution(middle, 'conv4', 48, 3, 1, false)
  const sum = tf.layers.add({ name: 'add' }).apply([middle, residual]) as SymbolicTensor
  const joined = tf.layers.reLU({ name: 'add_relu' }).apply(sum) as SymbolicTensor
  const high = convolution(depthwise(joined, 'conv5', 1), 'conv6', 64, 1, 1)
  const pooled = tf.layers.globalAveragePooling2d({ name: 'pool', dataFormat: 'channelsLast' }).apply(high) as SymbolicTensor
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 100 * seed + 99 })
  const scores = tf.layers.dense({ name: 'scores', units: 10, activation: 'softmax', kernelInitializer })
  return tf.model({ name: 'fashion-cnn', inputs: input, outputs: scores.apply(pooled) as SymbolicTensor })
}

export const recipe: Recipe = {
  name: 'fashion-cnn',
  description: 'residual and depthwise convolutions of up to 64 channels, on Fashion-MNIST',
  data: fashionMnist,
  model: network,
  seed: 1,
  schedule: {
    epochs: 10,
    batchSize: 128,
    learningRate: { kind: 'one-cycle', peak: 0.03, warmup: 0.15 },
    optimizer: { kind: 'adam', weightDecay: 0.02 },
    augmentation: { shiftPixels: 1, flipsHorizontally: true },
  },
  fast: { epochs: 1, batchSize: 128, learningRate: { kind: 'one-cycle', peak: 0.02, warmup: 0.15 } },
}
