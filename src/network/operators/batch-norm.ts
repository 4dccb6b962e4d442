// batchNorm (float stage only): gamma (x - mean) / sqrt(variance + epsilon) + beta over the last axis. simplify() folds it away.

import { invalidNetwork } from '../../errors.js'
import { checkTensor, type Operator, oneMacAnElement, overlapsElementwise, whereOf } from '../operator.js'
import { allocate, type ElementArray, type NodeBase, type Tensor } from '../types.js'

export interface BatchNormNode extends NodeBase<'batchNorm'> {
  readonly gamma: Tensor // [channels]
  readonly beta: Tensor // [channels]
  readonly mean: Tensor // [channels]
  readonly variance: Tensor // [channels]
  readonly epsilon: number
}

/** Per channel [scale, shift] with batchNorm(x) = scale x + shift, in float64. */
export const batchNormAffine = (node: BatchNormNode): readonly (readonly [number, number])[] =>
  Array.from(node.gamma.data as ArrayLike<number>, (gamma, c) => {
    const scale = gamma / Math.sqrt((node.variance.data[c] as number) + node.epsilon)
    return [scale, (node.beta.data[c] as number) - scale * (node.mean.data[c] as number)] as const
  })

export const batchNorm: Operator<BatchNormNode> = {
  kind: 'batchNorm',
  inputs: 1,
  stages: ['float'],
  checkAttributes: (node) => {
    const channels = node.gamma?.type?.shape?.[0] ?? null
    for (const name of ['gamma', 'beta', 'mean', 'variance'] as const) checkTensor(node[name], ['float32'], [channels], `${name} values`, whereOf(node))
    if (!(node.epsilon >= 0) || !node.variance.data.every((v) => v + node.epsilon > 0)) {
      throw invalidNetwork(whereOf(node), 'variance + epsilon must be positive in every channel')
    }
  },
  outputShape: (node, [input]) => {
    const channels = node.gamma.type.shape[0]
    if (input === undefined || input.at(-1) !== channels)
      throw invalidNetwork(whereOf(node), `the input has shape [${input?.join(',')}], expected ${channels} channels`)
    return input
  },
  checkTypes: (node, { inputs: [input], output }) => {
    if (input?.kind !== 'float32' || output.kind !== 'float32') throw invalidNetwork(whereOf(node), 'works on float32 only')
  },
  evaluate: (node, [data], { output }) => {
    const affine = batchNormAffine(node)
    const out = allocate(output)
    for (let i = 0; i < out.length; i++) {
      const [scale, shift] = affine[i % affine.length] as readonly [number, number]
      out[i] = scale * ((data as ElementArray)[i] as number) + shift
    }
    return out
  },
  macs: oneMacAnElement,
  overlap: overlapsElementwise,
}
