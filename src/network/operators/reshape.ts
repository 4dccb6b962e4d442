// reshape and flatten: the same bytes under another shape.

import { invalidNetwork } from '../../errors.js'
import { type NodeTypes, noMacs, type Operator, overlapsElementwise, whereOf } from '../operator.js'
import { type ElementArray, elementCount, hasEqualQuantization, type NodeBase, type Shape } from '../types.js'
import { MAX_AXIS } from '../window.js'

export interface ReshapeNode extends NodeBase<'reshape'> {
  readonly shape: Shape
}

/** What every operator that only renames a shape has in common. */
export const SHAPE_ONLY = {
  inputs: 1,
  stages: ['float', 'integer'],
  checkTypes: (node: NodeBase<string>, { inputs: [input], output }: NodeTypes): void => {
    if (input === undefined || !hasEqualQuantization(input, output)) {
      throw invalidNetwork(whereOf(node), 'input and output must be of one kind, scale and zero point')
    }
  },
  evaluate: (_: unknown, [data]: readonly ElementArray[]): ElementArray => (data as ElementArray).slice(),
  macs: noMacs,
  overlap: overlapsElementwise,
} as const

export const reshape: Operator<ReshapeNode> = {
  ...SHAPE_ONLY,
  kind: 'reshape',
  checkAttributes: (node) => {
    if (!Array.isArray(node.shape) || !node.shape.every((size) => Number.isInteger(size) && size >= 1 && size <= MAX_AXIS)) {
      throw invalidNetwork(whereOf(node), `shape ${JSON.stringify(node.shape)} is not a list of integers from 1 to ${MAX_AXIS}`)
    }
  },
  outputShape: (node, [input]) => {
    if (elementCount(input ?? []) !== elementCount(node.shape)) {
      throw invalidNetwork(whereOf(node), `[${input?.join(',')}] cannot become [${node.shape.join(',')}]: the number of elements differs`)
    }
    return node.shape
  },
}
