// flatten: the same bytes as one vector, row major.

import type { Operator } from '../operator.js'
import { elementCount, type NodeBase } from '../types.js'
import { SHAPE_ONLY } from './reshape.js'

export interface FlattenNode extends NodeBase<'flatten'> {}

export const flatten: Operator<FlattenNode> = {
  ...SHAPE_ONLY,
  kind: 'flatten',
  checkAttributes: () => {},
  outputShape: (_, [input]) => [elementCount(input ?? [])],
}
