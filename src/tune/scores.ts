// Which value of a network an objective reads, and as which numbers.

import { compact, producerOf, typeOf } from '../network/graph.js'
import { channelScale, type ElementArray, elementCount, isQuantized, type Network, type ValueType } from '../network/types.js'

/** The value that objectives read: the primary output, or what a float32 output (softmax) was computed from. */
export const scoreValue = (network: Network<'integer'>): number => {
  const output = network.outputs[0] as number
  const producer = producerOf(network, output)
  return typeOf(network, output).kind === 'float32' && producer !== undefined ? (producer.inputs[0] as number) : output
}

/** The part of a network that computes its scores, with these as the only output. */
export const scoreNetwork = (network: Network<'integer'>): Network<'integer'> => {
  const value = scoreValue(network)
  const needed = new Set([value])
  const nodes = network.nodes.toReversed().filter((node) => {
    if (!needed.has(node.output)) return false
    for (const input of node.inputs) needed.add(input)
    return true
  })
  return compact({ ...network, outputs: [value], labels: [], nodes: nodes.reverse() })
}

/** The real number of a stored integer; levels, spikes and membranes stand for themselves. */
export const realOf = (type: ValueType): ((stored: number) => number) => {
  if (!isQuantized(type)) return (q) => q
  const scale = channelScale(type, 0)
  return (q) => scale * (q - type.zeroPoint)
}

/** Scores of sample n of a batch's output. */
export const scoresOf = (output: ElementArray, type: ValueType, sample: number): Float64Array => {
  const count = elementCount(type.shape)
  const real = realOf(type)
  return Float64Array.from({ length: count }, (_, c) => real(output[sample * count + c] as number))
}
