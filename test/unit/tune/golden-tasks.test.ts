import { describe, expect, it } from 'vitest'
import { cartPole } from '#src/tune/problems/cartpole.js'
import { argmaxAttention, hardMixture, leakySpikes, quantizedLevel, quantizedLinear, staircase } from '#src/tune/problems/layers.js'
import { hardAssignment, maxSatOf, unsatisfied } from '#src/tune/problems/max-sat.js'
import { expectGolden, flat, golden } from './golden.js'

const tasks = golden.tasks
const rows = (list: number[][]): Float64Array[] => list.map(flat)

describe('the published tasks against the golden vectors', () => {
  it('leaky units', () => {
    const { beta, threshold, currents, spikesPerStep, membraneAfterReset } = tasks.lif
    rows(currents).forEach((current, unit) => {
      const { spikes, membranes } = leakySpikes(current, beta, threshold)
      expectGolden(
        Float64Array.from(spikes),
        spikesPerStep.map((row: number[]) => row[unit]),
        'tasks lif',
      )
      expectGolden(
        membranes,
        membraneAfterReset.map((row: number[]) => row[unit]),
        'tasks lif',
      )
    })
  })

  it('int8 weights', () => {
    const { scale, weight, bias, qWeight, x, y } = tasks.int8Linear
    expectGolden(
      flat(weight).map((w) => quantizedLevel(w, scale)),
      qWeight,
      'tasks int8',
    )
    rows(x).forEach((input, n) => {
      expectGolden(quantizedLinear(flat(weight), flat(bias), input, scale), y[n], 'tasks int8')
    })
  })

  it('staircase', () => {
    // x[5] is ln 1.5, a boundary; the file has 15 of its digits, which lie below the boundary, and the output of all of them.
    const x = flat(tasks.staircase.x).map((v) => (Math.abs(v - Math.log(1.5)) < 1e-15 ? Math.log(1.5) : v))
    expectGolden(
      x.map((v) => staircase(v, tasks.staircase.levels)),
      tasks.staircase.y,
      'tasks staircase',
    )
  })

  it('argmax attention', () => {
    const { keys, valueWeight, valueBias, x, y } = tasks.argmaxAttention
    rows(x).forEach((h, n) => {
      expectGolden(argmaxAttention(flat(keys), flat(valueWeight), flat(valueBias), h), y[n], 'tasks attention')
    })
  })

  it('hard mixture of experts', () => {
    const { params, x, y } = tasks.hardMoE
    const of = (name: string): Float64Array => flat(params[name])
    const experts = [0, 1].map((e) => ({
      weights: [of(`experts.${e}.0.weight`), of(`experts.${e}.2.weight`)] as const,
      biases: [of(`experts.${e}.0.bias`), of(`experts.${e}.2.bias`)] as const,
    }))
    rows(x).forEach((h, n) => {
      expectGolden(hardMixture(of('gate.weight'), of('gate.bias'), experts, h), y[n], 'tasks mixture')
    })
  })

  it('MAX-SAT', () => {
    const { x, clauseVars, clauseSigns, hard, unsatRatio } = tasks.maxsat
    const problem = maxSatOf(x.length, Int32Array.from(flat(clauseVars)), Uint8Array.from(flat(clauseSigns)))
    expectGolden(Float64Array.from(hardAssignment(flat(x))), hard, 'tasks maxsat')
    expect(unsatisfied(problem, hardAssignment(flat(x))) / problem.clauses).toBe(unsatRatio)
  })

  it('CartPole', () => {
    const { state, action, next, done } = tasks.cartpole
    rows(state).forEach((s, n) => {
      const result = cartPole.step(s, action[n])
      expectGolden(result.state, next[n], 'tasks cartpole')
      expect(result.done).toBe(done[n])
    })
  })
})
