// Greedy coordinate search: tries +-step along a few coordinates and keeps the best change, if it is better than staying.

import type { ProbeSet } from '../../contracts/evaluator.js'
import { permutation, STREAMS } from '../../random.js'
import type { Method } from '../method.js'
import { type Schedule, valueAt } from '../schedule.js'
import { type BaselineOptions, type Position, parametersAt, ranking, spaceOf, startAt } from './shared.js'

export interface CoordinateSearchOptions extends BaselineOptions {
  /** coordinates tried in a step, two probes each; default 16 */
  readonly coordinatesPerStep?: number
  /** default 0.1 */
  readonly stepSize?: number | Schedule
}

/** Greedy coordinate search over a number of parameters. Coordinates come in a random order, all of them before any again. */
export const coordinateSearch = (parameters: number, options: CoordinateSearchOptions): Method<Position> => {
  const space = spaceOf(parameters, options)
  const tried = Math.min(options.coordinatesPerStep ?? 16, space.coordinates)
  const stepsOfSweep = Math.floor(space.coordinates / tried)
  let sweep: { readonly index: number; readonly order: Uint32Array } = { index: -1, order: new Uint32Array(0) }
  const coordinateOf = (step: number, k: number): number => {
    const index = Math.floor(step / stepsOfSweep)
    if (sweep.index !== index) sweep = { index, order: permutation(space.coordinates, options.seed, index, STREAMS.method) }
    return sweep.order[(step % stepsOfSweep) * tried + k] as number
  }
  /** Probe 0 stays; probes 2k + 1 and 2k + 2 move coordinate k up and down. */
  const moveOf = (step: number, index: number): { coordinate: number; change: number } => ({
    coordinate: coordinateOf(step, (index - 1) >> 1),
    change: (index % 2 === 1 ? 1 : -1) * valueAt(options.stepSize ?? 0.1, step),
  })
  const probesOf = (state: Position): ProbeSet => {
    const base = parametersAt(space, state)
    const probes: ProbeSet = {
      step: state.step,
      count: 1 + 2 * tried,
      base,
      write: (index, out) => {
        out.set(base)
        if (index === 0) return
        const { coordinate, change } = moveOf(state.step, index)
        space.addTo(out, coordinate, Float64Array.of(change))
      },
    }
    if (space.kind !== 'full') return probes
    return {
      ...probes,
      changes: (index) => {
        if (index === 0) return { indices: new Int32Array(0), values: new Float64Array(0) }
        const { coordinate, change } = moveOf(state.step, index)
        return { indices: Int32Array.of(coordinate), values: Float64Array.of((base[coordinate] as number) + change) }
      },
    }
  }
  return {
    name: 'coordinate-search',
    parameters,
    start: (start) => startAt(space, start),
    ask: probesOf,
    tell: (state, losses) => {
      const best = ranking(losses)[0] as number
      const coordinates = state.coordinates.slice()
      if (best !== 0) {
        const { coordinate, change } = moveOf(state.step, best)
        coordinates[coordinate] = (coordinates[coordinate] as number) + change
      }
      return { ...state, step: state.step + 1, coordinates }
    },
    iterate: (state) => parametersAt(space, state),
  }
}
