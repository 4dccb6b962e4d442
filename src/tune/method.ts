// The ask/tell interface of every optimizer. A method is four pure functions over a plain state: the state survives structuredClone, so a
// checkpoint is the state, and a run resumed from it gives the same bytes.

import type { ProbeSet } from '../contracts/evaluator.js'

export interface Method<S> {
  readonly name: string
  /** number of parameters it moves */
  readonly parameters: number
  /** The state before the first step. */
  readonly start: (parameters: Float64Array) => S
  /** The probes of the state's step; count 0 where the step needs none. */
  readonly ask: (state: S) => ProbeSet
  /** The state after the step, from the losses of ask()'s probes. The argument is left as it is. */
  readonly tell: (state: S, losses: Float64Array) => S
  /** The current iterate. */
  readonly iterate: (state: S) => Float64Array
}

/** A method together with its current state, for code that drives many methods alike. */
export interface Tuner {
  readonly name: string
  /** the number of steps told so far */
  readonly step: () => number
  readonly ask: () => ProbeSet
  readonly tell: (losses: Float64Array) => void
  readonly parameters: () => Float64Array
  /** plain data, for checkpoints; pass it to tunerOf to go on */
  readonly state: () => unknown
}

/** Starts a method at `start`, or goes on from a saved state of the same method. */
export const tunerOf = <S extends { readonly step: number }>(method: Method<S>, start: Float64Array, saved?: unknown): Tuner => {
  let state = saved === undefined ? method.start(start.slice()) : (structuredClone(saved) as S)
  return {
    name: method.name,
    step: () => state.step,
    ask: () => method.ask(state),
    tell: (losses) => {
      state = method.tell(state, losses)
    },
    parameters: () => method.iterate(state),
    state: () => structuredClone(state),
  }
}

/** Probes of a step that needs no losses. */
export const noProbes = (step: number, base: Float64Array): ProbeSet => ({ step, count: 0, base, write: (_, out) => out.set(base) })
