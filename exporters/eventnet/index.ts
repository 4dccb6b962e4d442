// The .evn exporter: plans the arena, lowers by src/eventnet, writes by src/formats/eventnet. docs/eventnet.md specifies the file.

import type { Exporter } from '#src/contracts/exporter.js'
import { usage } from '#src/errors.js'
import { type EventnetOptions, eventnetBytes, type Tunable } from '#src/eventnet/index.js'
import { planArena } from '#src/plan/arena.js'

const OPTION_HELP = {
  tunable: 'weights that on-device tuning may change: none (default), last (the last layer), all',
  names: 'on (default) or off: keep names and labels',
  selfTest: 'on (default) or off: store one input and its exact outputs',
} as const

const SWITCH = { on: true, off: false } as const
const TUNABLE: Readonly<Record<Tunable, Tunable>> = { none: 'none', last: 'last', all: 'all' }

/** The meaning of an option's text, or the default where it is absent. */
const choose = <T>(options: Readonly<Record<string, string>>, name: string, choices: Readonly<Record<string, T>>, normal: T): T => {
  const text = options[name]
  if (text === undefined) return normal
  if (!Object.hasOwn(choices, text)) throw usage(`option ${name} is "${text}".`, `Possible: ${Object.keys(choices).join(', ')}.`)
  return choices[text] as T
}

const parseOptions = (options: Readonly<Record<string, string>>): EventnetOptions => {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTION_HELP, name))
  if (unknown !== undefined) throw usage(`the eventnet format has no option ${unknown}.`, `Its options are ${Object.keys(OPTION_HELP).join(', ')}.`)
  return {
    tunable: choose<Tunable>(options, 'tunable', TUNABLE, 'none'),
    names: choose<boolean>(options, 'names', SWITCH, true),
    selfTest: choose<boolean>(options, 'selfTest', SWITCH, true),
  }
}

/**
 * Integer networks as flash files for the C core: wasm, host and boards.
 * @example
 * await writeFile('digits.evn', eventnetExporter.export(network, { tunable: 'last' }))
 */
export const eventnetExporter: Exporter<Uint8Array> = {
  name: 'eventnet',
  extension: '.evn',
  description: 'the flash file of the C core: read in place by boards, by the wasm engine and on the host',
  stages: ['integer'],
  options: OPTION_HELP,
  export: (network, options = {}) => eventnetBytes(network, planArena(network), parseOptions(options)),
}
