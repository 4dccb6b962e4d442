// Every chip's kernels against the definition, in the emulator: random networks of one operator, random graphs, and the shapes of the benches. The
// planner's overlaps are in force, so a kernel that breaks the memory order gives wrong bytes.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { testInputs } from '#src/check/inputs.js'
import { buildImage, type Case, CHIPS, type Chip, type ChipName, type Image, runImage } from '../helpers/chips.js'
import { COARSE_OPERATORS, coarseNetwork, coarseStack } from '../helpers/coarse-networks.js'
import { INTEGER_OPERATORS, kwsNetwork, operatorNetwork, randomInputs, randomNetwork, resnet8Network } from '../helpers/networks.js'
import { describeWith } from '../helpers/tools.js'

/** Networks an emulator takes at once: they must fit its memory. */
const BATCH = 12
const SEEDS = Array.from({ length: 12 }, (_, i) => 100 + i)
const TIMEOUT_MILLIS = 180_000

const TOOLS: Readonly<Record<Chip['compiler'], readonly string[]>> = {
  'arm-none-eabi': ['arm-gcc', 'qemu-arm'],
  'riscv64-unknown-elf': ['riscv-gcc', 'qemu-riscv'],
}

const folder = mkdtempSync(join(tmpdir(), 'spikeport-test-chips-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const images = new Map<ChipName, Image>()
const imageOf = (name: ChipName): Image => {
  const image = images.get(name) ?? buildImage(CHIPS[name], folder)
  images.set(name, image)
  return image
}

const caseOf = (network: Case['network'], seed: number): Case => ({ network, inputs: randomInputs(network, seed) })

/** Random inputs within their types: the last of four samples. */
const coarseCase = (network: Case['network'], seed: number): Case => {
  const { count, inputs } = testInputs(network, 4, seed)
  return { network, inputs: inputs.map((data) => data.subarray((data.length / count) * (count - 1))) }
}

/** What differs, by the network's name; empty where every byte is right. */
const differences = (name: ChipName, cases: readonly Case[]): readonly string[] => {
  const failures: string[] = []
  for (let at = 0; at < cases.length; at += BATCH) {
    const batch = cases.slice(at, at + BATCH)
    const result = runImage(imageOf(name), batch)
    const named = result.failures.map((line) => `${batch[Number(line.split(/\s+/)[1])]?.network.name}: ${line}`)
    if (named.length === 0 && result.passed !== batch.length) named.push(`only ${result.passed} of ${batch.length} passed`)
    failures.push(...named)
  }
  return failures
}

for (const name of Object.keys(CHIPS) as ChipName[]) {
  const chip = CHIPS[name]
  describeWith(TOOLS[chip.compiler], `${chip.name} in the emulator`, () => {
    for (const kind of INTEGER_OPERATORS) {
      test(`${kind}: same bytes as the definition`, { timeout: TIMEOUT_MILLIS }, () => {
        expect(
          differences(
            name,
            SEEDS.map((seed) => caseOf(operatorNetwork(kind, seed), seed)),
          ),
        ).toEqual([])
      })
    }

    for (const kind of COARSE_OPERATORS) {
      test(`${kind} of levels and signs: same bytes as the definition`, { timeout: TIMEOUT_MILLIS }, () => {
        expect(
          differences(
            name,
            SEEDS.map((seed) => coarseCase(coarseNetwork(kind, seed), seed)),
          ),
        ).toEqual([])
      })
    }

    test('stacks of levels and signs: same bytes as the definition', { timeout: TIMEOUT_MILLIS }, () => {
      expect(
        differences(
          name,
          SEEDS.map((seed) => coarseCase(coarseStack(seed), seed)),
        ),
      ).toEqual([])
    })

    test('random graphs: same bytes as the definition', { timeout: TIMEOUT_MILLIS }, () => {
      expect(
        differences(
          name,
          SEEDS.map((seed) => caseOf(randomNetwork(seed), seed)),
        ),
      ).toEqual([])
    })

    test('keyword spotting and ResNet-8: same bytes as the definition', { timeout: TIMEOUT_MILLIS }, () => {
      for (const network of [kwsNetwork(7), resnet8Network(7)]) expect(differences(name, [caseOf(network, 7)])).toEqual([])
    })

    test('a wrong byte is noticed', { timeout: TIMEOUT_MILLIS }, () => {
      const { network, inputs } = caseOf(operatorNetwork('relu', 3), 3)
      const given = inputs.map((input) => input.map((x) => (x === 127 ? -128 : x + 1)))
      const result = runImage(imageOf(name), [{ network, inputs: given as typeof inputs, expectedFor: inputs }])
      expect(result.failures[0]).toMatch(/^differs 0/)
    })

    if (chip.compiler === 'arm-none-eabi') {
      test('no multiplication and addition are fused', () => {
        const code = execFileSync('arm-none-eabi-objdump', ['-d', '--no-show-raw-insn', imageOf(name).path], { encoding: 'utf8', maxBuffer: 2 ** 26 })
        // VMLA rounds the product; VFMA does not
        expect(code.match(/\bvfn?m[as]\w*\.\w+/g) ?? []).toEqual([])
      })
    }
  })
}
