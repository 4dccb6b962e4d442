// plan(): everything about memory and work of an integer network that is known before it is on a board, exact to the byte.

import type { ArenaPlan } from '../contracts/plan.js'
import { eventnetBytes } from '../eventnet/index.js'
import { nodeTypes } from '../network/graph.js'
import { constantBytes } from '../network/operator.js'
import { operatorOf } from '../network/operators/index.js'
import type { Network, Shape } from '../network/types.js'
import { liveBytes, planArena } from './arena.js'

export { planArena } from './arena.js'

/** One node of a plan. */
export interface NodePlan {
  readonly name: string
  readonly kind: string
  /** of the output */
  readonly shape: Shape
  readonly macs: number
  readonly constantBytes: number
  /** bytes of all values alive while the node runs, overlap not counted */
  readonly liveBytes: number
  /** where the output starts in the arena */
  readonly offset: number
}

export interface Plan {
  readonly name: string
  readonly nodes: readonly NodePlan[]
  readonly macs: number
  /** RAM for activations */
  readonly arenaBytes: number
  /** what the arena would take if no output overlapped its input */
  readonly idealBytes: number
  /** length of the flash file with names and labels, without self-test */
  readonly flashBytes: number
}

/** Plans an integer network. */
export const plan = (network: Network<'integer'>): Plan => {
  const arena: ArenaPlan = planArena(network)
  const live = liveBytes(network)
  const nodes = network.nodes.map((node, i): NodePlan => {
    const types = nodeTypes(network, node)
    return {
      name: node.name,
      kind: node.kind,
      shape: types.output.shape,
      macs: operatorOf(node).macs(node, types),
      constantBytes: constantBytes(node),
      liveBytes: live[i] as number,
      offset: arena.offsets[node.output] as number,
    }
  })
  return {
    name: network.name,
    nodes,
    macs: nodes.reduce((sum, { macs }) => sum + macs, 0),
    arenaBytes: arena.arenaBytes,
    idealBytes: arena.idealBytes,
    flashBytes: eventnetBytes(network, arena).length,
  }
}
