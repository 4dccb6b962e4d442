// npm run bench -- <name> [--json] [--seconds S] [--task T] [--seed N]: runs a bench and prints its rows as a table, or as one JSON object a line.

import { parseArgs } from 'node:util'
import type { Bench, BenchOptions, BenchRow } from './bench.js'

const BENCHES: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  accuracy: () => import('./accuracy.js'),
  'c-export': () => import('./c-export.js'),
  chips: () => import('./chips.js'),
  equality: () => import('./equality.js'),
  events: () => import('./events.js'),
  feast: () => import('./feast.js'),
  inference: () => import('./inference.js'),
  kernels: () => import('./kernels.js'),
  memory: () => import('./memory.js'),
  polystep: () => import('./polystep.js'),
  rounding: () => import('./rounding.js'),
  spiking: () => import('./spiking.js'),
}

const USAGE = `npm run bench -- <name> [--json] [--seconds S a case] [--task T] [--seed N]; the benches are ${Object.keys(BENCHES).join(', ')}`

const short = (x: number): string => (Math.abs(x) >= 1000 ? x.toFixed(0) : Number(x.toPrecision(4)).toString())

const line = (cells: readonly string[]): string =>
  cells.map((cell, i) => (i < 2 ? `${cell.padEnd([30, 32][i] as number)} ` : i === 2 ? cell.padStart(12) : `  ${cell.padEnd(8)}`)).join('')

const printRow = (row: BenchRow): void =>
  console.log(
    line([
      row.case,
      row.metric,
      short(row.value),
      row.unit,
      row.goal === undefined ? '' : `goal ${short(row.goal)}`,
      row.baseline === undefined ? '' : `${row.baseline.name} ${short(row.baseline.value)}`,
    ]).trimEnd(),
  )

const fail = (message: string): never => {
  console.error(message)
  process.exit(2)
}

const FLAGS = { json: { type: 'boolean' }, seconds: { type: 'string' }, task: { type: 'string' }, seed: { type: 'string' } } as const

const readArguments = () => {
  try {
    return parseArgs({ allowPositionals: true, options: FLAGS })
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
  }
}

const numberOf = (flag: string, text: string | undefined, isFit: (x: number) => boolean, what: string): number | undefined => {
  if (text === undefined) return undefined
  return isFit(Number(text)) ? Number(text) : fail(`--${flag} ${text} is not ${what}.\n${USAGE}`)
}

const { values, positionals } = readArguments()
const [name = ''] = positionals
const open = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined
const seconds = numberOf('seconds', values.seconds, (x) => x > 0, 'a positive number')
const seed = numberOf('seed', values.seed, (x) => Number.isSafeInteger(x) && x >= 0, 'a whole number from 0')
const options: BenchOptions = {
  ...(seconds === undefined ? {} : { seconds }),
  ...(seed === undefined ? {} : { seed }),
  ...(values.task === undefined ? {} : { task: values.task }),
}
const { bench } = await (open ?? (() => fail(USAGE)))()
if (values.json !== true) console.log(`${bench.name}: ${bench.description}`)
await bench.run((row) => (values.json === true ? console.log(JSON.stringify({ bench: bench.name, ...row })) : printRow(row)), options)
