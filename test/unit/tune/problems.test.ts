import { describe, expect, it } from 'vitest'
import { gaussians } from '#src/tune/gaussian.js'
import { optimize } from '#src/tune/optimize.js'
import { polyStep } from '#src/tune/polystep.js'
import { acrobot } from '#src/tune/problems/acrobot.js'
import { cartPole } from '#src/tune/problems/cartpole.js'
import { runEpisode } from '#src/tune/problems/environment.js'
import { flipDelta, greedyFlips, hardAssignment, majorityAssignment, maxSatEvaluator, randomMaxSat, unsatisfied } from '#src/tune/problems/max-sat.js'
import { meanReturn, parameterCount, policyOf, policyTensors, rolloutEvaluator } from '#src/tune/problems/policy.js'
import { denseSubspace } from '#src/tune/subspace.js'
import { testRandom } from '../../helpers/networks.js'

describe('CartPole', () => {
  it('falls in 8 to 12 steps when always pushed one way', () => {
    const { steps, total } = runEpisode(cartPole, () => 1, 1, 0, 0)
    expect(steps).toBeGreaterThanOrEqual(8)
    expect(steps).toBeLessThanOrEqual(12)
    expect(total).toBe(steps)
  })

  it('stands for 500 steps under a known linear policy', () => {
    const { steps } = runEpisode(
      cartPole,
      ([x, v, angle, spin]) => ((angle as number) + 0.3 * (spin as number) + 0.02 * (x as number) + 0.05 * (v as number) > 0 ? 1 : 0),
      1,
      0,
      3,
    )
    expect(steps).toBe(500)
  })
})

describe('Acrobot', () => {
  const energy = (s: Float64Array): number => {
    const [a, b, da, db] = s as unknown as [number, number, number, number]
    const d1 = 0.25 + (1 + 0.25 + Math.cos(b)) + 2
    const d2 = 0.25 + 0.5 * Math.cos(b) + 1
    return 0.5 * d1 * da * da + d2 * da * db + 0.5 * 1.25 * db * db - 9.8 * (1.5 * Math.cos(a) + 0.5 * Math.cos(a + b))
  }

  it('keeps its energy without torque', () => {
    let state = Float64Array.of(0.4, -0.3, 0.1, 0.2)
    const before = energy(state)
    for (let t = 0; t < 20; t++) state = acrobot.step(state, 1).state as Float64Array<ArrayBuffer>
    expect(Math.abs(energy(state) - before)).toBeLessThan(0.05)
  })

  it('hangs for 500 steps without torque, and reaches the bar when pushed along', () => {
    expect(runEpisode(acrobot, () => 1, 1, 0, 0)).toEqual({ total: -500, steps: 500 })
    const { steps } = runEpisode(acrobot, (o) => ((o[5] as number) > 0 ? 2 : 0), 1, 0, 0)
    expect(steps).toBeLessThan(400)
  })
})

describe('policies', () => {
  const hidden = 16
  const count = parameterCount(policyTensors(cartPole, hidden))

  it('a 4-16-2 policy has 114 parameters, a 6-16-3 one 163', () => {
    expect(count).toBe(114)
    expect(parameterCount(policyTensors(acrobot, hidden))).toBe(163)
  })

  it('integer forms only see weights on the grid', () => {
    const parameters = gaussians(count, 1, 0, 22)
    const nudged = parameters.map((w) => Math.round(w * 32) / 32)
    for (const form of ['int8', 'binary'] as const) {
      const [a, b] = [parameters, nudged].map((p) => policyOf(cartPole, hidden, form, p))
      for (let k = 0; k < 50; k++) {
        const observation = gaussians(4, 2, k, 22)
        expect(a?.(observation)).toBe(b?.(observation))
      }
    }
  })

  it('PolyStep learns to balance a binary policy', async () => {
    const rollout = { environment: cartPole, form: 'binary' as const, episodes: 4, seed: 5, hidden }
    const method = polyStep(count, {
      seed: 2,
      subspace: denseSubspace(count, 24, 1),
      particleDimension: 8,
      epsilon: 1,
      stepRadius: 3,
      probeRadius: 3,
      weightEpsilon: 20,
    })
    const start = gaussians(count, 3, 0, 22).map((x) => 0.5 * x)
    const before = meanReturn(start, 999, { ...rollout, episodes: 20 })
    const { best } = await optimize(method, start, {
      on: rolloutEvaluator(rollout),
      steps: 14,
      validateEvery: 2,
      validate: (p) => meanReturn(p, 777, { ...rollout, episodes: 10 }),
    })
    expect(before).toBeLessThan(100)
    expect(best?.score).toBeGreaterThan(200)
  })
})

describe('MAX-SAT', () => {
  const problem = randomMaxSat(300, 7)

  it('clauses have three distinct variables and fair signs', () => {
    expect(problem.clauses).toBe(1280)
    for (let c = 0; c < problem.clauses; c++) expect(new Set(problem.literalVariables.subarray(3 * c, 3 * c + 3)).size).toBe(3)
    expect(Math.abs(problem.literalSigns.reduce((a, b) => a + b, 0) / problem.literalSigns.length - 0.5)).toBeLessThan(0.05)
  })

  it('changes of flips are those of counting anew', () => {
    const random = testRandom(4)
    const assignment = Uint8Array.from({ length: 300 }, () => random.integer(0, 1))
    for (let k = 0; k < 40; k++) {
      const flipped = [...new Set([random.integer(0, 299), random.integer(0, 299)])]
      const other = assignment.slice()
      for (const v of flipped) other[v] = 1 - (other[v] as number)
      expect(flipDelta(problem, assignment, flipped)).toBe(unsatisfied(problem, other) - unsatisfied(problem, assignment))
    }
  })

  it('probes that tell their changes have the losses of full counts', async () => {
    const method = polyStep(300, { seed: 1, epsilon: 5, stepRadius: 1, probeRadius: 2 })
    const probes = method.ask(method.start(gaussians(300, 1, 0, 22).map((x) => 0.1 * x)))
    const sparse = await maxSatEvaluator(problem).evaluate(probes)
    const { changes: _, ...whole } = probes
    const full = await maxSatEvaluator(problem).evaluate(whole)
    expect(sparse.losses).toEqual(full.losses)
    expect(sparse.passes).toBeLessThan(full.passes / 20)
  })

  it('majority and greedy are better than chance, in this order', () => {
    const chance = unsatisfied(problem, hardAssignment(gaussians(300, 1, 0, 22)))
    const majority = majorityAssignment(problem)
    expect(unsatisfied(problem, majority)).toBeLessThan(chance)
    expect(unsatisfied(problem, greedyFlips(problem, majority, 3))).toBeLessThan(unsatisfied(problem, majority))
  })
})
