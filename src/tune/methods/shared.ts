// What the baselines share: candidates around a point of a subspace, noise that can be drawn again, rank shaping.

import type { ProbeSet } from '../../contracts/evaluator.js'
import { STREAMS } from '../../random.js'
import { gaussians } from '../gaussian.js'
import { fullSpace, type Subspace } from '../subspace.js'

/** Options of every baseline. */
export interface BaselineOptions {
  readonly seed: number
  /** default: full space */
  readonly subspace?: Subspace
}

/** Where a baseline stands: parameters = origin + A coordinates, and the origin never moves. */
export interface Position {
  readonly step: number
  readonly origin: Float64Array // [parameters]
  readonly coordinates: Float64Array // [coordinates]
}

/** The subspace of a baseline over a number of parameters. */
export const spaceOf = (parameters: number, options: BaselineOptions): Subspace => options.subspace ?? fullSpace(parameters)

/** The position at the start parameters. */
export const startAt = (space: Subspace, parameters: Float64Array): Position => ({
  step: 0,
  origin: parameters.slice(),
  coordinates: new Float64Array(space.coordinates),
})

/** origin + A coordinates. */
export const parametersAt = (space: Subspace, { origin, coordinates }: Position): Float64Array => {
  const out = origin.slice()
  space.addTo(out, 0, coordinates)
  return out
}

/** Probes whose coordinates are those of the position plus `offset(index)`. */
export const offsetProbes = (space: Subspace, position: Position, count: number, offset: (index: number) => Float64Array): ProbeSet => {
  const base = parametersAt(space, position)
  return {
    step: position.step,
    count,
    base,
    write: (index, out) => {
      out.set(base)
      space.addTo(out, 0, offset(index))
    },
  }
}

/** The standard normal noise of candidate `index` of a step; drawn again wherever it is needed, never kept. */
export const noiseOf = (seed: number, step: number, index: number, count: number): Float64Array =>
  gaussians(count, seed, step, STREAMS.candidate, index * Math.ceil(count / 4))

/** Losses that are not finite become the largest finite loss (all 0 where none is finite): ranks and differences stay defined. */
export const finiteLosses = (losses: Float64Array): Float64Array => {
  const worst = losses.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, x) : most), Number.NEGATIVE_INFINITY)
  return losses.map((x) => (Number.isFinite(x) ? x : worst === Number.NEGATIVE_INFINITY ? 0 : worst))
}

/** Indices from the best (smallest) loss to the worst, equal losses in index order. */
export const ranking = (losses: Float64Array): number[] => {
  const finite = finiteLosses(losses)
  return Array.from({ length: finite.length }, (_, i) => i).sort((a, b) => (finite[a] as number) - (finite[b] as number) || a - b)
}

/** Centred ranks: 0.5 for the best loss down to -0.5 for the worst (Salimans et al. 2017, fitness shaping). */
export const centredRanks = (losses: Float64Array): Float64Array => {
  const out = new Float64Array(losses.length)
  ranking(losses).forEach((index, rank) => {
    out[index] = losses.length === 1 ? 0 : 0.5 - rank / (losses.length - 1)
  })
  return out
}

/** target += factor * values, in place. */
export const addScaled = (target: Float64Array, values: Float64Array, factor: number): void => {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + factor * (values[i] as number)
}
