// Adam and Nesterov momentum on plain arrays, with decoupled weight decay: every bit of the state can be saved and resumed, and
// a step over the few ten thousand weights of a small network costs less than as many tensor operations.

import type { OptimizerSettings } from './schedule.js'

/** What an optimizer remembers of each weight tensor. */
export interface OptimizerState {
  /** steps taken */
  step: number
  /** running mean of the gradients, one array a weight tensor */
  readonly first: readonly Float32Array[]
  /** running mean of their squares; empty arrays for momentum */
  readonly second: readonly Float32Array[]
}

/** The state before the first step, for weight tensors of these sizes. */
export const initialState = (settings: OptimizerSettings, sizes: readonly number[]): OptimizerState => ({
  step: 0,
  first: sizes.map((size) => new Float32Array(size)),
  second: sizes.map((size) => new Float32Array(settings.kind === 'adam' ? size : 0)),
})

/** Changes weights and state by one step. `decays` says which tensors decay (kernels, not biases or norms). */
export const optimizerStep = (
  settings: OptimizerSettings,
  state: OptimizerState,
  weights: readonly Float32Array[],
  gradients: readonly Float32Array[],
  decays: readonly boolean[],
  learningRate: number,
): void => {
  state.step += 1
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i] as Float32Array
    if (decays[i] && settings.weightDecay) shrink(w, 1 - learningRate * settings.weightDecay)
    const m = state.first[i] as Float32Array
    if (settings.kind === 'adam') adamStep(settings, state.step, w, gradients[i] as Float32Array, m, state.second[i] as Float32Array, learningRate)
    else momentumStep(settings.momentum ?? 0.9, w, gradients[i] as Float32Array, m, learningRate)
  }
}

const shrink = (w: Float32Array, factor: number): void => {
  for (let i = 0; i < w.length; i++) w[i] = (w[i] as number) * factor
}

const adamStep = (
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 }: Extract<OptimizerSettings, { kind: 'adam' }>,
  step: number,
  w: Float32Array,
  g: Float32Array,
  m: Float32Array,
  v: Float32Array,
  learningRate: number,
): void => {
  const rate = learningRate / (1 - beta1 ** step)
  const correction = 1 / (1 - beta2 ** step)
  for (let i = 0; i < w.length; i++) {
    const gradient = g[i] as number
    const mean = beta1 * (m[i] as number) + (1 - beta1) * gradient
    const square = beta2 * (v[i] as number) + (1 - beta2) * gradient * gradient
    m[i] = mean
    v[i] = square
    w[i] = (w[i] as number) - (rate * mean) / (Math.sqrt(square * correction) + epsilon)
  }
}

const momentumStep = (momentum: number, w: Float32Array, g: Float32Array, m: Float32Array, learningRate: number): void => {
  for (let i = 0; i < w.length; i++) {
    const gradient = g[i] as number
    const velocity = momentum * (m[i] as number) + gradient
    m[i] = velocity
    w[i] = (w[i] as number) - learningRate * (gradient + momentum * velocity)
  }
}
