// A network as text: one line a node with its types, for `spikeport inspect` and for reviews of golden files.

import { nodeTypes, typeOf } from './graph.js'
import { type Node, operatorOf } from './operators/index.js'
import { describeType, type Network, type Tensor, type Value } from './types.js'

const isTensor = (x: unknown): x is Tensor => x !== null && typeof x === 'object' && 'data' in x && 'type' in x

const describeAttribute = (value: unknown): string => {
  if (isTensor(value)) return describeType(value.type)
  if (value !== null && typeof value === 'object' && 'kind' in value) {
    const { kind, ...rest } = value as Record<string, unknown>
    return [String(kind), ...Object.entries(rest).map(([name, x]) => `${name} ${isTensor(x) ? describeType(x.type) : x}`)].join(' ')
  }
  return Array.isArray(value) ? `[${value.join(',')}]` : String(value)
}

const describeNode = (network: Network, node: Node): string => {
  const { kind, name, inputs, output, states = [], ...attributes } = node
  const name_ = (i: number): string => (network.values[i] as Value).name
  const macs = operatorOf(node).macs(node, nodeTypes(network, node))
  const details = Object.entries(attributes).map(([key, value]) => `      ${key} ${describeAttribute(value)}`)
  return [
    `  ${name_(output)} = ${kind} "${name}" (${inputs.map(name_).join(', ')})${states.length > 0 ? ` keeps ${states.map(name_).join(', ')}` : ''}  ${describeType(typeOf(network, output))}${macs > 0 ? `, ${macs} MACs` : ''}`,
    ...details,
  ].join('\n')
}

/** The network as text, ending in a newline. */
export const printNetwork = (network: Network): string => {
  const list = (values: readonly number[]): string => values.map((i) => `${network.values[i]?.name} ${describeType(typeOf(network, i))}`).join('; ')
  return [
    `network "${network.name}", ${network.stage}, rounding ${network.rounding}`,
    `  inputs  ${list(network.inputs)}`,
    ...(network.time === undefined ? [] : [`  states  ${list(network.time.states)}`, `  steps   ${network.time.steps}`]),
    ...network.nodes.map((node) => describeNode(network, node)),
    `  outputs ${list(network.outputs)}`,
    ...(network.labels.length > 0 ? [`  labels  ${network.labels.join(', ')}`] : []),
    ...Object.entries(network.metadata).map(([key, text]) => `  ${key}: ${text}`),
    '',
  ].join('\n')
}
