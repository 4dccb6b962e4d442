import { describe, expect, it } from 'vitest'
import type { CostRule, LayerProbe } from '#src/contracts/evaluator.js'
import { createBuilder } from '#src/network/builder.js'
import { type ElementArray, type Network, perTensor, type ValueType } from '#src/network/types.js'
import { dropInputs, shiftImages } from '#src/tune/augment.js'
import type { TuneData } from '#src/tune/data.js'
import { gaussians } from '#src/tune/gaussian.js'
import { accuracyOf, tuneNetwork } from '#src/tune/tune.js'
import { unitCosts } from '#src/tune/units/costs.js'
import { integerCrossEntropy } from '#src/tune/units/cross-entropy.js'
import { createEngine } from '#src/tune/units/engine.js'
import { costScale, movesOf } from '#src/tune/units/moves.js'
import { cnnNetwork, kwsNetwork, mlpNetwork, networkBuilder, randomInputs } from '../../helpers/networks.js'

const loss = integerCrossEntropy({ scale: 0.02 })

const batchOf = (network: Network<'integer'>, count: number, seed = 1) => ({
  samples: Array.from({ length: count }, (_, n): readonly ElementArray[] => randomInputs(network, 100 + n)),
  labels: Int32Array.from({ length: count }, (_, n) => n % 10),
  seed,
  step: 0,
})

const probe = (node: number, rule: CostRule, rest: Partial<LayerProbe> = {}): LayerProbe => ({
  node,
  rule,
  radius: 6,
  inputUnit: 40,
  positionStride: 1,
  ...rest,
})

/** Cosine of the antithetic differences of two costs. */
const cosine = (a: { up: Float64Array; down: Float64Array }, b: { up: Float64Array; down: Float64Array }): number => {
  const da = a.up.map((x, i) => x - (a.down[i] as number))
  const db = b.up.map((x, i) => x - (b.down[i] as number))
  const dot = (x: Float64Array, y: Float64Array): number => x.reduce((sum, v, i) => sum + v * (y[i] as number), 0)
  return dot(da, db) / Math.sqrt(dot(da, da) * dot(db, db))
}

describe('weight costs', () => {
  it('exact costs of a dense layer are those of weights moved one by one', () => {
    const network = mlpNetwork(3)
    const batch = batchOf(network, 2)
    for (const node of [1, 2]) {
      const [exact, direct] = (['exact', 'direct'] as const).map((rule) => unitCosts(network, loss, [probe(node, rule)], batch))
      expect(exact?.layers).toEqual(direct?.layers)
      expect(exact?.evaluations).toBeLessThan((direct?.evaluations as number) / 1.3)
    }
  })

  it('exact costs evaluate a unit once an input level and direction', () => {
    const b = networkBuilder('levels', 8)
    const network = b.build([b.dense(b.dense(b.input([200]), 12, { relu: true }), 10)])
    const samples = [[Int8Array.from({ length: 200 }, (_, i) => i % 4)]]
    const counted = unitCosts(network, loss, [probe(0, 'exact', { inputUnit: 3 })], { samples, labels: [3], seed: 1, step: 0 })
    expect(counted.evaluations).toBe(12 * 3 * 2)
    expect(counted.weightProbes).toBe(12 * 201 * 2)
    expect(counted.layers).toEqual(unitCosts(network, loss, [probe(0, 'direct', { inputUnit: 3 })], { samples, labels: [3], seed: 1, step: 0 }).layers)
  })

  it('costs of batches add up, whoever evaluates them', () => {
    const network = cnnNetwork(2)
    const whole = batchOf(network, 4)
    const probes = [probe(0, 'linearised'), probe(4, 'exact')]
    const all = unitCosts(network, loss, probes, whole)
    const parts = [0, 2].map((at) =>
      unitCosts(network, loss, probes, { ...whole, samples: whole.samples.slice(at, at + 2), labels: whole.labels.slice(at, at + 2) }),
    )
    parts[0]?.layers.forEach((costs, l) => {
      expect(costs.up.map((cost, i) => cost + (parts[1]?.layers[l]?.up[i] as number))).toEqual(all.layers[l]?.up)
    })
    expect((parts[0]?.loss as number) + (parts[1]?.loss as number)).toBe(all.loss)
  })

  it('a position stride looks at one of so many positions, others in other steps', () => {
    const network = cnnNetwork(2)
    const batch = batchOf(network, 1)
    const all = unitCosts(network, loss, [probe(0, 'linearised')], batch)
    const some = [0, 1, 2, 3].map((step) => unitCosts(network, loss, [probe(0, 'linearised', { positionStride: 8 })], { ...batch, step }))
    for (const { evaluations } of some) expect(Math.abs(evaluations - all.evaluations / 8)).toBeLessThanOrEqual(2 * 16)
    expect(new Set(some.map(({ layers }) => (layers[0]?.up ?? []).join())).size).toBeGreaterThan(1)
  })

  it('depthwise layers have costs for every tap', () => {
    const network = kwsNetwork(4)
    const depthwise = network.nodes.findIndex((node) => node.kind === 'depthwiseConv2d')
    const { layers } = unitCosts(
      network,
      integerCrossEntropy({ scale: 1e-3 }),
      [probe(depthwise, 'linearised', { positionStride: 25, radius: 120 })],
      batchOf(network, 1),
    )
    expect(layers[0]?.up.length).toBe(10 * 64)
    expect(layers[0]?.up.some((cost) => cost !== 0)).toBe(true)
  })
})

