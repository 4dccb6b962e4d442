// depthwiseConv2d: each input channel is convolved on its own; weights [kh, kw, in * multiplier], output channel o reads input channel floor(o / multiplier).

import { invalidNetwork } from '../../errors.js'
import { accumulateDepthwise } from '../accumulate.js'
import { whereOf } from '../operator.js'
import type { Shape } from '../types.js'
import { checkWindow, type Geometry, geometry, type Window } from '../window.js'
import { type ConvolutionBase, convolution } from './convolution.js'

export interface DepthwiseConv2dNode extends ConvolutionBase<'depthwiseConv2d'>, Window {}

/** The geometry of a depthwiseConv2d over an input shape. */
export const depthwiseGeometry = (node: DepthwiseConv2dNode, input: Shape): Geometry => {
  const [kh, kw, out] = node.weights.type.shape as [number, number, number]
  const channels = input[2]
  if (input.length !== 3 || channels === undefined || out % channels !== 0) {
    throw invalidNetwork(whereOf(node), `the input has shape [${input.join(',')}], the weights give ${out} channels, a multiple of the input's is needed`)
  }
  return geometry(input, [kh, kw], node, out, whereOf(node))
}

export const depthwiseConv2d = convolution<DepthwiseConv2dNode>({
  kind: 'depthwiseConv2d',
  weightsRank: 3,
  channelAxis: 2,
  checkWindow: (node) => checkWindow(node, whereOf(node)),
  geometry: depthwiseGeometry,
  accumulate: accumulateDepthwise,
  tapsPerSum: (g) => g.kernelHeight * g.kernelWidth,
})
