// The table of commands: one file a command, one line here.

import type { Command } from 'commander'
import { registerCheck } from './check.js'
import { registerConvert } from './convert.js'
import { registerDemo } from './demo.js'
import { registerDeploy } from './deploy.js'
import { registerDoctor } from './doctor.js'
import { registerEncode } from './encode.js'
import { registerEvents } from './events.js'
import { registerExport } from './export.js'
import { registerFinetune } from './finetune.js'
import { registerFlash } from './flash.js'
import { registerImport } from './import.js'
import { registerInspect } from './inspect.js'
import { registerList } from './list.js'
import { registerMonitor } from './monitor.js'
import { registerPlan } from './plan.js'
import { registerPorts } from './ports.js'
import { registerProfile } from './profile.js'
import { registerQuantize } from './quantize.js'
import { registerReset } from './reset.js'
import { registerRun } from './run.js'
import { registerStream } from './stream.js'
import { registerTrain } from './train.js'
import { registerTune } from './tune.js'

export const COMMANDS: readonly ((program: Command) => void)[] = [
  registerDemo,
  registerTrain,
  registerFinetune,
  registerImport,
  registerConvert,
  registerEncode,
  registerQuantize,
  registerPlan,
  registerCheck,
  registerExport,
  registerRun,
  registerTune,
  registerDeploy,
  registerFlash,
  registerMonitor,
  registerPorts,
  registerProfile,
  registerReset,
  registerEvents,
  registerStream,
  registerInspect,
  registerList,
  registerDoctor,
]
