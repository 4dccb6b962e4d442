// The graph of a float network over time: nodes by the table of lower.ts, edges from what nodes read. States become edges back, joined inputs of a layer
// become layers of their own whose outputs add up, and the counts that reading a graph adds at its outputs are left out.

import { unsupported } from '#src/errors.js'
import type { NirGraph, NirNode } from '#src/formats/nir.js'
import { consumersOf, producerOf, typeOf } from '#src/network/graph.js'
import { whereOf } from '#src/network/operator.js'
import type { Node, NodeOf } from '#src/network/operators/index.js'
import { elementCount, type Network, type Shape, statesOf } from '#src/network/types.js'
import { denseNode, integers, LOWER, type LowerContext, nirShape } from './lower.js'
import type { Rules } from './rules.js'

interface Draft {
  readonly network: Network<'float'>
  readonly rules: Rules
  readonly nodes: Record<string, NirNode>
  readonly edges: [string, string][]
}

const shapeOf = ({ network }: Draft, value: number): Shape => typeOf(network, value).shape

/** What a value holds before it was flattened. */
const imageOf = (draft: Draft, value: number): Shape => {
  const producer = producerOf(draft.network, value)
  return producer?.kind === 'flatten' ? imageOf(draft, producer.inputs[0] as number) : shapeOf(draft, value)
}

/** The value that a state carries over from the step before: what its carry reads. */
const carriedFrom = (network: Network, state: number): number => {
  const carry = network.nodes.find((node) => node.kind === 'carry' && node.output === state)
  if (carry === undefined) throw unsupported(`state "${network.values[state]?.name}" is read by a layer.`, 'NIR has no node for it.')
  const from = carry.inputs[0] as number
  if (statesOf(network).includes(from)) throw unsupported(`${whereOf(carry)} delays by more than one step.`, 'Delays are not written to NIR yet.')
  return from
}

/** Names of the NIR nodes whose outputs add up to a value. */
const sourcesOf = (draft: Draft, value: number): readonly string[] => {
  const { network } = draft
  if (statesOf(network).includes(value)) return sourcesOf(draft, carriedFrom(network, value))
  const producer = producerOf(network, value)
  if (producer === undefined)
    throw unsupported(`input "${network.values[value]?.name}" is read without a time slice.`, 'NIR graphs take one slice of a recording a step.')
  if (producer.kind === 'timeSlice') return [network.values[producer.inputs[0] as number]?.name as string]
  if (producer.kind === 'add') return producer.inputs.flatMap((input) => sourcesOf(draft, input))
  if (producer.kind === 'dense' && isJoined(network, producer)) return partNames(network, producer)
  if (producer.kind === 'reshape' && statesOf(network).includes(producer.inputs[0] as number)) return sourcesOf(draft, producer.inputs[0] as number)
  return [producer.name]
}

const isJoined = (network: Network, dense: NodeOf<'dense'>): boolean => producerOf(network, dense.inputs[0] as number)?.kind === 'concat'

/** Names for the parts of a dense layer over joined inputs: "a+b" was made of a and b. */
const partNames = (network: Network, dense: NodeOf<'dense'>): readonly string[] => {
  const count = (producerOf(network, dense.inputs[0] as number) as Node).inputs.length
  const own = dense.name.split('+')
  return own.length === count ? own : Array.from({ length: count }, (_, i) => `${dense.name}_${i + 1}`)
}

const connect = (draft: Draft, name: string, value: number): void => {
  for (const source of sourcesOf(draft, value)) draft.edges.push([source, name])
}

/** A dense layer over joined inputs as one a part; the last has the bias. */
const addParts = (draft: Draft, dense: NodeOf<'dense'>): void => {
  const inputs = (producerOf(draft.network, dense.inputs[0] as number) as Node).inputs
  const outputs = dense.weights.type.shape[0] as number
  const width = dense.weights.type.shape[1] as number
  const names = partNames(draft.network, dense)
  let at = 0
  inputs.forEach((input, k) => {
    const own = elementCount(shapeOf(draft, input))
    const weights = new Float32Array(outputs * own)
    for (let o = 0; o < outputs; o++) weights.set((dense.weights.data as Float32Array).subarray(o * width + at, o * width + at + own), o * own)
    const bias = k === inputs.length - 1 ? ((dense.bias?.data as Float32Array | undefined) ?? null) : null
    const name = names[k] as string
    draft.nodes[name] = denseNode(weights, bias, outputs, imageOf(draft, input))
    connect(draft, name, input)
    at += own
  })
}

/** Counting integrators at the outputs, which reading a graph adds. */
const isCount = ({ network }: Draft, node: Node): boolean =>
  node.kind === 'li' &&
  node.leak.data.every((x: number) => x === 0) &&
  node.gain === null &&
  network.outputs.includes(node.output) &&
  consumersOf(network, node.output).length === 0

/** Kinds that are edges, not nodes. */
const EDGES: ReadonlySet<Node['kind']> = new Set(['timeSlice', 'add', 'concat', 'carry'])

const addNode = (draft: Draft, node: Node): void => {
  const { network, rules } = draft
  if (EDGES.has(node.kind) || isCount(draft, node) || (node.kind === 'reshape' && statesOf(network).includes(node.inputs[0] as number))) return
  if (node.kind === 'dense' && isJoined(network, node)) {
    addParts(draft, node)
    return
  }
  const row = LOWER[node.kind] as { lower: (node: Node, context: LowerContext) => NirNode } | { unsupported: string }
  if ('unsupported' in row) throw unsupported(`${whereOf(node)} ${row.unsupported}.`, 'NIR holds linear layers, convolutions, sums, means and spiking units.')
  const input = node.inputs[0] as number
  draft.nodes[node.name] = row.lower(node, { rules, inputShape: shapeOf(draft, input), imageShape: imageOf(draft, input) })
  connect(draft, node.name, input)
}

/** The value whose steps an output is about. */
const perStep = (draft: Draft, output: number): number => {
  const producer = producerOf(draft.network, output)
  return producer !== undefined && isCount(draft, producer) ? (producer.inputs[0] as number) : output
}

/**
 * The NIR graph of a network.
 * @throws UNSUPPORTED by node name
 */
export const nirGraph = (network: Network<'float'>, rules: Rules): NirGraph => {
  const draft: Draft = { network, rules, nodes: {}, edges: [] }
  for (const input of network.inputs) {
    const { name, type } = network.values[input] as (typeof network.values)[number]
    draft.nodes[name] = { type: 'Input', fields: { shape: integers(...nirShape(type.shape.slice(1))) } }
  }
  for (const node of network.nodes) addNode(draft, node)
  const ends = [...new Set(network.outputs.map((output) => sourcesOf(draft, perStep(draft, output)).join('+')))]
  ends.forEach((end, i) => {
    const name = ends.length === 1 ? 'output' : `output${i + 1}`
    const value = network.outputs.map((output) => perStep(draft, output)).find((output) => sourcesOf(draft, output).join('+') === end) as number
    draft.nodes[name] = { type: 'Output', fields: { shape: integers(...nirShape(imageOf(draft, value))) } }
    for (const source of end.split('+')) draft.edges.push([source, name])
  })
  return { type: 'NIRGraph', nodes: draft.nodes, edges: draft.edges, metadata: {} }
}
