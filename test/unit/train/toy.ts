// A small problem for the tests of training: two noisy stripes, horizontal or vertical, in images of 6 x 6, and a network of a
// few hundred weights that learns it in seconds.

import { randomWords } from '#src/random.js'
import { type DataSet, dataSet, type Splits } from '#src/train/data.js'
import type { Recipe } from '#src/train/recipe.js'

const SIZE = 6

export const stripes = (count: number, seed: number): DataSet => {
  const images = new Uint8Array(count * SIZE * SIZE)
  const labels = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const [kind, where] = randomWords(seed, 0, 99, i)
    labels[i] = kind % 2
    for (let pixel = 0; pixel < SIZE * SIZE; pixel++) {
      const [noise] = randomWords(seed, 1 + pixel, 99, i)
      const line = labels[i] === 0 ? Math.floor(pixel / SIZE) : pixel % SIZE
      images[i * SIZE * SIZE + pixel] = (noise % 60) + (line === where % SIZE ? 150 : 0)
    }
  }
  return dataSet({ name: 'stripes', shape: [SIZE, SIZE, 1], images, labels, classes: ['horizontal', 'vertical'] })
}

export const splits = (): Splits => ({ train: stripes(320, 1), validation: stripes(100, 2), test: stripes(100, 3) })

export const toy: Recipe = {
  name: 'toy',
  description: 'stripes',
  data: () => Promise.resolve(splits()),
  model: (tf, seed) =>
    tf.sequential({
      name: 'toy',
      layers: [
        tf.layers.conv2d({
          name: 'conv',
          inputShape: [SIZE, SIZE, 1],
          filters: 6,
          kernelSize: 3,
          useBias: false,
          kernelInitializer: tf.initializers.heNormal({ seed }),
        }),
        tf.layers.batchNormalization({ name: 'norm', momentum: 0.8 }),
        tf.layers.reLU({ name: 'relu' }),
        tf.layers.flatten({ name: 'flatten' }),
        tf.layers.dropout({ name: 'dropout', rate: 0.1 }),
        tf.layers.dense({ name: 'scores', units: 2, activation: 'softmax', kernelInitializer: tf.initializers.glorotUniform({ seed: seed + 1 }) }),
      ],
    }),
  seed: 5,
  schedule: { epochs: 4, batchSize: 32, learningRate: { kind: 'one-cycle', peak: 0.02 }, augmentation: { shiftPixels: 1 } },
}
