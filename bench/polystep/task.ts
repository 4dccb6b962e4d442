// What a task of the bench gets and gives.

import type { CosineSchedule } from '#src/tune/schedule.js'

export interface Row {
  readonly case: string
  readonly metric: string
  readonly value: number
  readonly unit: string
  readonly goal?: number
  readonly baseline?: { readonly name: string; readonly value: number }
}

export type Report = (row: Row) => void

/** A task: about so many seconds, everything random from the seed. */
export type Task = (report: Report, seconds: number, seed: number) => Promise<void>

export const cosine = (initial: number, target: number, steps: number): CosineSchedule => ({ kind: 'cosine', initial, target, steps })

/** Processor time of this process in milliseconds: budgets and figures hold on a machine that others use too. */
export const cpuMilliseconds = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Processor time that something takes. */
export const milliseconds = async (run: () => unknown): Promise<number> => {
  const start = cpuMilliseconds()
  await run()
  return cpuMilliseconds() - start
}
