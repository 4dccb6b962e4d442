// The bench of tuning: integer networks trained from random weights or recovered without gradients, control, MAX-SAT, and how fast probes are beside
// full passes. Nothing is selected on test data; test accuracy is computed once, at the end (docs/polystep.md).

import { controlTask } from './polystep/control.js'
import { baselinesTask, throughputTask } from './polystep/full-pass.js'
import { cnnTask, int8Task } from './polystep/images.js'
import { maxSatTask } from './polystep/max-sat.js'
import { adaptTask, recoverTask } from './polystep/models.js'
import type { Report, Task } from './polystep/task.js'

interface Options {
  /** default 20 */
  readonly seconds?: number
  /** default: throughput, then int8 */
  readonly task?: string
  /** default 1 */
  readonly seed?: number
}

const TASKS: Readonly<Record<string, Task>> = {
  int8: int8Task,
  cnn: cnnTask,
  recover: recoverTask,
  adapt: adaptTask,
  throughput: throughputTask,
  baselines: baselinesTask,
  rl: controlTask,
  maxsat: maxSatTask,
}

const run = async (report: Report, { seconds = 20, seed = 1, task }: Options): Promise<void> => {
  for (const name of task === undefined ? ['throughput', 'int8'] : [task]) {
    const runTask = TASKS[name]
    if (runTask === undefined) throw new Error(`no task "${name}"; there are ${Object.keys(TASKS).join(', ')}`)
    await runTask(report, seconds, seed)
  }
}

export const bench = { name: 'polystep', description: 'derivative-free tuning of integer networks and policies, beside full passes and the baselines', run }
