// Random MAX-3-SAT with 100,000 variables: PolyStep by delta probes beside two plain rules. No claim.

import { STREAMS } from '#src/random.js'
import { gaussians } from '#src/tune/gaussian.js'
import { optimize } from '#src/tune/optimize.js'
import { polyStep } from '#src/tune/polystep.js'
import { greedyFlips, hardAssignment, majorityAssignment, maxSatEvaluator, randomMaxSat, unsatisfied } from '#src/tune/problems/max-sat.js'
import { cosine, type Task } from './task.js'

export const maxSatTask: Task = async (report, seconds, seed) => {
  const variables = 100_000
  const problem = randomMaxSat(variables, seed)
  const satisfied = (assignment: Uint8Array): number => 100 * (1 - unsatisfied(problem, assignment) / problem.clauses)
  const start = gaussians(variables, seed, 1, STREAMS.instance).map((x) => 0.1 * x)
  const steps = Math.max(5, Math.floor(seconds))
  const method = polyStep(variables, {
    seed,
    epsilon: 1,
    stepRadius: cosine(0.5, 0.1, steps),
    probeRadius: cosine(1, 0.3, steps),
    momentum: { initial: 0.5, final: 0.9, steps },
  })
  const result = await optimize(method, start, { on: maxSatEvaluator(problem), steps, seconds })
  const majority = majorityAssignment(problem)
  report({
    case: 'maxsat, polystep',
    metric: 'satisfied',
    value: satisfied(hardAssignment(result.parameters)),
    unit: '%',
    baseline: { name: 'majority vote, no search', value: satisfied(majority) },
  })
  report({ case: 'maxsat, polystep', metric: 'probes', value: result.probes, unit: 'probes' })
  report({ case: 'maxsat, greedy flips', metric: 'satisfied after 1 sweep', value: satisfied(greedyFlips(problem, majority, 1)), unit: '%' })
  report({ case: 'maxsat, greedy flips', metric: 'satisfied after 10 sweeps', value: satisfied(greedyFlips(problem, majority, 10)), unit: '%' })
}
