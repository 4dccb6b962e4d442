// NIR's arrays are channels first ([channels, height, width], as PyTorch has them), ours channels last: what changes place when a graph is read.

import type { NirArray } from '../../formats/nir.js'
import type { Shape } from '../../network/types.js'

/** A NIR shape without batch axis as ours: [c, h, w] -> [h, w, c], [c, l] -> [l, c], [n] -> [n]. */
export const ourShape = (shape: Shape): Shape => (shape.length < 2 ? shape : [...shape.slice(1), shape[0] as number])

/** order[i]: where element i of our order lies in NIR's, for a NIR shape. */
export const nirOrder = (shape: Shape): Int32Array => {
  const channels = shape.length < 2 ? 1 : (shape[0] as number)
  const pixels = shape.reduce((a, b) => a * b, 1) / channels
  return Int32Array.from({ length: channels * pixels }, (_, i) => (i % channels) * pixels + Math.floor(i / channels))
}

/** Elements in our order. */
export const reordered = (data: ArrayLike<number>, order: Int32Array): number[] => Array.from(order, (at) => data[at] as number)

/** Weights [out, in] whose inputs came in NIR's order, by rows. */
export const withColumns = (data: ArrayLike<number>, outputs: number, order: Int32Array): Float32Array => {
  const width = order.length
  return Float32Array.from({ length: outputs * width }, (_, i) => data[Math.floor(i / width) * width + (order[i % width] as number)] as number)
}

/** Convolution weights [out, in, ...kernel] as [out, ...kernel, in]. */
export const channelsLastWeights = ({ shape, data }: NirArray): Float32Array => {
  const [out, inner] = shape as [number, number]
  const taps = shape.slice(2).reduce((a, b) => a * b, 1)
  return Float32Array.from({ length: out * taps * inner }, (_, i) => {
    const [o, rest] = [Math.floor(i / (taps * inner)), i % (taps * inner)]
    return data[(o * inner + (rest % inner)) * taps + Math.floor(rest / inner)] as number
  })
}

/** Depthwise weights [out, 1, ...kernel] as [...kernel, out]. */
export const depthwiseWeights = ({ shape, data }: NirArray): Float32Array => {
  const out = shape[0] as number
  const taps = shape.slice(2).reduce((a, b) => a * b, 1)
  return Float32Array.from({ length: out * taps }, (_, i) => data[(i % out) * taps + Math.floor(i / out)] as number)
}

/** A parameter of units in our order, as few numbers as say it: one, one a channel (the last axis), or one a unit. */
export const compactParameter = (numbers: readonly number[], channels: number): readonly number[] => {
  if (numbers.every((x) => x === numbers[0])) return numbers.slice(0, 1)
  return numbers.every((x, i) => x === numbers[i % channels]) ? numbers.slice(0, channels) : numbers
}
