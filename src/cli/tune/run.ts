// One tuning run, whatever the method: unit-resolved PolyStep on the incremental engine, or a full-pass method on a Runtime. Both report alike.

import type { Runtime } from '../../contracts/runtime.js'
import { usage } from '../../errors.js'
import type { Network } from '../../network/types.js'
import { verify } from '../../network/verify.js'
import {
  applyParameters,
  type Checkpoint,
  networkParameters,
  optimize,
  type ParameterOptions,
  readParameters,
  runtimeEvaluator,
  type ScoreObjective,
  type TuneCheckpoint,
  type TuneData,
  tuneNetwork,
} from '../../tune/index.js'
import { accuracyOn } from './engine.js'
import { type FullPassMethod, fullPassMethod, fullPassObjective } from './methods.js'

/** What the bytes of the result depend on, beside network and data. */
export interface RunSettings extends ParameterOptions {
  readonly method: FullPassMethod | 'units'
  readonly objective: ScoreObjective
  readonly steps: number
  readonly batchSize: number
  readonly seed: number
  readonly validateEvery: number
  readonly radius?: number
  readonly stepSize?: number
}

export interface RunProgress {
  readonly step: number
  readonly seconds: number
  readonly loss: number
  /** weight costs for units, full passes for the other methods */
  readonly probes: number
}

export interface RunOptions {
  readonly network: Network<'integer'>
  readonly data: TuneData
  /** null: the last iterate is kept */
  readonly validation: TuneData | null
  readonly settings: RunSettings
  readonly engine: Runtime
  readonly seconds?: number
  readonly signal: AbortSignal
  readonly resume?: unknown
  readonly onStep: (progress: RunProgress, checkpoint: () => unknown) => Promise<void>
  readonly onValidation: (score: number, step: number, seconds: number) => void
}

export interface RunOutcome extends RunProgress {
  readonly network: Network<'integer'>
  readonly last: Network<'integer'>
  readonly best: { readonly score: number; readonly step: number } | null
  readonly lastScore: number | null
  /** a mini-batch through the network counts as one pass */
  readonly passes: number
  /** unit evaluations; null for full-pass methods */
  readonly unitEvaluations: number | null
  readonly checkpoint: unknown
}

const unitRun = async (options: RunOptions): Promise<RunOutcome> => {
  const { network, data, validation, settings, engine, seconds, signal, resume, onStep, onValidation } = options
  let loss = Number.NaN
  const result = await tuneNetwork(network, {
    ...settings,
    data,
    signal,
    accuracy: accuracyOn(engine),
    ...(validation !== null && { validation }),
    ...(seconds !== undefined && { seconds }),
    ...(resume !== undefined && { resume: resume as TuneCheckpoint }),
    onStep: (report, checkpoint) => {
      loss = report.loss
      return onStep({ step: report.steps, seconds: report.seconds, loss, probes: report.weightProbes }, checkpoint)
    },
    onValidation: (score, spent) => onValidation(score, spent.steps, spent.seconds),
  })
  const { steps: step, weightProbes: probes } = result
  return { ...result, step, loss, probes }
}

const fullPassRun = async (name: FullPassMethod, options: RunOptions): Promise<RunOutcome> => {
  const { network, data, validation, settings, engine, seconds, signal, resume, onStep, onValidation } = options
  const space = networkParameters(network, settings)
  const objective = fullPassObjective(settings.objective, data.labels as Int32Array, network)
  const networkAt = (parameters: Float64Array): Network<'integer'> => applyParameters(network, space, parameters)
  const accuracy = accuracyOn(engine)
  let loss = Number.NaN
  const result = await optimize(fullPassMethod(name, { ...settings, space }), readParameters(network, space), {
    on: runtimeEvaluator(network, { runtime: engine, space, data, objective, batchSize: settings.batchSize, seed: settings.seed }),
    steps: settings.steps,
    validateEvery: settings.validateEvery,
    signal,
    ...(validation !== null && { validate: (parameters: Float64Array) => accuracy(networkAt(parameters), validation) }),
    ...(seconds !== undefined && { seconds }),
    ...(resume !== undefined && { resume: resume as Checkpoint }),
    onStep: (report, checkpoint) => {
      loss = report.meanLoss
      return onStep({ step: report.steps, seconds: report.seconds, loss, probes: report.probes }, checkpoint)
    },
    onValidation: (score, spent) => onValidation(score, spent.steps, spent.seconds),
  })
  const last = verify<'integer'>(networkAt(result.parameters))
  return {
    network: result.best === null ? last : verify<'integer'>(networkAt(result.best.parameters)),
    last,
    best: result.best,
    lastScore: result.lastScore,
    step: result.steps,
    seconds: result.seconds,
    loss,
    probes: result.probes,
    passes: result.passes,
    unitEvaluations: null,
    checkpoint: result.checkpoint,
  }
}

/** Runs a method on a network. @throws USAGE for layers that are unknown or have nothing to tune */
export const runTuning = (options: RunOptions): Promise<RunOutcome> => {
  const { method } = options.settings
  return method === 'units' ? unitRun(options) : fullPassRun(method, options)
}

/** Parses `--parameters`. @throws USAGE for constants that cannot be tuned */
export const parameterKinds = (list: string): NonNullable<ParameterOptions['kinds']> =>
  list.split(',').map((text) => {
    const name = text.trim()
    if (name !== 'weights' && name !== 'bias') throw usage(`"${name}" cannot be tuned.`, 'Parameters that can be tuned: weights, bias.')
    return name
  })
