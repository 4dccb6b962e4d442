// The incremental engine, plain TypeScript: a cached forward pass of one sample, and the loss of anything that is moved in it, by following only
// what changes downstream. In the integer domain these losses equal full evaluation exactly. The C core's tuner is held to this one.

import { unsupported } from '../../errors.js'
import { nodeTypes, typeOf } from '../../network/graph.js'
import { type Node, type NodeOf, type OperatorKind, operatorOf } from '../../network/operators/index.js'
import { globalGeometry, poolGeometry } from '../../network/operators/pool.js'
import { arrayClass, type ElementArray, elementCount, type Network, type Shape, type ValueType } from '../../network/types.js'
import type { Geometry } from '../../network/window.js'
import { scoreNetwork } from '../scores.js'
import { createDelta, type Delta, pushDelta } from './delta.js'
import { type LinearLayer, type LinearNode, linearLayer } from './linear-layer.js'
import { averageLayer, maxLayer } from './pool-layer.js'
import { conv1dTaps, conv2dTaps, denseTaps, depthwiseTaps, type Taps } from './taps.js'

/** What nodes read and write: stored elements of the cached pass and what differs from them, by value. */
export interface Values {
  readonly elements: readonly Int32Array[]
  readonly deltas: readonly Delta[]
  readonly counters: { macs: number }
}

export interface CompiledNode {
  readonly inputs: readonly number[]
  readonly output: number
  /** elements of the output from those of the inputs */
  readonly forward: () => void
  /** changes of the output from those of the inputs */
  readonly propagate: () => void
}

/** A loss of the stored scores of a sample, in integers where it shall equal other engines'. */
export type ScoreLoss = (scores: Int32Array, label: number) => number

export interface Engine {
  /** the network it was made for, cut to its scores */
  readonly network: Network<'integer'>
  /** probe-able layers by index into network.nodes */
  readonly layers: ReadonlyMap<number, LinearLayer>
  /** Caches the pass of a sample (one array a network input) and returns its loss. */
  readonly forward: (inputs: readonly ElementArray[], label: number) => number
  /** stored scores of the cached pass */
  readonly scores: Int32Array
  /** Loss minus the cached loss when one sum of a layer moves. */
  readonly shiftLoss: (node: number, at: number, shift: number) => number
  /** Loss minus the cached loss when one weight (tap, channel), or the bias (tap = taps), moves by `change` stored levels. */
  readonly moveLoss: (node: number, tap: number, channel: number, change: number) => number
  /** multiply-accumulates and evaluations that reached the scores or stopped before, since the engine was made */
  readonly counters: { macs: number; evaluations: number }
}

type Compile<N extends Node> = (network: Network<'integer'>, node: N, values: Values) => CompiledNode

/** Tap tables depend on shapes alone, which tuning keeps: kept as long as the types of a layer's weights and input live. */
const linear = <N extends Node>(tapsOf: (node: N, network: Network) => Taps): Compile<N> => {
  const tables = new WeakMap<ValueType, { readonly input: ValueType; readonly taps: Taps }>()
  return (network, node, values) => {
    const layer = node as unknown as LinearNode
    const input = typeOf(network, layer.inputs[0] as number)
    const known = tables.get(layer.weights.type)
    const taps = known?.input === input ? known.taps : tapsOf(node, network)
    tables.set(layer.weights.type, { input, taps })
    return linearLayer(network, layer, taps, values)
  }
}

const storedArray = (type: ValueType, elements: Int32Array): ElementArray => new (arrayClass(type.kind) as Int32ArrayConstructor)(elements)

/** Any operator by its definition: evaluated anew on the changed inputs and compared. Slow and exact. */
const recompute: Compile<Node> = (network, node, values) => {
  const types = nodeTypes(network, node)
  const sources = node.inputs.map((value) => values.elements[value] as Int32Array)
  const deltas = node.inputs.map((value) => values.deltas[value] as Delta)
  const output = values.elements[node.output] as Int32Array
  const result = values.deltas[node.output] as Delta
  const evaluate = (inputs: readonly Int32Array[]): ElementArray =>
    operatorOf(node).evaluate(
      node,
      inputs.map((elements, i) => storedArray(types.inputs[i] as ValueType, elements)),
      types,
      [],
    )
  const withChanges = (elements: Int32Array, { count, indices, elements: changed }: Delta): Int32Array => {
    if (count === 0) return elements
    const out = elements.slice()
    for (let k = 0; k < count; k++) out[indices[k] as number] = changed[k] as number
    return out
  }
  return {
    inputs: node.inputs,
    output: node.output,
    forward: () => output.set(evaluate(sources)),
    propagate: () => {
      evaluate(sources.map((elements, i) => withChanges(elements, deltas[i] as Delta))).forEach((element, at) => {
        if (element !== output[at]) pushDelta(result, at, element)
      })
      values.counters.macs += operatorOf(node).macs(node, types)
    },
  }
}

/** Operators that only rename elements: changes keep their index. */
const passOn: Compile<Node> = (_, node, values) => {
  const source = node.inputs[0] as number
  const changed = values.deltas[source] as Delta
  return {
    inputs: node.inputs,
    output: node.output,
    forward: () => (values.elements[node.output] as Int32Array).set(values.elements[source] as Int32Array),
    propagate: () => {
      for (let k = 0; k < changed.count; k++) pushDelta(values.deltas[node.output] as Delta, changed.indices[k] as number, changed.elements[k] as number)
    },
  }
}

const pool =
  <N extends Node>(layer: typeof averageLayer, geometryOf: (node: N, input: Shape) => Geometry): Compile<N> =>
  (network, node, values) =>
    layer(network, node, geometryOf(node, typeOf(network, node.inputs[0] as number).shape), values)

