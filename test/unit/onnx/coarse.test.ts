// Levels, signs and thresholds in ONNX Runtime: the bytes of the definition for every operator and for stacks, with int8 and uint8 weights, and real
// numbers at the boundary of the exported file.

import { describe, expect, test } from 'vitest'
import { onnxExporter } from '#exporters/onnx/index.js'
import { createOnnxRuntime } from '#runtimes/onnx/index.js'
import { testInputs } from '#src/check/inputs.js'
import { decodeOnnx } from '#src/formats/onnx.js'
import { evaluate } from '#src/network/evaluate.js'
import type { Network } from '#src/network/types.js'
import { COARSE_OPERATORS, coarseNetwork, coarseStack } from '../../helpers/coarse-networks.js'
import { differingBytes, expectedOutputs } from '../../helpers/engines.js'

const SEEDS = 30

const expectEqual = async (network: Network<'integer'>, weights: 'auto' | 'uint8'): Promise<void> => {
  const batch = testInputs(network, 5, 3)
  const session = await createOnnxRuntime({ threads: 1, weights }).load(network)
  expect(differingBytes(await session.run(batch), await expectedOutputs(network, batch)), network.name).toBe(0)
  await session.close()
}

describe.each(['auto', 'uint8'] as const)('%s weights', (weights) => {
  test.each(COARSE_OPERATORS)('%s: 0 bytes differ', async (kind) => {
    for (let seed = 1; seed <= SEEDS; seed++) await expectEqual(coarseNetwork(kind, seed), weights)
  })

  test('stacks behind an int8 stem: 0 bytes differ', async () => {
    for (let seed = 1; seed <= SEEDS; seed++) await expectEqual(coarseStack(seed), weights)
  })
})

test('trace gives packed signs and levels in the order of the network', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const network = coarseStack(seed)
    const inputs = testInputs(network, 4, 1).inputs.map((data) => data.slice(data.length - data.length / 4))
    const session = await createOnnxRuntime({ threads: 1 }).load(network)
    const truth = evaluate(network, inputs)
    const traced = (await session.trace?.(inputs)) ?? []
    expect(traced).toEqual(truth)
    await session.close()
  }
})

test('a file for users takes signs and levels as real numbers, or states how it stores them', () => {
  const signs = Array.from({ length: 40 }, (_, seed) => coarseNetwork('flatten', seed + 1)).find(({ values }) => values[0]?.type.kind === 'binary')
  const read = (options: Readonly<Record<string, string>>) => decodeOnnx(onnxExporter.export(signs as Network<'integer'>, options), 'x.onnx')
  expect(read({}).inputs[0]?.element).toBe('float32')
  const stored = read({ input: 'uint8', output: 'uint8' })
  expect(stored.inputs[0]?.element).toBe('uint8')
  expect(JSON.parse(stored.metadata['spikeport.quantization.x'] ?? '')).toEqual({ scale: 1, zeroPoint: 1 })
})
