// simplify(): float clean-up before quantization. Folds batch norms into neighbouring layers and turns a separate relu into the emission
// bounds of the layer in front of it. Float outputs keep within 1e-5 of their largest magnitude (a property test).

import { compact, consumersOf, producerOf, typeOf } from '../network/graph.js'
import type { BatchNormNode } from '../network/operators/batch-norm.js'
import type { Node } from '../network/operators/index.js'
import type { ReluNode } from '../network/operators/relu.js'
import type { Network } from '../network/types.js'
import { verify } from '../network/verify.js'
import { foldBackward, foldForward, standAlone } from './batch-norm.js'

type Rewrite = (network: Network<'float'>, node: Node) => Network<'float'> | null

const replaceNodes = (network: Network<'float'>, replacements: ReadonlyMap<Node, Node | null>): Network<'float'> => ({
  ...network,
  nodes: network.nodes.flatMap((node) => {
    const replacement = replacements.get(node)
    return replacement === undefined ? [node] : replacement === null ? [] : [replacement]
  }),
})

/** The node in front, where nothing else reads what it computes. */
const soleProducer = (network: Network<'float'>, value: number): Node | null => {
  const producer = producerOf(network, value)
  const isShared = consumersOf(network, value).length > 1 || network.outputs.includes(value)
  return producer === undefined || isShared ? null : producer
}

const fuseRelu: Rewrite = (network, node) => {
  if (node.kind !== 'relu') return null
  const producer = soleProducer(network, node.inputs[0] as number)
  if (producer === null || !('emission' in producer) || producer.emission.kind !== 'clamp') return null
  const { min, max } = producer.emission
  const relu: ReluNode = node
  const bounds = { kind: 'clamp', min: Math.max(0, min ?? 0), max: max === null ? relu.max : relu.max === null ? max : Math.min(max, relu.max) } as const
  if (bounds.max !== null && bounds.max < bounds.min) return null
  return replaceNodes(
    network,
    new Map<Node, Node | null>([
      [producer, { ...producer, emission: bounds, output: node.output } as Node],
      [node, null],
    ]),
  )
}

const foldBatchNorm: Rewrite = (network, node) => {
  if (node.kind !== 'batchNorm') return null
  const norm: BatchNormNode = node
  const producer = soleProducer(network, norm.inputs[0] as number)
  const folded = producer === null ? null : foldBackward(producer, norm)
  if (producer !== null && folded !== null)
    return replaceNodes(
      network,
      new Map<Node, Node | null>([
        [producer, { ...folded, output: norm.output } as Node],
        [node, null],
      ]),
    )
  const readers = network.outputs.includes(norm.output) ? [] : consumersOf(network, norm.output)
  const [reader] = readers
  const absorbed = readers.length === 1 && reader !== undefined ? foldForward(norm, reader) : null
  if (reader !== undefined && absorbed !== null)
    return replaceNodes(
      network,
      new Map<Node, Node | null>([
        [reader, { ...absorbed, inputs: norm.inputs } as Node],
        [node, null],
      ]),
    )
  return replaceNodes(network, new Map<Node, Node>([[node, standAlone(norm, typeOf(network, norm.output).shape)]]))
}

const dropDead: Rewrite = (network, node) =>
  consumersOf(network, node.output).length === 0 && !network.outputs.includes(node.output) ? replaceNodes(network, new Map([[node, null]])) : null

const REWRITES: readonly Rewrite[] = [dropDead, foldBatchNorm, fuseRelu]

const rewriteOnce = (network: Network<'float'>): Network<'float'> | null => {
  for (const node of network.nodes) {
    for (const rewrite of REWRITES) {
      const rewritten = rewrite(network, node)
      if (rewritten !== null) return rewritten
    }
  }
  return null
}

/**
 * Folds and fuses until nothing changes; the result has no batchNorm, and no relu that a layer in front could take.
 * @throws UNSUPPORTED for a batch norm over a value that no layer can take in
 */
export const simplify = (network: Network<'float'>): Network<'float'> => {
  let current = network
  for (let next = rewriteOnce(current); next !== null; next = rewriteOnce(current)) current = next
  return verify(compact(current))
}
