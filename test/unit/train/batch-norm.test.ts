import type { Tensor } from '@tensorflow/tfjs'
import { beforeAll, expect, test } from 'vitest'
import { batchNormTraining } from '#src/train/batch-norm.js'
import { loadTensorFlow, type TensorFlow } from '#src/train/tfjs.js'

let tf: TensorFlow

beforeAll(async () => {
  tf = await loadTensorFlow()
})

/** Batch normalization by its definition, differentiated by TensorFlow.js. */
const defined = (x: Tensor, gamma: Tensor, beta: Tensor): Tensor => {
  const axes = Array.from({ length: x.rank - 1 }, (_, axis) => axis)
  const { mean, variance } = tf.moments(x, axes)
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-3))), gamma), beta)
}

test.each([[[6, 5, 4, 3]], [[32, 7]], [[4, 9, 2]]])('batch normalization of %o equals its definition, and so do its gradients', (shape) => {
  const channels = shape.at(-1) as number
  const x = tf.add(tf.randomNormal(shape, 0, 2, 'float32', 1), 3)
  const [gamma, beta, dy] = [
    tf.randomNormal([channels], 1, 1, 'float32', 2),
    tf.randomNormal([channels], 0, 1, 'float32', 3),
    tf.randomNormal(shape, 0, 1, 'float32', 4),
  ]
  const run = (f: (x: Tensor, gamma: Tensor, beta: Tensor) => Tensor) => [f(x, gamma, beta), ...tf.grads(f as (...x: Tensor[]) => Tensor)([x, gamma, beta], dy)]
  const ours = run((a, b, c) => batchNormTraining(tf, a, b, c, 1e-3, () => undefined))
  const theirs = run(defined)
  ours.forEach((tensor, i) => {
    const difference = tf.max(tf.abs(tf.sub(tensor, theirs[i] as Tensor))).dataSync()[0]
    expect(difference).toBeLessThan(1e-4)
  })
})

test('batch normalization tells the mean and the biased variance of the batch', () => {
  const x = tf.tensor2d([
    [1, 10],
    [3, 30],
  ])
  batchNormTraining(tf, x, tf.ones([2]), tf.zeros([2]), 1e-3, (mean, variance) => {
    expect([...mean.dataSync()]).toEqual([2, 20])
    expect([...variance.dataSync()]).toEqual([1, 100])
  })
  expect.assertions(2)
})
