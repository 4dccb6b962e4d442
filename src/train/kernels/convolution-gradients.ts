// Gradients of Conv2D for the wasm backend, which lacks the one for the filter and has a slow one for the input. Patches are laid
// out as matrices, some at a time, for the backend to multiply. Images are channels last, dilation is 1.

import type { TensorInfo } from '@tensorflow/tfjs'
import type { TensorFlow } from '../tfjs.js'
import { turnedPadding } from './depthwise-gradients.js'
import { type Attributes, inputOf, multiplyMatrices, originalKernel, transposeInto, type WasmBackend, type WasmKernel } from './wasm-kernel.js'

type Geometry = ReturnType<TensorFlow['backend_util']['computeConv2DInfo']>
type Shape4 = [number, number, number, number]

/** Patch values laid out at a time, so that they stay in the cache. */
const TILE_VALUES = 1 << 18

/** Gradient of the filter: x [n, h, w, ci] and dy [n, oh, ow, co] give [kh, kw, ci, co]. */
export const convolutionFilterGradient: WasmKernel = (tf, backend, inputs, attributes) => {
  const x = inputOf(inputs, 'x')
  const dy = inputOf(inputs, 'dy')
  const filterShape = attributes['filterShape'] as Shape4
  const g = geometryOf(tf, x.shape as Shape4, filterShape, attributes)
  const result = backend.makeOutput(filterShape, 'float32')
  const pixels = backend.makeOutput([g.inHeight * g.inWidth * g.inChannels, g.batchSize], 'float32')
  transposeInto(backend.typedArrayFromHeap(x), g.batchSize, pixels.shape[0] ?? 0, backend.typedArrayFromHeap(pixels))
  const sum = new Float64Array(patchValues(g) * g.outChannels)
  const rows = Math.max(1, Math.floor(TILE_VALUES / (g.outWidth * g.batchSize * patchValues(g))))
  for (let oy = 0; oy < g.outHeight; oy += rows) {
    addFilterGradient(tf, backend, g, pixels, dy, oy, Math.min(rows, g.outHeight - oy), sum)
  }
  backend.typedArrayFromHeap(result).set(sum)
  backend.disposeData(pixels.dataId)
  return result
}

/** Gradient of the input: dy [n, oh, ow, co] and filter [kh, kw, ci, co] give [n, h, w, ci]. */
export const convolutionInputGradient: WasmKernel = (tf, backend, inputs, attributes) => {
  const dy = inputOf(inputs, 'dy')
  const filter = inputOf(inputs, 'filter')
  const geometry = geometryOf(tf, attributes['inputShape'] as Shape4, filter.shape as Shape4, attributes)
  return geometry.strideHeight === 1 && geometry.strideWidth === 1
    ? inputGradientByConvolution(tf, backend, geometry, dy, filter)
    : inputGradientByFolding(tf, backend, geometry, dy, filter)
}

/** Stride 1: a convolution of dy with the turned filter. */
const inputGradientByConvolution = (tf: TensorFlow, backend: WasmBackend, g: Geometry, dy: TensorInfo, filter: TensorInfo): TensorInfo => {
  const turned = backend.makeOutput([g.filterHeight, g.filterWidth, g.outChannels, g.inChannels], 'float32')
  turnFilter(backend.typedArrayFromHeap(filter), g, backend.typedArrayFromHeap(turned))
  const attrs = { strides: [1, 1], dilations: [1, 1], pad: turnedPadding(g), dataFormat: 'NHWC', dimRoundingMode: undefined }
  const result = originalKernel(tf, 'Conv2D')({ inputs: { x: dy, filter: turned }, backend, attrs: attrs as never }) as TensorInfo
  backend.disposeData(turned.dataId)
  return result
}

/** Any stride: patches dy * filter transposed, added to where they were read from. */
const inputGradientByFolding = (tf: TensorFlow, backend: WasmBackend, g: Geometry, dy: TensorInfo, filter: TensorInfo): TensorInfo => {
  const result = backend.makeOutput(g.inShape, 'float32')
  backend.typedArrayFromHeap(result).fill(0)
  const filterT = backend.makeOutput([g.outChannels, patchValues(g)], 'float32')
  transposeInto(backend.typedArrayFromHeap(filter), patchValues(g), g.outChannels, backend.typedArrayFromHeap(filterT))
  const images = Math.max(1, Math.floor(TILE_VALUES / (g.outHeight * g.outWidth * patchValues(g))))
  for (let first = 0; first < g.batchSize; first += images) {
    const count = Math.min(images, g.batchSize - first)
    const rows = imageRows(backend, dy, g, first, count)
    const patches = multiplyMatrices(tf, backend, rows, filterT)
    foldPatches(backend.typedArrayFromHeap(patches), g, first, count, backend.typedArrayFromHeap(result))
    for (const scratch of [rows, patches]) backend.disposeData(scratch.dataId)
  }
  backend.disposeData(filterT.dataId)
  return result
}

const geometryOf = (tf: TensorFlow, input: Shape4, filter: Shape4, attributes: Attributes): Geometry => {
  const { strides, pad, dimRoundingMode } = attributes as {
    strides: [number, number]
    pad: number | 'same' | 'valid'
    dimRoundingMode?: 'floor' | 'round' | 'ceil'
  }
  return tf.backend_util.computeConv2DInfo(input, filter, strides, 1, pad, dimRoundingMode, false, 'channelsLast')
}

