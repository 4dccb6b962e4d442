// Gradients of DepthwiseConv2dNative, which the wasm backend lacks: plain loops with channels innermost. Images are channels
// last; filters are [kh, kw, ci, multiplier] and output channel ci * multiplier + m.

import type { TensorFlow } from '../tfjs.js'
import { inputOf, type Attributes, type WasmKernel } from './wasm-kernel.js'

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
  const multiplier = filterShape[3]
  forEachTap(g, (input, output, tap) => {
    for (let o = 0; o < g.outChannels; o++) {
      const i = multiplier === 1 ? o : Math.floor(o / multiplier)
      sum[tap + o] = (sum[tap + o] as number) + (xs[input + i] as number) * (dys[output + o] as number)
    }
  })
  backend.typedArrayFromHeap(result).set(sum)
  return result
}

/** Gradient of the input: dy [n, oh, ow, ci * m] and filter [kh, kw, ci, m] give [n, h, w, ci]. */
export const depthwiseInputGradient: WasmKernel = (tf, backend, inputs, attributes) => {
  const dy = inputOf(inputs, 'dy')
  const filter = inputOf(inputs, 'filter')
  const inputShape = attributes['inputShape'] as Shape4
  const g = geometryOf(tf, inputShape, filter.shape as Shape4, attributes)
  const result = backend.makeOutput(inputShape, 'float32')
  const [dys, weights, dx] = [dy, filter, result].map((tensor) => backend.typedArrayFromHeap(tensor)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  const multiplier = filter.shape[3] ?? 1
  dx.fill(0)
  forEachTap(g, (input, output, tap) => {
    for (let o = 0; o < g.outChannels; o++) {
      const i = input + (multiplier === 1 ? o : Math.floor(o / multiplier))
      dx[i] = (dx[i] as number) + (dys[output + o] as number) * (weights[tap + o] as number)
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
