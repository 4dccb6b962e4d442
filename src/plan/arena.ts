// Where each value lives in the arena. Values whose lifetimes meet take separate bytes, except that a node's output may start a little in
// front of an input that dies there and grow into it (Operator.overlap). KERNEL LAW that this rests on: a kernel computes output rows in
// order, all channels of a row before the next row, and writes nothing of a row while it still reads input rows below row * stride - padTop.

import { ARENA_ALIGNMENT, type ArenaPlan } from '../contracts/plan.js'
import { nodeTypes, typeOf } from '../network/graph.js'
import { operatorOf } from '../network/operators/index.js'
import { byteLength, type Network } from '../network/types.js'

export { ARENA_ALIGNMENT, type ArenaPlan } from '../contracts/plan.js'

/** First and last step at which a value lives: step 0 is before the first node, node i is step i + 1. */
export interface Lifetime {
  readonly first: number
  readonly last: number
}

/** The lifetime of every value; inputs live from step 0, outputs to the end, and in a network that runs over time inputs and states all along. */
export const lifetimes = (network: Network): readonly Lifetime[] => {
  const end = network.nodes.length + 1
  const first = new Array<number>(network.values.length).fill(0)
  const last = new Array<number>(network.values.length).fill(0)
  network.nodes.forEach((node, i) => {
    first[node.output] = i + 1
    last[node.output] = i + 1
    for (const input of node.inputs) last[input] = i + 1
  })
  for (const output of network.outputs) last[output] = end
  if (network.time !== undefined) {
    for (const value of [...network.inputs, ...network.time.states]) {
      first[value] = 0
      last[value] = end
    }
  }
  return first.map((step, value) => ({ first: step, last: last[value] as number }))
}

/** distances.get(output)?.get(input): bytes by which output must start in front of input, for pairs that may overlap. */
type Distances = ReadonlyMap<number, ReadonlyMap<number, number>>

const alignUp = (bytes: number): number => Math.ceil(bytes / ARENA_ALIGNMENT) * ARENA_ALIGNMENT

const overlapDistances = (network: Network, lives: readonly Lifetime[]): Distances => {
  const distances = new Map<number, Map<number, number>>()
  network.nodes.forEach((node, i) => {
    const allowed = operatorOf(node).overlap(node, nodeTypes(network, node))
    const row = new Map<number, number>()
    node.inputs.forEach((input, k) => {
      const distance = allowed[k]
      const isUsedOnce = node.inputs.indexOf(input) === node.inputs.lastIndexOf(input)
      if (distance !== null && distance !== undefined && isUsedOnce && lives[input]?.last === i + 1) row.set(input, alignUp(distance))
    })
    distances.set(node.output, row)
  })
  return distances
}

interface Problem {
  readonly sizes: readonly number[]
  readonly lives: readonly Lifetime[]
  readonly distances: Distances
  /** per value: the others whose lifetimes meet its own */
  readonly neighbours: readonly (readonly number[])[]
}

const describeProblem = (network: Network): Problem => {
  const lives = lifetimes(network)
  const sizes = network.values.map((value) => alignUp(byteLength(value.type)))
  const meets = (a: Lifetime, b: Lifetime): boolean => a.first <= b.last && b.first <= a.last
  const neighbours = lives.map((a, i) => [...lives.keys()].filter((j) => j !== i && meets(a, lives[j] as Lifetime)))
  return { sizes, lives, distances: overlapDistances(network, lives), neighbours }
}

/** Open interval of offsets that value cannot take because `other` lies at `offset`. */
const forbidden = (problem: Problem, value: number, other: number, offset: number): readonly [number, number] => {
  const size = problem.sizes[value] as number
  const otherSize = problem.sizes[other] as number
  const asOutput = problem.distances.get(value)?.get(other)
  const asInput = problem.distances.get(other)?.get(value)
  const low = asOutput === undefined ? offset - size : offset - Math.min(asOutput, size)
  const high = asInput === undefined ? offset + otherSize : offset + Math.min(asInput, otherSize)
  return [low, high]
}

