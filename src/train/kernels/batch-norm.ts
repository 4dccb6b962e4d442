// Batch normalization over the last axis as one operation with its own gradient, for training on the wasm backend: composed of
// smaller operations, as the layer does it, it costs as much as the convolutions.

import type { NamedTensorInfoMap, Tensor, TensorInfo } from '@tensorflow/tfjs'
import type { TensorFlow } from '../tfjs.js'
import { inputOf, registerWasmKernel, type WasmKernel } from './wasm-kernel.js'

const FORWARD = 'SpikeportBatchNorm'
const BACKWARD = 'SpikeportBatchNormGradient'

/** What a normalization gives: the output, and the batch's mean and biased variance of each channel. */
export interface NormalizedBatch {
  readonly output: Tensor // shape of x
  readonly mean: Tensor // [channels]
  readonly variance: Tensor // [channels]
}

/** True where the backend in use has the operation. */
export const hasFusedBatchNorm = (tf: TensorFlow): boolean => tf.getKernel(FORWARD, tf.getBackend()) !== undefined

/** Normalizes x [..., channels] by its own statistics; differentiable in x, gamma and beta. */
export const fusedBatchNorm = (tf: TensorFlow, x: Tensor, gamma: Tensor, beta: Tensor, epsilon: number): NormalizedBatch => {
  const inputs = { x, gamma, beta } as unknown as NamedTensorInfoMap
  const [output, mean, variance] = tf.engine().runKernel(FORWARD, inputs, { epsilon }) as unknown as [Tensor, Tensor, Tensor]
  return { output, mean, variance }
}

const forward: WasmKernel = (_tf, backend, inputs, attributes) => {
  const x = inputOf(inputs, 'x')
  const channels = x.shape.at(-1) ?? 1
  const results = [x.shape, [channels], [channels]].map((shape) => backend.makeOutput(shape, 'float32'))
  const [y, mean, variance] = results.map((tensor) => backend.typedArrayFromHeap(tensor)) as [Float32Array, Float32Array, Float32Array]
  const xs = backend.typedArrayFromHeap(x)
  meanAndVariance(xs, mean, variance)
  const gamma = backend.typedArrayFromHeap(inputOf(inputs, 'gamma'))
  const beta = backend.typedArrayFromHeap(inputOf(inputs, 'beta'))
  const scale = gamma.map((value, c) => value / Math.sqrt((variance[c] as number) + (attributes['epsilon'] as number)))
  const shift = beta.map((value, c) => value - (mean[c] as number) * (scale[c] as number))
  for (let i = 0; i < xs.length; i += channels) {
    for (let c = 0; c < channels; c++) y[i + c] = (xs[i + c] as number) * (scale[c] as number) + (shift[c] as number)
  }
  return results
}

const meanAndVariance = (xs: Float32Array, mean: Float32Array, variance: Float32Array): void => {
  const channels = mean.length
  const count = xs.length / channels
  const sum = new Float64Array(channels)
  const squares = new Float64Array(channels)
  for (let i = 0; i < xs.length; i += channels) {
    for (let c = 0; c < channels; c++) {
      const value = xs[i + c] as number
      sum[c] = (sum[c] as number) + value
      squares[c] = (squares[c] as number) + value * value
    }
  }
  for (let c = 0; c < channels; c++) {
    const average = (sum[c] as number) / count
    mean[c] = average
    variance[c] = Math.max(0, (squares[c] as number) / count - average * average)
  }
}

/** dx, dgamma, dbeta of dy: with z = (x - mean) * s, s = 1 / sqrt(variance + epsilon), dx = gamma s (dy - mean(dy) - z mean(dy z)). */
const backward: WasmKernel = (_tf, backend, inputs, attributes) => {
  const names = ['dy', 'x', 'gamma', 'mean', 'variance'] as const
  const x = inputOf(inputs, 'x')
  const channels = x.shape.at(-1) ?? 1
  const results: TensorInfo[] = [x.shape, [channels], [channels]].map((shape) => backend.makeOutput(shape, 'float32'))
  const [dx, dGamma, dBeta] = results.map((tensor) => backend.typedArrayFromHeap(tensor)) as [Float32Array, Float32Array, Float32Array]
  const [dy, xs, gamma, mean, variance] = names.map((name) => backend.typedArrayFromHeap(inputOf(inputs, name))) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  const inverse = Float64Array.from(variance, (value) => 1 / Math.sqrt(value + (attributes['epsilon'] as number)))
  sumGradients(dy, xs, mean, inverse, dGamma, dBeta)
  const count = xs.length / channels
  const onDy = inverse.map((value, c) => value * (gamma[c] as number))
  const onX = inverse.map((value, c) => (-(onDy[c] as number) * value * (dGamma[c] as number)) / count)
  const constant = onDy.map((value, c) => (-value * (dBeta[c] as number)) / count - (onX[c] as number) * (mean[c] as number))
  for (let i = 0; i < xs.length; i += channels) {
    for (let c = 0; c < channels; c++) {
      dx[i + c] = (onDy[c] as number) * (dy[i + c] as number) + (onX[c] as number) * (xs[i + c] as number) + (constant[c] as number)
    }
  }
  return results
}

const sumGradients = (
  dy: Float32Array,
  xs: Float32Array,
  mean: Float32Array,
  inverse: Float64Array,
  dGamma: Float32Array,
  dBeta: Float32Array,
): void => {
  const channels = mean.length
  const sum = new Float64Array(channels)
  const products = new Float64Array(channels)
  for (let i = 0; i < xs.length; i += channels) {
    for (let c = 0; c < channels; c++) {
      const gradient = dy[i + c] as number
      sum[c] = (sum[c] as number) + gradient
      products[c] = (products[c] as number) + gradient * (xs[i + c] as number)
    }
  }
  for (let c = 0; c < channels; c++) {
    dBeta[c] = sum[c] as number
    dGamma[c] = ((products[c] as number) - (mean[c] as number) * (sum[c] as number)) * (inverse[c] as number)
  }
}

/** Registers the operation, its gradient and the gradient's kernel. */
export const registerFusedBatchNorm = (tf: TensorFlow): void => {
  registerWasmKernel(tf, FORWARD, forward)
  registerWasmKernel(tf, BACKWARD, backward)
  tf.registerGradient({
    kernelName: FORWARD,
    inputsToSave: ['x', 'gamma'],
    outputsToSave: [false, true, true],
    gradFunc: (dy, saved, attrs) => {
      const [x, gamma, mean, variance] = saved
      const inputs = { dy: (dy as Tensor[])[0], x, gamma, mean, variance } as unknown as NamedTensorInfoMap
      const [dx, dGamma, dBeta] = tf.engine().runKernel(BACKWARD, inputs, attrs) as unknown as [Tensor, Tensor, Tensor]
      return { x: () => dx, gamma: () => dGamma, beta: () => dBeta }
    },
  })
}
