// x86 without VNNI adds uint8 x int8 pairs in saturating 16-bit arithmetic. uint8 weights must be exact on every CPU, int8 weights where the probe
// says so. Runs on whatever CPU it finds.

import { describe, expect, it } from 'vitest'
import { areInt8SumsExact, createOnnxRuntime, exactWeights } from '#runtimes/onnx/index.js'
import { referenceRuntime } from '#runtimes/reference/index.js'
import type { ElementArray, Network } from '#src/network/types.js'
import { type NetworkBuilder, networkBuilder } from '../../helpers/networks.js'

const worstWeight = (index: number, taps: number): number => (Math.floor(index / taps) % 2 === 0 ? 127 : -128)

/** All weights of a layer 127, of the next channel -128. */
const withWorstWeights = (network: Network<'integer'>): Network<'integer'> => ({
  ...network,
  nodes: network.nodes.map((node) => {
    if (!('weights' in node)) return node
    const { type, data } = node.weights
    const taps = node.kind === 'depthwiseConv2d' ? 1 : data.length / (type.shape[0] as number)
    return { ...node, weights: { type, data: (data as Int8Array).map((_, i) => worstWeight(i, taps)) } }
  }),
})

const LAYERS: Readonly<Record<string, (b: NetworkBuilder) => number>> = {
  dense: (b) => b.dense(b.input([301], { zeroPoint: -128 }), 37),
  'dense sums': (b) => b.dense(b.input([301], { zeroPoint: -128 }), 37, { emission: 'none' }),
  conv2d: (b) => b.conv2d(b.input([9, 7, 19], { zeroPoint: -128 }), 24, { kernel: [3, 3] }),
  'conv2d sums': (b) => b.conv2d(b.input([9, 7, 19], { zeroPoint: -128 }), 24, { kernel: [3, 3], emission: 'none' }),
  'conv2d 1x1': (b) => b.conv2d(b.input([5, 5, 64], { zeroPoint: -128 }), 64, { kernel: [1, 1] }),
  conv1d: (b) => b.conv1d(b.input([40, 16], { zeroPoint: -128 }), 24, { kernel: [1, 5] }),
  depthwiseConv2d: (b) => b.depthwise(b.input([9, 7, 32], { zeroPoint: -128 }), 1, { kernel: [3, 3] }),
}

const differing = async (network: Network<'integer'>, weights: 'int8' | 'uint8', dense: 'standard' | 'qgemm', input: number): Promise<number> => {
  const inputs: ElementArray[] = [new Int8Array((network.values[0]?.type.shape ?? []).reduce((a, b) => a * b, 2)).fill(input)]
  const [expected] = await (await referenceRuntime.load(network)).run({ count: 2, inputs })
  const session = await createOnnxRuntime({ threads: 1, weights, dense }).load(network)
  const [actual] = await session.run({ count: 2, inputs })
  await session.close()
  return (expected as Int8Array).reduce((sum, x, i) => sum + (x === actual?.[i] ? 0 : 1), 0)
}

describe('weights at both ends of int8 under inputs of 255', () => {
  it.each(Object.keys(LAYERS))('%s: exact with uint8 weights on every CPU, with int8 weights where the probe says so', async (name) => {
    const b = networkBuilder(name, 1)
    const network = withWorstWeights(b.build([LAYERS[name]?.(b) as number]))
    const forms = (await areInt8SumsExact()) ? (['uint8', 'int8'] as const) : (['uint8'] as const)
    for (const form of forms) {
      for (const input of [127, 126, -128]) expect(await differing(network, form, 'standard', input), `${form} weights, input ${input}`).toBe(0)
      if (name === 'dense') expect(await differing(network, form, 'qgemm', 127), `${form} weights, QGemm`).toBe(0)
    }
  })

  it('chooses the weights that are exact here', async () => {
    expect(await exactWeights()).toBe((await areInt8SumsExact()) ? 'int8' : 'uint8')
  })
})
