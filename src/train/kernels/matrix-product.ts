// BatchMatMul with a transposed operand, as in every gradient of a dense layer: transposing first and then using the backend's
// fast product is about ten times faster than the backend's own loop for it.

import type { TensorInfo } from '@tensorflow/tfjs'
import type { TensorFlow } from '../tfjs.js'
import { inputOf, originalKernel, registerWasmKernel, transposeInto, type WasmBackend, type WasmKernel } from './wasm-kernel.js'

/** BatchMatMul of the wasm backend, with transposed matrices (not batches of them) transposed first. */
export const matrixProduct: WasmKernel = (tf, backend, inputs, attributes) => {
  const a = inputOf(inputs, 'a')
  const b = inputOf(inputs, 'b')
  const { transposeA, transposeB } = attributes as { transposeA: boolean; transposeB: boolean }
  const kernel = originalKernel(tf, 'BatchMatMul')
  if (!(transposeA || transposeB) || !isMatrix(a) || !isMatrix(b)) {
    return kernel({ inputs: { a, b }, backend, attrs: { transposeA, transposeB } })
  }
  const left = transposeA ? transposed(backend, a) : a
  const right = transposeB ? transposed(backend, b) : b
  const product = kernel({ inputs: { a: left, b: right }, backend, attrs: { transposeA: false, transposeB: false } })
  if (transposeA) backend.disposeData(left.dataId)
  if (transposeB) backend.disposeData(right.dataId)
  return product
}

/** Two dimensions, besides leading ones of size 1. */
const isMatrix = ({ shape, dtype }: TensorInfo): boolean => dtype === 'float32' && shape.slice(0, -2).every((size) => size === 1)

const transposed = (backend: WasmBackend, matrix: TensorInfo): TensorInfo => {
  const [rows = 1, columns = 1] = matrix.shape.slice(-2)
  const result = backend.makeOutput([...matrix.shape.slice(0, -2), columns, rows], 'float32')
  transposeInto(backend.typedArrayFromHeap(matrix), rows, columns, backend.typedArrayFromHeap(result))
  return result
}

/** Puts the kernel in front of the backend's. */
export const registerMatrixProduct = (tf: TensorFlow): void => {
  originalKernel(tf, 'BatchMatMul')
  registerWasmKernel(tf, 'BatchMatMul', matrixProduct)
}
