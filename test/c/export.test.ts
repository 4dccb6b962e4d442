// Exported C: builds without a warning with every compiler, gives the reference's bytes on this machine and on emulated chips, needs nothing but mem*, and
// is small.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { referenceSession } from '#runtimes/reference/index.js'
import { loadNetwork } from '#src/network/net-file.js'
import { byteLength, type ElementArray, type Network, type ValueType } from '#src/network/types.js'
import { BARE_PROGRAM, buildForChip, CONSOLE, emulate, exportFolder, includeKernels, librarySources, run, STRICT } from '../helpers/c-export.js'
import { CHIPS, type ChipName } from '../helpers/chips.js'
import { ROOT } from '../helpers/cli.js'
import { bytesOf } from '../helpers/engines.js'
import { INTEGER_OPERATORS, kwsNetwork, operatorNetwork, randomInputs, randomNetwork, resnet8Network } from '../helpers/networks.js'
import { SPIKING_MAKERS } from '../helpers/spiking-networks.js'
import { describeWith } from '../helpers/tools.js'

const SAMPLES = 3
const SANITIZERS = ['-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all']

const root = mkdtempSync(join(tmpdir(), 'spikeport-c-export-'))
afterAll(() => rmSync(root, { recursive: true }))
let count = 0
const exported = (network: Network<'integer'>, kernels: string): string => {
  const folder = join(root, String(count++))
  exportFolder(network, folder, kernels)
  return folder
}

const shipped = (name: string): Network<'integer'> => loadNetwork(readFileSync(join(ROOT, `models/${name}/int8.net`)), name) as Network<'integer'>

/** Samples one after the other, the ports of a sample one after the other. */
const interleave = (network: Network, values: readonly number[], arrays: readonly ElementArray[]): Uint8Array =>
  Buffer.concat(
    Array.from({ length: SAMPLES }, (_, sample) =>
      arrays.map((data, i) => {
        const size = byteLength(network.values[values[i] as number]?.type as ValueType)
        return bytesOf(data).subarray(sample * size, (sample + 1) * size)
      }),
    ).flat(),
  )

const sizes = (network: Network, values: readonly number[]): string => values.map((value) => byteLength(network.values[value]?.type as ValueType)).join(',')

/** Builds with a compiler of this machine, runs the self-test and several samples. */
const expectReference = async (network: Network<'integer'>, kernels: string, compiler: string, flags: readonly string[]): Promise<void> => {
  const folder = exported(network, kernels)
  const sources = librarySources(folder)
  const common = [...STRICT, ...flags, '-I', '.', ...includeKernels(kernels), ...sources, '-Wl,--gc-sections']
  run(compiler, [...common, 'main.c', '-o', 'self-test'], folder)
  expect(run('./self-test', [], folder)).toBe('self-test passed\n')
  const inputs = randomInputs(network, 7, SAMPLES)
  const outputs = await referenceSession(network).run({ count: SAMPLES, inputs })
  writeFileSync(join(folder, 'inputs.bin'), interleave(network, network.inputs, inputs))
  writeFileSync(join(folder, 'expected.bin'), interleave(network, network.outputs, outputs))
  const defines = [`-DINPUT_SIZES=${sizes(network, network.inputs)}`, `-DOUTPUT_SIZES=${sizes(network, network.outputs)}`]
  run(compiler, [...common, ...defines, join(ROOT, 'test/c/run-model.c'), '-o', 'run-model'], folder)
  expect(run('./run-model', ['inputs.bin', 'expected.bin'], folder)).toBe(`${SAMPLES} samples, 0 bytes differ\n`)
}

const NETWORKS: readonly (readonly [string, () => Network<'integer'>])[] = [
  ['mnist-mlp', () => shipped('mnist-mlp')],
  ['kws', () => kwsNetwork(1)],
  ...[3, 11, 26].map((seed) => [`random ${seed}`, () => randomNetwork(seed)] as const),
]

