// The numbers of an integer network that tuning moves, as one float64 vector: weights in stored levels, biases in levels of the layer's weights
// (at an input of real value 1). Applying rounds half to even and clamps, so types, shapes and names stay as they are.

import { usage } from '../errors.js'
import { clamp, roundHalfEven } from '../network/arithmetic.js'
import { typeOf } from '../network/graph.js'
import type { Node } from '../network/operators/index.js'
import { channelScale, elementCount, isQuantized, type Network, type Tensor } from '../network/types.js'
import type { ParameterTensor } from './subspace.js'

export type ParameterKind = 'weights' | 'bias'

export interface ParameterOptions {
  /** names of nodes; default: every node with int8 weights */
  readonly layers?: readonly string[]
  /** default: both */
  readonly kinds?: readonly ParameterKind[]
  /** largest |level| of a node's weights, 1..127: 127 for int8, 7 int4, 3 int3, 1 ternary; default 127 */
  readonly largestLevel?: (node: string) => number
}

/** One constant of a node within the vector. */
export interface NetworkTensor extends ParameterTensor {
  /** index into Network.nodes */
  readonly node: number
  readonly attribute: ParameterKind
  /** stored integers in one unit of the parameter */
  readonly unit: number
  /** stored integers lie in -limit..limit */
  readonly limit: number
}

export interface NetworkParameters {
  readonly count: number
  readonly tensors: readonly NetworkTensor[]
}

/** Stored biases stay within what a float32 holds exactly. */
const BIAS_LIMIT = 2 ** 24

/** A node with constants that can be tuned. */
export type WeightedNode = Node & { readonly weights: Tensor; readonly bias: Tensor | null }

/** True for nodes with int8 weights (dense and the convolutions). */
export const isTunable = (node: Node): node is WeightedNode => 'weights' in node && (node as WeightedNode).weights.type.kind === 'int8'

/** Input levels that stand for the real value 1, at least 1: what a bias is counted in. */
export const inputUnit = (network: Network, node: Node): number => {
  const type = typeOf(network, node.inputs[0] as number)
  return isQuantized(type) ? Math.max(1, Math.round(1 / channelScale(type, 0))) : 1
}

const tensorsOf = (network: Network<'integer'>, index: number, options: ParameterOptions): Omit<NetworkTensor, 'start'>[] => {
  const node = network.nodes[index] as Node
  if (!isTunable(node)) return []
  const { shape } = node.weights.type
  const weights = {
    name: `${node.name}.weights`,
    node: index,
    attribute: 'weights' as const,
    rows: shape[0] as number,
    columns: elementCount(shape.slice(1)),
    unit: 1,
    limit: options.largestLevel?.(node.name) ?? 127,
  }
  const bias =
    node.bias === null
      ? []
      : [
          {
            name: `${node.name}.bias`,
            node: index,
            attribute: 'bias' as const,
            rows: 1,
            columns: node.bias.data.length,
            unit: inputUnit(network, node),
            limit: BIAS_LIMIT,
          },
        ]
  return [weights, ...bias].filter(({ attribute }) => options.kinds?.includes(attribute) ?? true)
}

/** What can be tuned in a network. @throws USAGE where a layer is unknown or nothing is left */
export const networkParameters = (network: Network<'integer'>, options: ParameterOptions = {}): NetworkParameters => {
  const tunable = network.nodes.filter(isTunable).map((node) => node.name)
  const unknown = options.layers?.find((name) => !tunable.includes(name))
  if (unknown !== undefined)
    throw usage(`"${unknown}" is not a layer with int8 weights of "${network.name}".`, `Layers that can be tuned: ${tunable.join(', ')}.`)
  let start = 0
  const tensors = network.nodes.flatMap((node, index) => {
    if (options.layers !== undefined && !options.layers.includes(node.name)) return []
    return tensorsOf(network, index, options).map((tensor): NetworkTensor => {
      const at = start
      start += tensor.rows * tensor.columns
      return { ...tensor, start: at }
    })
  })
  if (tensors.length === 0) throw usage(`"${network.name}" has nothing to tune.`, 'Tuning moves int8 weights and int32 biases; quantize the network first.')
  return { count: start, tensors }
}

/** The vector that stands for the network as it is. */
export const readParameters = (network: Network<'integer'>, { count, tensors }: NetworkParameters): Float64Array => {
  const out = new Float64Array(count)
  for (const { node, attribute, start, unit } of tensors) {
    const constant = (network.nodes[node] as WeightedNode)[attribute] as Tensor
    constant.data.forEach((q, i) => {
      out[start + i] = q / unit
    })
  }
  return out
}

/** The integers of a tensor that a vector stands for. */
export const levelsOf = (parameters: Float64Array, { start, rows, columns, unit, limit }: NetworkTensor): Float64Array => {
  const out = new Float64Array(rows * columns)
  for (let i = 0; i < out.length; i++) out[i] = clamp(roundHalfEven((parameters[start + i] as number) * unit), -limit, limit)
  return out
}

/** The network with the constants that a vector stands for. */
export const applyParameters = (network: Network<'integer'>, { tensors }: NetworkParameters, parameters: Float64Array): Network<'integer'> => {
  const nodes = [...network.nodes]
  for (const tensor of tensors) {
    const node = nodes[tensor.node] as WeightedNode
    const levels = levelsOf(parameters, tensor)
    const constant = node[tensor.attribute] as Tensor
    const data = tensor.attribute === 'weights' ? Int8Array.from(levels) : Int32Array.from(levels)
    nodes[tensor.node] = { ...node, [tensor.attribute]: { ...constant, data } }
  }
  return { ...network, nodes }
}
