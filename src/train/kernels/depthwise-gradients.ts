// Gradients of DepthwiseConv2dNative, which the wasm backend lacks: plain loops with channels innermost, and a convolution where
// the stride is 1. Images are channels last; filters are [kh, kw, ci, m] and output channel ci * m + j.

import type { TensorInfo } from '@tensorflow/tfjs'
import type { TensorFlow } from '../tfjs.js'
import { type Attributes, inputOf, originalKernel, type WasmBackend, type WasmKernel } from './wasm-kernel.js'

type Geometry = ReturnType<TensorFlow['backend_util']['computeConv2DInfo']>
type Shape4 = [number, number, number, number]

/** Gradient of the filter: x [n, h, w, ci] and dy [n, oh, ow, ci * m] give [kh, kw, ci, m]. */
export const depthwiseFilterGradient: WasmKernel = (tf, backend, inputs, attributes) => {
  const x = inputOf(inputs, 'x')
  const dy = inputOf(inputs, 'dy')
  const filterShape = attributes['filterShape'] as Shape4
  const g = geometryOf(tf, x.shape as Shape4, filterShape, attributes)
  const result = backend.makeOutput(filterShape, 'float32')
  const [xs, dys] = [backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(dy)]
  const sum = new Float64Array(g.filterHeight * g.filterWidth * g.outChannels)
  const [channels, multiplier] = [g.outChannels, filterShape[3]]
  forEachTap(g, (input, output, tap) => {
    if (multiplier === 1) {
      for (let c = 0; c < channels; c++) sum[tap + c] = (sum[tap + c] as number) + (xs[input + c] as number) * (dys[output + c] as number)
    } else {
      for (let c = 0; c < channels; c++) {
        sum[tap + c] = (sum[tap + c] as number) + (xs[input + Math.floor(c / multiplier)] as number) * (dys[output + c] as number)
      }
    }
  })
  backend.typedArrayFromHeap(result).set(sum)
  return result
}

/** Gradient of the input: dy [n, oh, ow, ci * m] and filter [kh, kw, ci, m] give [n, h, w, ci]. */
export const depthwiseInputGradient: WasmKernel = (tf, backend, inputs, attributes) => {
  const dy = inputOf(inputs, 'dy')
  const filter = inputOf(inputs, 'filter')
  const g = geometryOf(tf, attributes['inputShape'] as Shape4, filter.shape as Shape4, attributes)
  const isPlain = [g.strideHeight, g.strideWidth, g.dilationHeight, g.dilationWidth, filter.shape[3]].every((size) => size === 1)
  return isPlain ? inputGradientByConvolution(tf, backend, g, dy, filter) : inputGradientByLoops(backend, g, dy, filter)
}

/** Stride 1, one output channel an input channel: a depthwise convolution of dy with the turned filter. */
const inputGradientByConvolution = (tf: TensorFlow, backend: WasmBackend, g: Geometry, dy: TensorInfo, filter: TensorInfo): TensorInfo => {
  const turned = backend.makeOutput(filter.shape, 'float32')
  const [weights, target] = [backend.typedArrayFromHeap(filter), backend.typedArrayFromHeap(turned)]
  const [taps, channels] = [g.filterHeight * g.filterWidth, g.outChannels]
  for (let tap = 0; tap < taps; tap++) target.set(weights.subarray(tap * channels, (tap + 1) * channels), (taps - 1 - tap) * channels)
  const attrs = { strides: [1, 1], dilations: [1, 1], pad: turnedPadding(g), dimRoundingMode: undefined }
  const result = originalKernel(tf, 'DepthwiseConv2dNative')({ inputs: { x: dy, filter: turned }, backend, attrs: attrs as never }) as TensorInfo
  backend.disposeData(turned.dataId)
  return result
}

const inputGradientByLoops = (backend: WasmBackend, g: Geometry, dy: TensorInfo, filter: TensorInfo): TensorInfo => {
  const result = backend.makeOutput(g.inShape, 'float32')
  const [dys, weights, dx] = [dy, filter, result].map((tensor) => backend.typedArrayFromHeap(tensor)) as [Float32Array, Float32Array, Float32Array]
  const multiplier = filter.shape[3] ?? 1
  dx.fill(0)
  forEachTap(g, (input, output, tap) => {
    for (let c = 0; c < g.outChannels; c++) {
      const i = input + Math.floor(c / multiplier)
      dx[i] = (dx[i] as number) + (dys[output + c] as number) * (weights[tap + c] as number)
    }
  })
  return result
}

const geometryOf = (tf: TensorFlow, input: Shape4, filter: Shape4, attributes: Attributes): Geometry => {
  const { strides, dilations, pad, dimRoundingMode } = attributes as {
    strides: [number, number]
    dilations: [number, number]
    pad: number | 'same' | 'valid'
    dimRoundingMode?: 'floor' | 'round' | 'ceil'
  }
  return tf.backend_util.computeConv2DInfo(input, filter, strides, dilations, pad, dimRoundingMode, true)
}

/** The padding [[0, 0], [top, bottom], [left, right], [0, 0]] with which a convolution of dy at stride 1 has the size of the input. */
export const turnedPadding = (g: Geometry): number[][] => {
  const top = g.filterHeight - 1 - g.padInfo.top
  const left = g.filterWidth - 1 - g.padInfo.left
  const bottom = g.inHeight - g.outHeight - top + g.filterHeight - 1
  const right = g.inWidth - g.outWidth - left + g.filterWidth - 1
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ]
}

/** Visits every filter tap of every output pixel inside the image: where the input pixel, the output pixel and the tap begin. */
const forEachTap = (g: Geometry, visit: (input: number, output: number, tap: number) => void): void => {
  let output = 0
  for (let image = 0; image < g.batchSize; image++) {
    for (let oy = 0; oy < g.outHeight; oy++) {
      for (let ox = 0; ox < g.outWidth; ox++, output += g.outChannels) {
        for (let ky = 0; ky < g.filterHeight; ky++) {
          const iy = oy * g.strideHeight - g.padInfo.top + ky * g.dilationHeight
          if (iy < 0 || iy >= g.inHeight) continue
          for (let kx = 0; kx < g.filterWidth; kx++) {
            const ix = ox * g.strideWidth - g.padInfo.left + kx * g.dilationWidth
            if (ix < 0 || ix >= g.inWidth) continue
            visit(((image * g.inHeight + iy) * g.inWidth + ix) * g.inChannels, output, (ky * g.filterWidth + kx) * g.outChannels)
          }
        }
      }
    }
  }
}
