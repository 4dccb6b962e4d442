// What tune depends on: a set of probes goes in, their losses come out. Implemented by any Runtime (full pass), by functions the user
// writes (black box), by engines that evaluate only what a probe changes, and by boards.

import type { ElementArray, Network } from '../network/types.js'

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

// ---- structured probes: every weight of a layer, up and down ----

/** How a layer's weight costs are obtained (docs/polystep.md, "Unit-resolved costs"). */
export type CostRule =
  /** a unit is evaluated at every shift its input levels cause: the costs are those of moved weights */
  | 'exact'
  /** a unit is evaluated at one shift, and a weight's cost is that times its input */
  | 'linearised'
  /** every weight is moved by itself: exact for any input and for convolutions, slow */
  | 'direct'

/** What is asked of one layer. */
export interface LayerProbe {
  /** index into the nodes of the network cut to its scores */
  readonly node: number
  readonly rule: CostRule
  /** how far a weight moves, in stored levels, 1 or more */
  readonly radius: number
  /** input levels that stand for 1: a bias moves by radius times this, and a linearised shift has this size */
  readonly inputUnit: number
  /** one of so many positions of a convolution is looked at, another one for each sample; 1: all */
  readonly positionStride: number
}

/** Sums over the batch of the change of the loss when a weight moves up or down, exact integers. */
export interface LayerCosts {
  readonly up: Float64Array // [taps + 1, channels], the last tap is the bias
  readonly down: Float64Array // [taps + 1, channels]
}

/** The samples of a step. */
export interface UnitBatch {
  /** one array a network input for each sample */
  readonly samples: readonly (readonly ElementArray[])[]
  readonly labels: ArrayLike<number>
  /** with step: which positions a strided probe looks at */
  readonly seed: number
  readonly step: number
}

/** What a unit-resolved evaluation gives for a batch. */
export interface UnitEvaluation {
  readonly layers: readonly LayerCosts[]
  /** sum of the losses of the batch, 1/4096 nats */
  readonly loss: number
  /** samples whose largest score is their label's */
  readonly correct: number
  /** unit evaluations executed */
  readonly evaluations: number
  /** weight costs obtained */
  readonly weightProbes: number
  /** multiply-accumulates of probes, beyond the forward passes */
  readonly macs: number
}

/** Evaluates the units of a batch for a network cut to its scores: the plain engine, wasm or a board. All give the same integers. */
export type UnitEvaluator = (network: Network<'integer'>, probes: readonly LayerProbe[], batch: UnitBatch) => UnitEvaluation | Promise<UnitEvaluation>

// ---- the same, as words that the C tuner reads (firmware-stubs/tune/tune.h) ----

/** A network and its probes without constants: what the C tuner verifies and lays memory out for. */
export interface UnitProgram {
  readonly words: Int32Array
  readonly data: Uint8Array
  /** by node of the program: the node of the network whose constants it takes */
  readonly nodes: readonly number[]
  /** by probe */
  readonly probes: readonly { readonly node: number; readonly taps: number; readonly channels: number }[]
  /** First positions [samples, nodes] of a batch. */
  readonly firstPositions: (batch: UnitBatch) => Int32Array
}
