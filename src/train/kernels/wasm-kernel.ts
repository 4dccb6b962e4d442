// What a kernel written in TypeScript needs from the wasm backend of TensorFlow.js: typed views of its heap, room for outputs,
// and the matrix product that the backend does best.

import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs'
import type { TensorFlow } from '../tfjs.js'

/** The part of the wasm backend that the kernels use. A view of the heap is valid until the next makeOutput, which may grow it. */
export interface WasmBackend {
  makeOutput(shape: readonly number[], dtype: 'float32'): TensorInfo
  typedArrayFromHeap(tensor: TensorInfo): Float32Array
  disposeData(dataId: object): boolean
}

/** A kernel: tensors and attributes in, tensors out. */
export type WasmKernel = (tf: TensorFlow, backend: WasmBackend, inputs: Inputs, attributes: Attributes) => TensorInfo | TensorInfo[]
export type Inputs = Readonly<Record<string, TensorInfo>>
export type Attributes = Readonly<Record<string, unknown>>

/** Registers a kernel of the wasm backend, in place of the one of that name. */
export const registerWasmKernel = (tf: TensorFlow, kernelName: string, kernel: WasmKernel): void => {
  if (tf.getKernel(kernelName, 'wasm')) tf.unregisterKernel(kernelName, 'wasm')
  tf.registerKernel({
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, backend, attrs }) => kernel(tf, backend as WasmBackend, inputs as unknown as Inputs, attrs as unknown as Attributes),
  })
}

/** An input of a kernel, by its name. */
export const inputOf = (inputs: Inputs, name: string): TensorInfo => {
  const tensor = inputs[name]
  if (tensor === undefined) throw new Error(`kernel input ${name} is missing`)
  return tensor
}

/**
 * The product of a [m, k] and b [k, n], both row major, as a new tensor [m, n]. The backend keeps a packed copy of b by the
 * identity of its tensor, so b must never be written again after a product.
 */
export const multiplyMatrices = (tf: TensorFlow, backend: WasmBackend, a: TensorInfo, b: TensorInfo): TensorInfo =>
  originalKernel(
    tf,
    'BatchMatMul',
  )({
    inputs: { a, b },
    backend,
    attrs: { transposeA: false, transposeB: false },
  }) as TensorInfo

const originals = new Map<string, KernelFunc>()

/** The backend's own kernel, also after registerWasmKernel has put another in its place. */
export const originalKernel = (tf: TensorFlow, name: string): KernelFunc => {
  const kernel = originals.get(name) ?? tf.getKernel(name, 'wasm')?.kernelFunc
  if (kernel === undefined) throw new Error(`the wasm backend has no ${name}`)
  originals.set(name, kernel)
  return kernel
}

const BLOCK = 16

/** Writes source [rows, columns] as target [columns, rows], a few rows at a time for the cache's sake. */
export const transposeInto = (source: Float32Array, rows: number, columns: number, target: Float32Array): void => {
  for (let first = 0; first < rows; first += BLOCK) {
    const end = Math.min(rows, first + BLOCK)
    for (let column = 0; column < columns; column++) {
      let out = column * rows + first
      for (let row = first, at = first * columns + column; row < end; row++, at += columns) target[out++] = source[at] as number
    }
  }
}
