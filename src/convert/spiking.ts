// convertToSpiking(): a network with ReLUs as a spiking one. Each ReLU becomes integrate-and-fire units whose rate over the steps stands for the activation,
// thresholds balanced by the largest activations seen (Diehl et al. 2015; reset by subtraction as in Rueckauer et al. 2017). No training.

import { unsupported, usage } from '../errors.js'
import { LINEAR } from '../network/emission.js'
import { compact, consumersOf, producerOf, typeOf } from '../network/graph.js'
import { whereOf } from '../network/operator.js'
import type { Node, NodeOf } from '../network/operators/index.js'
import { MAX_STEPS, type Network, type Tensor, type Value } from '../network/types.js'
import { verify } from '../network/verify.js'

export interface ConvertOptions {
  /** time steps of a run, 1..65535; more steps, finer rates */
  readonly steps: number
}

/** What a value takes over sample inputs, by value (calibrate() of src/quantize, method percentile). */
export type ActivationRange = { readonly min: number; readonly max: number }

type Layer = NodeOf<'dense' | 'conv1d' | 'conv2d' | 'depthwiseConv2d'>

const isLayer = (node: Node): node is Layer => 'weights' in node
/** Operators that pass rates on as they are. */
const PASSES: ReadonlySet<Node['kind']> = new Set(['flatten', 'reshape', 'averagePool', 'maxPool'])

const scaled = (tensor: Tensor, factor: number): Tensor => ({ ...tensor, data: (tensor.data as Float32Array).map((x) => x * factor) })
const one = (x: number): Tensor => ({ type: { kind: 'float32', shape: [1] }, data: Float32Array.of(x) })

const isRelu = ({ emission }: Layer): boolean => emission.kind === 'clamp' && emission.min === 0
const isLinear = ({ emission }: Layer): boolean => emission.kind === 'clamp' && emission.min === null && emission.max === null

const NOTHING = { leak: one(0), drive: null, currentLeak: null, currentGain: null, shift: 0 } as const

interface Draft {
  readonly values: Value[]
  readonly nodes: Node[]
  readonly states: number[]
}

const addValue = ({ values }: Draft, name: string, like: Value): number => values.push({ name, type: like.type }) - 1

/** Units behind a layer whose output value `output` they take over; the layer gets a value of its own for its sums. */
const withUnits = (
  draft: Draft,
  network: Network<'float'>,
  layer: Layer,
  node: Omit<NodeOf<'lif'>, 'states' | 'inputs'> | Omit<NodeOf<'li'>, 'states' | 'inputs'>,
): void => {
  const like = network.values[layer.output] as Value
  const sums = addValue(draft, `${like.name}_sums`, like)
  const membrane = addValue(draft, `${like.name}_membrane`, like)
  draft.states.push(membrane)
  draft.nodes.push({ ...layer, emission: LINEAR, output: sums } as Node, { ...node, inputs: [sums], states: [membrane] } as Node)
}

/** A global mean as a window over the whole image, whose sum spikes can count. */
const asWindow = (draft: Draft, network: Network<'float'>, node: NodeOf<'globalAveragePool'>): readonly Node[] => {
  const [height, width, channels] = typeOf(network, node.inputs[0] as number).shape as readonly [number, number, number]
  const like = network.values[node.output] as Value
  const pooled = draft.values.push({ name: `${like.name}_window`, type: { kind: 'float32', shape: [1, 1, channels] } }) - 1
  return [
    { kind: 'averagePool', name: node.name, inputs: node.inputs, output: pooled, kernel: [height, width], stride: [height, width], padding: [0, 0, 0, 0] },
    { kind: 'flatten', name: `${node.name}_flat`, inputs: [pooled], output: node.output },
  ]
}

/**
 * The spiking network of a simplified float network of layers with ReLU, average and max pools; its outputs are the last layer's sums over all steps.
 * @param ranges activations of each value, by value
 * @throws UNSUPPORTED by node name, USAGE for steps out of range
 */
export const convertToSpiking = (network: Network<'float'>, ranges: readonly ActivationRange[], { steps }: ConvertOptions): Network<'float'> => {
  if (!(Number.isInteger(steps) && steps >= 1 && steps <= MAX_STEPS)) throw usage(`${steps} time steps.`, `A run takes 1 to ${MAX_STEPS}.`)
  if (network.time !== undefined) throw unsupported(`network "${network.name}" runs over time already.`, 'Convert the network that it was made of.')
  const draft: Draft = { values: [...network.values], nodes: [], states: [] }
  /** what a rate of 1 stands for; inputs are currents in their own units */
  const unit = new Map<number, number>(network.inputs.map((input) => [input, 1]))
  for (const node of network.nodes) {
    const input = node.inputs[0] as number
    const before = unit.get(input)
    if (node.kind === 'softmax') continue
    if (before === undefined) throw unsupported(`${whereOf(node)} reads what has no rate.`, 'Layers with ReLU, pools and flatten can be converted.')
    if (PASSES.has(node.kind) || node.kind === 'globalAveragePool') {
      unit.set(node.output, before)
      draft.nodes.push(...(node.kind === 'globalAveragePool' ? asWindow(draft, network, node) : [node]))
      continue
    }
    if (!isLayer(node) || !(isRelu(node) || isLinear(node)))
      throw unsupported(`${whereOf(node)} has no spiking form.`, 'Layers with ReLU, pools and flatten can be converted; simplify the network first.')
    const isLast = isLinear(node)
    if (isLast && consumersOf(network, node.output).some((reader) => reader.kind !== 'softmax'))
      throw unsupported(`${whereOf(node)} has no ReLU, and another layer reads it.`, 'Put a ReLU between layers.')
    const after = isLast ? 1 : Math.max((ranges[node.output] as ActivationRange).max, 1e-6)
    const layer: Layer = { ...node, weights: scaled(node.weights, before / after), bias: node.bias === null ? null : scaled(node.bias, 1 / after) } as Layer
    const common = { ...NOTHING, name: `${node.name}_units`, output: node.output, gain: isLast ? one(1 / steps) : null }
    if (isLast) withUnits(draft, network, layer, { kind: 'li', ...common })
    else withUnits(draft, network, layer, { kind: 'lif', ...common, threshold: one(1), fires: 'reaching', reset: 'subtract', resetTo: null })
    unit.set(node.output, after)
  }
  const outputs = network.outputs.map((value) => {
    const producer = producerOf(network, value)
    return producer?.kind === 'softmax' ? (producer.inputs[0] as number) : value
  })
  for (const value of outputs) {
    const producer = producerOf(network, value)
    if (producer === undefined || !isLayer(producer) || !isLinear(producer))
      throw unsupported(
        `output "${network.values[value]?.name}" is not the sum of a last layer (${typeOf(network, value).kind}).`,
        'End the network with a dense layer or a convolution without ReLU.',
      )
  }
  const converted: Network<'float'> = {
    ...network,
    values: draft.values,
    nodes: draft.nodes,
    outputs: [...new Set(outputs)],
    time: { steps, states: draft.states },
    metadata: { ...network.metadata, converted: `spiking, ${steps} steps` },
  }
  return verify(compact(converted))
}
