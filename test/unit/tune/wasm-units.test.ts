// The C tuner in wasm beside its definition in TypeScript: the same costs, losses and counts, and the same network at the end of a run.

import { describe, expect, it } from 'vitest'
import { wasmUnitEvaluator } from '#runtimes/wasm/tune.js'
import type { LayerProbe, UnitBatch } from '#src/contracts/evaluator.js'
import { typeOf } from '#src/network/graph.js'
import { saveNetwork } from '#src/network/net-file.js'
import { channelScale, type ElementArray, elementCount, type Network, type QuantizedType } from '#src/network/types.js'
import { scoreNetwork } from '#src/tune/scores.js'
import { scoreLoss, tuneNetwork } from '#src/tune/tune.js'
import { unitCosts } from '#src/tune/units/costs.js'
import { integerCrossEntropy } from '#src/tune/units/cross-entropy.js'
import { unitProgram } from '#src/tune/units/program.js'
import { cnnNetwork, mlpNetwork, networkBuilder, randomInputs } from '../../helpers/networks.js'

const SCALE = 0.02

const classesOf = (network: Network<'integer'>): number => elementCount(typeOf(network, network.outputs[0] as number).shape)

const batchOf = (network: Network<'integer'>, count: number, step: number): UnitBatch => ({
  samples: Array.from({ length: count }, (_, n): readonly ElementArray[] => randomInputs(network, 100 * step + n)),
  labels: Int32Array.from({ length: count }, (_, n) => n % classesOf(network)),
  seed: 7,
  step,
})

/** Every layer with weights, convolutions at one of three positions. */
const probesOf = (network: Network<'integer'>, radius: number): LayerProbe[] =>
  network.nodes.flatMap((node, index): LayerProbe[] =>
    'weights' in node ? [{ node: index, rule: 'linearised', radius: radius + index, inputUnit: 20, positionStride: node.kind === 'dense' ? 1 : 3 }] : [],
  )

const pooled = (): Network<'integer'> => {
  const b = networkBuilder('pooled', 31)
  const image = b.conv2d(b.input([9, 8, 2]), 5, { kernel: [3, 3], relu: true })
  const small = b.maxPool(b.conv2d(b.maxPool(image, { kernel: [3, 3] }), 11, { kernel: [2, 3], stride: [1, 2] }), { kernel: [2, 2] })
  return b.build([b.dense(b.dense(b.flatten(small), 13, { relu: true, ties: true }), 6, { emission: 'none' })])
}

const sequence = (): Network<'integer'> => {
  const b = networkBuilder('sequence', 33)
  const x = b.conv1d(b.input([12, 3]), 9, { kernel: [1, 3], relu: true })
  return b.build([b.dense(b.flatten(x), 4)])
}

const NETWORKS: readonly (readonly [string, () => Network<'integer'>, number])[] = [
  ['mlp', () => mlpNetwork(3), 6],
  ['pooled cnn', pooled, 7],
  ['one-dimensional cnn', sequence, 300],
]

describe('costs of tune.wasm', () => {
  for (const [name, make, count] of NETWORKS)
    for (const smoothing256 of [0, 26])
      it(`are those of the TypeScript engine: ${name}, smoothing ${smoothing256}`, async () => {
        const network = make()
        const evaluate = await wasmUnitEvaluator((n, probes) => unitProgram(n, { scale: SCALE, smoothing256 }, probes))
        const loss = integerCrossEntropy({ scale: SCALE, smoothing256 })
        for (const radius of [1, 40]) {
          const probes = probesOf(network, radius)
          const batch = batchOf(network, count, radius)
          const expected = unitCosts(network, loss, probes, batch)
          expect(await evaluate(network, probes, batch)).toEqual(expected)
          if (radius > 1) expect(expected.layers.every(({ up }) => up.some((cost) => cost !== 0))).toBe(true)
        }
      })

  it('refuses networks and rules that it cannot follow', () => {
    const network = cnnNetwork(2)
    expect(() => unitProgram(network, { scale: SCALE, smoothing256: 0 }, [])).toThrow('globalAveragePool is not followed in the C tuner.')
    const exact = probesOf(mlpNetwork(1), 3).map((probe) => ({ ...probe, rule: 'exact' as const }))
    expect(() => unitProgram(mlpNetwork(1), { scale: SCALE, smoothing256: 0 }, exact)).toThrow('rule "exact" is not evaluated in the C tuner.')
  })
})

describe('a run on tune.wasm', () => {
  for (const [name, make] of NETWORKS)
    it(`ends in the bytes of one on the TypeScript engine: ${name}`, async () => {
      const network = make()
      const count = 40
      const samples = Array.from({ length: count }, (_, n) => randomInputs(network, n)[0] as Int8Array)
      const inputs = [Int8Array.from(samples.flatMap((sample) => Array.from(sample)))]
      const data = { count, inputs, labels: Int32Array.from({ length: count }, (_, n) => n % classesOf(network)) }
      const options = { data, seed: 5, steps: 4, batchSize: 9, finalRadius: 0.2 }
      const scored = scoreNetwork(network)
      scoreLoss(scored)
      const scale = channelScale(typeOf(scored, scored.outputs[0] as number) as QuantizedType, 0)
      const on = await wasmUnitEvaluator((n, probes) => unitProgram(n, { scale, smoothing256: 0 }, probes))
      const [plain, fast] = [await tuneNetwork(network, options), await tuneNetwork(network, { ...options, on })]
      expect(Buffer.from(saveNetwork(fast.last)).equals(Buffer.from(saveNetwork(plain.last)))).toBe(true)
      expect(Buffer.from(saveNetwork(fast.last)).equals(Buffer.from(saveNetwork(network)))).toBe(false)
      expect(fast.macs).toBe(plain.macs)
    })
})
