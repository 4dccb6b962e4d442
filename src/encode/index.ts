// encode(): puts a spike encoder in front of a float network: what read the input as a current now reads its spikes.

import { unsupported, usage } from '../errors.js'
import { consumersOf, typeOf } from '../network/graph.js'
import { ENCODE_CODES, type EncodeCode, type EncodeNode } from '../network/operators/encode.js'
import type { Node } from '../network/operators/index.js'
import { type Network, statesOf, stepsOf, type Value } from '../network/types.js'
import { verify } from '../network/verify.js'

export interface EncodeOptions {
  /** rate: Bernoulli draws; latency: time to the first spike; delta: level crossing of an input that moves (a recording) */
  readonly code: EncodeCode
  /** time steps of a run, 1..65535; default the network's, or 15 */
  readonly steps?: number
  /** of rate, 0..2^32 - 1; default 1 */
  readonly seed?: number
  /** of delta, in real units, above 0; default 0.1 */
  readonly threshold?: number
}

/** The value that comes to the layers: a slice of the input where it is cut, otherwise the input. */
const sourceOf = (network: Network, input: number): number => {
  const [reader] = consumersOf(network, input)
  return reader?.kind === 'timeSlice' ? reader.output : input
}

/**
 * The network with an encoder behind its one input (values 0..1 for rate and latency).
 * @throws UNSUPPORTED for networks with several inputs or with an encoder, or where delta doubles the channels of a layer that takes them; USAGE
 */
export const encode = (network: Network<'float'>, options: EncodeOptions): Network<'float'> => {
  const { code, seed = 1, threshold = 0.1, steps = network.time === undefined ? 15 : stepsOf(network) } = options
  if (!ENCODE_CODES.includes(code)) throw usage(`unknown code "${code}".`, `The codes are ${ENCODE_CODES.join(', ')}.`)
  if (network.inputs.length !== 1) throw unsupported(`network "${network.name}" has ${network.inputs.length} inputs.`, 'One input can be encoded.')
  if (network.nodes.some(({ kind }) => kind === 'encode'))
    throw unsupported(`network "${network.name}" has an encoder already.`, 'Take the network without it.')
  const source = sourceOf(network, network.inputs[0] as number)
  const { shape } = typeOf(network, source)
  if (code === 'delta' && source === network.inputs[0])
    throw unsupported('delta codes an input that stays the same in all steps.', 'Use it behind a recording, or code rate or latency.')
  const spikes = network.values.length
  const state = spikes + 1
  const values: Value[] = [
    ...network.values,
    { name: 'encoded', type: { kind: 'float32', shape: code === 'delta' ? [...shape.slice(0, -1), 2 * (shape.at(-1) ?? 1)] : shape } },
    { name: 'encoder', type: { kind: 'float32', shape: code === 'delta' ? shape : [1] } },
  ]
  const node: EncodeNode = { kind: 'encode', name: 'encoder', inputs: [source], output: spikes, states: [state], code, seed, steps, threshold, table: null }
  const redirected = (other: Node): Node =>
    other.kind === 'timeSlice' ? other : ({ ...other, inputs: other.inputs.map((value) => (value === source ? spikes : value)) } as Node)
  const at = source === network.inputs[0] ? 0 : network.nodes.findIndex(({ output }) => output === source) + 1
  const nodes = network.nodes.map(redirected)
  return verify({
    ...network,
    values,
    nodes: [...nodes.slice(0, at), node, ...nodes.slice(at)],
    time: { steps, states: [...statesOf(network), state] },
    metadata: { ...network.metadata, encoder: code },
  })
}
