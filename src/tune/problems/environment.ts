// What a control problem is: pure dynamics over a small state, and episodes of a policy in it.

import { STREAMS } from '../../random.js'
import { uniforms } from '../gaussian.js'

export interface Transition {
  readonly state: Float64Array
  readonly reward: number
  /** the episode ends here */
  readonly done: boolean
}

export interface Environment {
  readonly name: string
  readonly observations: number
  readonly actions: number
  /** an episode is cut after so many steps */
  readonly maxSteps: number
  /** numbers in [0, 1) that an initial state takes */
  readonly draws: number
  readonly initial: (draws: Float64Array) => Float64Array
  readonly observe: (state: Float64Array) => Float64Array
  readonly step: (state: Float64Array, action: number) => Transition
}

/** From an observation to an action. */
export type Policy = (observation: Float64Array) => number

export interface Episode {
  /** sum of rewards */
  readonly total: number
  readonly steps: number
}

/** Episode `index` of a step of a run; the same (seed, step, index) starts in the same state. */
export const runEpisode = (environment: Environment, policy: Policy, seed: number, step: number, index: number): Episode => {
  let state = environment.initial(uniforms(environment.draws, seed, step, STREAMS.episode, index * Math.ceil(environment.draws / 4)))
  let total = 0
  let steps = 0
  while (steps < environment.maxSteps) {
    const next = environment.step(state, policy(environment.observe(state)))
    state = next.state
    total += next.reward
    steps++
    if (next.done) break
  }
  return { total, steps }
}
