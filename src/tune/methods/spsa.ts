// Two-point estimates: SPSA (Spall 1992) with signs, MeZO (Malladi et al. 2023, arXiv 2305.17333) with Gaussian noise drawn again from its seed.

import type { Method } from '../method.js'
import { type Schedule, valueAt } from '../schedule.js'
import { addScaled, type BaselineOptions, finiteLosses, noiseOf, offsetProbes, type Position, parametersAt, spaceOf, startAt } from './shared.js'

export interface SpsaOptions extends BaselineOptions {
  /** signs +-1 (SPSA) or standard normal (MeZO); default 'signs' */
  readonly noise?: 'signs' | 'gaussian'
  /** directions averaged in a step, two passes each; default 1 */
  readonly directions?: number
  /** distance of the two probes along the noise; default 0.01 */
  readonly perturbation?: number | Schedule
  /** default 0.001 */
  readonly learningRate?: number | Schedule
}

/** SPSA or MeZO over a number of parameters. */
export const spsa = (parameters: number, options: SpsaOptions): Method<Position> => {
  const { seed, noise: kind = 'signs', directions = 1, perturbation = 0.01, learningRate = 0.001 } = options
  const space = spaceOf(parameters, options)
  const noise = (step: number, direction: number): Float64Array => {
    const gaussian = noiseOf(seed, step, direction, space.coordinates)
    return kind === 'gaussian' ? gaussian : gaussian.map((x) => (x < 0 ? -1 : 1))
  }
  return {
    name: kind === 'gaussian' ? 'mezo' : 'spsa',
    parameters,
    start: (start) => startAt(space, start),
    ask: (state) =>
      offsetProbes(space, state, 2 * directions, (index) => {
        const factor = (index % 2 === 0 ? 1 : -1) * valueAt(perturbation, state.step)
        return noise(state.step, index >> 1).map((x) => x * factor)
      }),
    tell: (state, losses) => {
      const finite = finiteLosses(losses)
      const coordinates = state.coordinates.slice()
      for (let direction = 0; direction < directions; direction++) {
        const slope = ((finite[2 * direction] as number) - (finite[2 * direction + 1] as number)) / (2 * valueAt(perturbation, state.step))
        addScaled(coordinates, noise(state.step, direction), (-valueAt(learningRate, state.step) * slope) / directions)
      }
      return { ...state, step: state.step + 1, coordinates }
    },
    iterate: (state) => parametersAt(space, state),
  }
}

/** MeZO: spsa() with Gaussian noise. */
export const mezo = (parameters: number, options: Omit<SpsaOptions, 'noise'>): Method<Position> => spsa(parameters, { ...options, noise: 'gaussian' })
