// tune(): an integer network in, the same network with other constants out. By default structure-aware PolyStep on the plain engine; with a method and
// an evaluator, any optimizer over any losses. Selection is on validation data only.

import type { Evaluator, UnitBatch, UnitEvaluation, UnitEvaluator } from '../contracts/evaluator.js'
import { inputMismatch, usage } from '../errors.js'
import { typeOf } from '../network/graph.js'
import { channelScale, type ElementArray, isQuantized, type Network } from '../network/types.js'
import { verify } from '../network/verify.js'
import { batches, checkTuneData, gather, type TuneData } from './data.js'
import type { Method } from './method.js'
import { argmax } from './objectives.js'
import { type BestIterate, optimize, type Spent } from './optimize.js'
import { applyParameters, networkParameters, type ParameterOptions, readParameters } from './parameters.js'
import { scoreNetwork } from './scores.js'
import { unitCosts } from './units/costs.js'
import { type IntegerLoss, LOSS_ONE } from './units/cross-entropy.js'
import { createEngine } from './units/engine.js'
import { SCORE_LOSSES, type ScoreObjective } from './units/score-losses.js'
import { type UnitPolyStepOptions, type UnitState, unitPolyStep } from './units/unit-polystep.js'

export interface UnitSpent extends Spent {
  readonly unitEvaluations: number
  readonly weightProbes: number
}

export interface TuneReport extends UnitSpent {
  /** mean loss of the step's samples, in nats */
  readonly loss: number
  /** part of the step's samples that were right, 0..1 */
  readonly accuracy: number
  /** accuracy of the last validation; null before the first */
  readonly validation: number | null
}

/** Plain data from which a run goes on to the same bytes. */
export interface TuneCheckpoint {
  readonly state: UnitState
  readonly best: BestIterate | null
  readonly spent: UnitSpent
}

export interface TuneOptions extends UnitPolyStepOptions {
  /** labelled samples that losses are taken on */
  readonly data: TuneData
  /** labelled samples that choose the iterate, the network as given included; default: the last iterate is returned */
  readonly validation?: TuneData
  /** steps between validations; default 50 */
  readonly validateEvery?: number
  readonly seed: number
  /** default 512 */
  readonly batchSize?: number
  /** what is made small; default cross-entropy */
  readonly objective?: ScoreObjective
  /** part of the cross-entropy's target spread over all classes, in 256ths; default 0 */
  readonly smoothing256?: number
  /** changes a step's samples (shifts, dropout); must depend on its arguments alone */
  readonly augment?: (inputs: readonly ElementArray[], step: number, sample: number) => readonly ElementArray[]
  /** ends the run early; schedules still follow `steps`, so prefer steps where bytes matter */
  readonly seconds?: number
  /** default: the plain TypeScript engine */
  readonly on?: UnitEvaluator
  /** accuracy of a network on the validation data, 0..1, for engines that are faster; default accuracyOf */
  readonly accuracy?: (network: Network<'integer'>, data: TuneData) => number | Promise<number>
  readonly onStep?: (report: TuneReport, checkpoint: () => TuneCheckpoint) => void | Promise<void>
  /** told of every validation: the start, every validateEvery steps and the end */
  readonly onValidation?: (score: number, spent: UnitSpent) => void
  readonly signal?: AbortSignal
  readonly resume?: TuneCheckpoint
  /** milliseconds; default performance.now */
  readonly now?: () => number
}

export interface Tuned extends UnitSpent {
  /** best by validation where there is validation data, else the last */
  readonly network: Network<'integer'>
  readonly last: Network<'integer'>
  readonly best: BestIterate | null
  /** validation of the last iterate; null without validation data */
  readonly lastScore: number | null
  /** as it stood before the last iterate was validated, so that a run stopped early goes on to the bytes of one that was not */
  readonly checkpoint: TuneCheckpoint
}

/** An integer loss of a network's stored scores, by default their cross-entropy. @throws USAGE where they are not integers with one scale */
export const scoreLoss = (scored: Network<'integer'>, smoothing256 = 0, objective: ScoreObjective = 'cross-entropy'): IntegerLoss => {
  const type = typeOf(scored, scored.outputs[0] as number)
  if (!isQuantized(type) || type.channelAxis !== null)
    throw usage(
      `the scores of "${scored.name}" are ${type.kind}, not integers with one scale.`,
      'Tune with the generic evaluator and an objective of your own.',
    )
  return SCORE_LOSSES[objective]({ scale: channelScale(type, 0), zeroPoint: type.zeroPoint, smoothing256 })
}

const labelsOf = (data: TuneData): Int32Array => {
  if (data.labels === undefined) throw inputMismatch('the data has no labels.', 'Cross-entropy needs the class of each sample.')
  return data.labels
}

const sampleInputs = (network: Network<'integer'>, data: TuneData, sample: number): ElementArray[] => gather(network, data, Uint32Array.of(sample))

/** Part of the samples whose largest score is their label's, 0..1. */
export const accuracyOf = (network: Network<'integer'>, data: TuneData): number => {
  checkTuneData(network, data)
  const labels = labelsOf(data)
  const engine = createEngine(network, () => 0)
  let correct = 0
  for (let n = 0; n < data.count; n++) {
    engine.forward(sampleInputs(network, data, n), 0)
    if (argmax(engine.scores) === labels[n]) correct++
  }
  return correct / data.count
}