/** The lowest offset of a value among those placed already. */
const lowestOffset = (problem: Problem, value: number, offsets: readonly (number | undefined)[]): number => {
  const blocked = (problem.neighbours[value] as readonly number[])
    .filter((other) => offsets[other] !== undefined)
    .map((other) => forbidden(problem, value, other, offsets[other] as number))
    .sort((a, b) => a[0] - b[0])
  let offset = 0
  for (let moved = true; moved; ) {
    moved = false
    for (const [low, high] of blocked) {
      if (offset > low && offset < high) {
        offset = high
        moved = true
      }
    }
  }
  return offset
}

interface Placement {
  readonly offsets: readonly number[]
  readonly arenaBytes: number
}

const place = (problem: Problem, order: readonly number[]): Placement => {
  const offsets: (number | undefined)[] = new Array(problem.sizes.length).fill(undefined)
  let arenaBytes = 0
  for (const value of order) {
    const offset = lowestOffset(problem, value, offsets)
    offsets[value] = offset
    arenaBytes = Math.max(arenaBytes, offset + (problem.sizes[value] as number))
  }
  return { offsets: offsets as number[], arenaBytes }
}

/** Orders worth trying: largest first, execution order, its reverse, and longest-lived first. */
const startingOrders = ({ sizes, lives }: Problem): number[][] => {
  const values = [...sizes.keys()]
  const size = (i: number): number => sizes[i] as number
  const first = (i: number): number => (lives[i] as Lifetime).first
  const span = (i: number): number => (lives[i] as Lifetime).last - first(i)
  return [
    [...values].sort((a, b) => size(b) - size(a) || first(b) - first(a)),
    [...values].sort((a, b) => first(a) - first(b)),
    [...values].sort((a, b) => first(b) - first(a)),
    [...values].sort((a, b) => span(b) * size(b) - span(a) * size(a) || first(b) - first(a)),
  ]
}

/** Placements tried by the local search; each is a few microseconds a value. */
const SEARCH_STEPS = 2000

/** A small deterministic generator (LCG of Numerical Recipes): the plan of a network is always the same. */
const sequence = (): ((bound: number) => number) => {
  let state = 1
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}

const search = (problem: Problem, lowerBound: number): Placement => {
  const next = sequence()
  const tried = startingOrders(problem).map((order) => ({ order, placement: place(problem, order) }))
  let best = tried.reduce((a, b) => (b.placement.arenaBytes < a.placement.arenaBytes ? b : a))
  const steps = Math.min(SEARCH_STEPS, 400_000 / problem.sizes.length ** 2)
  for (let step = 0; step < steps && best.placement.arenaBytes > lowerBound; step++) {
    const order = [...best.order]
    const [moved] = order.splice(next(order.length), 1)
    order.splice(next(order.length + 1), 0, moved as number)
    const placement = place(problem, order)
    if (placement.arenaBytes <= best.placement.arenaBytes) best = { order, placement }
  }
  return best.placement
}

/** Bytes alive at each node: its inputs, its output and whatever a later node still reads. */
export const liveBytes = (network: Network): readonly number[] => {
  const lives = lifetimes(network)
  return network.nodes.map((_, i) =>
    lives.reduce((sum, { first, last }, value) => (first <= i + 1 && last >= i + 1 ? sum + byteLength(typeOf(network, value)) : sum), 0),
  )
}

/** Plans the arena of a network: deterministic, never above the sum of all values, as a rule below idealBytes. */
export const planArena = (network: Network): ArenaPlan => {
  const problem = describeProblem(network)
  const lowerBound = Math.max(...problem.sizes)
  const placement = search(problem, lowerBound)
  return { ...placement, idealBytes: Math.max(...liveBytes(network)) }
}
