// Random MAX-3-SAT as the published experiments define it, with a loss that only looks at the clauses of the variables a probe flips, and the two
// plain rules it must be read beside: majority literals and greedy flips (docs/polystep.md, "MAX-SAT").

import type { Evaluator, ProbeChanges } from '../../contracts/evaluator.js'
import { boundedInteger, randomWords, STREAMS } from '../../random.js'

/** Clause c is satisfied where one of its literals is: variable equals sign (1: plain, 0: negated). */
export interface MaxSat {
  readonly variables: number
  readonly clauses: number
  readonly literalVariables: Int32Array // [clauses, 3]
  readonly literalSigns: Uint8Array // [clauses, 3]
  /** clauses of variable v: occurrences[starts[v]..starts[v + 1] - 1] */
  readonly starts: Int32Array // [variables + 1]
  readonly occurrences: Int32Array
}

const indexClauses = (variables: number, literalVariables: Int32Array): { starts: Int32Array; occurrences: Int32Array } => {
  const starts = new Int32Array(variables + 1)
  for (const v of literalVariables) starts[v + 1] = (starts[v + 1] as number) + 1
  for (let v = 0; v < variables; v++) starts[v + 1] = (starts[v + 1] as number) + (starts[v] as number)
  const next = starts.slice()
  const occurrences = new Int32Array(literalVariables.length)
  literalVariables.forEach((v, at) => {
    occurrences[next[v] as number] = Math.floor(at / 3)
    next[v] = (next[v] as number) + 1
  })
  return { starts, occurrences }
}

/** An instance from its literals. */
export const maxSatOf = (variables: number, literalVariables: Int32Array, literalSigns: Uint8Array): MaxSat => ({
  variables,
  clauses: literalVariables.length / 3,
  literalVariables,
  literalSigns,
  ...indexClauses(variables, literalVariables),
})

/** floor(ratio variables) clauses of three distinct variables with fair signs. */
export const randomMaxSat = (variables: number, seed: number, ratio = 4.27): MaxSat => {
  const clauses = Math.trunc(ratio * variables)
  const literalVariables = new Int32Array(3 * clauses)
  const literalSigns = new Uint8Array(3 * clauses)
  for (let c = 0; c < clauses; c++) {
    const [a, b, d, signs] = randomWords(seed, 0, STREAMS.instance, c)
    const first = boundedInteger(a, variables)
    let second = boundedInteger(b, variables - 1)
    if (second >= first) second++
    let third = boundedInteger(d, variables - 2)
    for (const taken of [Math.min(first, second), Math.max(first, second)]) if (third >= taken) third++
    literalVariables.set([first, second, third], 3 * c)
    literalSigns.set([signs & 1, (signs >>> 1) & 1, (signs >>> 2) & 1], 3 * c)
  }
  return maxSatOf(variables, literalVariables, literalSigns)
}

/** The assignment of real numbers: 1 where round-half-even(sigmoid(x)) is 1, that is where x > 0. */
export const hardAssignment = (x: Float64Array): Uint8Array => Uint8Array.from(x, (v) => (v > 0 ? 1 : 0))

const isSatisfied = ({ literalVariables, literalSigns }: MaxSat, clause: number, assignment: Uint8Array): boolean => {
  for (let k = 3 * clause; k < 3 * clause + 3; k++) if (assignment[literalVariables[k] as number] === literalSigns[k]) return true
  return false
}

/** Number of clauses that an assignment leaves unsatisfied. */
export const unsatisfied = (problem: MaxSat, assignment: Uint8Array): number => {
  let count = 0
  for (let c = 0; c < problem.clauses; c++) if (!isSatisfied(problem, c, assignment)) count++
  return count
}

/** Change of the number of unsatisfied clauses when the given variables flip. The assignment is flipped and flipped back. */
export const flipDelta = (problem: MaxSat, assignment: Uint8Array, flipped: readonly number[]): number => {
  const touched = new Set<number>()
  for (const v of flipped)
    for (let at = problem.starts[v] as number; at < (problem.starts[v + 1] as number); at++) touched.add(problem.occurrences[at] as number)
  const count = (): number => {
    let unsat = 0
    for (const c of touched) if (!isSatisfied(problem, c, assignment)) unsat++
    return unsat
  }
  const flip = (): void => {
    for (const v of flipped) assignment[v] = 1 - (assignment[v] as number)
  }
  const before = count()
  flip()
  const after = count()
  flip()
  return after - before
}

const flippedBy = (changes: ProbeChanges, assignment: Uint8Array): number[] => {
  const out: number[] = []
  changes.indices.forEach((v, i) => {
    if (((changes.values[i] as number) > 0 ? 1 : 0) !== assignment[v]) out.push(v)
  })
  return out
}

/** Losses = numbers of unsatisfied clauses; probes that tell their changes cost only the clauses they touch. `passes` counts full passes' worth of clauses. */
export const maxSatEvaluator = (problem: MaxSat): Evaluator => ({
  name: 'max-sat, clause deltas',
  parameters: problem.variables,
  evaluate: async (probes) => {
    const losses = new Float64Array(probes.count)
    const assignment = hardAssignment(probes.base)
    const base = unsatisfied(problem, assignment)
    let clauses = problem.clauses
    const full = new Float64Array(problem.variables)
    for (let k = 0; k < probes.count; k++) {
      if (probes.changes === undefined) {
        probes.write(k, full)
        losses[k] = unsatisfied(problem, hardAssignment(full))
        clauses += problem.clauses
      } else {
        const flipped = flippedBy(probes.changes(k), assignment)
        losses[k] = base + flipDelta(problem, assignment, flipped)
        for (const v of flipped) clauses += (problem.starts[v + 1] as number) - (problem.starts[v] as number)
      }
    }
    return { losses, passes: clauses / problem.clauses, macs: 3 * clauses }
  },
})

/** Each variable as most of its literals want it (1 on a tie). */
export const majorityAssignment = ({ variables, literalVariables, literalSigns }: MaxSat): Uint8Array => {
  const votes = new Int32Array(variables)
  literalVariables.forEach((v, k) => {
    votes[v] = (votes[v] as number) + (literalSigns[k] === 1 ? 1 : -1)
  })
  return Uint8Array.from(votes, (n) => (n >= 0 ? 1 : 0))
}

/** The assignment after `sweeps` passes over all variables in order, flipping where that does not increase the number of unsatisfied clauses. */
export const greedyFlips = (problem: MaxSat, start: Uint8Array, sweeps: number): Uint8Array => {
  const assignment = start.slice()
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (let v = 0; v < problem.variables; v++) if (flipDelta(problem, assignment, [v]) <= 0) assignment[v] = 1 - (assignment[v] as number)
  }
  return assignment
}
