// The meaning of a network, one sample at a time: nodes in order, each by its operator's definition. runtimes/reference drives it over batches;
// calibration reads its intermediate values.

import { nodeTypes } from './graph.js'
import { operatorOf } from './operators/index.js'
import type { ElementArray, Network } from './types.js'

/**
 * Computes every value of a network for one sample.
 * @param inputs one array per network input, in its type's elements
 * @returns elements of each value, by index
 */
export const evaluate = (network: Network, inputs: readonly ElementArray[]): readonly ElementArray[] => {
  const values: ElementArray[] = new Array(network.values.length)
  network.inputs.forEach((value, i) => {
    values[value] = inputs[i] as ElementArray
  })
  for (const node of network.nodes) {
    const types = nodeTypes(network, node)
    values[node.output] = operatorOf(node).evaluate(
      node,
      node.inputs.map((i) => values[i] as ElementArray),
      types,
    )
  }
  return values
}
