// Sliding windows of convolutions and pools: attributes, their checks, output sizes and the flat geometry that loops read.

import { invalidNetwork } from '../errors.js'
import type { Shape } from './types.js'

/** [height, width] */
export type Pair = readonly [number, number]
/** [top, bottom, left, right] */
export type Padding = readonly [number, number, number, number]

/** How a window moves. Padding adds what sums to nothing (the zero point); pools leave it out. */
export interface Window {
  readonly stride: Pair
  readonly dilation: Pair
  readonly padding: Padding
}

/** Everything a convolution or pooling loop needs, in elements. */
export interface Geometry {
  readonly inputHeight: number
  readonly inputWidth: number
  readonly inputChannels: number
  readonly outputHeight: number
  readonly outputWidth: number
  readonly outputChannels: number
  readonly kernelHeight: number
  readonly kernelWidth: number
  readonly strideY: number
  readonly strideX: number
  readonly dilationY: number
  readonly dilationX: number
  readonly padTop: number
  readonly padLeft: number
}

/** The largest size, stride, dilation or padding along one axis: the flash format stores 16 bits. */
export const MAX_AXIS = 65535

const isCount = (x: unknown, least: number): boolean => Number.isInteger(x) && (x as number) >= least && (x as number) <= MAX_AXIS

/** Refuses a list that does not hold `length` integers from `least` to MAX_AXIS. */
export const checkCounts = (list: unknown, length: number, least: number, name: string, where: string): void => {
  if (!Array.isArray(list) || list.length !== length || !list.every((x) => isCount(x, least))) {
    throw invalidNetwork(where, `${name} must be ${length} integers from ${least} to ${MAX_AXIS}, not ${JSON.stringify(list)}`)
  }
}

/** Refuses window attributes that are not proper counts. */
export const checkWindow = (window: Window, where: string): void => {
  checkCounts(window.stride, 2, 1, 'stride', where)
  checkCounts(window.dilation, 2, 1, 'dilation', where)
  checkCounts(window.padding, 4, 0, 'padding', where)
}

/** Window positions along one axis: floor((size + padding - extent) / stride) + 1; 0 or less where the window does not fit. */
export const outputSize = (size: number, kernel: number, stride: number, dilation: number, padding: number): number =>
  Math.floor((size + padding - (dilation * (kernel - 1) + 1)) / stride) + 1

/** [before, after] of TensorFlow's padding 'same': output ceil(size / stride), the odd element goes behind. */
export const samePadding = (size: number, kernel: number, stride: number, dilation: number): Pair => {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + dilation * (kernel - 1) + 1 - size)
  return [Math.floor(total / 2), total - Math.floor(total / 2)]
}

/** An image's shape as [height, width, channels]; a signal [steps, channels] is an image of height 1. */
export const asImage = (shape: Shape, where: string): readonly [number, number, number] => {
  if (shape.length === 3) return shape as unknown as [number, number, number]
  if (shape.length === 2) return [1, shape[0] as number, shape[1] as number]
  throw invalidNetwork(where, `expects [height, width, channels] or [steps, channels], not [${shape.join(',')}]`)
}

/** The geometry of a window over an input. @throws NETWORK_INVALID where the window does not fit once, or padding holds a whole window. */
export const geometry = (input: Shape, kernel: Pair, window: Window, outputChannels: number, where: string): Geometry => {
  const [inputHeight, inputWidth, inputChannels] = asImage(input, where)
  const [top, bottom, left, right] = window.padding
  const outputHeight = outputSize(inputHeight, kernel[0], window.stride[0], window.dilation[0], top + bottom)
  const outputWidth = outputSize(inputWidth, kernel[1], window.stride[1], window.dilation[1], left + right)
  if (outputHeight < 1 || outputWidth < 1) {
    throw invalidNetwork(where, `a ${kernel.join('x')} window does not fit an input of ${inputHeight}x${inputWidth} with padding ${window.padding.join(',')}`)
  }
  const extentY = window.dilation[0] * (kernel[0] - 1) + 1
  const extentX = window.dilation[1] * (kernel[1] - 1) + 1
  if (Math.max(top, bottom) >= extentY || Math.max(left, right) >= extentX) {
    throw invalidNetwork(where, `padding ${window.padding.join(',')} must be less than the window's extent ${extentY}x${extentX}`)
  }
  return {
    inputHeight,
    inputWidth,
    inputChannels,
    outputHeight,
    outputWidth,
    outputChannels,
    kernelHeight: kernel[0],
    kernelWidth: kernel[1],
    strideY: window.stride[0],
    strideX: window.stride[1],
    dilationY: window.dilation[0],
    dilationX: window.dilation[1],
    padTop: top,
    padLeft: left,
  }
}

/** The output shape of a window: the input's rank is kept. */
export const windowOutputShape = (input: Shape, g: Geometry): Shape =>
  input.length === 2 ? [g.outputWidth, g.outputChannels] : [g.outputHeight, g.outputWidth, g.outputChannels]