describe('moves', () => {
  it('go against the cost, by at most the step size, and nowhere on flat particles', () => {
    const costs = { up: Float64Array.of(5, -3, 0, 0, 0, 0), down: Float64Array.of(-5, 3, 0, 0, 0, 0) }
    const moves = movesOf(costs, 1, { particleDimension: 3, relativeEpsilon: 1, stepSize: 2 })
    expect(moves[0] as number).toBeLessThan(0)
    expect(moves[1] as number).toBeGreaterThan(0)
    expect(moves.every((move) => Math.abs(move) <= 2)).toBe(true)
    expect([...moves.subarray(3)]).toEqual([0, 0, 0])
    expect(costScale(costs)).toBeCloseTo(Math.sqrt((25 + 9) / 2), 12)
  })

  it('are all zero where no probe changed a loss', () => {
    expect([...movesOf({ up: new Float64Array(4), down: new Float64Array(4) }, 2, { particleDimension: 8, relativeEpsilon: 1, stepSize: 1 })]).toEqual([
      0, 0, 0, 0,
    ])
  })
})

/** Four classes, each a bright quadrant of a 6 x 6 image, as int8 levels 0..3. */
const quadrants = (count: number, seed: number): TuneData => {
  const noise = gaussians(count * 36, seed, 0, 22)
  const labels = Int32Array.from({ length: count }, (_, n) => n % 4)
  const image = Int8Array.from({ length: count * 36 }, (_, at) => {
    const pixel = at % 36
    const quadrant = (Math.floor(pixel / 18) << 1) | (pixel % 6 >= 3 ? 1 : 0)
    return Math.min(3, Math.max(0, Math.round((quadrant === labels[Math.floor(at / 36)] ? 2.2 : 0.7) + (noise[at] as number))))
  })
  return { count, inputs: [image], labels }
}

const int8 = (shape: number[], scale: number): ValueType => perTensor('int8', shape, scale, 0)

/** 36-16-4 with random weights of scale 0.02, scores raw. */
const smallNetwork = ({ hasSoftmax = false } = {}): Network<'integer'> => {
  const b = createBuilder<'integer'>('integer')
  const dense = (input: number, name: string, units: number, width: number, inputScale: number, isLast: boolean): number =>
    b.add(
      {
        kind: 'dense',
        name,
        inputs: [input],
        weights: {
          type: perTensor('int8', [units, width], 0.02, 0),
          data: Int8Array.from(gaussians(units * width, 5, units, 22), (g) => Math.round((g * 60) / Math.sqrt(width))),
        },
        bias: { type: perTensor('int32', [units], inputScale * 0.02, 0), data: new Int32Array(units) },
        emission: isLast ? { kind: 'none' } : { kind: 'requantize', min: 0, max: 127 },
      },
      isLast ? perTensor('int32', [units], inputScale * 0.02, 0) : int8([units], 1 / 16),
    )
  const hidden = dense(b.input('image', int8([36], 1 / 3)), 'hidden', 16, 36, 1 / 3, false)
  const scores = dense(hidden, 'scores', 4, 16, 1 / 16, true)
  return b.build({ name: 'quadrants', outputs: [hasSoftmax ? b.add({ kind: 'softmax', name: 'probabilities', inputs: [scores] }) : scores] })
}

