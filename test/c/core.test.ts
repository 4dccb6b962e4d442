// The C core on this machine: no warnings with gcc and clang, the reference's bytes for every operator, and nothing for the address and
// undefined-behaviour sanitizers to report.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { referenceSession } from '#runtimes/reference/index.js'
import { testInputs } from '#src/check/inputs.js'
import type { Batch, Outputs } from '#src/contracts/runtime.js'
import { eventnetBytes } from '#src/eventnet/index.js'
import { arrayLength, type ElementArray, type Network } from '#src/network/types.js'
import { planArena } from '#src/plan/arena.js'
import { COARSE_OPERATORS, coarseNetwork, coarseStack } from '../helpers/coarse-networks.js'
import { bytesOf } from '../helpers/engines.js'
import { cnnNetwork, INTEGER_OPERATORS, kwsNetwork, mlpNetwork, operatorNetwork, randomInputs, randomNetwork, resnet8Network } from '../helpers/networks.js'
import { SPIKING_MAKERS } from '../helpers/spiking-networks.js'
import { asTflite, GOLDEN_NAMES, readGolden } from '../helpers/tflite-networks.js'
import { describeWith } from '../helpers/tools.js'
import { readVectors } from '../helpers/vectors.js'

const root = resolve(import.meta.dirname, '../..')
const core = join(root, 'firmware-stubs/core')
const SOURCES = readdirSync(core)
  .filter((name) => name.endsWith('.c'))
  .map((name) => join(core, name))
const FLAGS = ['-std=c11', '-Wall', '-Wextra', '-Wconversion', '-Wdouble-promotion', '-Werror', '-ffp-contract=off', '-fno-fast-math']
const SANITIZERS = ['-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all']
const SAMPLES = 2

const folder = mkdtempSync(join(tmpdir(), 'spikeport-core-'))
afterAll(() => rmSync(folder, { recursive: true }))

const build = (compiler: string, flags: readonly string[], source: string): string => {
  const program = join(folder, `${compiler}-${source}`)
  const extra = ['-D_POSIX_C_SOURCE=200809L']
  execFileSync(compiler, [...FLAGS, ...flags, ...extra, '-o', program, join(root, 'test/c', `${source}.c`), ...SOURCES], { stdio: 'pipe' })
  return program
}

const concat = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))

const randomBatch = (network: Network<'integer'>): Batch => ({ count: SAMPLES, inputs: randomInputs(network, 5, SAMPLES) })

/** Writes network.evn, inputs.bin and expected.bin for one network; by default random inputs and what the reference gives for them. */
const writeCase = async (name: string, network: Network<'integer'>, batch: Batch = randomBatch(network), expected?: Outputs): Promise<string> => {
  const path = join(folder, name)
  mkdirSync(path)
  const { count, inputs } = batch
  const outputs = expected ?? (await referenceSession(network).run(batch))
  const lengthOf = (value: number): number => arrayLength(network.values[value]?.type ?? { kind: 'float32', shape: [] })
  const samples = (arrays: readonly ElementArray[], values: readonly number[]): Uint8Array =>
    concat(
      Array.from({ length: count }, (_, s) =>
        arrays.map((data, i) => bytesOf(data.slice(s * lengthOf(values[i] as number), (s + 1) * lengthOf(values[i] as number)))),
      ).flat(),
    )
  writeFileSync(join(path, 'network.evn'), eventnetBytes(network, planArena(network), { selfTest: true, tunable: 'last' }))
  writeFileSync(join(path, 'inputs.bin'), samples(inputs, network.inputs))
  writeFileSync(join(path, 'expected.bin'), samples(outputs, network.outputs))
  return path
}

const cases: string[] = []

beforeAll(async () => {
  for (const kind of INTEGER_OPERATORS) for (let seed = 0; seed < 12; seed++) cases.push(await writeCase(`${kind}-${seed}`, operatorNetwork(kind, seed)))
  for (let seed = 0; seed < 40; seed++) cases.push(await writeCase(`random-${seed}`, randomNetwork(seed)))
  for (const kind of COARSE_OPERATORS) {
    for (let seed = 0; seed < 12; seed++) {
      const network = coarseNetwork(kind, seed)
      cases.push(await writeCase(network.name, network, testInputs(network, SAMPLES, 3)))
    }
  }
  for (let seed = 0; seed < 20; seed++) cases.push(await writeCase(`stack-${seed}`, coarseStack(seed)))
  for (const make of Object.values(SPIKING_MAKERS)) {
    for (let seed = 0; seed < 15; seed++) {
      const network = make(seed)
      cases.push(await writeCase(network.name, network, testInputs(network, SAMPLES, 3)))
    }
  }
  for (const { name, network, batch, expected } of readVectors()) cases.push(await writeCase(`vector-${name}`, network, batch, expected))
  for (const make of [mlpNetwork, cnnNetwork, kwsNetwork, resnet8Network]) cases.push(await writeCase(make.name, make(1)))
  for (const kind of INTEGER_OPERATORS) {
    for (let seed = 20; seed < 26; seed++) {
      const network = asTflite(operatorNetwork(kind, seed))
      if (network !== null) cases.push(await writeCase(`tflite-${kind}-${seed}`, network))
    }
  }
  for (const name of GOLDEN_NAMES) {
    const { network, count, inputs, outputs } = readGolden(name)
    const firstOf = (all: Int8Array): Int8Array => all.slice(0, (SAMPLES * all.length) / count)
    cases.push(await writeCase(`golden-${name}`, network, { count: SAMPLES, inputs: [firstOf(inputs)] }, [firstOf(outputs)]))
  }
})

const expectEqual = (program: string, arguments_: readonly string[], text: RegExp): void => {
  const { stdout, stderr, status } = spawnSync(program, arguments_, { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(stdout).toMatch(text)
  expect(status).toBe(0)
}

const ALL_EQUAL = /^\d+ networks, 0 bytes differ\n$/

describeWith(['gcc'], 'the C core built by gcc', () => {
  it('gives the bytes of the reference', () => expectEqual(build('gcc', ['-O2'], 'run-evn'), cases, ALL_EQUAL))
  it('requantizes with integers as with floats', () => expectEqual(build('gcc', ['-O2'], 'requantize-soft'), [], /^0 results differ\n$/))
})

describeWith(['clang', 'sanitizers'], 'the C core built by clang with address and undefined-behaviour sanitizers', () => {
  it('gives the bytes of the reference and no report', () => expectEqual(build('clang-14', SANITIZERS, 'run-evn'), cases, ALL_EQUAL))
  it('requantizes with integers and no report', () => expectEqual(build('clang-14', SANITIZERS, 'requantize-soft'), [], /^0 results differ\n$/))
})

describeWith(['clang', 'lld'], 'core.wasm', () => {
  it('is what scripts/build-core.sh makes of the sources, byte for byte', () => {
    const output = join(folder, 'core.wasm')
    execFileSync(join(root, 'scripts/build-core.sh'), [output], { stdio: 'pipe' })
    expect(readFileSync(output).equals(readFileSync(join(root, 'runtimes/wasm/core.wasm')))).toBe(true)
  })
})
