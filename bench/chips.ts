// Chips in emulation: instructions an inference, a MAC and a layer, code without the model, arena and stack, beside TFLite Micro with CMSIS-NN, whose
// figures were recorded on the same emulator. A chip's speed and size come from one image. Every run compares all output bytes with the definition.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { testInputs } from '#src/check/inputs.js'
import { nodeTypes } from '#src/network/graph.js'
import { loadNetwork } from '#src/network/net-file.js'
import { type Node, type OperatorKind, operatorOf } from '#src/network/operators/index.js'
import type { ElementArray, Network } from '#src/network/types.js'
import { planArena } from '#src/plan/arena.js'
import { buildImage, CHIPS, type ChipName, type OperatorRow, runImage, withPlainKernels } from '../test/helpers/chips.js'
import { signDense } from '../test/helpers/coarse-networks.js'
import { kwsNetwork, mlpNetwork, resnet8Network } from '../test/helpers/networks.js'
import type { Bench, BenchRow } from './bench.js'

type Report = (row: BenchRow) => void

/** A shipped network of signs or staircases. */
const shipped = (name: string): Network<'integer'> => {
  const path = resolve(import.meta.dirname, '../models', name, 'int8.net')
  return loadNetwork(readFileSync(path), path) as Network<'integer'>
}

const MODELS = {
  kws: kwsNetwork(1),
  'resnet-8': resnet8Network(1),
  mlp: mlpNetwork(1),
  'signs 1024x1024': signDense(1024, 1024, 1),
  'signs 256x256': signDense(256, 256, 1),
  'mnist-mlp-binary': shipped('mnist-mlp-binary'),
  'mnist-mlp-staircase': shipped('mnist-mlp-staircase'),
} as const satisfies Readonly<Record<string, Network<'integer'>>>
type ModelName = keyof typeof MODELS

interface Figures {
  /** at most; million instructions */
  readonly goal?: number
  /** million instructions of CMSIS-NN, -O3 */
  readonly recorded?: number
  readonly codeGoal?: number
  /** bytes of TFLite Micro with CMSIS-NN, its smallest build */
  readonly codeRecorded?: number
}

/** Goals, and what TFLite Micro 90b983c2 with CMSIS-NN 4ab83cc3 needs, gcc 12.2.1, same emulator. */
const FIGURES: Readonly<Partial<Record<ChipName, Partial<Record<ModelName, Figures>>>>> = {
  m4f: {
    kws: { goal: 5.1, recorded: 7.847, codeGoal: 12_000, codeRecorded: 47_156 },
    'resnet-8': { goal: 19.4, recorded: 29.875, codeRecorded: 44_192 },
    mlp: { codeGoal: 4000 },
  },
  m0plus: { kws: { goal: 23, recorded: 29.01, codeRecorded: 54_060 }, 'resnet-8': { goal: 78, recorded: 97.57, codeRecorded: 51_512 } },
  m55: { kws: { goal: 1.79, recorded: 1.788, codeRecorded: 47_652 }, 'resnet-8': { goal: 4.81, recorded: 4.812, codeRecorded: 45_996 } },
}

const ARENAS: Readonly<Partial<Record<ModelName, { readonly goal: number; readonly recorded: number }>>> = {
  kws: { goal: 16_000, recorded: 22_820 },
  'resnet-8': { goal: 49_152, recorded: 54_996 },
}

/** CMSIS-NN, instructions a MAC (an element for add), by layer. */
const LAYERS: Readonly<Partial<Record<ChipName, Readonly<Record<string, number>>>>> = {
  m4f: {
    'conv 10x4 1->64': 3.473,
    'conv 1x1 64->64': 2.088,
    'depthwise 3x3 64': 8.334,
    'conv 3x3 3->16': 4.825,
    'conv 3x3 16->16': 2.326,
    'conv 3x3 32->32': 1.925,
    'conv 3x3 64->64': 1.761,
    add: 81.5,
  },
  m0plus: {
    'conv 10x4 1->64': 9.42,
    'conv 1x1 64->64': 7.57,
    'depthwise 3x3 64': 35.7,
    'conv 3x3 3->16': 11.7,
    'conv 3x3 16->16': 7.56,
    'conv 3x3 32->32': 6.7,
    'conv 3x3 64->64': 6.33,
    add: 237,
  },
  m55: {
    'conv 10x4 1->64': 0.904,
    'conv 1x1 64->64': 0.397,
    'depthwise 3x3 64': 2.324,
    'conv 3x3 3->16': 1.356,
    'conv 3x3 16->16': 0.388,
    'conv 3x3 32->32': 0.253,
    'conv 3x3 64->64': 0.206,
    add: 13.8,
  },
}

const RECORDED = 'CMSIS-NN'

const ROWS: Readonly<Partial<Record<OperatorKind, OperatorRow>>> = {
  dense: 'DENSE',
  conv2d: 'CONV2D',
  depthwiseConv2d: 'DEPTHWISE_UNIT',
  globalAveragePool: 'AVERAGE_POOL',
  add: 'ADD',
  maxPool: 'MAX_POOL',
  relu: 'RELU',
  softmax: 'SOFTMAX',
  flatten: 'RESHAPE',
  reshape: 'RESHAPE',
}

