// The meaning of a network, one sample at a time: nodes in order, each by its operator's definition. runtimes/reference drives it over batches;
// calibration reads its intermediate values.

import { nodeTypes, typeOf } from './graph.js'
import { operatorOf } from './operators/index.js'
import { allocate, type ElementArray, type Network, statesOf, stepsOf } from './types.js'

/** What a run remembers between time steps: the elements of every value; states hold their last step, all 0 at first. */
export type Values = ElementArray[]

/** The values of a network before its first step: states are 0, everything else is still missing. */
export const startValues = (network: Network): Values => {
  const values: Values = new Array(network.values.length)
  for (const state of statesOf(network)) values[state] = allocate(typeOf(network, state))
  return values
}

/** One time step: every node in order, over `values` in place. */
export const evaluateStep = (network: Network, values: Values, inputs: readonly ElementArray[]): void => {
  network.inputs.forEach((value, i) => {
    values[value] = inputs[i] as ElementArray
  })
  const at = (value: number): ElementArray => values[value] as ElementArray
  for (const node of network.nodes)
    values[node.output] = operatorOf(node).evaluate(node, node.inputs.map(at), nodeTypes(network, node), (node.states ?? []).map(at))
}

/**
 * Computes every value of a network for one sample: after its last time step, where it runs over time.
 * @param inputs one array per network input, in its type's elements
 * @returns elements of each value, by index
 */
export const evaluate = (network: Network, inputs: readonly ElementArray[]): readonly ElementArray[] => {
  const values = startValues(network)
  for (let step = 0; step < stepsOf(network); step++) evaluateStep(network, values, inputs)
  return values
}
