// Small policies for control problems: observations - hidden units - actions, as floats, or as what a chip computes: int8 weights with int8 or sign
// hidden units. Parameters are one vector; the evaluator's loss is minus the mean return.

import type { Evaluator } from '../../contracts/evaluator.js'
import { clamp, roundHalfEven } from '../../network/arithmetic.js'
import { blackBox } from '../evaluators/black-box.js'
import { argmax } from '../objectives.js'
import type { ParameterTensor } from '../subspace.js'
import { type Environment, type Policy, runEpisode } from './environment.js'

/** float: tanh units. int8: int8 weights of scale 1/32, hidden max(0, .) in int8 of scale 1/16. binary: int8 weights, sign(0) = +1. */
export type PolicyForm = 'float' | 'int8' | 'binary'

const WEIGHT_SCALE = 1 / 32
const HIDDEN_SCALE = 1 / 16

const identity = (x: number): number => x
/** The value of the int8 level nearest to a weight. */
const quantizedWeight = (w: number): number => clamp(roundHalfEven(w / WEIGHT_SCALE), -127, 127) * WEIGHT_SCALE

const FORMS: Readonly<Record<PolicyForm, { readonly weight: (w: number) => number; readonly hidden: (z: number) => number }>> = {
  float: { weight: identity, hidden: Math.tanh },
  int8: { weight: quantizedWeight, hidden: (z) => clamp(roundHalfEven(z / HIDDEN_SCALE), 0, 127) * HIDDEN_SCALE },
  binary: { weight: quantizedWeight, hidden: (z) => (z >= 0 ? 1 : -1) },
}

/** Tensors of a policy's parameters: hidden weights [hidden, observations] and bias, output weights [actions, hidden] and bias. */
export const policyTensors = ({ observations, actions }: Environment, hidden: number): readonly ParameterTensor[] => {
  const sizes = [
    { name: 'hidden.weights', rows: hidden, columns: observations },
    { name: 'hidden.bias', rows: 1, columns: hidden },
    { name: 'output.weights', rows: actions, columns: hidden },
    { name: 'output.bias', rows: 1, columns: actions },
  ]
  let start = 0
  return sizes.map((size) => {
    const tensor = { ...size, start }
    start += size.rows * size.columns
    return tensor
  })
}

/** Number of parameters of some tensors. */
export const parameterCount = (tensors: readonly ParameterTensor[]): number => tensors.reduce((sum, { rows, columns }) => sum + rows * columns, 0)

const layer = (weights: Float64Array, { start, rows, columns }: ParameterTensor, bias: number, x: Float64Array): Float64Array => {
  const out = new Float64Array(rows)
  for (let r = 0; r < rows; r++) {
    let sum = weights[bias + r] as number
    for (let c = 0; c < columns; c++) sum += (weights[start + r * columns + c] as number) * (x[c] as number)
    out[r] = sum
  }
  return out
}

/** The policy of a parameter vector: the action of the largest score. */
export const policyOf = (environment: Environment, hidden: number, form: PolicyForm, parameters: Float64Array): Policy => {
  const { weight, hidden: unit } = FORMS[form]
  const [w1, b1, w2, b2] = policyTensors(environment, hidden) as [ParameterTensor, ParameterTensor, ParameterTensor, ParameterTensor]
  const weights = parameters.map(weight)
  return (observation) => argmax(layer(weights, w2, b2.start, layer(weights, w1, b1.start, observation).map(unit)))
}

export interface RolloutOptions {
  readonly environment: Environment
  /** default 16 */
  readonly hidden?: number
  readonly form: PolicyForm
  /** episodes of a probe, from the same initial states for all probes of a step; default 16 */
  readonly episodes?: number
  readonly seed: number
  /** told the number of environment steps that a probe took */
  readonly onSteps?: (steps: number) => void
}

/** Mean return of a policy over episodes of a step. */
export const meanReturn = (parameters: Float64Array, step: number, options: RolloutOptions): number => {
  const { environment, hidden = 16, form, episodes = 16, seed, onSteps } = options
  const policy = policyOf(environment, hidden, form, parameters)
  let total = 0
  let steps = 0
  for (let index = 0; index < episodes; index++) {
    const episode = runEpisode(environment, policy, seed, step, index)
    total += episode.total
    steps += episode.steps
  }
  onSteps?.(steps)
  return total / episodes
}

/** The evaluator of a control problem: loss = minus the mean return. */
export const rolloutEvaluator = (options: RolloutOptions): Evaluator =>
  blackBox((parameters, { step }) => -meanReturn(parameters, step, options), {
    name: options.environment.name,
    parameters: parameterCount(policyTensors(options.environment, options.hidden ?? 16)),
  })
