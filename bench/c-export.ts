// Exported C: bytes of code without the network, by kernels and optimization, vectors, start code and mem* included. Beside what TFLite Micro with CMSIS-NN
// takes on the same cores (its smallest build).

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadNetwork } from '#src/network/net-file.js'
import type { Network } from '#src/network/types.js'
import { BARE_PROGRAM, buildForChip, exportFolder } from '../test/helpers/c-export.js'
import { CHIPS, type Chip, type ChipName, withPlainKernels } from '../test/helpers/chips.js'
import { ROOT } from '../test/helpers/cli.js'
import { kwsNetwork, resnet8Network } from '../test/helpers/networks.js'
import type { Bench } from './bench.js'

const mnistMlp = (): Network<'integer'> => loadNetwork(readFileSync(join(ROOT, 'models/mnist-mlp/int8.net')), 'mnist-mlp') as Network<'integer'>

const MODELS: Readonly<Record<string, () => Network<'integer'>>> = { 'mnist-mlp': mnistMlp, kws: () => kwsNetwork(1), 'resnet-8': () => resnet8Network(1) }
const GOALS: Readonly<Record<string, number>> = { 'm4f mnist-mlp': 4000, 'm4f kws': 12_000 }
const RECORDED: Readonly<Record<string, number>> = {
  'm4f kws': 47_156,
  'm4f resnet-8': 44_192,
  'm0plus kws': 54_060,
  'm0plus resnet-8': 51_512,
  'm55 kws': 47_652,
  'm55 resnet-8': 45_996,
}

const CORES: readonly ChipName[] = ['m0plus', 'm4f', 'm55', 'rv32']

/** Nothing runs here, so every Cortex-M links into the largest memory. */
const roomy = (chip: Chip): Chip => (chip.compiler === 'arm-none-eabi' ? { ...chip, script: 'mps2.ld' } : chip)

export const bench: Bench = {
  name: 'c-export',
  description: 'bytes of code of exported C without the network, built with -Os',
  run: async (report) => {
    const root = mkdtempSync(join(tmpdir(), 'spikeport-bench-c-'))
    try {
      for (const core of CORES) {
        for (const [model, make] of Object.entries(MODELS)) {
          for (const chip of [CHIPS[core], withPlainKernels(CHIPS[core])]) {
            const kernels = chip.kernels ?? 'plain'
            const folder = join(root, `${core}-${model}-${kernels}`)
            exportFolder(make(), folder, kernels)
            const [goal, recorded] = kernels === 'plain' ? [] : [GOALS[`${core} ${model}`], RECORDED[`${core} ${model}`]]
            report({
              case: `${chip.name} ${model}`,
              metric: `code, kernels=${kernels}`,
              value: buildForChip(roomy(chip), folder, [BARE_PROGRAM]).codeBytes,
              unit: 'bytes',
              ...(goal === undefined ? {} : { goal }),
              ...(recorded === undefined ? {} : { baseline: { name: 'TFLite Micro', value: recorded } }),
            })
          }
        }
      }
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  },
}