describe('tuneNetwork', () => {
  const options = { data: quadrants(600, 1), steps: 120, seed: 1, batchSize: 64 }

  it('trains an integer network from random weights and keeps types, shapes and names', async () => {
    const network = smallNetwork()
    const validation = quadrants(300, 2)
    const test = quadrants(400, 3)
    const before = accuracyOf(network, test)
    const tuned = await tuneNetwork(network, { ...options, validation, validateEvery: 10 })
    expect(before).toBeLessThan(0.6)
    expect(accuracyOf(tuned.network, test)).toBeGreaterThan(0.9)
    const outline = (n: Network): unknown => ({
      values: n.values,
      inputs: n.inputs,
      outputs: n.outputs,
      nodes: n.nodes.map(({ kind, name, inputs, output }) => ({ kind, name, inputs, output })),
    })
    expect(outline(tuned.network)).toEqual(outline(network))
    expect(tuned.best?.score).toBe(accuracyOf(tuned.network, validation))
  })

  it('gives the same bytes again and from a checkpoint', async () => {
    const network = smallNetwork()
    const whole = await tuneNetwork(network, { ...options, steps: 12 })
    let half: unknown
    await tuneNetwork(network, {
      ...options,
      steps: 12,
      onStep: ({ steps }, checkpoint) => {
        if (steps === 5) half = checkpoint()
      },
    })
    const resumed = await tuneNetwork(network, { ...options, steps: 12, resume: half as never })
    expect(resumed.last).toEqual(whole.last)
    expect(resumed.unitEvaluations).toBe(whole.unitEvaluations)
  })

  it('goes on from a run that was stopped early to the same best iterate, under every objective', async () => {
    const network = smallNetwork()
    const validation = quadrants(60, 2)
    for (const objective of ['accuracy', 'margin', 'mse'] as const) {
      const settings = { ...options, steps: 10, objective, validation, validateEvery: 4 }
      const whole = await tuneNetwork(network, settings)
      const stop = new AbortController()
      const onStep = ({ steps }: { readonly steps: number }): void => (steps === 6 ? stop.abort() : undefined)
      const { checkpoint } = await tuneNetwork(network, { ...settings, signal: stop.signal, onStep })
      expect(checkpoint.state.step).toBe(6)
      const resumed = await tuneNetwork(network, { ...settings, resume: checkpoint })
      expect(resumed.network).toEqual(whole.network)
      expect(resumed.best).toEqual(whole.best)
      expect(resumed.lastScore).toBe(whole.lastScore)
    }
  })

  it('moves only the layers and kinds that are named', async () => {
    const network = smallNetwork()
    const { last } = await tuneNetwork(network, { ...options, steps: 5, layers: ['scores'], kinds: ['bias'] })
    expect(last.nodes[0]).toEqual(network.nodes[0])
    expect((last.nodes[1] as { weights: unknown }).weights).toEqual((network.nodes[1] as { weights: unknown }).weights)
    await expect(tuneNetwork(network, { ...options, layers: ['nope'] })).rejects.toMatchObject({
      message: '"nope" is not a layer with int8 weights of "quadrants".',
    })
  })

  it('keeps weights within a smaller range of levels', async () => {
    const { last } = await tuneNetwork(smallNetwork(), { ...options, steps: 10, largestLevel: () => 1, averageDecay: 0.9 })
    for (const node of last.nodes) expect((node as { weights: { data: Int8Array } }).weights.data.every((w) => Math.abs(w) <= 1)).toBe(true)
  })

  it('keeps what comes after the scores, and tunes as if it were not there', async () => {
    const [plain, read] = await Promise.all([false, true].map((hasSoftmax) => tuneNetwork(smallNetwork({ hasSoftmax }), { ...options, steps: 4 })))
    expect(read?.network.nodes.map((node) => node.kind)).toEqual(['dense', 'dense', 'softmax'])
    expect(read?.network.nodes.slice(0, 2)).toEqual(plain?.network.nodes)
  })

  it('never returns a network that validates worse than the one it was given', async () => {
    const network = smallNetwork()
    const validation = quadrants(200, 2)
    const tuned = await tuneNetwork(network, { ...options, steps: 3, stepSize: 1000, validation })
    expect(accuracyOf(tuned.network, validation)).toBeGreaterThanOrEqual(accuracyOf(network, validation))
  })

  it('refuses options that make no sense', async () => {
    await expect(tuneNetwork(smallNetwork(), { ...options, steps: 0 })).rejects.toThrow('0 steps are not possible.')
    await expect(tuneNetwork(smallNetwork(), { ...options, momentum: 1 })).rejects.toThrow('a momentum of 1 is not possible.')
    const { labels: _, ...unlabelled } = options.data
    await expect(tuneNetwork(smallNetwork(), { ...options, data: unlabelled })).rejects.toThrow('the data has no labels.')
  })

  it('leaves the network it was given as it is', async () => {
    const network = smallNetwork()
    const before = structuredClone(network)
    await tuneNetwork(network, { ...options, steps: 2, rule: (layer) => (layer === 'hidden' ? 'exact' : 'direct') })
    expect(network).toEqual(before)
  })
})