describeWith(['gcc'], 'exported C built by gcc', () => {
  it.each(INTEGER_OPERATORS)('%s gives the bytes of the reference', (kind) => expectReference(operatorNetwork(kind, 4), 'plain', 'gcc', ['-O2']))
  it.each(NETWORKS)('%s gives the bytes of the reference', (_, make) => expectReference(make(), 'plain', 'gcc', ['-Os']))
  it.each(Object.entries(SPIKING_MAKERS))('%s over time gives the bytes of the reference', async (_, make) => {
    for (const seed of [1, 2]) await expectReference(make(seed), seed === 1 ? 'plain' : 'rv32', 'gcc', ['-O2'])
  })
  it('kernels without assembly do so here, too', () => expectReference(kwsNetwork(2), 'rv32', 'gcc', ['-O2']))

  it.each(['plain', 'rv32'])('rounds as TensorFlow Lite where the network does (%s)', async (kernels) => {
    for (const make of [kwsNetwork, resnet8Network]) await expectReference({ ...make(3), rounding: 'tflite' }, kernels, 'gcc', ['-O2'])
  })

  it('needs nothing but mem*, keeps nothing to write to, and prints in main.c alone', () => {
    for (const network of [kwsNetwork(1), shipped('mnist-mlp')]) {
      const folder = exported(network, 'plain')
      const sources = librarySources(folder)
      run('gcc', [...STRICT, '-fno-pie', '-Os', '-I', '.', '-c', ...sources], folder)
      const objects = sources.map((source) => `${source.split('/').at(-1)?.slice(0, -2)}.o`)
      run('ld', ['-r', ...objects, '-o', 'library.o'], folder)
      const missing = run('nm', ['--undefined-only', '--format=just-symbols', 'library.o'], folder).split('\n')
      expect(missing.filter((name) => name !== '' && !['memcpy', 'memmove', 'memset', 'memcmp'].includes(name))).toEqual([])
      expect(run('nm', ['--defined-only', 'library.o'], folder)).not.toMatch(/ [bBdDcC] /)
      expect(sources.filter((source) => /#include <(?!std(int|def|bool)\.h>)/.test(readFileSync(join(folder, source), 'utf8')))).toEqual([])
    }
  })

  it('builds by the line of its README', () => {
    const folder = exported(shipped('mnist-mlp'), 'plain')
    const line = readFileSync(join(folder, 'README.md'), 'utf8').match(/^ {4}cc -std.*$/m)?.[0] ?? ''
    run('sh', ['-c', line.trim()], folder)
    expect(run('./self-test', [], folder)).toBe('self-test passed\n')
  })

  it('a changed weight fails the self-test', () => {
    const folder = exported(shipped('mnist-mlp'), 'plain')
    const data = readFileSync(join(folder, 'network-data.c'), 'utf8')
    writeFileSync(join(folder, 'network-data.c'), data.replaceAll('0x7f,', '0x00,'))
    run('gcc', [...STRICT, '-O1', '-I', '.', ...librarySources(folder), 'main.c', '-o', 'self-test'], folder)
    expect(() => run('./self-test', [], folder)).toThrow(/Command failed/)
  })
})

describeWith(['clang', 'sanitizers'], 'exported C built by clang with address and undefined-behaviour sanitizers', () => {
  it.each(NETWORKS)('%s gives the bytes of the reference and no report', (_, make) => expectReference(make(), 'plain', 'clang-14', SANITIZERS))
  it('kernels without assembly, too', () => expectReference(resnet8Network(2), 'rv32', 'clang-14', SANITIZERS))
})

describeWith(['cmake', 'gcc'], 'exported C built by CMake', () => {
  it('passes its test', () => {
    const folder = exported(randomNetwork(11), 'plain')
    run('cmake', ['-B', 'build'], folder)
    expect(run('cmake', ['--build', 'build'], folder)).not.toMatch(/warning/)
    expect(run('build/self-test', [], folder)).toBe('self-test passed\n')
  })
})

/** The self-test of a network with a chip's kernels, in its emulator. */
const expectOnChip = (name: ChipName, network: Network<'integer'>): void => {
  const chip = CHIPS[name]
  const folder = exported(network, chip.kernels)
  const { path } = buildForChip(chip, folder, ['main.c', CONSOLE])
  expect(emulate(chip, path)).toEqual({ output: 'self-test passed', status: 0 })
}

const ARM_CHIPS = ['m0plus', 'm4f', 'm55'] as const

describeWith(['arm-gcc', 'qemu-arm'], 'exported C on emulated Cortex-M', () => {
  it.each(ARM_CHIPS)('%s: the self-tests pass', (name) => {
    for (const network of [kwsNetwork(1), randomNetwork(3), randomNetwork(26), operatorNetwork('depthwiseConv2d', 4)]) expectOnChip(name, network)
  })

  it.each([
    ['mnist-mlp', () => shipped('mnist-mlp'), 4000],
    ['kws', () => kwsNetwork(1), 8000],
  ] as const)('%s takes at most the bytes of code it is meant to on a Cortex-M4F', (_, make, most) => {
    const { codeBytes } = buildForChip(CHIPS.m4f, exported(make(), 'dsp'), [BARE_PROGRAM])
    expect(codeBytes).toBeGreaterThan(1000)
    expect(codeBytes).toBeLessThanOrEqual(most)
  })
})

describeWith(['riscv-gcc', 'qemu-riscv'], 'exported C on emulated RV32', () => {
  it('the self-tests pass', () => {
    for (const network of [kwsNetwork(1), randomNetwork(3), shipped('mnist-mlp')]) expectOnChip('rv32', network)
  })
})
