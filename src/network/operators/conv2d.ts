// conv2d: input [h, w, in], weights [out, kh, kw, in], zero padding, then an emission.

import { invalidNetwork } from '../../errors.js'
import { accumulateConv } from '../accumulate.js'
import { whereOf } from '../operator.js'
import type { Shape } from '../types.js'
import { checkWindow, type Geometry, geometry, type Window } from '../window.js'
import { type ConvolutionBase, convolution } from './convolution.js'

export interface Conv2dNode extends ConvolutionBase<'conv2d'>, Window {}

/** The geometry of a conv2d over an input shape. */
export const conv2dGeometry = (node: Conv2dNode, input: Shape): Geometry => {
  const [out, kh, kw, channels] = node.weights.type.shape as [number, number, number, number]
  if (input.length !== 3 || input[2] !== channels) {
    throw invalidNetwork(whereOf(node), `the input has shape [${input.join(',')}], the weights take [height,width,${channels}]`)
  }
  return geometry(input, [kh, kw], node, out, whereOf(node))
}

export const conv2d = convolution<Conv2dNode>({
  kind: 'conv2d',
  weightsRank: 4,
  channelAxis: 0,
  checkWindow: (node) => checkWindow(node, whereOf(node)),
  geometry: conv2dGeometry,
  accumulate: accumulateConv,
  tapsPerSum: (g) => g.kernelHeight * g.kernelWidth * g.inputChannels,
})
