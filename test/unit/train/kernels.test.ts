import type { Tensor } from '@tensorflow/tfjs'
import { beforeAll, expect, test } from 'vitest'
import { loadTensorFlow, type TensorFlow } from '#src/train/tfjs.js'

let tf: TensorFlow

beforeAll(async () => {
  tf = await loadTensorFlow()
})

/** Values that differ from each other and from pass to pass, without a generator. */
const ramp = (shape: number[], seed: number) => {
  const size = shape.reduce((a, b) => a * b, 1)
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + seed) + 0.3 * Math.cos(0.31 * i * seed)),
    shape,
  )
}

/** Gradients of a function of some tensors, computed on a backend. */
const gradientsOn = async (backend: string, shapes: number[][], f: (...x: Tensor[]) => Tensor) => {
  await tf.setBackend(backend)
  const inputs = shapes.map((shape, i) => ramp(shape, i + 1))
  const output = f(...inputs)
  const gradients = tf.grads((...x) => f(...x))(inputs, ramp(output.shape, 9))
  const values = [output, ...gradients].map((tensor) => Array.from(tensor.dataSync()))
  await tf.setBackend('wasm')
  return values
}

const expectSameGradients = async (shapes: number[][], f: Parameters<typeof gradientsOn>[2]) => {
  const [wasm, cpu] = [await gradientsOn('wasm', shapes, f), await gradientsOn('cpu', shapes, f)]
  wasm.forEach((values, i) => {
    const expected = cpu[i] ?? []
    const largest = Math.max(...expected.map(Math.abs))
    expect(values.length).toBe(expected.length)
    const worst = values.reduce((most, value, j) => Math.max(most, Math.abs(value - (expected[j] ?? Number.NaN))), 0)
    expect(worst / largest).toBeLessThan(5e-6)
  })
}

const CONVOLUTIONS = [
  { image: [9, 8, 3], kernel: [3, 3], channels: 5, strides: [1, 1], pad: 'same' },
  { image: [9, 8, 3], kernel: [3, 3], channels: 4, strides: [2, 2], pad: 'same' },
  { image: [10, 7, 2], kernel: [5, 2], channels: 6, strides: [2, 1], pad: 'valid' },
  { image: [4, 4, 8], kernel: [1, 1], channels: 3, strides: [1, 1], pad: 'same' },
  { image: [3, 3, 1], kernel: [5, 5], channels: 2, strides: [1, 2], pad: 'same' },
] as const

test.each(CONVOLUTIONS)('the gradients of a convolution equal those of the cpu backend: %o', async ({ image, kernel, channels, strides, pad }) => {
  await expectSameGradients(
    [
      [3, ...image],
      [...kernel, image[2], channels],
    ],
    (x, w) => tf.conv2d(x as never, w as never, [...strides], pad),
  )
})

test('a convolution whose patches take several tiles has the same gradients', async () => {
  await expectSameGradients(
    [
      [70, 12, 12, 4],
      [3, 3, 4, 4],
    ],
    (x, w) => tf.conv2d(x as never, w as never, 1, 'same'),
  )
})

test('the gradients of a one-dimensional convolution equal those of the cpu backend', async () => {
  await expectSameGradients(
    [
      [4, 20, 3],
      [5, 3, 6],
    ],
    (x, w) => tf.conv1d(x as never, w as never, 2, 'same'),
  )
})

const DEPTHWISE = [
  { multiplier: 1, strides: [1, 1], dilations: [1, 1], pad: 'same' },
  { multiplier: 2, strides: [2, 2], dilations: [1, 1], pad: 'same' },
  { multiplier: 3, strides: [1, 1], dilations: [1, 1], pad: 'valid' },
] as const

test.each(DEPTHWISE)('the gradients of a depthwise convolution equal those of the cpu backend: %o', async ({ multiplier, strides, dilations, pad }) => {
  await expectSameGradients(
    [
      [2, 9, 8, 4],
      [3, 3, 4, multiplier],
    ],
    (x, w) => tf.depthwiseConv2d(x as never, w as never, [...strides], pad, 'NHWC', [...dilations]),
  )
})

test.each([
  [false, true],
  [true, false],
  [true, true],
])('a matrix product with transposed operands (%s, %s) and its gradients equal those of the cpu backend', async (a, b) => {
  await expectSameGradients([a ? [17, 33] : [33, 17], b ? [21, 17] : [17, 21]], (x, w) => tf.matMul(x as never, w as never, a, b))
})

test('a product of transposed batches of matrices is left to the backend', async () => {
  await expectSameGradients(
    [
      [3, 5, 4],
      [3, 6, 5],
    ],
    (x, w) => tf.matMul(x as never, w as never, true, true),
  )
})

test('a training step leaves no tensor behind', async () => {
  const [x, w] = [ramp([8, 6, 6, 3], 1), ramp([3, 3, 3, 4], 2)]
  const step = () => tf.tidy(() => void tf.grads((a, b) => tf.conv2d(a as never, b as never, 2, 'same'))([x, w]))
  step()
  const before = tf.memory().numTensors
  step()
  expect(tf.memory().numTensors).toBe(before)
})
