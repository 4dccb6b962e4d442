// Accumulators: the sums of a layer before its emission, as plain loops over exact numbers. Float64 holds float32 sums of the float
// stage and every int32 sum of the integer stage exactly, so one definition serves both. A new input or weight type is a row of DECODE.

import { accumulatorOverflow } from '../errors.js'
import { type ElementArray, elementCount, type QuantizedType, type Tensor, type ValueKind, type ValueType } from './types.js'
import type { Geometry } from './window.js'

const shifted = (data: ElementArray, zeroPoint: number, start: number, count: number): Float64Array => {
  const out = new Float64Array(count)
  for (let i = 0; i < count; i++) out[i] = (data[start + i] as number) - zeroPoint
  return out
}

const signs = (words: ElementArray, start: number, count: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => ((((words[start + (i >> 5)] as number) >>> (i & 31)) & 1) === 1 ? 1 : -1))

type Decode = (data: ElementArray, type: ValueType, start: number, count: number) => Float64Array
const plain: Decode = (data, _, start, count) => shifted(data, 0, start, count)
const quantized: Decode = (data, type, start, count) => shifted(data, (type as QuantizedType).zeroPoint, start, count)

/** The number that an element stands for in a sum: x - zero point, +1 or -1, a level. */
const DECODE: Readonly<Record<ValueKind, Decode>> = {
  float32: plain,
  int8: quantized,
  uint8: quantized,
  int32: quantized,
  binary: (data, _, start, count) => signs(data, start, count),
  level: plain,
  membrane: plain,
}

/** The numbers a value contributes to sums, zero point subtracted; `start` is an index into data. */
export const decode = (data: ElementArray, type: ValueType, start = 0): Float64Array => DECODE[type.kind](data, type, start, elementCount(type.shape))

const decodedConstants = new WeakMap<Tensor, Float64Array>()

/** decode() of a constant, kept as long as the constant lives. */
export const decodeConstant = (tensor: Tensor): Float64Array => {
  let numbers = decodedConstants.get(tensor)
  if (numbers === undefined) {
    numbers = decode(tensor.data, tensor.type)
    decodedConstants.set(tensor, numbers)
  }
  return numbers
}

const bias = (tensor: Tensor | null, channels: number): Float64Array =>
  tensor === null ? new Float64Array(channels) : Float64Array.from(tensor.data as ArrayLike<number>)

/** Dense: sums[o] = bias[o] + sum_i input[i] weights[o, i]. */
export const accumulateDense = (input: Float64Array, weights: Float64Array, biases: Tensor | null, units: number): Float64Array => {
  const sums = bias(biases, units)
  const width = input.length
  for (let o = 0; o < units; o++) {
    let sum = sums[o] as number
    const row = o * width
    for (let i = 0; i < width; i++) sum += (input[i] as number) * (weights[row + i] as number)
    sums[o] = sum
  }
  return sums
}

/** The number that padding stands for in a sum: -1 for binary inputs, 0 (which adds nothing) for all others. */
export const paddingOf = (type: ValueType): -1 | 0 => (type.kind === 'binary' ? -1 : 0)

/** Convolution: input [h, w, in], weights [out, kh, kw, in], sums [oh, ow, out]; taps outside the image count `padding`. */
export const accumulateConv = (input: Float64Array, weights: Float64Array, biases: Tensor | null, g: Geometry, padding: -1 | 0 = 0): Float64Array => {
  const sums = new Float64Array(g.outputHeight * g.outputWidth * g.outputChannels)
  const start = bias(biases, g.outputChannels)
  const kernelSize = g.kernelHeight * g.kernelWidth * g.inputChannels
  let at = 0
  for (let y = 0; y < g.outputHeight; y++) {
    for (let x = 0; x < g.outputWidth; x++) {
      for (let o = 0; o < g.outputChannels; o++) {
        let sum = start[o] as number
        for (let ky = 0; ky < g.kernelHeight; ky++) {
          const iy = y * g.strideY - g.padTop + ky * g.dilationY
          const isRow = iy >= 0 && iy < g.inputHeight
          if (!isRow && padding === 0) continue
          for (let kx = 0; kx < g.kernelWidth; kx++) {
            const ix = x * g.strideX - g.padLeft + kx * g.dilationX
            const w = o * kernelSize + (ky * g.kernelWidth + kx) * g.inputChannels
            if (!isRow || ix < 0 || ix >= g.inputWidth) {
              if (padding !== 0) for (let i = 0; i < g.inputChannels; i++) sum += padding * (weights[w + i] as number)
              continue
            }
            const from = (iy * g.inputWidth + ix) * g.inputChannels
            for (let i = 0; i < g.inputChannels; i++) sum += (input[from + i] as number) * (weights[w + i] as number)
          }
        }
        sums[at++] = sum
      }
    }
  }
  return sums
}

