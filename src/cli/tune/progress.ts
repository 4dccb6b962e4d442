// Progress of a tuning run on stderr: a bar on a terminal, a line a validation elsewhere.

import { type Io, percent } from '../io.js'
import type { RunProgress } from './run.js'

export interface TuneProgress {
  readonly step: (progress: RunProgress) => void
  readonly validation: (score: number, step: number) => void
  readonly stop: () => void
}

export interface ProgressOptions {
  readonly steps: number
  readonly seconds?: number
  /** what probes are, for the rate */
  readonly probeName: string
}

const PREFIXES = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const

/** 2340000 -> "2.34 M" */
export const compactNumber = (x: number): string => {
  const [factor, prefix] = PREFIXES.find(([size]) => x >= size) ?? [1, '']
  return `${Number((x / factor).toPrecision(3))}${prefix === '' ? '' : ` ${prefix}`}`
}

const timeLeft = (seconds: number): string => (seconds < 100 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`)

/** Seconds until the steps or the time are used up, at the speed so far. */
const remaining = ({ step, seconds }: RunProgress, options: ProgressOptions): number =>
  Math.max(0, Math.min((seconds / step) * (options.steps - step), (options.seconds ?? Number.POSITIVE_INFINITY) - seconds))

export const tuneProgress = (io: Io, options: ProgressOptions): TuneProgress => {
  const { steps, probeName } = options
  const bar = io.progress('tuning', steps)
  let score: number | null = null
  let last: RunProgress | null = null
  const describe = (progress: RunProgress): string => {
    const validation = score === null ? '' : `, validation ${percent(score)}`
    const rate = compactNumber(progress.probes / Math.max(progress.seconds, 1e-9))
    return `loss ${progress.loss.toFixed(4)}${validation}, ${rate} ${probeName}/s, ${timeLeft(remaining(progress, options))} left`
  }
  return {
    step: (progress) => {
      last = progress
      bar.update(progress.step, describe(progress))
    },
    validation: (value, step) => {
      score = value
      if (process.stderr.isTTY || io.isJson) return
      const loss = last === null ? '' : `, ${describe(last)}`
      io.note(`step ${step}/${steps}: validation ${percent(value)}${loss.replace(/, validation [^,]*/, '')}`)
    },
    stop: () => bar.stop(),
  }
}
