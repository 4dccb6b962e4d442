// docs/arithmetic.md in exact rational numbers (BigInt), independent of the code under test: float32 rounding, requantize, average,
// add, and the sums of every integer layer from its definition.

import type { Node, NodeOf } from '#src/network/operators/index.js'
import type { ElementArray, QuantizedType, Tensor } from '#src/network/types.js'

/** n / d, d > 0. */
export interface Rational {
  readonly n: bigint
  readonly d: bigint
}

/** An integer, or any finite float64, exactly. */
export const rational = (x: number | bigint): Rational => {
  if (typeof x === 'bigint') return { n: x, d: 1n }
  if (!Number.isFinite(x)) throw new Error(`${x} is not rational`)
  let [value, d] = [x, 1n]
  while (!Number.isInteger(value)) {
    value *= 2
    d *= 2n
  }
  return { n: BigInt(value), d }
}

export const multiply = (a: Rational, b: Rational): Rational => ({ n: a.n * b.n, d: a.d * b.d })
export const plus = (a: Rational, b: Rational): Rational => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d })
/** b is not zero. */
export const divide = (a: Rational, b: Rational): Rational => {
  const sign = b.n < 0n ? -1n : 1n
  return { n: a.n * b.d * sign, d: a.d * b.n * sign }
}

/** Nearest integer, ties to even. */
export const nearestEven = ({ n, d }: Rational): bigint => {
  const floor = n >= 0n ? n / d : -((-n + d - 1n) / d)
  const twice = 2n * (n - floor * d)
  return twice > d || (twice === d && floor % 2n !== 0n) ? floor + 1n : floor
}

/** The float32 number nearest to a rational, ties to even; infinite beyond the range. */
export const float32 = (x: Rational): number => {
  if (x.n === 0n) return 0
  const magnitude = { n: x.n < 0n ? -x.n : x.n, d: x.d }
  let exponent = magnitude.n.toString(2).length - magnitude.d.toString(2).length
  const power = (e: number): Rational => (e >= 0 ? { n: 1n << BigInt(e), d: 1n } : { n: 1n, d: 1n << BigInt(-e) })
  const isBelow = (e: number): boolean => magnitude.n * power(e).d < power(e).n * magnitude.d
  while (isBelow(exponent)) exponent--
  while (!isBelow(exponent + 1)) exponent++
  const unit = Math.max(exponent, -126) - 23 // the weight of the last bit
  const steps = Number(nearestEven(divide(magnitude, power(unit))))
  const result = steps * 2 ** unit
  return (x.n < 0n ? -1 : 1) * (result >= 2 ** 128 ? Infinity : result) + 0
}

const product = (a: number, b: number): number => float32(multiply(rational(a), rational(b)))
const quotient = (a: number, b: number): number => float32(divide(rational(a), rational(b)))
const limit = (x: bigint, low: number, high: number): number => Number(x < BigInt(low) ? BigInt(low) : x > BigInt(high) ? BigInt(high) : x)

/** m = fl32(fl32(sx sw) / sy). */
export const exactScale = (sx: number, sw: number, sy: number): number => quotient(product(sx, sw), sy)
/** m = fl32(sx / fl32(sy count)). */
export const exactAverageScale = (sx: number, sy: number, count: number): number => quotient(sx, product(sy, count))
/** clamp(rne(fl32(fl32(acc) m)) + zero, low, high). */
export const exactRequantize = (acc: bigint, m: number, zero: number, low: number, high: number): number =>
  limit(nearestEven(rational(product(float32(rational(acc)), m))) + BigInt(zero), low, high)
/** clamp(rne(fl32(fl32(a ra) + fl32(b rb))) + zero, low, high). */
export const exactAdd = (a: number, ra: number, b: number, rb: number, zero: number, low: number, high: number): number =>
  limit(nearestEven(rational(float32(plus(rational(product(a, ra)), rational(product(b, rb)))))) + BigInt(zero), low, high)
