// sign (float stage only): +1 where x >= 0, otherwise -1. quantize() turns it into one integer threshold a channel of the layer in front
// (docs/arithmetic.md, thresholds).

import { invalidNetwork } from '../../errors.js'
import { noMacs, type Operator, overlapsElementwise, whereOf } from '../operator.js'
import { allocate, type ElementArray, type NodeBase } from '../types.js'

export interface SignNode extends NodeBase<'sign'> {}

export const sign: Operator<SignNode> = {
  kind: 'sign',
  inputs: 1,
  stages: ['float'],
  checkAttributes: () => {},
  outputShape: (_, [input]) => input ?? [],
  checkTypes: (node, { inputs: [input], output }) => {
    if (input?.kind !== 'float32' || output.kind !== 'float32') throw invalidNetwork(whereOf(node), 'works on float32 only')
  },
  evaluate: (_, [data], { output }) => {
    const out = allocate(output)
    for (let i = 0; i < out.length; i++) out[i] = ((data as ElementArray)[i] as number) >= 0 ? 1 : -1
    return out
  },
  macs: noMacs,
  overlap: overlapsElementwise,
}