/** Values in a patch: kh * kw * ci. */
const patchValues = (g: Geometry): number => g.filterHeight * g.filterWidth * g.inChannels

/** Adds what `rows` output rows from oy on, of all images, contribute. */
const addFilterGradient = (
  tf: TensorFlow,
  backend: WasmBackend,
  g: Geometry,
  pixels: TensorInfo,
  dy: TensorInfo,
  oy: number,
  rows: number,
  sum: Float64Array,
): void => {
  const columns = rows * g.outWidth * g.batchSize
  const patches = backend.makeOutput([patchValues(g), columns], 'float32')
  const gradients = backend.makeOutput([columns, g.outChannels], 'float32')
  layOutPatches(backend.typedArrayFromHeap(pixels), g, oy, rows, backend.typedArrayFromHeap(patches))
  gatherRows(backend.typedArrayFromHeap(dy), g, oy, rows, backend.typedArrayFromHeap(gradients))
  const product = multiplyMatrices(tf, backend, patches, gradients)
  const values = backend.typedArrayFromHeap(product)
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (values[i] as number)
  for (const scratch of [patches, gradients, product]) backend.disposeData(scratch.dataId)
}

/** Pixels [h, w, ci, n] as patches [kh, kw, ci, rows, ow, n] of output rows from oy on, zero where a patch reaches into the padding. */
const layOutPatches = (pixels: Float32Array, g: Geometry, oyStart: number, rows: number, patches: Float32Array): void => {
  const heap = new Float32Array(pixels.buffer)
  const [source, target] = [pixels.byteOffset / 4, patches.byteOffset / 4]
  const n = g.batchSize
  let out = target
  for (let ky = 0; ky < g.filterHeight; ky++) {
    for (let kx = 0; kx < g.filterWidth; kx++) {
      for (let channel = 0; channel < g.inChannels; channel++) {
        for (let oy = oyStart; oy < oyStart + rows; oy++) {
          const iy = oy * g.strideHeight - g.padInfo.top + ky
          for (let ox = 0; ox < g.outWidth; ox++, out += n) {
            const ix = ox * g.strideWidth - g.padInfo.left + kx
            const at = source + ((iy * g.inWidth + ix) * g.inChannels + channel) * n
            if (iy < 0 || iy >= g.inHeight || ix < 0 || ix >= g.inWidth) heap.fill(0, out, out + n)
            else heap.copyWithin(out, at, at + n)
          }
        }
      }
    }
  }
}

/** dy [n, oh, ow, co] as [rows, ow, n, co] of output rows from oy on. */
const gatherRows = (dy: Float32Array, g: Geometry, oy: number, rows: number, gradients: Float32Array): void => {
  const channels = g.outChannels
  for (let image = 0; image < g.batchSize; image++) {
    let at = (image * g.outHeight + oy) * g.outWidth * channels
    for (let pixel = 0; pixel < rows * g.outWidth; pixel++) {
      const out = (pixel * g.batchSize + image) * channels
      for (let c = 0; c < channels; c++) gradients[out + c] = dy[at++] as number
    }
  }
}

/** Filter [kh, kw, ci, co] with both kernel axes reversed and channels exchanged: [kh, kw, co, ci]. */
const turnFilter = (filter: Float32Array, g: Geometry, turned: Float32Array): void => {
  const taps = g.filterHeight * g.filterWidth
  const size = g.inChannels * g.outChannels
  for (let tap = 0; tap < taps; tap++) {
    const source = filter.subarray(tap * size, (tap + 1) * size)
    transposeInto(source, g.inChannels, g.outChannels, turned.subarray((taps - 1 - tap) * size, (taps - tap) * size))
  }
}

/** Some images of dy as a matrix [images * oh * ow, co]. */
const imageRows = (backend: WasmBackend, dy: TensorInfo, g: Geometry, first: number, images: number): TensorInfo => {
  const imageValues = g.outHeight * g.outWidth * g.outChannels
  const rows = backend.makeOutput([images * g.outHeight * g.outWidth, g.outChannels], 'float32')
  backend.typedArrayFromHeap(rows).set(backend.typedArrayFromHeap(dy).subarray(first * imageValues, (first + images) * imageValues))
  return rows
}

/** Adds patches [images * oh * ow, kh * kw * ci] to the pixels of dx [n, h, w, ci] they came from. */
const foldPatches = (patches: Float32Array, g: Geometry, first: number, images: number, dx: Float32Array): void => {
  const { outHeight, outWidth, inHeight, inWidth, inChannels, filterHeight, filterWidth, strideHeight, strideWidth } = g
  const { top, left } = g.padInfo
  const rowValues = filterWidth * inChannels
  let row = 0
  for (let image = first; image < first + images; image++) {
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++) {
        const ix = ox * strideWidth - left
        const from = Math.max(0, -ix)
        const length = (Math.min(filterWidth, inWidth - ix) - from) * inChannels
        for (let ky = 0; ky < filterHeight; ky++, row += rowValues) {
          const iy = oy * strideHeight - top + ky
          if (iy < 0 || iy >= inHeight) continue
          const source = row + from * inChannels
          const target = ((image * inHeight + iy) * inWidth + ix + from) * inChannels
          for (let i = 0; i < length; i++) dx[target + i] = (dx[target + i] as number) + (patches[source + i] as number)
        }
      }
    }
  }
}
