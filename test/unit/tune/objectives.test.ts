import { describe, expect, it } from 'vitest'
import type { Runtime } from '#src/contracts/runtime.js'
import { evaluate } from '#src/network/evaluate.js'
import { typeOf } from '#src/network/graph.js'
import { arrayLength, type ElementArray, type Network } from '#src/network/types.js'
import { batches, type TuneData } from '#src/tune/data.js'
import { networkBlackBox } from '#src/tune/evaluators/black-box.js'
import { runtimeEvaluator } from '#src/tune/evaluators/runtime.js'
import { coordinateSearch, evolutionStrategy } from '#src/tune/methods/index.js'
import { argmax, crossEntropy, customObjective, distillation, errorRate, marginLoss, meanSquaredError, spikeCountLoss } from '#src/tune/objectives.js'
import { applyParameters, networkParameters, readParameters } from '#src/tune/parameters.js'
import { scoresOf } from '#src/tune/scores.js'
import { tuneWith } from '#src/tune/tune.js'
import { networkBuilder, randomInputs } from '../../helpers/networks.js'

const scores = Float64Array.of(1, 3, -2)

describe('objectives', () => {
  it('cross-entropy, smoothed and not', () => {
    const total = Math.log(Math.exp(1) + Math.exp(3) + Math.exp(-2))
    expect(crossEntropy([1]).loss(scores, 0)).toBeCloseTo(total - 3, 12)
    expect(crossEntropy([1], { smoothing: 0.3 }).loss(scores, 0)).toBeCloseTo(total - (0.7 * 3 + 0.1 * 2), 12)
  })

  it('error rate: the first of equal scores counts', () => {
    expect(errorRate([1]).loss(scores, 0)).toBe(0)
    expect(errorRate([0]).loss(scores, 0)).toBe(1)
    expect(argmax([2, 2, 1])).toBe(0)
  })

  it('margin', () => {
    expect(marginLoss([1]).loss(scores, 0)).toBe(0)
    expect(marginLoss([0]).loss(scores, 0)).toBe(3)
    expect(marginLoss([1], { margin: 4 }).loss(scores, 0)).toBe(2)
  })

  it('spike counts', () => {
    expect(spikeCountLoss([0], { right: 10, wrong: 1 }).loss(Float64Array.of(8, 1, 4), 0)).toBeCloseTo((4 + 0 + 9) / 3, 12)
  })

  it('mean squared error to the targets of the sample', () => {
    expect(meanSquaredError([0, 0, 0, 1, 2, -2]).loss(scores, 1)).toBeCloseTo(1 / 3, 12)
  })

  it('distillation is least, in each score, where the teacher is met', () => {
    const loss = distillation([1, 3, -2], { temperature: 2 }).loss
    const at = loss(scores, 0)
    for (let c = 0; c < 3; c++)
      for (const d of [-0.1, 0.1])
        expect(
          loss(
            scores.map((x, i) => (i === c ? x + d : x)),
            0,
          ),
        ).toBeGreaterThan(at)
    const mixed = distillation([1, 3, -2], { labels: [1], labelWeight: 1 })
    expect(mixed.loss(scores, 0)).toBeCloseTo(crossEntropy([1]).loss(scores, 0), 12)
  })

  it('refuses labels that have no score', () => {
    expect(() => crossEntropy([3]).loss(scores, 0)).toThrow('sample 0 has label 3, the network has 3 scores.')
    expect(() => distillation([1], { labelWeight: 0.5 })).toThrow('distillation has a label weight and no labels.')
  })
})

const network = (): Network<'integer'> => {
  const b = networkBuilder('small', 6)
  const hidden = b.dense(b.input([8]), 6, { relu: true, quantization: { scale: 1 / 8, zeroPoint: -128 } })
  return b.build([b.softmax(b.dense(hidden, 3, { quantization: { scale: 1 / 16, zeroPoint: 4 } }))])
}

const dataFor = (n: Network<'integer'>, count: number): TuneData => ({
  count,
  inputs: randomInputs(n, 31, count),
  labels: Int32Array.from({ length: count }, (_, i) => i % 3),
})

