// spikeport list: the tables the toolkit is built from, as they are in code.

import type { Command } from 'commander'
import { EXPORTERS } from '#exporters/index.js'
import { models } from '#models/index.js'
import { RUNTIMES } from '#runtimes/index.js'
import { BOARDS } from '#targets/index.js'
import { usage } from '../../errors.js'
import { OPERATORS } from '../../network/operators/index.js'
import { CALIBRATION_METHODS, SCHEMES } from '../../quantize/index.js'
import { processIo } from '../io.js'
import { finish } from '../options.js'

const LISTS: Readonly<Record<string, () => Promise<readonly object[]>>> = {
  models: async () => models.map(({ name, description }) => ({ name, description })),
  operators: async () => Object.values(OPERATORS).map(({ kind, stages }) => ({ name: kind, stages: stages.join(', ') })),
  formats: async () => Object.values(EXPORTERS).map(({ name, extension, description }) => ({ name, extension, description })),
  boards: async () =>
    BOARDS.map(({ id, name, core, clockHz, memory, provenBy }) => ({ name: id, description: name, core, clockHz, arenaBytes: memory.arenaBytes, provenBy })),
  engines: async () => Object.keys(RUNTIMES).map((name) => ({ name })),
  schemes: async () => Object.keys(SCHEMES).map((name) => ({ name, calibration: CALIBRATION_METHODS.join(', ') })),
}

const run = async (what: string, options: { json?: boolean }): Promise<void> => {
  const io = processIo(options.json === true)
  const rows = Object.hasOwn(LISTS, what) ? LISTS[what] : undefined
  if (rows === undefined) throw usage(`there is no list of "${what}".`, `The lists are ${Object.keys(LISTS).join(', ')}.`)
  for (const row of await rows()) {
    io.json(row)
    io.print(Object.values(row).join('  '))
  }
}

export const registerList = (program: Command): void => {
  finish(program.command('list').description('list what there is').argument('<what>', Object.keys(LISTS).join(', ')).action(run), 'spikeport list operators')
}
