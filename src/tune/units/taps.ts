// Dense layers and convolutions as one thing: `positions` x `channels` sums of `taps` products, and where each tap reads. Tables are built once a
// network; weights are brought to [taps, channels] whenever they change.

import { typeOf } from '../../network/graph.js'
import type { Conv1dNode } from '../../network/operators/conv1d.js'
import { conv1dGeometry } from '../../network/operators/conv1d.js'
import { type Conv2dNode, conv2dGeometry } from '../../network/operators/conv2d.js'
import type { DenseNode } from '../../network/operators/dense.js'
import { type DepthwiseConv2dNode, depthwiseGeometry } from '../../network/operators/depthwise-conv2d.js'
import type { Network } from '../../network/types.js'
import type { Geometry } from '../../network/window.js'

export interface Taps {
  readonly positions: number
  readonly channels: number
  readonly taps: number
  /** element of the input that a tap reads at a position, -1 in the padding; depthwise: of channel 0 */
  readonly inputOf: Int32Array // [positions, taps]
  /** 0: all channels read the same element. Otherwise (depthwise) channel c reads inputOf + floor(c / multiplier). */
  readonly multiplier: number
  /** weights [taps, channels] of the stored ones */
  readonly arrange: (weights: ArrayLike<number>) => Int32Array
  /** index of a stored weight */
  readonly weightIndex: (tap: number, channel: number) => number
  /** where an input element is read: entries starts[e]..starts[e + 1] - 1 of readers (position * taps + tap); depthwise: e counts elements of channel 0 / inputs of a pixel */
  readonly starts: Int32Array
  readonly readers: Int32Array
}

/** Inverts inputOf: for each input element the (position, tap) pairs that read it. */
export const invert = (inputOf: Int32Array, elements: number): { starts: Int32Array; readers: Int32Array } => {
  const starts = new Int32Array(elements + 1)
  for (const e of inputOf) if (e >= 0) starts[e + 1] = (starts[e + 1] as number) + 1
  for (let e = 0; e < elements; e++) starts[e + 1] = (starts[e + 1] as number) + (starts[e] as number)
  const next = starts.slice()
  const readers = new Int32Array(starts[elements] as number)
  inputOf.forEach((e, at) => {
    if (e < 0) return
    readers[next[e] as number] = at
    next[e] = (next[e] as number) + 1
  })
  return { starts, readers }
}

/** [channels, taps] stored weights as [taps, channels]. */
const channelsFirst = (channels: number, taps: number): Pick<Taps, 'arrange' | 'weightIndex'> => ({
  arrange: (weights) => {
    const out = new Int32Array(taps * channels)
    for (let c = 0; c < channels; c++) for (let t = 0; t < taps; t++) out[t * channels + c] = weights[c * taps + t] as number
    return out
  },
  weightIndex: (tap, channel) => channel * taps + tap,
})

export const denseTaps = (node: DenseNode): Taps => {
  const [channels, taps] = node.weights.type.shape as [number, number]
  const inputOf = Int32Array.from({ length: taps }, (_, i) => i)
  return { positions: 1, channels, taps, inputOf, multiplier: 0, ...channelsFirst(channels, taps), ...invert(inputOf, taps) }
}

/** Element of the first channel that kernel cell (ky, kx) reads at output (y, x), or -1. */
const pixelOf = (g: Geometry, y: number, x: number, ky: number, kx: number): number => {
  const iy = y * g.strideY - g.padTop + ky * g.dilationY
  const ix = x * g.strideX - g.padLeft + kx * g.dilationX
  return iy < 0 || iy >= g.inputHeight || ix < 0 || ix >= g.inputWidth ? -1 : (iy * g.inputWidth + ix) * g.inputChannels
}

/** Elements [positions, taps] that a window reads: `perCell` taps a kernel cell, tap i of a cell reading channel i; -1 in the padding. */
export const windowTable = (g: Geometry, perCell: number): Int32Array => {
  const taps = g.kernelHeight * g.kernelWidth * perCell
  return Int32Array.from({ length: g.outputHeight * g.outputWidth * taps }, (_, at) => {
    const position = Math.floor(at / taps)
    const cell = Math.floor((at % taps) / perCell)
    const pixel = pixelOf(g, Math.floor(position / g.outputWidth), position % g.outputWidth, Math.floor(cell / g.kernelWidth), cell % g.kernelWidth)
    return pixel < 0 ? -1 : pixel + (at % perCell)
  })
}

const convolutionTaps = (g: Geometry): Taps => {
  const taps = g.kernelHeight * g.kernelWidth * g.inputChannels
  const inputOf = windowTable(g, g.inputChannels)
  return {
    positions: g.outputHeight * g.outputWidth,
    channels: g.outputChannels,
    taps,
    inputOf,
    multiplier: 0,
    ...channelsFirst(g.outputChannels, taps),
    ...invert(inputOf, g.inputHeight * g.inputWidth * g.inputChannels),
  }
}

export const conv2dTaps = (node: Conv2dNode, network: Network): Taps => convolutionTaps(conv2dGeometry(node, typeOf(network, node.inputs[0] as number).shape))

export const conv1dTaps = (node: Conv1dNode, network: Network): Taps => convolutionTaps(conv1dGeometry(node, typeOf(network, node.inputs[0] as number).shape))

export const depthwiseTaps = (node: DepthwiseConv2dNode, network: Network): Taps => {
  const g = depthwiseGeometry(node, typeOf(network, node.inputs[0] as number).shape)
  const inputOf = windowTable(g, 1)
  return {
    positions: g.outputHeight * g.outputWidth,
    channels: g.outputChannels,
    taps: g.kernelHeight * g.kernelWidth,
    inputOf,
    multiplier: g.outputChannels / g.inputChannels,
    arrange: (weights) => Int32Array.from(weights),
    weightIndex: (tap, channel) => tap * g.outputChannels + channel,
    ...invert(inputOf, g.inputHeight * g.inputWidth * g.inputChannels),
  }
}