/** A runtime as a test needs it. */
const plainRuntime: Runtime = {
  name: 'plain',
  load: async (n) => ({
    run: async ({ count, inputs }) =>
      n.outputs.map((value) => {
        const rows = Array.from(
          { length: count },
          (_, s) =>
            evaluate(
              n,
              n.inputs.map((v, i) => (inputs[i] as ElementArray).subarray(s * arrayLength(typeOf(n, v)), (s + 1) * arrayLength(typeOf(n, v)))),
            )[value] as ElementArray,
        )
        return Int8Array.from(rows.flatMap((row) => [...row]))
      }),
    close: async () => {},
  }),
}

describe('parameters of a network', () => {
  it('read and apply are inverse, and count weights and biases', () => {
    const n = network()
    const space = networkParameters(n)
    expect(space.count).toBe(8 * 6 + 6 + 6 * 3 + 3)
    expect(applyParameters(n, space, readParameters(n, space))).toEqual(n)
  })

  it('round half to even and clamp to the range of levels', () => {
    const n = network()
    const space = networkParameters(n, { kinds: ['weights'], largestLevel: () => 7 })
    const parameters = new Float64Array(space.count)
    parameters.set([0.5, 1.5, -2.5, 99, -99])
    const first = applyParameters(n, space, parameters).nodes[0] as { weights: { data: Int8Array } }
    expect([...first.weights.data.subarray(0, 5)]).toEqual([0, 2, -2, 7, -7])
  })

  it('refuses networks and layers without anything to tune', () => {
    const b = networkBuilder('pool', 1)
    const pool = b.build([b.globalMaxPool(b.input([4, 4, 2]))])
    expect(() => networkParameters(pool)).toThrow('"pool" has nothing to tune.')
  })
})

describe('the evaluator of a runtime', () => {
  it("gives the mean loss of each probe over the step's samples", async () => {
    const n = network()
    const space = networkParameters(n)
    const data = dataFor(n, 20)
    const objective = crossEntropy(data.labels as Int32Array)
    const evaluator = runtimeEvaluator(n, { runtime: plainRuntime, space, data, objective, batchSize: 7, seed: 3 })
    const method = coordinateSearch(space.count, { seed: 1, coordinatesPerStep: 2, stepSize: 9 })
    const probes = method.ask({ ...method.start(readParameters(n, space)), step: 2 })
    const { losses, passes, macs } = await evaluator.evaluate(probes)
    const samples = batches(20, 7, 3)(2)
    const parameters = new Float64Array(space.count)
    for (let k = 0; k < probes.count; k++) {
      probes.write(k, parameters)
      const candidate = applyParameters(n, space, parameters)
      const scoreIndex = (candidate.nodes[2] as { inputs: readonly number[] }).inputs[0] as number
      const total = [...samples].reduce((sum, s) => {
        const values = evaluate(candidate, [(data.inputs[0] as ElementArray).subarray(8 * s, 8 * s + 8)])
        return sum + objective.loss(scoresOf(values[scoreIndex] as ElementArray, typeOf(candidate, scoreIndex), 0), s)
      }, 0)
      expect(losses[k]).toBeCloseTo(total / 7, 12)
    }
    expect([passes, macs]).toEqual([5, 5 * 7 * (48 + 18)])
  })

  it('refuses data that does not fit', () => {
    const n = network()
    const data = { ...dataFor(n, 4), count: 5 }
    expect(() => runtimeEvaluator(n, { runtime: plainRuntime, space: networkParameters(n), data, objective: errorRate([]) })).toThrow(
      'the data has 32 elements for input 0, 5 samples take 40.',
    )
  })
})

describe('tuneWith', () => {
  it('drives any method on a black box of the network', async () => {
    const n = network()
    const space = networkParameters(n, { kinds: ['bias'] })
    const sumOf = (candidate: Network<'integer'>): number => (candidate.nodes[0] as { bias: { data: Int32Array } }).bias.data.reduce((a, b) => a + b, 0)
    const on = networkBlackBox(n, space, async (candidate) => Math.abs(sumOf(candidate)))
    const tuned = await tuneWith(n, {
      kinds: ['bias'],
      method: (count) => evolutionStrategy(count, { seed: 1, sigma: 2, learningRate: 1, population: 16 }),
      on,
      steps: 60,
    })
    expect(Math.abs(sumOf(tuned))).toBeLessThan(Math.abs(sumOf(n)))
    expect(tuned.nodes[1]).toEqual({ ...n.nodes[1], bias: (tuned.nodes[1] as { bias: unknown }).bias })
  })

  it("takes objectives of the user's own", () => {
    expect(customObjective('mine', (s, sample) => (s[0] as number) + sample).loss(scores, 4)).toBe(5)
  })
})