describe('linearised costs', () => {
  it('point the same way as exact ones', () => {
    const network = smallNetwork()
    const data = quadrants(200, 4)
    const samples = Array.from({ length: 200 }, (_, n) => [(data.inputs[0] as Int8Array).subarray(36 * n, 36 * n + 36)])
    const batch = { samples, labels: data.labels as Int32Array, seed: 1, step: 0 }
    const ofScores = integerCrossEntropy({ scale: 0.02 / 16 })
    for (const [node, inputUnit] of [
      [0, 3],
      [1, 16],
    ] as const) {
      const [exact, linearised] = (['exact', 'linearised'] as const).map(
        (rule) => unitCosts(network, ofScores, [probe(node, rule, { radius: 10, inputUnit })], batch).layers[0],
      )
      expect(cosine(exact as never, linearised as never)).toBeGreaterThan(0.95)
    }
  })
})

describe('augmentations', () => {
  it('shift an image by whole pixels, the same for the same step and sample', () => {
    const image = Int8Array.from({ length: 12 }, (_, i) => i + 1)
    const shift = shiftImages({ seed: 1, height: 3, width: 4, pixels: 1, background: 0 })
    const results = Array.from({ length: 200 }, (_, n) => (shift([image], 0, n)[0] as Int8Array).join())
    expect(results[7]).toBe((shift([image], 0, 7)[0] as Int8Array).join())
    expect(new Set(results).size).toBe(9)
    expect(results).toContain(image.join())
    expect(results).toContain('0,0,0,0,0,1,2,3,0,5,6,7')
    expect(results).toContain('6,7,8,0,10,11,12,0,0,0,0,0')
  })

  it('drop about the stated part of the inputs', () => {
    const dropped = dropInputs({ seed: 1, probability: 0.2, background: 0 })([new Int8Array(5000).fill(9)], 3, 0)[0] as Int8Array
    const part = dropped.filter((x) => x === 0).length / 5000
    expect(Math.abs(part - 0.2)).toBeLessThan(0.03)
  })
})

describe('the engine', () => {
  it('skips shifts that change no emission', () => {
    const network = mlpNetwork(1)
    const engine = createEngine(network, loss)
    engine.forward(randomInputs(network, 1), 0)
    const before = engine.counters.macs
    for (let unit = 0; unit < 128; unit++) expect(engine.shiftLoss(0, unit, 0)).toBe(0)
    expect(engine.counters.macs).toBe(before)
  })
})
