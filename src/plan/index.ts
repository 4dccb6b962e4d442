// plan(): everything about memory and work of an integer network that is known before it is on a board, exact to the byte.

import type { ArenaPlan } from '../contracts/plan.js'
import { eventnetBytes } from '../eventnet/index.js'
import { nodeTypes } from '../network/graph.js'
import { constantBytes } from '../network/operator.js'
import { operatorOf } from '../network/operators/index.js'
import { byteLength, type Network, type Shape, stepsOf } from '../network/types.js'
import { type Lifetime, lifetimes, liveBytes, planArena } from './arena.js'

export { planArena } from './arena.js'

/** One node of a plan. */
export interface NodePlan {
  readonly name: string
  readonly kind: string
  /** of the output */
  readonly shape: Shape
  /** of a run: over all time steps */
  readonly macs: number
  readonly constantBytes: number
  /** bytes of all values alive while the node runs, overlap not counted */
  readonly liveBytes: number
  /** the largest value alive while the node runs */
  readonly largestValue: string
  readonly largestValueBytes: number
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

/** The largest value alive at a step (src/plan/arena.ts counts them). */
const largestAlive = (network: Network, lives: readonly Lifetime[], step: number): Pick<NodePlan, 'largestValue' | 'largestValueBytes'> => {
  let largest = { largestValue: '', largestValueBytes: 0 }
  network.values.forEach(({ name, type }, value) => {
    const { first, last } = lives[value] as Lifetime
    if (first <= step && last >= step && byteLength(type) > largest.largestValueBytes) largest = { largestValue: name, largestValueBytes: byteLength(type) }
  })
  return largest
}

/** Plans an integer network. */
export const plan = (network: Network<'integer'>): Plan => {
  const arena: ArenaPlan = planArena(network)
  const live = liveBytes(network)
  const lives = lifetimes(network)
  const nodes = network.nodes.map((node, i): NodePlan => {
    const types = nodeTypes(network, node)
    return {
      name: node.name,
      kind: node.kind,
      shape: types.output.shape,
      macs: stepsOf(network) * operatorOf(node).macs(node, types),
      constantBytes: constantBytes(node),
      liveBytes: live[i] as number,
      ...largestAlive(network, lives, i + 1),
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
