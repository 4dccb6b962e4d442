// The OpenAI evolution strategy (Salimans et al. 2017, arXiv 1703.03864): antithetic Gaussian candidates, centred ranks, Adam on the estimate.

import type { Method } from '../method.js'
import { type Schedule, valueAt } from '../schedule.js'
import { type AdamState, adamStep, startAdam } from './adam.js'
import { addScaled, type BaselineOptions, centredRanks, noiseOf, offsetProbes, type Position, parametersAt, spaceOf, startAt } from './shared.js'

export interface EvolutionStrategyOptions extends BaselineOptions {
  /** candidates a step, an even number; default 64 */
  readonly population?: number
  /** standard deviation of a coordinate; default 0.05 */
  readonly sigma?: number | Schedule
  /** of Adam; default 0.02 */
  readonly learningRate?: number | Schedule
}

export interface EvolutionStrategyState extends Position {
  readonly adam: AdamState
}

/** OpenAI-ES over a number of parameters. */
export const evolutionStrategy = (parameters: number, options: EvolutionStrategyOptions): Method<EvolutionStrategyState> => {
  const { seed, sigma = 0.05, learningRate = 0.02 } = options
  const space = spaceOf(parameters, options)
  const pairs = Math.max(1, Math.floor((options.population ?? 64) / 2))
  const noise = (step: number, pair: number): Float64Array => noiseOf(seed, step, pair, space.coordinates)
  return {
    name: 'openai-es',
    parameters,
    start: (start) => ({ ...startAt(space, start), adam: startAdam(space.coordinates) }),
    ask: (state) =>
      offsetProbes(space, state, 2 * pairs, (index) => {
        const factor = (index % 2 === 0 ? 1 : -1) * valueAt(sigma, state.step)
        return noise(state.step, index >> 1).map((x) => x * factor)
      }),
    tell: (state, losses) => {
      const utilities = centredRanks(losses)
      const gradient = new Float64Array(space.coordinates)
      const scale = 1 / (2 * pairs * valueAt(sigma, state.step))
      for (let pair = 0; pair < pairs; pair++) {
        addScaled(gradient, noise(state.step, pair), scale * ((utilities[2 * pair + 1] as number) - (utilities[2 * pair] as number)))
      }
      const { change, adam } = adamStep(state.adam, gradient, state.step, valueAt(learningRate, state.step))
      return { ...state, step: state.step + 1, coordinates: state.coordinates.map((x, i) => x + (change[i] as number)), adam }
    },
    iterate: (state) => parametersAt(space, state),
  }
}