/** clamp(rne(fl32(x / scale)) + zero, low, high). */
export const exactQuantize = (x: number, scale: number, zero: number, low: number, high: number): number => {
  const scaled = quotient(x, scale)
  return Number.isFinite(scaled) ? limit(nearestEven(rational(scaled)) + BigInt(zero), low, high) : scaled < 0 ? low : high
}

// ---- sums, from the definition of each layer ----

interface Ring<T> {
  readonly of: (x: number) => T
  readonly plusProduct: (sum: T, a: T, b: T) => T
}

/** Integers without bound. */
export const INTEGERS: Ring<bigint> = { of: BigInt, plusProduct: (sum, a, b) => sum + a * b }
export const NUMBERS: Ring<number> = { of: (x) => x, plusProduct: (sum, a, b) => sum + a * b }

/** An image to look into: [height, width, channels]; outside there is nothing. */
export interface Picture<T> {
  readonly size: readonly [number, number, number]
  readonly at: (y: number, x: number, c: number) => T | null
}

export const picture = <T>(data: ElementArray, shape: readonly number[], zeroPoint: number, ring: Ring<T>): Picture<T> => {
  const [height, width, channels] = (shape.length === 2 ? [1, ...shape] : shape) as [number, number, number]
  const at = (y: number, x: number, c: number): T | null =>
    y < 0 || x < 0 || y >= height || x >= width ? null : ring.of((data[(y * width + x) * channels + c] as number) - zeroPoint)
  return { size: [height, width, channels], at }
}

type Windowed = NodeOf<'conv1d'> | NodeOf<'conv2d'> | NodeOf<'depthwiseConv2d'>

/** Kernel, stride, dilation and padding of any convolution as of an image; `weight` looks a weight up by output, tap and input channel (of its group). */
const windowOf = (
  node: Windowed,
): {
  kernel: readonly [number, number]
  stride: readonly [number, number]
  dilation: readonly [number, number]
  padding: readonly [number, number, number, number]
} => {
  const shape = node.weights.type.shape
  if (node.kind === 'conv1d') {
    return { kernel: [1, shape[1] as number], stride: [1, node.stride], dilation: [1, node.dilation], padding: [0, 0, node.padding[0], node.padding[1]] }
  }
  const at = node.kind === 'conv2d' ? 1 : 0
  return { kernel: [shape[at] as number, shape[at + 1] as number], stride: node.stride, dilation: node.dilation, padding: node.padding }
}

const weightAt = (node: Windowed, o: number, ky: number, kx: number, i: number): number => {
  const { shape } = node.weights.type
  const [, kw] = windowOf(node).kernel
  if (node.kind === 'depthwiseConv2d') return node.weights.data[(ky * kw + kx) * (shape[2] as number) + o] as number
  const channels = shape.at(-1) as number
  const [kh] = windowOf(node).kernel
  return node.weights.data[((o * kh + ky) * kw + kx) * channels + i] as number
}

const biasAt = <T>(bias: Tensor | null, o: number, ring: Ring<T>): T => ring.of(bias === null ? 0 : (bias.data[o] as number))

/** Sums [oh, ow, out] of a convolution, output by output, tap by tap. */
export const convolve = <T>(node: Windowed, image: Picture<T>, ring: Ring<T>): T[] => {
  const { kernel, stride, dilation, padding } = windowOf(node)
  const [height, width, channels] = image.size
  const outputs = node.weights.type.shape[node.kind === 'depthwiseConv2d' ? 2 : 0] as number
  const positions = (size: number, axis: 0 | 1): number[] => {
    const [before, after] = [padding[2 * axis] as number, padding[2 * axis + 1] as number]
    const starts: number[] = []
    for (let start = -before; start + (kernel[axis] - 1) * dilation[axis] < size + after; start += stride[axis]) starts.push(start)
    return starts
  }
  return positions(height, 0).flatMap((y0) =>
    positions(width, 1).flatMap((x0) =>
      Array.from({ length: outputs }, (_, o) => {
        let sum = biasAt(node.bias, o, ring)
        const inputs = node.kind === 'depthwiseConv2d' ? [Math.floor((o * channels) / outputs)] : [...Array(channels).keys()]
        for (let ky = 0; ky < kernel[0]; ky++) {
          for (let kx = 0; kx < kernel[1]; kx++) {
            for (const i of inputs) {
              const x = image.at(y0 + ky * dilation[0], x0 + kx * dilation[1], i)
              if (x !== null) sum = ring.plusProduct(sum, x, ring.of(weightAt(node, o, ky, kx, i)))
            }
          }
        }
        return sum
      }),
    ),
  )
}