/** Depthwise convolution: input [h, w, in], weights [kh, kw, out], out = in * multiplier; output channel o reads input channel floor(o / multiplier). Padding as above. */
export const accumulateDepthwise = (input: Float64Array, weights: Float64Array, biases: Tensor | null, g: Geometry, padding: -1 | 0 = 0): Float64Array => {
  const sums = new Float64Array(g.outputHeight * g.outputWidth * g.outputChannels)
  const start = bias(biases, g.outputChannels)
  const multiplier = g.outputChannels / g.inputChannels
  let at = 0
  for (let y = 0; y < g.outputHeight; y++) {
    for (let x = 0; x < g.outputWidth; x++) {
      for (let o = 0; o < g.outputChannels; o++) {
        const channel = Math.floor(o / multiplier)
        let sum = start[o] as number
        for (let ky = 0; ky < g.kernelHeight; ky++) {
          const iy = y * g.strideY - g.padTop + ky * g.dilationY
          const isRow = iy >= 0 && iy < g.inputHeight
          for (let kx = 0; kx < g.kernelWidth; kx++) {
            const ix = x * g.strideX - g.padLeft + kx * g.dilationX
            const isInside = isRow && ix >= 0 && ix < g.inputWidth
            const tap = isInside ? (input[(iy * g.inputWidth + ix) * g.inputChannels + channel] as number) : padding
            if (isInside || padding !== 0) sum += tap * (weights[(ky * g.kernelWidth + kx) * g.outputChannels + o] as number)
          }
        }
        sums[at++] = sum
      }
    }
  }
  return sums
}

/** The largest |element - zero point| an input of this type can hold; null where nothing bounds it (float32, int32). */
const largestMagnitude = (type: ValueType): number | null => {
  if (type.kind === 'int8') return Math.max(127 - type.zeroPoint, type.zeroPoint + 128)
  if (type.kind === 'uint8') return Math.max(255 - type.zeroPoint, type.zeroPoint)
  if (type.kind === 'level') return 255 // whatever a caller writes into an input
  return type.kind === 'binary' ? 1 : null
}

/**
 * Proves that no sum leaves int32: |bias| + sum |w| max|x| < 2^31 per channel. `channelOf` maps a weight's index to its output channel.
 * @throws ACCUMULATOR_OVERFLOW naming the layer and the channel
 */
export const proveSumsFit = (
  layer: string,
  input: ValueType,
  weights: Tensor,
  biases: Tensor | null,
  channels: number,
  channelOf: (index: number) => number,
): void => {
  const largest = largestMagnitude(input)
  if (largest === null) return
  const bounds = new Float64Array(channels)
  decodeConstant(weights).forEach((w, i) => {
    bounds[channelOf(i)] = (bounds[channelOf(i)] as number) + Math.abs(w) * largest
  })
  bounds.forEach((bound, c) => {
    const total = bound + Math.abs((biases?.data[c] as number | undefined) ?? 0)
    if (total >= 2 ** 31) throw accumulatorOverflow(layer, c, total)
  })
}

/** Packs numbers into the words of a binary value: bit i of word w is element 32 w + i, 1 where the number is at least 0. */
export const packSigns = (numbers: ArrayLike<number>): Uint32Array => {
  const words = new Uint32Array(Math.ceil(numbers.length / 32))
  for (let i = 0; i < numbers.length; i++) if ((numbers[i] as number) >= 0) words[i >> 5] = ((words[i >> 5] as number) | (1 << (i & 31))) >>> 0
  return words
}
