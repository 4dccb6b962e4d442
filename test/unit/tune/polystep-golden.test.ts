import { afterAll, describe, expect, it } from 'vitest'
import type { ProbeSet } from '#src/contracts/evaluator.js'
import { adaptRadius, START_RADIUS } from '#src/tune/adaptive-radius.js'
import type { CostScale } from '#src/tune/cost.js'
import { penalizeNonFinite, scaleCosts } from '#src/tune/cost.js'
import { type PolyStepOptions, polyStep } from '#src/tune/polystep.js'
import { biasRotation, planeRotation, rotationOf, unitDirection } from '#src/tune/rotation.js'
import { cosineOfDecay, type Schedule, valueAt } from '#src/tune/schedule.js'
import { fullSpace, hybridSubspace } from '#src/tune/subspace.js'
import { type TemplateKind, template } from '#src/tune/template.js'
import { softmaxWeights, type WeightRule, weightsOf } from '#src/tune/weights.js'
import { expectGolden, flat, golden, worstErrors } from './golden.js'

const KINDS: readonly TemplateKind[] = ['orthoplex', 'simplex', 'cube']

/** mean of 10 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2 */
const rosenbrock = (x: Float64Array): number => {
  let sum = 0
  for (let i = 0; i + 1 < x.length; i++) sum += 10 * ((x[i + 1] as number) - (x[i] as number) ** 2) ** 2 + (1 - (x[i] as number)) ** 2
  return sum / (x.length - 1)
}
/** mean of floor(4 |x_i - 0.3|) / 4 */
const staircase = (x: Float64Array): number => x.reduce((sum, v) => sum + Math.floor(4 * Math.abs(v - 0.3)) / 4, 0) / x.length
const OBJECTIVES: Readonly<Record<string, (x: Float64Array) => number>> = { rosenbrock, staircase }

const lossesOf = (probes: ProbeSet, parameters: number, objective: (x: Float64Array) => number): Float64Array => {
  const out = new Float64Array(parameters)
  return Float64Array.from({ length: probes.count }, (_, k) => {
    probes.write(k, out)
    return objective(out)
  })
}

const pointsOf = (probes: ProbeSet, parameters: number): number[] =>
  Array.from({ length: probes.count }, (_, k) => {
    const out = new Float64Array(parameters)
    probes.write(k, out)
    return out
  }).flatMap((point) => [...point])

afterAll(() => {
  if (process.env['SPIKEPORT_SHOW_ERRORS'] !== undefined)
    for (const [section, error] of worstErrors()) process.stdout.write(`${section}: ${error.toExponential(1)}\n`)
})

