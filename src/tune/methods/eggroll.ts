// EGGROLL (arXiv 2511.16652): an evolution strategy whose noise for a matrix is A B^T / sqrt(rank), so that a candidate costs little memory. Vectors
// get full noise. Antithetic pairs, losses standardized, plain or Adam steps along the fitness-weighted sum of the noise.

import type { ProbeSet } from '../../contracts/evaluator.js'
import type { Method } from '../method.js'
import { type Schedule, valueAt } from '../schedule.js'
import type { ParameterTensor } from '../subspace.js'
import { type AdamState, adamStep, startAdam } from './adam.js'
import { finiteLosses, noiseOf } from './shared.js'

export interface EggrollOptions {
  readonly seed: number
  readonly tensors: readonly ParameterTensor[]
  /** default 1 */
  readonly rank?: number
  /** candidates a step, an even number; default 64 */
  readonly population?: number
  /** standard deviation of a parameter; default 0.05 */
  readonly sigma?: number | Schedule
  /** of Adam; default 0.02 */
  readonly learningRate?: number | Schedule
}

export interface EggrollState {
  readonly step: number
  readonly parameters: Float64Array
  readonly adam: AdamState
}

/** Numbers drawn for a tensor: the factors A [rows, rank] and B [columns, rank], or the vector itself. */
const drawsOf = ({ rows, columns }: ParameterTensor, rank: number): number => (rows === 1 ? columns : (rows + columns) * rank)

/** out += factor * noise, the noise of one candidate from its draws. */
const addNoise = (out: Float64Array, tensors: readonly ParameterTensor[], rank: number, draws: Float64Array, factor: number): void => {
  let at = 0
  for (const tensor of tensors) {
    const { start, rows, columns } = tensor
    if (rows === 1) {
      for (let c = 0; c < columns; c++) out[start + c] = (out[start + c] as number) + factor * (draws[at + c] as number)
    } else {
      for (let k = 0; k < rank; k++) {
        const a = at + k * (rows + columns)
        for (let r = 0; r < rows; r++) {
          const scaled = (factor * (draws[a + r] as number)) / Math.sqrt(rank)
          const row = start + r * columns
          for (let c = 0; c < columns; c++) out[row + c] = (out[row + c] as number) + scaled * (draws[a + rows + c] as number)
        }
      }
    }
    at += drawsOf(tensor, rank)
  }
}

/** (loss - mean) / deviation; 0 where all are equal. */
const standardized = (losses: Float64Array): Float64Array => {
  const finite = finiteLosses(losses)
  const mean = finite.reduce((a, b) => a + b, 0) / finite.length
  const deviation = Math.sqrt(finite.reduce((sum, x) => sum + (x - mean) ** 2, 0) / finite.length)
  return finite.map((x) => (deviation === 0 ? 0 : (x - mean) / deviation))
}

/** EGGROLL over the parameters of some tensors. */
export const eggroll = (parameters: number, options: EggrollOptions): Method<EggrollState> => {
  const { seed, tensors, rank = 1, sigma = 0.05, learningRate = 0.02 } = options
  const pairs = Math.max(1, Math.floor((options.population ?? 64) / 2))
  const drawCount = tensors.reduce((sum, tensor) => sum + drawsOf(tensor, rank), 0)
  const draws = (step: number, pair: number): Float64Array => noiseOf(seed, step, pair, drawCount)
  const ask = (state: EggrollState): ProbeSet => ({
    step: state.step,
    count: 2 * pairs,
    base: state.parameters,
    write: (index, out) => {
      out.set(state.parameters)
      addNoise(out, tensors, rank, draws(state.step, index >> 1), (index % 2 === 0 ? 1 : -1) * valueAt(sigma, state.step))
    },
  })
  return {
    name: 'eggroll',
    parameters,
    start: (start) => ({ step: 0, parameters: start.slice(), adam: startAdam(parameters) }),
    ask,
    tell: (state, losses) => {
      const scores = standardized(losses)
      const gradient = new Float64Array(parameters)
      for (let pair = 0; pair < pairs; pair++) {
        const score = ((scores[2 * pair] as number) - (scores[2 * pair + 1] as number)) / (2 * pairs)
        addNoise(gradient, tensors, rank, draws(state.step, pair), score)
      }
      const { change, adam } = adamStep(state.adam, gradient, state.step, valueAt(learningRate, state.step))
      return { step: state.step + 1, parameters: state.parameters.map((x, i) => x + (change[i] as number)), adam }
    },
    iterate: (state) => state.parameters.slice(),
  }
}