type Row<K extends OperatorKind> = Compile<NodeOf<K>> | { readonly unsupported: string }

const OVER_TIME = { unsupported: 'networks over time are not evaluated incrementally yet' } as const

const COMPILERS: { readonly [K in OperatorKind]: Row<K> } = {
  dense: linear(denseTaps),
  conv1d: linear(conv1dTaps),
  conv2d: linear(conv2dTaps),
  depthwiseConv2d: linear(depthwiseTaps),
  averagePool: pool<NodeOf<'averagePool'>>(averageLayer, poolGeometry),
  maxPool: pool<NodeOf<'maxPool'>>(maxLayer, poolGeometry),
  globalAveragePool: pool(averageLayer, globalGeometry),
  globalMaxPool: pool(maxLayer, globalGeometry),
  add: recompute,
  concat: recompute,
  flatten: passOn,
  reshape: passOn,
  relu: recompute,
  softmax: { unsupported: 'softmax is for reading, not for computing on' },
  batchNorm: { unsupported: 'batch norm belongs to the float stage' },
  sign: { unsupported: 'sign belongs to the float stage' },
  staircase: { unsupported: 'a staircase belongs to the float stage' },
  encode: OVER_TIME,
  lif: OVER_TIME,
  li: OVER_TIME,
  carry: OVER_TIME,
  timeSlice: OVER_TIME,
  sumPool: OVER_TIME,
}

const compileNode = (network: Network<'integer'>, node: Node, values: Values): CompiledNode => {
  const row = COMPILERS[node.kind] as Compile<Node> | { readonly unsupported: string }
  if (typeof row !== 'function') throw unsupported(`node "${node.name}": ${row.unsupported}.`, 'Tune with the generic evaluator (full passes) instead.')
  return row(network, node, values)
}

/** Nodes after `index` that can see its output, in order. */
const downstreamOf = (nodes: readonly CompiledNode[], index: number): CompiledNode[] => {
  const reached = new Set([(nodes[index] as CompiledNode).output])
  return nodes.slice(index + 1).filter((node) => {
    const isReached = node.inputs.some((value) => reached.has(value))
    if (isReached) reached.add(node.output)
    return isReached
  })
}

/** A node that can see a change, with the lists it reads and writes. */
interface Follower {
  readonly node: CompiledNode
  readonly inputs: readonly Delta[]
  readonly output: Delta
}

const isChanged = ({ inputs }: Follower): boolean => {
  for (let i = 0; i < inputs.length; i++) if ((inputs[i] as Delta).count > 0) return true
  return false
}

/** Compiles a network for incremental losses. @throws UNSUPPORTED naming a node that cannot be followed */
export const createEngine = (whole: Network<'integer'>, loss: ScoreLoss): Engine => {
  if (whole.rounding !== 'single')
    throw unsupported(
      `network "${whole.name}" rounds as TensorFlow Lite, incremental probes round once.`,
      'Tune with the generic evaluator (full passes) instead.',
    )
  const network = scoreNetwork(whole)
  const lengths = network.values.map((value) => elementCount(value.type.shape))
  const counters = { macs: 0, evaluations: 0 }
  const values: Values = { elements: lengths.map((n) => new Int32Array(n)), deltas: lengths.map(createDelta), counters }
  const nodes = network.nodes.map((node) => compileNode(network, node, values))
  const followerOf = (node: CompiledNode): Follower => ({
    node,
    inputs: node.inputs.map((value) => values.deltas[value] as Delta),
    output: values.deltas[node.output] as Delta,
  })
  const followers = nodes.map((_, i) => downstreamOf(nodes, i).map(followerOf))
  const output = network.outputs[0] as number
  const scores = values.elements[output] as Int32Array
  const scoreDelta = values.deltas[output] as Delta
  const movedScores = new Int32Array(scores.length)
  let label = 0
  let base = 0

  /** Follows the changes of a node's output to the scores, clears them and returns the change of the loss. */
  const follow = (node: number): number => {
    const first = values.deltas[(nodes[node] as CompiledNode).output] as Delta
    counters.evaluations++
    if (first.count === 0) return 0
    const after = followers[node] as readonly Follower[]
    for (let i = 0; i < after.length; i++) {
      const next = after[i] as Follower
      if (isChanged(next)) next.node.propagate()
    }
    let change = 0
    if (scoreDelta.count > 0) {
      movedScores.set(scores)
      for (let k = 0; k < scoreDelta.count; k++) movedScores[scoreDelta.indices[k] as number] = scoreDelta.elements[k] as number
      change = loss(movedScores, label) - base
    }
    first.count = 0
    for (let i = 0; i < after.length; i++) (after[i] as Follower).output.count = 0
    return change
  }

  const layers = new Map<number, LinearLayer>()
  nodes.forEach((node, i) => {
    if ('taps' in node) layers.set(i, node as LinearLayer)
  })
  const layerAt = (node: number): LinearLayer => layers.get(node) as LinearLayer

  return {
    network,
    layers,
    scores,
    counters,
    forward: (inputs, sampleLabel) => {
      network.inputs.forEach((value, i) => {
        values.elements[value]?.set(inputs[i] as ElementArray)
      })
      for (const node of nodes) node.forward()
      label = sampleLabel
      base = loss(scores, label)
      return base
    },
    shiftLoss: (node, at, shift) => {
      layerAt(node).shiftSum(at, shift)
      return follow(node)
    },
    moveLoss: (node, tap, channel, change) => {
      layerAt(node).moveWeight(tap, channel, change)
      return follow(node)
    },
  }
}

/** The type of the scores an engine or objective reads. */
export const scoreType = (network: Network<'integer'>): ValueType => typeOf(network, network.outputs[0] as number)
