// CartPole-v1 and Acrobot-v1 with small policies: PolyStep beside OpenAI-ES, both in environment steps.

import { STREAMS } from '#src/random.js'
import { gaussians } from '#src/tune/gaussian.js'
import type { Method } from '#src/tune/method.js'
import { evolutionStrategy } from '#src/tune/methods/index.js'
import { optimize } from '#src/tune/optimize.js'
import { polyStep } from '#src/tune/polystep.js'
import { acrobot } from '#src/tune/problems/acrobot.js'
import { cartPole } from '#src/tune/problems/cartpole.js'
import type { Environment } from '#src/tune/problems/environment.js'
import { meanReturn, type PolicyForm, parameterCount, policyTensors, rolloutEvaluator } from '#src/tune/problems/policy.js'
import { denseSubspace } from '#src/tune/subspace.js'
import { cosine, type Report, type Row, type Task } from './task.js'

const HIDDEN = 16
/** Training stops when validation reaches this twice. */
const ENOUGH = new Map<string, number>([
  [cartPole.name, 500],
  [acrobot.name, -78],
])

const GOALS = new Map<string, number>([
  [cartPole.name, 490],
  [acrobot.name, -85],
])

const policyMethods = (environment: Environment, seed: number, steps: number): readonly Method<{ readonly step: number }>[] => {
  const count = parameterCount(policyTensors(environment, HIDDEN))
  return [
    polyStep(count, {
      seed,
      subspace: denseSubspace(count, 24, seed),
      particleDimension: 8,
      epsilon: cosine(1, 0.2, steps),
      stepRadius: cosine(3, 0.5, steps),
      probeRadius: cosine(3, 1, steps),
      weightEpsilon: cosine(20, 3, steps),
    }),
    evolutionStrategy(count, { seed, population: 48, sigma: cosine(0.3, 0.1, steps), learningRate: cosine(0.1, 0.02, steps) }),
  ] as unknown as readonly Method<{ readonly step: number }>[]
}

/** Trains until 64 validation episodes are good enough twice in a row, at most `steps` steps; then 100 fresh episodes, once. */
const control = async (report: Report, environment: Environment, form: PolicyForm, seed: number, steps = 60): Promise<void> => {
  const goal = GOALS.get(environment.name) ?? 0
  const count = parameterCount(policyTensors(environment, HIDDEN))
  const start = gaussians(count, seed, 9, STREAMS.instance).map((x) => 0.5 * x)
  const spent: number[] = []
  const rows: Row[] = []
  for (const method of policyMethods(environment, seed, steps)) {
    let environmentSteps = 0
    let good = 0
    const stop = new AbortController()
    const on = rolloutEvaluator({ environment, form, hidden: HIDDEN, episodes: 16, seed, onSteps: (n) => (environmentSteps += n) })
    const score = (parameters: Float64Array, stream: number, episodes: number): number =>
      meanReturn(parameters, 1e6 + stream, { environment, form, hidden: HIDDEN, episodes, seed })
    const result = await optimize(method, start, {
      on,
      steps,
      signal: stop.signal,
      validateEvery: 2,
      validate: (parameters) => {
        const value = score(parameters, 1, 64)
        good = value >= (ENOUGH.get(environment.name) ?? 0) ? good + 1 : 0
        if (good >= 2) stop.abort()
        return value
      },
    })
    spent.push(environmentSteps)
    rows.push({
      case: `${environment.name} ${form}, ${method.name}`,
      metric: 'mean return of 100 fresh episodes',
      value: score(result.best?.parameters ?? result.parameters, 2, 100),
      unit: 'reward',
      goal,
    })
  }
  for (const row of rows) report(row)
  report({
    case: `${environment.name} ${form}`,
    metric: 'environment steps',
    value: spent[0] as number,
    unit: 'steps',
    baseline: { name: 'openai-es', value: spent[1] as number },
  })
}

export const controlTask: Task = async (report, _seconds, seed) => {
  for (const environment of [cartPole, acrobot]) for (const form of ['float', 'int8', 'binary'] as const) await control(report, environment, form, seed)
}
