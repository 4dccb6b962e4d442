// The FEAST learner in C with its plain kernels on this machine: the bytes of the TypeScript learner after 100,000 events, and nothing for the
// sanitizers to report.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { createDecayTable, type EventBatch } from '#src/events/index.js'
import { createFeast, type FeastOptions, fixedSteps } from '#src/features/index.js'
import { describeWith } from '../helpers/tools.js'
import { SENSOR, sweepingEdge } from '../unit/features/fixtures.js'

const root = resolve(import.meta.dirname, '../..')
const FLAGS = ['-std=c11', '-Wall', '-Wextra', '-Wconversion', '-Wdouble-promotion', '-Werror', '-ffp-contract=off', '-fno-fast-math']
const SANITIZERS = ['-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all']
const SOURCES = ['feast', 'feast_wide', 'feast_kernels'].map((name) => join(root, 'firmware-stubs/features', `${name}.c`))

const folder = mkdtempSync(join(tmpdir(), 'spikeport-feast-'))
afterAll(() => rmSync(folder, { recursive: true }))

const build = (compiler: string, flags: readonly string[]): string => {
  const program = join(folder, compiler)
  execFileSync(compiler, [...FLAGS, ...flags, '-o', program, join(root, 'test/c/run-feast.c'), ...SOURCES], { stdio: 'pipe' })
  return program
}

const bytesOf = (data: ArrayBufferView): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength)
const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((16 - (bytes.length % 16)) % 16)])

/** What C leaves of a learner, and what TypeScript does, both after learning and inference. */
const runBoth = (program: string, options: Partial<FeastOptions>, events: EventBatch): { given: Buffer; expected: Buffer } => {
  const feast = createFeast({ geometry: SENSOR, arithmetic: 'fixed', ...options })
  const { settings, banks } = feast
  const { shift, close, open } = fixedSteps(settings)
  const { table, shift: tickShift } = createDecayTable(settings.decay, settings.tauMicros)
  const bankOf = { split: [0, 1], merged: [0, 0], on: [-1, 0], off: [0, -1] }[settings.polarity]
  const words = Int32Array.of(SENSOR.width, SENSOR.height, settings.featureCount, settings.radius, tickShift, shift, close, open, ...bankOf)
  const columns = [Int32Array.from(events.timeMicros), events.x, events.y, events.polarity].map((column) => column.slice(0, events.count))
  const learned = banks.flatMap(({ weights, thresholds }) => [bytesOf(weights), bytesOf(thresholds)])
  const input = join(folder, 'input.bin')
  const output = join(folder, 'output.bin')
  writeFileSync(input, Buffer.concat([bytesOf(words), bytesOf(table), ...learned, bytesOf(Uint32Array.of(events.count, 0)), ...columns.map(bytesOf)]))
  execFileSync(program, [input, output], { stdio: 'pipe' })
  const learnedFeatures = feast.learn(events)
  const state = banks.flatMap((bank) => [
    padded(bytesOf(bank.weights)),
    padded(bytesOf(bank.thresholds)),
    padded(bytesOf(BigUint64Array.from([...bank.wins, bank.missed, bank.saturations], BigInt))),
  ])
  feast.clearSurface()
  return { given: readFileSync(output), expected: Buffer.concat([...state, bytesOf(learnedFeatures), bytesOf(feast.infer(events))]) }
}

const OPTIONS: readonly Partial<FeastOptions>[] = [
  { decay: 'binary' },
  { decay: 'linear', polarity: 'merged', featureCount: 7, radius: 2 },
  { polarity: 'on', featureCount: 1, radius: 1, learningRate: 0.5 },
  { polarity: 'off', featureCount: 5, radius: 15, learningRate: 2 ** -15, closeStep: 1, openStep: 1 },
]

describeWith(['gcc'], 'FEAST in C built by gcc', () => {
  it('has the bytes of the TypeScript learner after 100,000 events', () => {
    const { given, expected } = runBoth(build('gcc', ['-O2']), {}, sweepingEdge(100_000))
    expect(given.equals(expected)).toBe(true)
  })
})

describeWith(['clang', 'sanitizers'], 'FEAST in C built by clang with address and undefined-behaviour sanitizers', () => {
  it('has the same bytes with every option, and no report', () => {
    const program = build('clang-14', SANITIZERS)
    for (const options of [{}, ...OPTIONS]) {
      const { given, expected } = runBoth(program, options, sweepingEdge(5000))
      expect(given.equals(expected), JSON.stringify(options)).toBe(true)
    }
  })
})
