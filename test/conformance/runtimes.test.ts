// One conformance suite for every engine: the golden vectors byte for byte, in one batch and sample by sample, and the contract of
// sessions. A new engine is one line in ENGINES.

import { describe, expect, test } from 'vitest'
import { onnxRuntime } from '#runtimes/onnx/index.js'
import { referenceRuntime } from '#runtimes/reference/index.js'
import { wasmRuntime, wasmSession } from '#runtimes/wasm/index.js'
import type { Batch, Runtime } from '#src/contracts/runtime.js'
import { exactOutputs, typeOf } from '#src/network/graph.js'
import { arrayLength, type ElementArray, type Network } from '#src/network/types.js'
import { bytesOf } from '../helpers/engines.js'
import { INTEGER_OPERATORS } from '../helpers/networks.js'
import { readVectors } from '../helpers/vectors.js'

interface Engine {
  readonly runtime: Runtime
  /** float32 readings (softmax) are promised to the bit by reference and wasm only */
  readonly isExactInSoftmax: boolean
}

const ENGINES: Readonly<Record<string, Engine>> = {
  reference: { runtime: referenceRuntime, isExactInSoftmax: true },
  'wasm, SIMD kernels': { runtime: wasmRuntime, isExactInSoftmax: true },
  'wasm, plain kernels': { runtime: { name: 'wasm', load: (network) => wasmSession(network, { kernels: 'plain' }) }, isExactInSoftmax: true },
  'ONNX Runtime': { runtime: onnxRuntime, isExactInSoftmax: false },
}

const VECTORS = readVectors()

const sampleOf = (network: Network, batch: Batch, sample: number): Batch => ({
  count: 1,
  inputs: network.inputs.map((value, i) => {
    const length = arrayLength(typeOf(network, value))
    return (batch.inputs[i] as ElementArray).slice(sample * length, (sample + 1) * length)
  }),
})

test('the vectors cover every operator of the integer stage', () => {
  const kinds = new Set(VECTORS.flatMap(({ network }) => network.nodes.map(({ kind }) => kind)))
  expect([...kinds].sort()).toEqual([...INTEGER_OPERATORS].sort())
})

describe.each(Object.entries(ENGINES))('%s', (_, { runtime, isExactInSoftmax }) => {
  test.each(VECTORS.map((vector) => [vector.name, vector] as const))('%s: 0 bytes differ', async (__, { network, batch, expected }) => {
    const session = await runtime.load(network)
    try {
      const outputs = await session.run(batch)
      const compared = isExactInSoftmax ? [...network.outputs.keys()] : exactOutputs(network)
      expect(outputs.length).toBe(expected.length)
      for (const i of compared) expect(bytesOf(outputs[i] as ElementArray)).toEqual(bytesOf(expected[i] as ElementArray))
    } finally {
      await session.close()
    }
  })

  test('a batch gives what its samples give one by one, and results belong to the caller', async () => {
    const { network, batch } = VECTORS.find(({ name }) => name.startsWith('random')) as (typeof VECTORS)[number]
    const session = await runtime.load(network)
    const together = await session.run(batch)
    const copies = together.map((output) => output.slice())
    for (let sample = 0; sample < batch.count; sample++) {
      const alone = await session.run(sampleOf(network, batch, sample))
      for (const i of exactOutputs(network)) {
        const length = (alone[i] as ElementArray).length
        expect((together[i] as ElementArray).slice(sample * length, (sample + 1) * length)).toEqual(alone[i])
      }
    }
    expect(together).toEqual(copies)
    await session.close()
  })

  test('trace shows the bytes of intermediate values', async () => {
    const { network, batch } = VECTORS.find(({ network: n }) => n.nodes.length > 3) as (typeof VECTORS)[number]
    const inputs = sampleOf(network, batch, 0).inputs
    const truth = await (await referenceRuntime.load(network)).trace?.(inputs)
    const session = await runtime.load(network)
    const traced = (await session.trace?.(inputs)) as readonly (ElementArray | null)[]
    let compared = 0
    network.values.forEach(({ type }, value) => {
      const values = traced[value]
      if (values === null || values === undefined || type.kind === 'float32') return
      expect(bytesOf(values)).toEqual(bytesOf(truth?.[value] as ElementArray))
      compared++
    })
    expect(compared).toBeGreaterThan(2)
    await session.close()
  })

  test('a batch that does not fit is refused with its sizes', async () => {
    const { network, batch } = VECTORS[0] as (typeof VECTORS)[number]
    const session = await runtime.load(network)
    await expect(session.run({ count: batch.count + 1, inputs: batch.inputs })).rejects.toMatchObject({ code: 'INPUT_MISMATCH' })
    await expect(session.run({ count: 1, inputs: [] })).rejects.toMatchObject({ code: 'INPUT_MISMATCH' })
    await expect(session.run({ count: -1, inputs: batch.inputs })).rejects.toMatchObject({ code: 'INPUT_MISMATCH' })
    const half = { count: 0.5, inputs: sampleOf(network, batch, 0).inputs.map((x) => x.slice(0, x.length / 2)) }
    await expect(session.run(half)).rejects.toMatchObject({ code: 'INPUT_MISMATCH' })
    await session.close()
    await session.close()
  })
})
