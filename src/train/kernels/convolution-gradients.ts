// Gradients of Conv2D for the wasm backend, which lacks the one for the filter and has a slow one for the input. Both unfold
// patches of a few images at a time into a matrix and let the backend multiply. Images are channels last, dilation is 1.

import type { TensorInfo } from '@tensorflow/tfjs'
import type { TensorFlow } from '../tfjs.js'
import { inputOf, multiplyMatrices, transposeInto, type Attributes, type WasmBackend, type WasmKernel } from './wasm-kernel.js'

type Geometry = ReturnType<TensorFlow['backend_util']['computeConv2DInfo']>
type Shape4 = [number, number, number, number]

/** Patch values unfolded at a time, so that they stay in the cache. */
const TILE_VALUES = 1 << 18

/** Gradient of the filter: x [n, h, w, ci] and dy [n, oh, ow, co] give [kh, kw, ci, co]. */
export const convolutionFilterGradient: WasmKernel = (tf, backend, inputs, attributes) => {
  const x = inputOf(inputs, 'x')
  const dy = inputOf(inputs, 'dy')
  const filterShape = attributes['filterShape'] as Shape4
  const geometry = geometryOf(tf, x.shape as Shape4, filterShape, attributes)
  const result = backend.makeOutput(filterShape, 'float32')
  const sum = new Float64Array(patchValues(geometry) * geometry.outChannels)
  forEachTile(geometry, (first, images) => addFilterGradient(tf, backend, geometry, x, dy, first, images, sum))
  backend.typedArrayFromHeap(result).set(sum)
  return result
}

/** Gradient of the input: dy [n, oh, ow, co] and filter [kh, kw, ci, co] give [n, h, w, ci]. */
export const convolutionInputGradient: WasmKernel = (tf, backend, inputs, attributes) => {
  const dy = inputOf(inputs, 'dy')
  const filter = inputOf(inputs, 'filter')
  const inputShape = attributes['inputShape'] as Shape4
  const geometry = geometryOf(tf, inputShape, filter.shape as Shape4, attributes)
  const result = backend.makeOutput(inputShape, 'float32')
  backend.typedArrayFromHeap(result).fill(0)
  const filterT = backend.makeOutput([geometry.outChannels, patchValues(geometry)], 'float32')
  transposeInto(backend.typedArrayFromHeap(filter), patchValues(geometry), geometry.outChannels, backend.typedArrayFromHeap(filterT))
  forEachTile(geometry, (first, images) => {
    const rows = copyRows(backend, dy, geometry, first, images)
    const patches = multiplyMatrices(tf, backend, rows, filterT)
    foldPatches(backend.typedArrayFromHeap(patches), geometry, first, images, backend.typedArrayFromHeap(result))
    for (const scratch of [rows, patches]) backend.disposeData(scratch.dataId)
  })
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

const forEachTile = (g: Geometry, visit: (firstImage: number, images: number) => void): void => {
  const images = Math.max(1, Math.floor(TILE_VALUES / (g.outHeight * g.outWidth * patchValues(g))))
  for (let first = 0; first < g.batchSize; first += images) visit(first, Math.min(images, g.batchSize - first))
}

const addFilterGradient = (
  tf: TensorFlow,
  backend: WasmBackend,
  g: Geometry,
  x: TensorInfo,
  dy: TensorInfo,
  first: number,
  images: number,
  sum: Float64Array,
): void => {
  const patches = backend.makeOutput([patchValues(g), images * g.outHeight * g.outWidth], 'float32')
  const rows = copyRows(backend, dy, g, first, images)
  unfoldPatches(backend.typedArrayFromHeap(x), g, first, images, backend.typedArrayFromHeap(patches))
  const product = multiplyMatrices(tf, backend, patches, rows)
  const values = backend.typedArrayFromHeap(product)
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (values[i] as number)
  for (const scratch of [patches, rows, product]) backend.disposeData(scratch.dataId)
}

/** Some images of dy as a matrix [images * oh * ow, co]. */
const copyRows = (backend: WasmBackend, dy: TensorInfo, g: Geometry, first: number, images: number): TensorInfo => {
  const imageValues = g.outHeight * g.outWidth * g.outChannels
  const rows = backend.makeOutput([images * g.outHeight * g.outWidth, g.outChannels], 'float32')
  backend.typedArrayFromHeap(rows).set(backend.typedArrayFromHeap(dy).subarray(first * imageValues, (first + images) * imageValues))
  return rows
}

/** Writes the patches of some images as a matrix [kh * kw * ci, images * oh * ow], zero where a patch reaches into the padding. */
const unfoldPatches = (x: Float32Array, g: Geometry, first: number, images: number, patches: Float32Array): void => {
  const step = g.strideWidth * g.inChannels
  let out = 0
  for (let ky = 0; ky < g.filterHeight; ky++) {
    for (let kx = 0; kx < g.filterWidth; kx++) {
      const from = clamp(Math.ceil((g.padInfo.left - kx) / g.strideWidth), 0, g.outWidth)
      const to = clamp(Math.floor((g.inWidth - 1 + g.padInfo.left - kx) / g.strideWidth) + 1, from, g.outWidth)
      for (let channel = 0; channel < g.inChannels; channel++) {
        for (let image = first; image < first + images; image++) {
          for (let oy = 0; oy < g.outHeight; oy++) {
            const iy = oy * g.strideHeight - g.padInfo.top + ky
            const isInside = iy >= 0 && iy < g.inHeight
            const end = out + g.outWidth
            const start = isInside ? out + from : end
            const stop = isInside ? out + to : end
            let at = ((image * g.inHeight + iy) * g.inWidth + from * g.strideWidth - g.padInfo.left + kx) * g.inChannels + channel
            while (out < start) patches[out++] = 0
            for (; out < stop; at += step) patches[out++] = x[at] as number
            while (out < end) patches[out++] = 0
          }
        }
      }
    }
  }
}

/** Adds patches [images * oh * ow, kh * kw * ci] to the pixels of dx [n, h, w, ci] they came from. */
const foldPatches = (patches: Float32Array, g: Geometry, first: number, images: number, dx: Float32Array): void => {
  const rowValues = g.filterWidth * g.inChannels
  let row = 0
  for (let image = first; image < first + images; image++) {
    for (let oy = 0; oy < g.outHeight; oy++) {
      for (let ox = 0; ox < g.outWidth; ox++) {
        const ix = ox * g.strideWidth - g.padInfo.left
        const from = Math.max(0, -ix)
        const to = Math.max(from, Math.min(g.filterWidth, g.inWidth - ix))
        for (let ky = 0; ky < g.filterHeight; ky++, row += rowValues) {
          const iy = oy * g.strideHeight - g.padInfo.top + ky
          if (iy < 0 || iy >= g.inHeight) continue
          let at = ((image * g.inHeight + iy) * g.inWidth + ix + from) * g.inChannels
          for (let i = row + from * g.inChannels; i < row + to * g.inChannels; i++, at++) {
            dx[at] = (dx[at] as number) + (patches[i] as number)
          }
        }
      }
    }
  }
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))
