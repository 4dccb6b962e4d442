// Random search: Gaussian candidates around the iterate, of which the best replaces it if it is better than staying.

import type { Method } from '../method.js'
import { type Schedule, valueAt } from '../schedule.js'
import { type BaselineOptions, noiseOf, offsetProbes, type Position, parametersAt, ranking, spaceOf, startAt } from './shared.js'

export interface RandomSearchOptions extends BaselineOptions {
  /** candidates a step beside the iterate itself; default 31 */
  readonly candidates?: number
  /** standard deviation of a coordinate; default 0.05 */
  readonly sigma?: number | Schedule
}

/** Random search over a number of parameters. */
export const randomSearch = (parameters: number, options: RandomSearchOptions): Method<Position> => {
  const { seed, candidates = 31, sigma = 0.05 } = options
  const space = spaceOf(parameters, options)
  const offset = (step: number, index: number): Float64Array =>
    index === 0 ? new Float64Array(space.coordinates) : noiseOf(seed, step, index, space.coordinates).map((x) => x * valueAt(sigma, step))
  return {
    name: 'random-search',
    parameters,
    start: (start) => startAt(space, start),
    ask: (state) => offsetProbes(space, state, 1 + candidates, (index) => offset(state.step, index)),
    tell: (state, losses) => {
      const change = offset(state.step, ranking(losses)[0] as number)
      return { ...state, step: state.step + 1, coordinates: state.coordinates.map((x, i) => x + (change[i] as number)) }
    },
    iterate: (state) => parametersAt(space, state),
  }
}