const NOTHING: UnitSpent = { steps: 0, probes: 0, passes: 0, macs: 0, seconds: 0, unitEvaluations: 0, weightProbes: 0 }

const addEvaluation = (spent: UnitSpent, { evaluations, weightProbes, macs }: UnitEvaluation, seconds: number): UnitSpent => ({
  steps: spent.steps + 1,
  probes: spent.probes + evaluations,
  passes: spent.passes + 1,
  macs: spent.macs + macs,
  seconds,
  unitEvaluations: spent.unitEvaluations + evaluations,
  weightProbes: spent.weightProbes + weightProbes,
})

/** The constants of the tuned, scored network brought back to the whole one (whose nodes keep their names). */
const transplant = (whole: Network<'integer'>, scored: Network<'integer'>): Network<'integer'> => {
  const byName = new Map(scored.nodes.map((node) => [node.name, node]))
  const nodes = whole.nodes.map((node) => {
    const tuned = byName.get(node.name)
    return tuned === undefined ? node : { ...tuned, inputs: node.inputs, output: node.output }
  })
  return verify<'integer'>({ ...whole, nodes: nodes as Network['nodes'] })
}

const makeBatch = (network: Network<'integer'>, { data, seed, augment }: TuneOptions, order: Uint32Array, step: number): UnitBatch => {
  const labels = labelsOf(data)
  const samples = Array.from(order, (sample, n) => {
    const inputs = sampleInputs(network, data, sample)
    return augment === undefined ? inputs : augment(inputs, step, n)
  })
  return { samples, labels: Int32Array.from(order, (sample) => labels[sample] as number), seed, step }
}

/**
 * Structure-aware PolyStep on an integer network.
 * @example const { network } = await tuneNetwork(integer, { data, validation, steps: 400, seed: 1 })
 */
export const tuneNetwork = async (whole: Network<'integer'>, options: TuneOptions): Promise<Tuned> => {
  const { data, validation, validateEvery = 50, seed, batchSize = 512, seconds = Number.POSITIVE_INFINITY, resume } = options
  const { accuracy = accuracyOf, now = () => performance.now() } = options
  checkTuneData(whole, data)
  const scored = scoreNetwork(whole)
  const loss = scoreLoss(scored, options.smoothing256, options.objective)
  const method = unitPolyStep(scored, options)
  const evaluate: UnitEvaluator = options.on ?? ((network, probes, batch) => unitCosts(network, loss, probes, batch))
  const orderOf = batches(data.count, batchSize, seed)
  let state = resume?.state ?? method.start()
  let best = resume?.best ?? null
  let spent = resume?.spent ?? NOTHING
  let score: number | null = null
  let validatedStep = -1
  const startedAt = now() - spent.seconds * 1000
  const checkpoint = (): TuneCheckpoint => structuredClone({ state, best, spent })
  const validateIterate = async (): Promise<void> => {
    if (validation === undefined || validatedStep === state.step) return
    const parameters = method.result(state)
    score = await accuracy(method.network(parameters), validation)
    validatedStep = state.step
    options.onValidation?.(score, spent)
    if (best === null || score > best.score) best = { parameters: parameters.slice(), score, step: state.step }
  }
  if (resume === undefined) await validateIterate()
  while (state.step < options.steps && spent.seconds < seconds && options.signal?.aborted !== true) {
    const batch = makeBatch(scored, options, orderOf(state.step), state.step)
    const evaluation = await evaluate(method.network(state.latent), method.probes(state), batch)
    state = method.advance(state, evaluation)
    spent = addEvaluation(spent, evaluation, (now() - startedAt) / 1000)
    if (state.step % validateEvery === 0) await validateIterate()
    const count = batch.samples.length
    await options.onStep?.({ ...spent, loss: evaluation.loss / LOSS_ONE / count, accuracy: evaluation.correct / count, validation: score }, checkpoint)
  }
  const saved = checkpoint()
  await validateIterate()
  const last = transplant(whole, method.network(method.result(state)))
  return { ...spent, network: best === null ? last : transplant(whole, method.network(best.parameters)), last, best, lastScore: score, checkpoint: saved }
}

/** structure-aware PolyStep, only the network: const tuned = await tune(integer, { data, steps: 200, seed: 1 }). */
export const tune = async (network: Network<'integer'>, options: TuneOptions): Promise<Network<'integer'>> => (await tuneNetwork(network, options)).network

export interface TuneWithOptions<S extends { readonly step: number }> extends ParameterOptions {
  readonly method: (parameters: number) => Method<S>
  readonly on: Evaluator
  readonly steps: number
  readonly validate?: (network: Network<'integer'>) => number | Promise<number>
  readonly validateEvery?: number
}

/** Any method over any evaluator of the network's parameters (full passes, a black box). Returns the validation-best, or the last without validation. */
export const tuneWith = async <S extends { readonly step: number }>(network: Network<'integer'>, options: TuneWithOptions<S>): Promise<Network<'integer'>> => {
  const { on, steps, validate, validateEvery } = options
  const space = networkParameters(network, options)
  const result = await optimize(options.method(space.count), readParameters(network, space), {
    on,
    steps,
    ...(validateEvery === undefined ? {} : { validateEvery }),
    ...(validate === undefined ? {} : { validate: (parameters: Float64Array) => validate(applyParameters(network, space, parameters)) }),
  })
  return verify(applyParameters(network, space, result.best?.parameters ?? result.parameters))
}
