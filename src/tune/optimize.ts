// The loop of every method over every evaluator: ask, evaluate, tell, until the steps or the time are used up. Keeps the iterate that
// scored best on validation, counts passes and multiply-accumulates, and can go on from a checkpoint.

import type { Evaluator } from '../contracts/evaluator.js'
import { inputMismatch } from '../errors.js'
import { type Method, type Tuner, tunerOf } from './method.js'

/** What was spent so far. */
export interface Spent {
  readonly steps: number
  readonly probes: number
  readonly passes: number
  readonly macs: number
  readonly seconds: number
}

export interface StepReport extends Spent {
  /** mean loss of the step's probes; NaN where it had none */
  readonly meanLoss: number
  /** score of the last validation, null before the first */
  readonly score: number | null
}

export interface BestIterate {
  readonly parameters: Float64Array
  readonly score: number
  readonly step: number
}

/** Plain data: survives structuredClone and files. */
export interface Checkpoint {
  readonly method: string
  readonly state: unknown
  readonly best: BestIterate | null
  readonly spent: Spent
}

export interface OptimizeOptions {
  readonly on: Evaluator
  /** steps in all, those before a checkpoint included; default: no limit but seconds */
  readonly steps?: number
  /** time in all; default: no limit but steps */
  readonly seconds?: number
  /** score of an iterate on data that the losses do not see, larger is better; the start counts as an iterate */
  readonly validate?: (parameters: Float64Array) => number | Promise<number>
  /** steps between validations; default 50. The last iterate is always validated. */
  readonly validateEvery?: number
  readonly onStep?: (report: StepReport, checkpoint: () => Checkpoint) => void | Promise<void>
  /** told of every validation: the start, every validateEvery steps and the end */
  readonly onValidation?: (score: number, spent: Spent) => void
  /** stops after the current step */
  readonly signal?: AbortSignal
  readonly resume?: Checkpoint
  /** milliseconds; default performance.now */
  readonly now?: () => number
}

export interface Optimized extends Spent {
  /** the last iterate */
  readonly parameters: Float64Array
  /** the best by validation; null without validation */
  readonly best: BestIterate | null
  /** validation of the last iterate; null without validation */
  readonly lastScore: number | null
  /** as it stood before the last iterate was validated, so that a run stopped early goes on to the bytes of one that was not */
  readonly checkpoint: Checkpoint
}

const NOTHING: Spent = { steps: 0, probes: 0, passes: 0, macs: 0, seconds: 0 }

const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length

/** Minimizes from `start`. The same method, evaluator and start give the same bytes whatever the timing, if `steps` and not `seconds` ends the run. */
export const optimize = async <S extends { readonly step: number }>(method: Method<S>, start: Float64Array, options: OptimizeOptions): Promise<Optimized> => {
  const {
    on,
    steps = Number.POSITIVE_INFINITY,
    seconds = Number.POSITIVE_INFINITY,
    validate,
    validateEvery = 50,
    resume,
    now = () => performance.now(),
  } = options
  if (on.parameters !== method.parameters || start.length !== method.parameters) {
    throw inputMismatch(
      `the method moves ${method.parameters} parameters, the evaluator takes ${on.parameters}, the start has ${start.length}.`,
      'Make all three for the same parameters.',
    )
  }
  if (resume !== undefined && resume.method !== method.name) {
    throw inputMismatch(`the checkpoint is of ${resume.method}, the run is of ${method.name}.`, 'Resume with the method that wrote the checkpoint.')
  }
  const tuner: Tuner = tunerOf(method, start, resume?.state)
  let best = resume?.best ?? null
  let spent = resume?.spent ?? NOTHING
  let score: number | null = null
  let validatedStep = -1
  const startedAt = now() - spent.seconds * 1000
  const checkpoint = (): Checkpoint => ({ method: method.name, state: tuner.state(), best, spent })
  const validateIterate = async (): Promise<void> => {
    if (validate === undefined || validatedStep === tuner.step()) return
    const parameters = tuner.parameters()
    score = await validate(parameters)
    validatedStep = tuner.step()
    options.onValidation?.(score, spent)
    if (best === null || score > best.score) best = { parameters, score, step: tuner.step() }
  }
  if (resume === undefined) await validateIterate()
  while (tuner.step() < steps && spent.seconds < seconds && options.signal?.aborted !== true) {
    const probes = tuner.ask()
    const result = probes.count === 0 ? { losses: new Float64Array(0), passes: 0, macs: 0 } : await on.evaluate(probes)
    tuner.tell(result.losses)
    spent = {
      steps: tuner.step(),
      probes: spent.probes + probes.count,
      passes: spent.passes + result.passes,
      macs: spent.macs + result.macs,
      seconds: (now() - startedAt) / 1000,
    }
    if (tuner.step() % validateEvery === 0) await validateIterate()
    await options.onStep?.({ ...spent, meanLoss: mean(result.losses), score }, checkpoint)
  }
  const saved = checkpoint()
  await validateIterate()
  return { ...spent, parameters: tuner.parameters(), best, lastScore: score, checkpoint: saved }
}