/** Sums [out] of a dense layer. */
export const matrixProduct = <T>(node: NodeOf<'dense'>, input: ElementArray, zeroPoint: number, ring: Ring<T>): T[] => {
  const [units, width] = node.weights.type.shape as [number, number]
  return Array.from({ length: units }, (_, o) => {
    let sum = biasAt(node.bias, o, ring)
    for (let i = 0; i < width; i++) sum = ring.plusProduct(sum, ring.of((input[i] as number) - zeroPoint), ring.of(node.weights.data[o * width + i] as number))
    return sum
  })
}

type Pool = NodeOf<'maxPool'> | NodeOf<'averagePool'> | NodeOf<'globalMaxPool'> | NodeOf<'globalAveragePool'>

/** The valid taps of every window of a pool, [oh, ow, channels]. */
export const windows = (node: Pool, image: Picture<number>): number[][] => {
  const [height, width, channels] = image.size
  const isGlobal = !('kernel' in node)
  const [kernel, stride, padding] = isGlobal
    ? [
        [height, width],
        [1, 1],
        [0, 0, 0, 0],
      ]
    : [node.kernel, node.stride, node.padding]
  const lists: number[][] = []
  for (let y0 = -(padding[0] as number); y0 + (kernel[0] as number) <= height + (padding[1] as number); y0 += stride[0] as number) {
    for (let x0 = -(padding[2] as number); x0 + (kernel[1] as number) <= width + (padding[3] as number); x0 += stride[1] as number) {
      for (let c = 0; c < channels; c++) {
        const taps: number[] = []
        for (let y = y0; y < y0 + (kernel[0] as number); y++) {
          for (let x = x0; x < x0 + (kernel[1] as number); x++) {
            const value = image.at(y, x, c)
            if (value !== null) taps.push(value)
          }
        }
        lists.push(taps)
      }
    }
  }
  return lists
}

/** Elements of the inputs joined along an axis, looked up by coordinate. */
export const join = (parts: readonly { readonly data: ElementArray; readonly shape: readonly number[] }[], axis: number): number[] => {
  const first = parts[0]?.shape ?? []
  const total = parts.reduce((sum, { shape }) => sum + (shape[axis] as number), 0)
  const shape = first.map((size, i) => (i === axis ? total : size))
  const count = shape.reduce((a, b) => a * b, 1)
  return Array.from({ length: count }, (_, flat) => {
    const index = shape.map((size, i) => Math.floor(flat / shape.slice(i + 1).reduce((a, b) => a * b, 1)) % size)
    const part = parts.find(({ shape: own }) => {
      if ((index[axis] as number) < (own[axis] as number)) return true
      index[axis] = (index[axis] as number) - (own[axis] as number)
      return false
    })
    const at = index.reduce((offset, i, k) => offset * (part?.shape[k] as number) + i, 0)
    return part?.data[at] as number
  })
}

/** Scales of a layer's weights by output channel. */
export const weightScale = (node: Node & { weights: Tensor }, channel: number): number => {
  const { scales } = node.weights.type as QuantizedType
  return (scales.length === 1 ? scales[0] : scales[channel]) as number
}
