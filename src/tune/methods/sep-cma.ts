// sep-CMA-ES (Ros and Hansen 2008): CMA-ES whose covariance is diagonal, so that time and memory are linear in the number of coordinates.

import type { Method } from '../method.js'
import { type BaselineOptions, noiseOf, offsetProbes, type Position, parametersAt, ranking, spaceOf, startAt } from './shared.js'

export interface SepCmaOptions extends BaselineOptions {
  /** default 4 + floor(3 ln coordinates) */
  readonly population?: number
  /** first standard deviation of a coordinate; default 0.05 */
  readonly sigma?: number
}

export interface SepCmaState extends Position {
  readonly sigma: number
  readonly variances: Float64Array // diagonal of C
  readonly sigmaPath: Float64Array
  readonly covariancePath: Float64Array
}

/** Constants of Hansen's tutorial (arXiv 1604.00772, table 1); the learning rates of the covariance are (n + 2) / 3 times those of the full form. */
const constantsOf = (n: number, population: number) => {
  const parents = Math.floor(population / 2)
  const raw = Array.from({ length: parents }, (_, i) => Math.log((population + 1) / 2) - Math.log(i + 1))
  const total = raw.reduce((a, b) => a + b, 0)
  const weights = raw.map((w) => w / total)
  const effective = 1 / weights.reduce((sum, w) => sum + w * w, 0)
  const faster = (n + 2) / 3
  const rankOne = (faster * 2) / ((n + 1.3) ** 2 + effective)
  return {
    weights,
    effective,
    pathSigma: (effective + 2) / (n + effective + 5),
    damping: 1 + 2 * Math.max(0, Math.sqrt((effective - 1) / (n + 1)) - 1) + (effective + 2) / (n + effective + 5),
    pathCovariance: (4 + effective / n) / (n + 4 + (2 * effective) / n),
    rankOne: Math.min(1, rankOne),
    rankMany: Math.min(1 - Math.min(1, rankOne), (faster * 2 * (effective - 2 + 1 / effective)) / ((n + 2) ** 2 + effective)),
    expectedNorm: Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n)),
  }
}

/** sep-CMA-ES over a number of parameters; its iterate is the mean of the distribution. */
export const sepCma = (parameters: number, options: SepCmaOptions): Method<SepCmaState> => {
  const space = spaceOf(parameters, options)
  const n = space.coordinates
  const population = options.population ?? 4 + Math.floor(3 * Math.log(n))
  const k = constantsOf(n, population)
  const noise = (step: number, index: number): Float64Array => noiseOf(options.seed, step, index, n)
  return {
    name: 'sep-cma-es',
    parameters,
    start: (start) => ({
      ...startAt(space, start),
      sigma: options.sigma ?? 0.05,
      variances: new Float64Array(n).fill(1),
      sigmaPath: new Float64Array(n),
      covariancePath: new Float64Array(n),
    }),
    ask: (state) =>
      offsetProbes(space, state, population, (index) => noise(state.step, index).map((z, i) => state.sigma * Math.sqrt(state.variances[i] as number) * z)),
    tell: (state, losses) => {
      const best = ranking(losses).slice(0, k.weights.length)
      const z = new Float64Array(n)
      const squares = new Float64Array(n)
      best.forEach((index, rank) => {
        const weight = k.weights[rank] as number
        noise(state.step, index).forEach((x, i) => {
          z[i] = (z[i] as number) + weight * x
          squares[i] = (squares[i] as number) + weight * x * x
        })
      })
      const keep = Math.sqrt(k.pathSigma * (2 - k.pathSigma) * k.effective)
      const sigmaPath = state.sigmaPath.map((p, i) => (1 - k.pathSigma) * p + keep * (z[i] as number))
      const norm = Math.sqrt(sigmaPath.reduce((sum, p) => sum + p * p, 0))
      const isShort = norm / Math.sqrt(1 - (1 - k.pathSigma) ** (2 * (state.step + 1))) < (1.4 + 2 / (n + 1)) * k.expectedNorm
      const push = isShort ? Math.sqrt(k.pathCovariance * (2 - k.pathCovariance) * k.effective) : 0
      const covariancePath = state.covariancePath.map((p, i) => (1 - k.pathCovariance) * p + push * Math.sqrt(state.variances[i] as number) * (z[i] as number))
      const rest = 1 - k.rankOne - k.rankMany + (isShort ? 0 : k.rankOne * k.pathCovariance * (2 - k.pathCovariance))
      const variances = state.variances.map((c, i) => rest * c + k.rankOne * (covariancePath[i] as number) ** 2 + k.rankMany * c * (squares[i] as number))
      return {
        ...state,
        step: state.step + 1,
        coordinates: state.coordinates.map((x, i) => x + state.sigma * Math.sqrt(state.variances[i] as number) * (z[i] as number)),
        sigma: state.sigma * Math.exp((k.pathSigma / k.damping) * (norm / k.expectedNorm - 1)),
        variances,
        sigmaPath,
        covariancePath,
      }
    },
    iterate: (state) => parametersAt(space, state),
  }
}
