// What a run looked like so far, collected step by step; arrays for the checkpoint, numbers for the report.

import type { TuneHistory } from '../../tune/index.js'

type Names = keyof TuneHistory
const NAMES: readonly Names[] = ['steps', 'seconds', 'losses', 'validationSteps', 'validationSeconds', 'validations']

/** The history as a checkpoint holds it. */
export type HistoryArrays = Readonly<Record<Names, Float64Array>>

export interface HistoryRecorder {
  readonly history: TuneHistory
  readonly addStep: (step: number, seconds: number, loss: number) => void
  readonly addValidation: (score: number, step: number, seconds: number) => void
  /** As it stood when the last step was added: a run that goes on does not see the validation that ended it. */
  readonly saved: () => HistoryArrays
}

/** A history that goes on from a saved one. */
export const recordHistory = (saved?: HistoryArrays): HistoryRecorder => {
  const lists = Object.fromEntries(NAMES.map((name) => [name, Array.from(saved?.[name] ?? [])])) as Record<Names, number[]>
  let keptValidations = lists.validations.length
  return {
    history: lists,
    addStep: (step, seconds, loss) => {
      lists.steps.push(step)
      lists.seconds.push(seconds)
      lists.losses.push(loss)
      keptValidations = lists.validations.length
    },
    addValidation: (score, step, seconds) => {
      lists.validationSteps.push(step)
      lists.validationSeconds.push(seconds)
      lists.validations.push(score)
      if (step === 0) keptValidations = lists.validations.length
    },
    saved: () =>
      Object.fromEntries(
        NAMES.map((name) => [name, Float64Array.from(name.startsWith('validation') ? lists[name].slice(0, keptValidations) : lists[name])]),
      ) as HistoryArrays,
  }
}
