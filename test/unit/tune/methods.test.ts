import { describe, expect, it } from 'vitest'
import type { Evaluator } from '#src/contracts/evaluator.js'
import { blackBox } from '#src/tune/evaluators/black-box.js'
import { type Method, tunerOf } from '#src/tune/method.js'
import { coordinateSearch, eggroll, evolutionStrategy, mezo, randomSearch, sepCma, spsa } from '#src/tune/methods/index.js'
import { optimize } from '#src/tune/optimize.js'
import { polyStep } from '#src/tune/polystep.js'
import { denseSubspace, type fullSpace, hybridSubspace } from '#src/tune/subspace.js'

const N = 24
const TENSORS = [
  { name: 'w', start: 0, rows: 4, columns: 5 },
  { name: 'b', start: 20, rows: 1, columns: 4 },
]
const target = Float64Array.from({ length: N }, (_, i) => Math.sin(i))
const distance = (x: Float64Array): number => x.reduce((sum, v, i) => sum + (v - (target[i] as number)) ** 2, 0)
const sphere = (): Evaluator => blackBox(distance, { name: 'sphere', parameters: N })
const cosine = (initial: number, target: number, steps: number) => ({ kind: 'cosine' as const, initial, target, steps })

type Any = Method<{ readonly step: number }>
const METHODS: Readonly<Record<string, { readonly method: Any; readonly steps: number }>> = Object.fromEntries(
  (
    [
      [polyStep(N, { seed: 1, epsilon: cosine(0.5, 0.01, 200), stepRadius: cosine(0.5, 0.02, 200), probeRadius: cosine(0.4, 0.02, 200) }), 200],
      [evolutionStrategy(N, { seed: 1, population: 32, sigma: 0.1, learningRate: cosine(0.1, 0.005, 200) }), 200],
      [spsa(N, { seed: 1, perturbation: 0.01, learningRate: 0.01 }), 800],
      [mezo(N, { seed: 1, perturbation: 0.01, learningRate: 0.01 }), 800],
      [sepCma(N, { seed: 1, sigma: 0.3 }), 400],
      [coordinateSearch(N, { seed: 1, coordinatesPerStep: 8, stepSize: cosine(0.5, 0.01, 400) }), 400],
      [randomSearch(N, { seed: 1, candidates: 31, sigma: cosine(0.3, 0.01, 500) }), 500],
      [eggroll(N, { seed: 1, tensors: TENSORS, population: 32, sigma: 0.1, learningRate: cosine(0.1, 0.005, 200) }), 200],
    ] as unknown as [Any, number][]
  ).map(([method, steps]) => [method.name, { method, steps }]),
)

describe.each(Object.entries(METHODS))('%s', (_, { method, steps }) => {
  it('finds the minimum of a sphere', async () => {
    const { parameters } = await optimize(method, new Float64Array(N), { on: sphere(), steps })
    expect(distance(parameters)).toBeLessThan(0.02 * distance(new Float64Array(N)))
  })

  it('gives the same bytes again, and from a checkpoint in the middle', async () => {
    const start = new Float64Array(N)
    const whole = await optimize(method, start, { on: sphere(), steps: 10 })
    const half = await optimize(method, start, { on: sphere(), steps: 5 })
    const resumed = await optimize(method, start, { on: sphere(), steps: 10, resume: structuredClone(half.checkpoint) })
    expect(resumed.parameters).toEqual(whole.parameters)
    expect(resumed.probes).toBe(whole.probes)
  })

  it('leaves its state as it is', () => {
    const state = method.start(new Float64Array(N))
    const before = structuredClone(state)
    const probes = method.ask(state)
    method.tell(
      state,
      Float64Array.from({ length: probes.count }, (_u, i) => Math.cos(i)),
    )
    expect(state).toEqual(before)
  })

  it('goes on after losses that are not finite', async () => {
    const broken = blackBox((x, { probe }) => (probe % 3 === 0 ? Number.NaN : probe % 3 === 1 ? Number.POSITIVE_INFINITY : distance(x)), {
      name: 'broken',
      parameters: N,
    })
    const { parameters } = await optimize(method, new Float64Array(N), { on: broken, steps: 4 })
    expect(parameters.every(Number.isFinite)).toBe(true)
  })
})

