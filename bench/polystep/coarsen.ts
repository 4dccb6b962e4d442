// Post-training quantization of an int8 network's weights to fewer levels, so that there is something to recover. Scales are chosen a channel, by the
// mean squared error of the weights.

import type { Node } from '#src/network/operators/index.js'
import { channelScale, elementCount, type Network, perChannel, type QuantizedType, type Tensor } from '#src/network/types.js'
import { isTunable, type NetworkParameters, networkParameters, type WeightedNode } from '#src/tune/parameters.js'

export interface Coarse {
  readonly network: Network<'integer'>
  readonly space: NetworkParameters
  /** the finer weights in levels of the coarse scales, as networkParameters counts */
  readonly latent: Float64Array
}

const clampRound = (x: number, limit: number): number => Math.max(-limit, Math.min(limit, Math.round(x)))

/** The scale of least squared error among fractions of the one that just fits. */
const bestScale = (weights: readonly number[], limit: number): number => {
  const largest = weights.reduce((most, w) => Math.max(most, Math.abs(w)), 1e-6)
  const error = (scale: number): number => weights.reduce((sum, w) => sum + (w - scale * clampRound(w / scale, limit)) ** 2, 0)
  const candidates = Array.from({ length: 24 }, (_, k) => ((largest / limit) * (k + 4)) / 24)
  return Math.fround(candidates.reduce((best, scale) => (error(scale) < error(best) ? scale : best)))
}

interface CoarseNode {
  readonly node: Node
  readonly weights: Float64Array
  readonly bias: Float64Array
}

/** Layers whose output channels are the first axis of the weights. */
const coarsenNode = (node: WeightedNode, limit: number): CoarseNode => {
  const type = node.weights.type as QuantizedType
  const channels = type.shape[0] as number
  const taps = elementCount(type.shape) / channels
  const scales = new Float32Array(channels)
  const weights = new Float64Array(channels * taps)
  const bias = new Float64Array(channels)
  for (let c = 0; c < channels; c++) {
    const old = channelScale(type, c)
    const reals = Array.from({ length: taps }, (_, t) => (node.weights.data[c * taps + t] as number) * old)
    const scale = bestScale(reals, limit)
    scales[c] = scale
    for (const [t, w] of reals.entries()) weights[c * taps + t] = w / scale
    bias[c] = (((node.bias?.data[c] as number | undefined) ?? 0) * old) / scale
  }
  const biasType = node.bias?.type as QuantizedType
  const biasScales = Array.from(scales, (scale, c) => (channelScale(biasType, c) * scale) / channelScale(type, c))
  const tensor: Tensor = { type: perChannel('int8', type.shape, Array.from(scales), 0), data: Int8Array.from(weights, (w) => clampRound(w, limit)) }
  const biases: Tensor = { type: perChannel('int32', [channels], biasScales, 0), data: Int32Array.from(bias, Math.round) }
  return { node: { ...node, weights: tensor, bias: biases } as Node, weights, bias }
}

/** The network with weights of -limit..limit in the layers that `limitOf` names (null: as they are). */
export const coarsen = (network: Network<'integer'>, limitOf: (layer: string) => number | null): Coarse => {
  const coarse = network.nodes.map((node): CoarseNode | null => {
    const limit = limitOf(node.name)
    return limit !== null && isTunable(node) && node.kind !== 'depthwiseConv2d' && node.bias !== null ? coarsenNode(node, limit) : null
  })
  const result = { ...network, nodes: network.nodes.map((node, i) => coarse[i]?.node ?? node) }
  const space = networkParameters(result, { largestLevel: (layer) => limitOf(layer) ?? 127 })
  const latent = new Float64Array(space.count)
  for (const { node, attribute, start, unit } of space.tensors) {
    const finer = coarse[node]
    const stored = (result.nodes[node] as WeightedNode)[attribute]?.data ?? []
    const values = finer === null || finer === undefined ? Float64Array.from(stored) : attribute === 'weights' ? finer.weights : finer.bias
    latent.set(
      values.map((x) => x / unit),
      start,
    )
  }
  return { network: result, space, latent }
}
