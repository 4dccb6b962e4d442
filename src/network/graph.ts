// Small questions that passes ask of a network: types around a node, producers, consumers, class scores.

import type { NodeTypes } from './operator.js'
import { type Node, operatorOf } from './operators/index.js'
import { type Network, type Stage, stepsOf, type Value, type ValueType } from './types.js'

/** The type of a value. */
export const typeOf = (network: Network, value: number): ValueType => (network.values[value] as Value).type

/** The types around a node. */
export const nodeTypes = (network: Network, node: Node): NodeTypes => ({
  inputs: node.inputs.map((value) => typeOf(network, value)),
  output: typeOf(network, node.output),
  states: (node.states ?? []).map((value) => typeOf(network, value)),
  rounding: network.rounding,
})

/** The node that computes a value, or undefined for a network input or a state that a node keeps. */
export const producerOf = (network: Network, value: number): Node | undefined => network.nodes.find((node) => node.output === value)

/** The nodes that read a value. */
export const consumersOf = (network: Network, value: number): readonly Node[] => network.nodes.filter((node) => node.inputs.includes(value))

/** Multiply-accumulates of one sample, over all time steps; event-driven layers do at most these. */
export const networkMacs = (network: Network): number =>
  stepsOf(network) * network.nodes.reduce((sum, node) => sum + operatorOf(node).macs(node, nodeTypes(network, node)), 0)

/** Positions in `outputs` that engines must agree on byte for byte: all but float32 readings (softmax) of an integer network. */
export const exactOutputs = (network: Network<'integer'>): readonly number[] =>
  network.outputs.flatMap((value, position) => (typeOf(network, value).kind === 'float32' ? [] : [position]))

/** Drops values that no node, input or output refers to and renumbers the rest. */
export const compact = <S extends Stage>(network: Network<S>): Network<S> => {
  const used = new Set<number>([
    ...network.inputs,
    ...network.outputs,
    ...network.nodes.flatMap((node) => [...node.inputs, node.output, ...(node.states ?? [])]),
  ])
  const kept = [...network.values.keys()].filter((i) => used.has(i))
  const renumber = new Map(kept.map((old, now) => [old, now]))
  const at = (old: number): number => renumber.get(old) as number
  return {
    ...network,
    values: kept.map((i) => network.values[i] as Value),
    inputs: network.inputs.map(at),
    outputs: network.outputs.map(at),
    nodes: network.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(at),
      output: at(node.output),
      ...(node.states === undefined ? {} : { states: node.states.map(at) }),
    })),
    ...(network.time === undefined ? {} : { time: { ...network.time, states: network.time.states.filter((state) => used.has(state)).map(at) } }),
  }
}