describe('optimize', () => {
  it('keeps the iterate that validates best, and reports what was spent', async () => {
    const method = (METHODS['polystep'] as { method: Any }).method
    const scores = [0, 1, 5, 2, 3]
    let validations = 0
    const result = await optimize(method, new Float64Array(N), { on: sphere(), steps: 8, validateEvery: 2, validate: () => scores[validations++] as number })
    expect(result.best).toMatchObject({ score: 5, step: 4 })
    expect(validations).toBe(5)
    expect(result).toMatchObject({ steps: 8, probes: 8 * 12 * 4, passes: 8 * 12 * 4 })
  })

  it('names the objective, step and probe where one throws', async () => {
    const throwing = blackBox((_, { step, probe }) => (step === 2 && probe === 1 ? Promise.reject(new Error('no answer')) : 0), {
      name: 'meter',
      parameters: N,
    })
    await expect(optimize((METHODS['spsa'] as { method: Any }).method, new Float64Array(N), { on: throwing, steps: 4 })).rejects.toMatchObject({
      code: 'OBJECTIVE_FAILED',
      message: 'the objective "meter" failed at step 2, probe 1: no answer.',
    })
  })

  it('refuses an evaluator of other parameters', async () => {
    const other = blackBox(() => 0, { name: 'other', parameters: 3 })
    await expect(optimize((METHODS['spsa'] as { method: Any }).method, new Float64Array(N), { on: other, steps: 1 })).rejects.toMatchObject({
      message: `the method moves ${N} parameters, the evaluator takes 3, the start has ${N}.`,
    })
  })

  it('stops at once when asked to, and when the time is up', async () => {
    const method = (METHODS['random-search'] as { method: Any }).method
    expect((await optimize(method, new Float64Array(N), { on: sphere(), steps: 9, signal: AbortSignal.abort() })).steps).toBe(0)
    let milliseconds = 0
    const timed = await optimize(method, new Float64Array(N), { on: sphere(), seconds: 3, now: () => (milliseconds += 1000) })
    expect(timed.steps).toBe(3)
  })
})

describe('PolyStep in the full space', () => {
  it('tells sparse changes that agree with the whole probe', () => {
    const method = polyStep(7, { seed: 5 })
    const state = method.start(Float64Array.from({ length: 7 }, (_, i) => i))
    const probes = method.ask(state)
    const out = new Float64Array(7)
    for (let k = 0; k < probes.count; k++) {
      probes.write(k, out)
      const sparse = probes.base.slice()
      const { indices, values } = probes.changes?.(k) ?? { indices: new Int32Array(0), values: new Float64Array(0) }
      indices.forEach((at, i) => {
        sparse[at] = values[i] as number
      })
      expect(sparse).toEqual(out)
    }
  })

  it('ask and tell work without a loop', () => {
    const tuner = tunerOf(polyStep(2, { seed: 1 }), new Float64Array(2))
    const probes = tuner.ask()
    tuner.tell(new Float64Array(probes.count).fill(1))
    expect(tuner.step()).toBe(1)
    expect([...tuner.parameters()].map((x) => Math.abs(x) < 1e-15)).toEqual([true, true])
  })
})

describe('subspaces', () => {
  const columnOf = (space: ReturnType<typeof fullSpace>, c: number): Float64Array => {
    const out = new Float64Array(space.parameters)
    space.addTo(out, c, Float64Array.of(1))
    return out
  }
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0)

  it('hybrid: orthonormal columns for a matrix, vectors pass through', () => {
    const space = hybridSubspace(
      [
        { name: 'w', start: 0, rows: 6, columns: 9 },
        { name: 'b', start: 54, rows: 1, columns: 6 },
      ],
      { rank: 1, seed: 2 },
    )
    expect(space.coordinates).toBe(15 + 6)
    for (let i = 0; i < 15; i++) for (let j = 0; j <= i; j++) expect(dot(columnOf(space, i), columnOf(space, j))).toBeCloseTo(i === j ? 1 : 0, 12)
    expect(columnOf(space, 15)[54]).toBe(1)
  })

  it('hybrid: a block that is too large is sparse, each coordinate of norm about 1', () => {
    const space = hybridSubspace([{ name: 'w', start: 0, rows: 40, columns: 40 }], { rank: 2, seed: 2, sparseAboveBytes: 1000 })
    const column = columnOf(space, 3)
    expect(column.filter((x) => x !== 0).length).toBeLessThanOrEqual(40)
    expect(dot(column, column)).toBeGreaterThan(0.8)
  })

  it('dense: entries N(0, 1 / coordinates)', () => {
    const space = denseSubspace(500, 20, 1)
    expect(dot(columnOf(space, 4), columnOf(space, 4)) / 500).toBeCloseTo(1 / 20, 1)
    expect(() => denseSubspace(5, 6, 1)).toThrow('a subspace of 6 dimensions in 5 parameters is not possible.')
  })
})