/** The general operator of a kind, for levels, signs and thresholds. */
const GENERAL_ROWS: Readonly<Partial<Record<OperatorKind, OperatorRow>>> = {
  dense: 'GENERAL_DENSE',
  conv2d: 'GENERAL_CONV2D',
  depthwiseConv2d: 'GENERAL_DEPTHWISE',
  maxPool: 'GENERAL_MAX_POOL',
}

const isGeneral = (network: Network, node: Node): boolean => {
  const kinds = nodeTypes(network, node).inputs.map(({ kind }) => kind)
  const isCoarse = kinds.some((kind) => kind === 'binary' || kind === 'level')
  return isCoarse || ('weights' in node && (node.weights.type.kind === 'binary' || node.emission.kind === 'thresholds'))
}

const rowsOf = (network: Network): readonly OperatorRow[] => [
  ...new Set(
    network.nodes.map((node) => {
      const { kind } = node
      const row = isGeneral(network, node) ? (GENERAL_ROWS[kind] ?? ROWS[kind]) : ROWS[kind]
      if (row === undefined) throw new Error(`bench chips has no row for ${kind}`)
      return row
    }),
  ),
]

const layerName = (node: Node): string => {
  if (node.kind === 'conv2d') {
    const [out, height, width, channels] = node.weights.type.shape
    return `conv ${height}x${width} ${channels}->${out}`
  }
  if (node.kind === 'depthwiseConv2d')
    return `depthwise ${node.weights.type.shape
      .slice(0, 3)
      .join('x')
      .replace(/x(\d+)$/, ' $1')}`
  return node.kind
}

const macsOf = (network: Network, node: Node): number => operatorOf(node).macs(node, nodeTypes(network, node))

const sum = (numbers: readonly number[]): number => numbers.reduce((total, x) => total + x, 0)

const baseline = (name: string, value: number | undefined): Pick<BenchRow, 'baseline'> => (value === undefined ? {} : { baseline: { name, value } })

const goal = (value: number | undefined): Pick<BenchRow, 'goal'> => (value === undefined ? {} : { goal: value })

/** Instructions a MAC of each kind of layer, the mean over its occurrences. */
const reportLayers = (chip: ChipName, name: string, network: Network, instructions: readonly number[], report: Report): void => {
  const layers = new Map<string, { macs: number; instructions: number }>()
  network.nodes.forEach((node, i) => {
    const layer = layers.get(layerName(node)) ?? { macs: 0, instructions: 0 }
    layers.set(layerName(node), { macs: layer.macs + macsOf(network, node), instructions: layer.instructions + (instructions[i] as number) })
  })
  for (const [layer, { macs, instructions: count }] of layers) {
    report({
      case: name,
      metric: layer,
      value: macs === 0 ? count / 1e6 : count / macs,
      unit: macs === 0 ? 'M' : '/MAC',
      ...baseline(RECORDED, LAYERS[chip]?.[layer]),
    })
  }
}

/** Random inputs within their types: the last of four samples. */
const inputsOf = (network: Network<'integer'>): readonly ElementArray[] => {
  const { count, inputs } = testInputs(network, 4, 1)
  return inputs.map((data) => data.subarray((data.length / count) * (count - 1)))
}

const reportModel = (chip: ChipName, model: ModelName, folder: string, report: Report): void => {
  const network = MODELS[model]
  const name = `${CHIPS[chip].name} ${model}`
  const figures = FIGURES[chip]?.[model] ?? {}
  const rows = rowsOf(network)
  const image = buildImage(CHIPS[chip], folder, rows)
  const cases = [{ network, inputs: inputsOf(network) }]
  const fast = runImage(image, cases, { reportsNodes: true })
  if (fast.failures.length > 0) throw new Error(`${name}: ${fast.failures.join(', ')}`)
  const instructions = fast.instructions[0] as readonly number[]
  const total = sum(instructions)
  report({ case: name, metric: 'instructions', value: total / 1e6, unit: 'M', ...goal(figures.goal), ...baseline(RECORDED, figures.recorded) })
  report({ case: name, metric: 'instructions a MAC', value: total / sum(network.nodes.map((node) => macsOf(network, node))), unit: '' })
  reportLayers(chip, name, network, instructions, report)
  const plain = runImage(buildImage(withPlainKernels(CHIPS[chip]), folder), cases, { reportsNodes: true })
  report({ case: name, metric: 'plain kernels / these', value: sum(plain.instructions[0] as readonly number[]) / total, unit: 'x' })
  report({ case: name, metric: 'code', value: image.codeBytes, unit: 'bytes', ...goal(figures.codeGoal), ...baseline('TFLite Micro', figures.codeRecorded) })
  const { arenaBytes } = planArena(network)
  report({ case: name, metric: 'arena', value: arenaBytes, unit: 'bytes', ...goal(ARENAS[model]?.goal), ...baseline('TFLite Micro', ARENAS[model]?.recorded) })
  report({ case: name, metric: 'stack, load included', value: fast.stackBytes, unit: 'bytes' })
}

export const bench: Bench = {
  name: 'chips',
  description: 'instructions, code, arena and stack of chips in emulation, beside TFLite Micro with CMSIS-NN',
  run: async (report) => {
    const folder = mkdtempSync(join(tmpdir(), 'spikeport-bench-chips-'))
    try {
      for (const chip of Object.keys(CHIPS) as ChipName[]) {
        for (const model of Object.keys(MODELS) as ModelName[]) reportModel(chip, model, folder, report)
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}