describe('PolyStep against the golden vectors', () => {
  it('templates have the published vertices', () => {
    for (const kind of KINDS) for (const d of [2, 4]) expectGolden(template(kind, d).vertices, golden.templates[kind][d], 'templates')
  })

  it('rotations of angles and Gaussians', () => {
    golden.rotation.dim2.angles.forEach((angle: number, i: number) => {
      expectGolden(planeRotation(angle), golden.rotation.dim2.R[i], 'rotation')
    })
    golden.rotation.dim4.gaussian.forEach((gaussian: number[][], i: number) => {
      expectGolden(rotationOf(flat(gaussian), 4), golden.rotation.dim4.R[i], 'rotation')
    })
  })

  it('biased rotations, to the sign of every column', () => {
    for (const { dim, R, direction, unit, biasedR } of golden.biasedRotation) {
      R.forEach((rotation: number[][], i: number) => {
        const towards = unitDirection(flat(direction[i]))
        expectGolden(towards, unit[i], 'biasedRotation')
        expectGolden(biasRotation(flat(rotation), towards, dim), biasedR[i], 'biasedRotation')
      })
    }
  })

  it('schedules', () => {
    for (const { kind, init, target, decay, totalSteps, restartMult, inferredT, at, values } of golden.schedules) {
      const cosine =
        totalSteps === undefined
          ? undefined
          : { kind: 'cosine' as const, initial: init, target, steps: totalSteps, ...(restartMult === undefined ? {} : { restart: restartMult }) }
      const schedule: Schedule = kind === 'linear' ? { kind, initial: init, target, decay } : (cosine ?? cosineOfDecay(init, target, decay))
      if (inferredT !== undefined) expect(schedule).toMatchObject({ steps: inferredT })
      expectGolden(
        at.map((t: number) => valueAt(schedule, t)),
        values,
        'schedules',
      )
    }
  })

  it('losses that are not finite', () => {
    const { cost, sanitized, weights, epsilon } = golden.nonFinite
    const costs = penalizeNonFinite(flat(cost))
    expectGolden(costs, sanitized, 'nonFinite')
    expectGolden(softmaxWeights(costs, cost[0].length, epsilon), weights, 'nonFinite')
  })

  it('the adaptive radius', () => {
    const { losses, multiplierAndStagnation, settings } = golden.adaptiveRadius
    const options = {
      threshold: settings.threshold,
      patience: settings.patience,
      increase: settings.increase,
      decrease: settings.decrease,
      least: settings.min,
      most: settings.max,
    }
    let radius = START_RADIUS
    flat(losses).forEach((loss, i) => {
      radius = adaptRadius(radius, loss, options)
      expectGolden([radius.multiplier, radius.stagnation], multiplierAndStagnation[i], 'adaptiveRadius')
    })
  })

  describe('one step', () => {
    const tight = { tolerance: 1e-13 }
    const rules: Readonly<Record<string, readonly [WeightRule, CostScale]>> = {
      softmax: [{ kind: 'softmax' }, 'none'],
      sinkhorn: [{ kind: 'sinkhorn', ...tight }, 'none'],
      kl1: [{ kind: 'sinkhorn', relaxation: 1, ...tight }, 'none'],
      greedy: [{ kind: 'greedy' }, 'none'],
      topk3: [{ kind: 'top', count: 3 }, 'none'],
      tempered1: [{ kind: 'tempered', temperature: 1 }, 'none'],
      'softmax scale mean': [{ kind: 'softmax' }, 'mean'],
      'softmax scale max_cost': [{ kind: 'softmax' }, 'max'],
      'softmax scale 2.0': [{ kind: 'softmax' }, 2],
    }
    for (const { dim, template: kind, vertices, probesK1, probesK3, cost, solvers } of golden.oneStep) {
      const { s, R, stepRadius, probeRadius } = golden.oneStepInputs[dim]
      const fixed = { kind: 'linear', target: 0, decay: 0 } as const
      const options: PolyStepOptions = {
        seed: 1,
        particleDimension: dim,
        template: kind,
        stepRadius: { ...fixed, initial: stepRadius },
        probeRadius: { ...fixed, initial: probeRadius },
        rotation: (_, particle) => flat(R[particle]),
      }
      const n = s.length * dim

      /** Probe (i, j, k) of the whole parameter vector, cut to particle i. */
      const movedParticles = (points: number[], perParticle: number): number[] =>
        points.filter((_, at) => Math.floor((at % n) / dim) === Math.floor(Math.floor(at / n) / perParticle))

      it(`${kind} ${dim}: probes`, () => {
        const V = cost[0].length
        const ask = (probesPerVertex: number): number[] => {
          const method = polyStep(n, { ...options, probesPerVertex })
          return movedParticles(pointsOf(method.ask(method.start(flat(s))), n), V * probesPerVertex)
        }
        expectGolden(ask(1), probesK1, 'oneStep probes')
        if (probesK3 !== undefined) expectGolden(ask(3), probesK3, 'oneStep probes')
        const atVertices = polyStep(n, { ...options, probeRadius: { ...fixed, initial: 2 * stepRadius } })
        expectGolden(movedParticles(pointsOf(atVertices.ask(atVertices.start(flat(s))), n), V), vertices, 'oneStep vertices')
      })

      for (const [name, { epsilon, plan, newS }] of Object.entries(solvers as Record<string, { epsilon: number; plan: number[][]; newS: number[][] }>)) {
        it(`${kind} ${dim}: ${name}`, () => {
          const [rule, costScale] = rules[name] as readonly [WeightRule, CostScale]
          const { weights } = weightsOf(rule, scaleCosts(flat(cost), costScale), cost[0].length, epsilon, null)
          expectGolden(
            weights.map((w) => w / cost.length),
            plan,
            `oneStep ${name}`,
          )
          const method = polyStep(n, { ...options, epsilon, rule, costScale })
          expectGolden(method.iterate(method.tell(method.start(flat(s)), flat(cost))), newS, `oneStep ${name}`)
        })
      }
    }
  })

  it('momentum', () => {
    const { s, bary, velocity, beta, newS, newVelocity, coefficient } = golden.momentum
    const at = flat(s)
    const move = flat(bary).map((x, i) => x - (at[i] as number))
    const v = flat(velocity).map((x, i) => beta * x + (move[i] as number))
    expectGolden(v, newVelocity, 'momentum')
    expectGolden(
      at.map((x, i) => x + (v[i] as number)),
      newS,
      'momentum',
    )
    const steps = coefficient.values.map(
      (_: number, t: number) => coefficient.init + Math.min(1, t / (coefficient.total - 1)) * (coefficient.final - coefficient.init),
    )
    expectGolden(steps, coefficient.values, 'momentum')
  })

  describe('trajectories, losses from the objective itself', () => {
    const schedule = (x: number | { cosine: [number, number, number] }): number | Schedule =>
      typeof x === 'number' ? x : { kind: 'cosine', initial: x.cosine[0], target: x.cosine[1], steps: x.cosine[2] }
    for (const { name, dim, objective, s0, options: o, steps } of golden.trajectories) {
      it(`${name}, dimension ${dim}`, () => {
        const n = s0.length * dim
        const method = polyStep(n, {
          seed: 1,
          particleDimension: dim,
          template: o.polytope_type ?? 'orthoplex',
          epsilon: schedule(o.epsilon),
          stepRadius: schedule(o.step_radius),
          probeRadius: schedule(o.probe_radius),
          probesPerVertex: o.num_probe ?? 1,
          rule: { kind: o.solver },
          costScale: o.scale_cost ?? 'none',
          biasedRotation: o.biased_rotation ?? false,
          amortizeSteps: o.amortize_steps ?? 1,
          adaptiveRadius: o.use_adaptive_radius === true ? true : null,
          momentum: o.use_momentum === true ? { initial: o.momentum_init ?? 0.5, final: o.momentum_final ?? 0.95, steps: o.max_iterations } : null,
          rotation: (step, particle) => flat(steps[step].R[particle]),
        })
        let state = method.start(flat(s0))
        for (const step of steps) {
          const probes = method.ask(state)
          expect(probes.count).toBe(step.evaluations)
          const losses = lossesOf(probes, n, OBJECTIVES[objective] as (x: Float64Array) => number)
          if (probes.count > 0) expectGolden(losses, step.cost, 'trajectories cost')
          state = method.tell(state, losses)
          expectGolden(method.iterate(state), step.s, 'trajectories s')
          expectGolden([state.meanCost], [step.meanCost], 'trajectories cost')
          if (step.velocity !== undefined) expectGolden(state.velocity, step.velocity, 'trajectories velocity')
          if (step.multiplier !== undefined) expectGolden([state.radius.multiplier], [step.multiplier], 'trajectories s')
        }
      })
    }
  })

  it('hybrid subspace with biased rotation and absorb on a linear classifier', () => {
    const { theta0, A_weight, x, y, options, steps } = golden.hybrid
    const names = ['0.weight', '0.bias'] as const
    const start = Float64Array.from([...flat(theta0[names[0]]), ...flat(theta0[names[1]])])
    const rows = flat(A_weight)
    const tensors = [
      { name: names[0], start: 0, rows: 2, columns: 3 },
      { name: names[1], start: 6, rows: 1, columns: 2 },
    ]
    const subspace = hybridSubspace(tensors, {
      rank: 1,
      seed: 0,
      projection: (_, columns) => Float64Array.from({ length: 6 * columns }, (_u, at) => rows[(at % 6) * columns + Math.floor(at / 6)] as number),
    })
    expect(subspace.coordinates).toBe(7)
    const crossEntropy = (theta: Float64Array): number => {
      const losses = (x as number[][]).map((row, n) => {
        const scores = [0, 1].map((c) => row.reduce((sum, v, i) => sum + v * (theta[c * 3 + i] as number), theta[6 + c] as number))
        return Math.log(scores.reduce((sum, z) => sum + Math.exp(z), 0)) - (scores[y[n]] as number)
      })
      return losses.reduce((a, b) => a + b, 0) / losses.length
    }
    const method = polyStep(8, {
      seed: 1,
      subspace,
      particleDimension: 4,
      epsilon: options.epsilon,
      stepRadius: options.step_radius,
      probeRadius: options.probe_radius,
      biasedRotation: options.biased_rotation,
      absorbEvery: options.absorb_interval,
      rotation: (step, particle) => flat(steps[step].R[particle]),
    })
    let state = method.start(start)
    for (const step of steps) {
      const losses = lossesOf(method.ask(state), 8, crossEntropy)
      expectGolden(losses, step.cost, 'hybrid')
      state = method.tell(state, losses)
      expectGolden(state.coordinates, step.sAfterAbsorb, 'hybrid')
      expect(state.absorptions).toBe(step.absorbCount)
      expectGolden(method.iterate(state), [step.theta[names[0]], step.theta[names[1]]], 'hybrid')
    }
  })

  it('the full space has particles of two parameters unless told otherwise', () => {
    const method = polyStep(5, { seed: 3 })
    expect(method.ask(method.start(new Float64Array(5))).count).toBe(3 * 4)
    expect(fullSpace(5).coordinates).toBe(5)
  })
})
