// The C tuner on this machine: tune.wasm is what the sources give, its tables are those of TypeScript, every compiler accepts it without a warning, and
// plain C under the address and undefined-behaviour sanitizers gives the costs of the TypeScript engine.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { LayerProbe } from '#src/contracts/evaluator.js'
import type { Network } from '#src/network/types.js'
import { unitCosts } from '#src/tune/units/costs.js'
import { integerCrossEntropy } from '#src/tune/units/cross-entropy.js'
import { unitProgram } from '#src/tune/units/program.js'
import { networkBuilder, randomInputs } from '../helpers/networks.js'
import { describeWith } from '../helpers/tools.js'
import { tuneTables } from '../helpers/tune-tables.js'

const root = resolve(import.meta.dirname, '../..')
const tune = join(root, 'firmware-stubs/tune')
const SOURCES = readdirSync(tune)
  .filter((name) => name.endsWith('.c'))
  .map((name) => join(tune, name))
const FLAGS = ['-std=c11', '-Wall', '-Wextra', '-Wconversion', '-Wdouble-promotion', '-Werror', '-ffp-contract=off', '-fno-fast-math']
const SANITIZERS = ['-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all']
const SCALE = 0.02
const COUNT = 5

const folder = mkdtempSync(join(tmpdir(), 'spikeport-tune-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('the tables are those of the TypeScript engine', () => {
  expect(readFileSync(join(tune, 'tables.h'), 'utf8')).toBe(tuneTables())
})

const network = (): Network<'integer'> => {
  const b = networkBuilder('pooled', 31)
  const image = b.conv2d(b.input([9, 8, 2]), 5, { kernel: [3, 3], relu: true })
  const small = b.conv2d(b.maxPool(image, { kernel: [3, 3] }), 11, { kernel: [2, 3], stride: [1, 2] })
  return b.build([b.dense(b.dense(b.flatten(small), 13, { relu: true }), 6, { emission: 'none' })])
}

/** One file of int32 lengths and parts, each padded to 4 bytes: program, data, labels, first positions, samples, constants of each layer. */
const caseFile = (): { path: string; expected: string } => {
  const net = network()
  const probes = net.nodes.flatMap((node, index): LayerProbe[] =>
    'weights' in node ? [{ node: index, rule: 'linearised', radius: 30, inputUnit: 20, positionStride: node.kind === 'dense' ? 1 : 3 }] : [],
  )
  const samples = Array.from({ length: COUNT }, (_, n) => randomInputs(net, n))
  const labels = Int32Array.from({ length: COUNT }, (_, n) => n % 6)
  const batch = { samples, labels, seed: 7, step: 3 }
  const program = unitProgram(net, { scale: SCALE, smoothing256: 26 }, probes)
  const constants = net.nodes.flatMap((node) => {
    if (!('weights' in node) || node.weights === null) return []
    return [Int8Array.from(node.weights.data), Int32Array.from(node.bias?.data ?? [])]
  })
  const parts = [program.words, program.data, labels, program.firstPositions(batch), ...samples.map(([sample]) => sample as Int8Array), ...constants]
  const bytes = parts.flatMap((part) => {
    const padded = Buffer.alloc(Math.ceil(part.byteLength / 4) * 4)
    padded.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))
    return [Buffer.from(Int32Array.of(part.byteLength).buffer), padded]
  })
  const path = join(folder, 'case.bin')
  writeFileSync(path, Buffer.concat(bytes))
  const { layers, loss, correct, evaluations, macs } = unitCosts(net, integerCrossEntropy({ scale: SCALE, smoothing256: 26 }), probes, batch)
  const lines = layers.flatMap(({ up, down }) => Array.from(up, (cost, i) => `${cost} ${down[i]}`))
  return { path, expected: [`${loss} ${correct} ${evaluations} ${macs}`, ...lines, ''].join('\n') }
}

describeWith(['clang', 'sanitizers'], 'the C tuner built by clang with sanitizers', () => {
  it('gives the costs of the TypeScript engine and no report', () => {
    const program = join(folder, 'run-tune')
    execFileSync('clang-14', [...FLAGS, ...SANITIZERS, '-D_POSIX_C_SOURCE=200809L', '-o', program, join(root, 'test/c/run-tune.c'), ...SOURCES], {
      stdio: 'pipe',
    })
    const { path, expected } = caseFile()
    const { stdout, stderr } = spawnSync(program, [path], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(stdout).toBe(expected)
  })
})

describeWith(['gcc'], 'the C tuner', () => {
  it('compiles without a warning', () => {
    for (const source of SOURCES) execFileSync('gcc', [...FLAGS, '-O2', '-c', source, '-o', join(folder, 'object.o')], { stdio: 'pipe' })
  })
})

describeWith(['clang', 'lld'], 'tune.wasm', () => {
  it('is what scripts/build-tune.sh makes of the sources, byte for byte', () => {
    const output = join(folder, 'tune.wasm')
    execFileSync(join(root, 'scripts/build-tune.sh'), [output], { stdio: 'pipe' })
    expect(readFileSync(output).equals(readFileSync(join(root, 'runtimes/wasm/tune.wasm')))).toBe(true)
  })
})
