// conv1d: input [steps, in], weights [out, k, in]: a conv2d over an image of height 1.

import { invalidNetwork } from '../../errors.js'
import { accumulateConv } from '../accumulate.js'
import { whereOf } from '../operator.js'
import type { Shape } from '../types.js'
import { checkCounts, type Geometry, geometry } from '../window.js'
import { type ConvolutionBase, convolution } from './convolution.js'

export interface Conv1dNode extends ConvolutionBase<'conv1d'> {
  readonly stride: number
  readonly dilation: number
  /** [before, after] */
  readonly padding: readonly [number, number]
}

/** The geometry of a conv1d, as an image of height 1. */
export const conv1dGeometry = (node: Conv1dNode, input: Shape): Geometry => {
  const [out, k, channels] = node.weights.type.shape as [number, number, number]
  if (input.length !== 2 || input[1] !== channels) {
    throw invalidNetwork(whereOf(node), `the input has shape [${input.join(',')}], the weights take [steps,${channels}]`)
  }
  const window = { stride: [1, node.stride], dilation: [1, node.dilation], padding: [0, 0, node.padding[0], node.padding[1]] } as const
  return geometry(input, [1, k], window, out, whereOf(node))
}

export const conv1d = convolution<Conv1dNode>({
  kind: 'conv1d',
  weightsRank: 3,
  channelAxis: 0,
  checkWindow: (node) => {
    checkCounts([node.stride], 1, 1, 'stride', whereOf(node))
    checkCounts([node.dilation], 1, 1, 'dilation', whereOf(node))
    checkCounts(node.padding, 2, 0, 'padding', whereOf(node))
  },
  geometry: conv1dGeometry,
  accumulate: accumulateConv,
  tapsPerSum: (g) => g.kernelWidth * g.inputChannels,
})
