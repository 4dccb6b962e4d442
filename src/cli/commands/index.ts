// The table of commands: one file a command, one line here.

import type { Command } from 'commander'
import { registerCheck } from './check.js'
import { registerDemo } from './demo.js'
import { registerDoctor } from './doctor.js'
import { registerExport } from './export.js'
import { registerImport } from './import.js'
import { registerInspect } from './inspect.js'
import { registerList } from './list.js'
import { registerPlan } from './plan.js'
import { registerQuantize } from './quantize.js'
import { registerRun } from './run.js'
import { registerTrain } from './train.js'

export const COMMANDS: readonly ((program: Command) => void)[] = [
  registerDemo,
  registerTrain,
  registerImport,
  registerQuantize,
  registerPlan,
  registerCheck,
  registerExport,
  registerRun,
  registerInspect,
  registerList,
  registerDoctor,
]
