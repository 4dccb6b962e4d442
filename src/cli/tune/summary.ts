// The figures of a finished or stopped tuning run: as JSON, as text, and as rows of the report.

import type { ReportRow } from '../../tune/index.js'
import { percent, thousands } from '../io.js'
import { compactNumber } from './progress.js'

/** Accuracies of three networks on the same samples, 0..1. */
export interface Accuracies {
  readonly before: number
  /** of the network that was kept */
  readonly tuned: number
  readonly last: number
}

export interface TuneSummary {
  readonly network: string
  readonly output: string
  readonly method: string
  readonly objective: string
  readonly engine: string
  readonly stopped: 'steps' | 'seconds' | 'interrupted'
  readonly steps: number
  readonly seconds: number
  readonly samples: number
  readonly parameters: number
  /** step whose iterate was kept */
  readonly keptStep: number
  readonly lossFirst: number | null
  readonly lossLast: number | null
  readonly validation: (Accuracies & { readonly samples: number }) | null
  readonly test: (Accuracies & { readonly samples: number }) | null
  readonly probes: number
  readonly probesPerSecond: number
  readonly passes: number
  readonly unitEvaluations: number | null
}

const STOPPED: Readonly<Record<TuneSummary['stopped'], string>> = { steps: 'all steps done', seconds: 'time used up', interrupted: 'interrupted' }

const accuracyText = ({ before, tuned, last, samples }: Accuracies & { readonly samples: number }): string =>
  `${percent(before)} -> ${percent(tuned)} (last step ${percent(last)}) of ${thousands(samples)} samples`

/** Rows for people, in the report and on stdout. */
export const summaryRows = (summary: TuneSummary): ReportRow[] => {
  const { method, steps, seconds, keptStep, validation, test, probes, probesPerSecond, passes, unitEvaluations, lossFirst, lossLast } = summary
  const isUnits = method === 'units'
  return [
    ['validation', validation === null ? 'none: the last step is kept' : accuracyText(validation)],
    ...(test === null ? [] : [['test', accuracyText(test)] as const]),
    ['kept', keptStep === 0 ? 'the network as it was given: no step was better' : `step ${keptStep}`],
    ['steps', `${steps} in ${seconds.toFixed(1)} s (${STOPPED[summary.stopped]})`],
    ...(lossFirst === null || lossLast === null ? [] : [['loss', `${lossFirst.toFixed(4)} at the first step, ${lossLast.toFixed(4)} at the last`] as const]),
    [isUnits ? 'weight costs' : 'full passes', `${thousands(probes)}, ${compactNumber(probesPerSecond)} a second`],
    ...(unitEvaluations === null ? [] : [['unit evaluations', thousands(unitEvaluations)] as const]),
    ['passes of a mini-batch', thousands(passes)],
    ['parameters', thousands(summary.parameters)],
  ]
}
