// carry: copies a value into a state, so that the next step can read it: a recurrent connection, or one step of a delay (docs/spiking.md, delays).

import { invalidNetwork } from '../../errors.js'
import { neverOverlaps, noMacs, type Operator, whereOf } from '../operator.js'
import { type ElementArray, hasEqualQuantization, type NodeBase } from '../types.js'

/** The output is one of the network's states. */
export interface CarryNode extends NodeBase<'carry'> {}

export const carry: Operator<CarryNode> = {
  kind: 'carry',
  inputs: 1,
  stages: ['float', 'integer'],
  checkAttributes: () => {},
  outputShape: (_, [input]) => input ?? [],
  checkTypes: (node, { inputs: [input], output }) => {
    if (input !== undefined && !hasEqualQuantization(input, output))
      throw invalidNetwork(whereOf(node), `carries ${input.kind} into a state of ${output.kind}, or of another scale`)
  },
  evaluate: (_, [data]) => (data as ElementArray).slice(),
  macs: noMacs,
  overlap: neverOverlaps,
}
