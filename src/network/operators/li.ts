// li: leaky integrators that never fire; gives the membrane. With leak 0 it sums its input over time: the spike count of a classifier.

import { invalidNetwork } from '../../errors.js'
import { type Operator, oneMacAnElement, overlapsElementwise, whereOf } from '../operator.js'
import { allocate, type ElementArray } from '../types.js'
import { checkNeuron, checkNeuronTypes, integrate, type NeuronBase } from './neuron.js'

export interface LiNode extends NeuronBase<'li'> {}

export const li: Operator<LiNode> = {
  kind: 'li',
  inputs: 1,
  states: [1, 2],
  stages: ['float', 'integer'],
  checkAttributes: checkNeuron,
  outputShape: (_, [input]) => input ?? [],
  checkTypes: (node, types, stage) => {
    checkNeuronTypes(node, types, stage)
    const expected = stage === 'float' ? 'float32' : 'membrane'
    if (types.output.kind !== expected) throw invalidNetwork(whereOf(node), `gives ${types.output.kind}, expected ${expected}`)
  },
  evaluate: (node, [data], { output }, states) => {
    const stage = output.kind === 'float32' ? 'float' : 'integer'
    const [membrane] = states as [ElementArray]
    const out = allocate(output)
    for (let i = 0; i < out.length; i++) {
      out[i] = integrate(node, i, (data as ElementArray)[i] as number, states, stage)
      membrane[i] = out[i] as number
    }
    return out
  },
  macs: oneMacAnElement,
  overlap: overlapsElementwise,
}
