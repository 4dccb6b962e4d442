// From rounding 'tflite' to rounding 'single' (docs/arithmetic.md): the same integers and scales, other requantizations. For what only 'single' has:
// ONNX's integer operators and the chips' own kernels. Bytes are then those of our engines, no longer those of TensorFlow Lite.

import { unsupported, usage } from '../errors.js'
import { consumersOf } from '../network/graph.js'
import { whereOf } from '../network/operator.js'
import type { Node } from '../network/operators/index.js'
import { isQuantized, type Network, type Rounding, type Stage, type Value } from '../network/types.js'
import { verify } from '../network/verify.js'
import { withScores } from './int8.js'

/** Softmax of rounding 'single' is float32, so nothing may read it. */
const checkSoftmax = (network: Network, node: Node): void => {
  if (node.kind !== 'softmax' || consumersOf(network, node.output).length === 0) return
  throw unsupported(`${whereOf(node)} is read by other nodes, rounding "single" has a softmax at the end only.`, 'Import the model with rounding tflite.')
}

/**
 * An integer network of rounding 'tflite' under rounding 'single'; a last softmax becomes float32, and the scores in front of it the first output.
 * Networks of rounding 'single' come back as they are.
 * @throws UNSUPPORTED for a softmax that a node reads, NETWORK_INVALID where factors leave float32
 */
export const toSingleRounding = (network: Network<'integer'>): Network<'integer'> => {
  if (network.rounding === 'single') return network
  for (const node of network.nodes) checkSoftmax(network, node)
  const probabilities = new Set(network.nodes.flatMap((node) => (node.kind === 'softmax' ? [node.output] : [])))
  const values = network.values.map(
    (value, i): Value => (probabilities.has(i) && isQuantized(value.type) ? { ...value, type: { kind: 'float32', shape: value.type.shape } } : value),
  )
  return verify({ ...network, rounding: 'single', values, outputs: withScores(network), metadata: { ...network.metadata, rounding: 'single' } })
}

/**
 * A network under the rounding that a user named; undefined leaves it as it is.
 * @throws USAGE for another name, or where the network cannot have it
 */
export const withRounding = (network: Network, rounding: string | undefined): Network<Stage> => {
  if (rounding === undefined || rounding === network.rounding) return network
  if (rounding !== 'single' && rounding !== 'tflite') throw usage(`rounding "${rounding}" does not exist.`, 'Choose single or tflite.')
  const wanted: Rounding = rounding
  if (wanted === 'tflite')
    throw usage(`network "${network.name}" rounds once, it cannot get rounding tflite.`, 'Only int8 .tflite models have rounding tflite; leave the option out.')
  return toSingleRounding(network as Network<'integer'>)
}
