// What tune depends on: a set of probes goes in, their losses come out. Implemented by any Runtime (full pass), by functions the user
// writes (black box), by engines that evaluate only what a probe changes, and by boards.

/** Parameters that differ from ProbeSet.base. */
export interface ProbeChanges {
  readonly indices: Int32Array
  /** the probe's values at `indices` */
  readonly values: Float64Array
}

/** Candidates for which a method wants losses. All are judged on the same data: the evaluator chooses it from `step` alone. */
export interface ProbeSet {
  /** 0, 1, ...: names the mini-batch, the initial states or whatever else the losses depend on */
  readonly step: number
  /** number of probes; 0 on steps that need no loss */
  readonly count: number
  readonly base: Float64Array // [parameters]
  /** Writes all parameters of probe 0..count - 1 into out [parameters]. */
  readonly write: (index: number, out: Float64Array) => void
  /** Present where a probe changes few parameters, for evaluators that can use it. */
  readonly changes?: (index: number) => ProbeChanges
}

export interface Evaluation {
  /** smaller is better; NaN and infinities are allowed and count as very bad */
  readonly losses: Float64Array // [count]
  /** full passes over the data of one step, or what stands for one (an episode batch) */
  readonly passes: number
  /** multiply-accumulates spent; 0 where nothing counts them */
  readonly macs: number
}

export interface Evaluator {
  readonly name: string
  /** number of parameters */
  readonly parameters: number
  /** @throws OBJECTIVE_FAILED where the loss itself could not be computed */
  readonly evaluate: (probes: ProbeSet) => Promise<Evaluation>
  readonly close?: () => Promise<void>
}
