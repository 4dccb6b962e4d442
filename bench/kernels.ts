// Kernels of the wasm engine one at a time: a network of one layer, one thread, batch 1 (and 64 for dense), the SIMD kernel beside the plain one of
// the same core. The shapes are those of mnist-mlp and of MLPerf Tiny KWS and ResNet-8.

import { wasmSession } from '#runtimes/wasm/index.js'
import { testInputs } from '#src/check/inputs.js'
import { networkMacs } from '#src/network/graph.js'
import type { Network } from '#src/network/types.js'
import { signConv, signDense } from '../test/helpers/coarse-networks.js'
import { type NetworkBuilder, networkBuilder, randomInputs } from '../test/helpers/networks.js'
import type { Bench, BenchRow } from './bench.js'

interface Case {
  readonly name: string
  readonly layer: (b: NetworkBuilder) => number
  /** the same layer over signs; its rate is printed beside int8's */
  readonly signs?: () => Network<'integer'>
  readonly count?: number
  /** GMAC/s */
  readonly goal?: number
}

const image = (b: NetworkBuilder, height: number, width: number, channels: number): number => b.input([height, width, channels], { zeroPoint: -128 })

const CASES: readonly Case[] = [
  { name: 'dense 784x128', layer: (b) => b.dense(b.input([784]), 128, { relu: true }), goal: 25 },
  { name: 'dense 784x128, batch 64', layer: (b) => b.dense(b.input([784]), 128, { relu: true }), count: 64, goal: 25 },
  { name: 'dense 128x128', layer: (b) => b.dense(b.input([128]), 128, { relu: true }) },
  { name: 'conv 10x4, 1 to 64, 49x10', layer: (b) => b.conv2d(image(b, 49, 10, 1), 64, { kernel: [10, 4], stride: [2, 2], relu: true }) },
  { name: 'conv 1x1, 64 to 64, 25x5', layer: (b) => b.conv2d(image(b, 25, 5, 64), 64, { kernel: [1, 1], relu: true }) },
  { name: 'depthwise 3x3, 64, 25x5', layer: (b) => b.depthwise(image(b, 25, 5, 64), 1, { kernel: [3, 3], relu: true }) },
  { name: 'conv 3x3, 3 to 16, 32x32', layer: (b) => b.conv2d(image(b, 32, 32, 3), 16, { kernel: [3, 3], relu: true }) },
  { name: 'conv 3x3, 16 to 16, 32x32', layer: (b) => b.conv2d(image(b, 32, 32, 16), 16, { kernel: [3, 3], relu: true }) },
  { name: 'conv 3x3 stride 2, 16 to 32', layer: (b) => b.conv2d(image(b, 32, 32, 16), 32, { kernel: [3, 3], stride: [2, 2], relu: true }) },
  {
    name: 'conv 3x3, 64 to 64, 8x8',
    layer: (b) => b.conv2d(image(b, 8, 8, 64), 64, { kernel: [3, 3], relu: true }),
    signs: () => signConv(8, 64, 1),
  },
  { name: 'add 32x32x16', layer: (b) => b.add(image(b, 32, 32, 16), b.input([32, 32, 16])) },
  { name: 'dense 1024x1024', layer: (b) => b.dense(b.input([1024]), 1024, { relu: true }), signs: () => signDense(1024, 1024, 1) },
  { name: 'average 25x5x64', layer: (b) => b.globalAveragePool(image(b, 25, 5, 64)) },
]

const DEFAULT_SECONDS = 0.5
const TURN_MILLIS = 2

/** Microseconds of the best call within the time. */
const bestMicros = (run: () => void, seconds: number): number => {
  const timeOf = (repeats: number): number => {
    const start = performance.now()
    for (let i = 0; i < repeats; i++) run()
    return (performance.now() - start) / repeats
  }
  timeOf(200)
  const repeats = Math.max(1, Math.ceil(TURN_MILLIS / timeOf(10)))
  let best = Number.POSITIVE_INFINITY
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) best = Math.min(best, timeOf(repeats))
  return 1000 * best
}

const microsOf = async (network: Network<'integer'>, kernels: 'simd' | 'plain', count: number, seconds: number): Promise<number> => {
  const session = await wasmSession(network, { kernels })
  const batch = { count, inputs: randomInputs(network, 1, count) }
  return bestMicros(() => session.runNow(batch), seconds)
}

/** The goal for signs: times int8's rate. */
const SIGNS_GOAL = 3

const signRows = async (name: string, network: Network<'integer'>, int8Rate: number, seconds: number): Promise<readonly BenchRow[]> => {
  const session = await wasmSession(network)
  const batch = testInputs(network, 4, 1)
  const micros = bestMicros(() => session.runNow(batch), seconds) / batch.count
  const rate = networkMacs(network) / micros / 1000
  return [
    { case: `${name}, signs`, metric: 'rate', value: rate, unit: 'GMAC/s', baseline: { name: 'int8', value: int8Rate } },
    { case: `${name}, signs`, metric: 'rate / int8', value: rate / int8Rate, unit: 'x', ...(name.startsWith('dense') ? { goal: SIGNS_GOAL } : {}) },
  ]
}

const rowsOf = async ({ name, layer, signs, count = 1, goal }: Case, seconds: number): Promise<readonly BenchRow[]> => {
  const b = networkBuilder(name, 1)
  const network = b.build([layer(b)])
  const simd = await microsOf(network, 'simd', count, seconds)
  const plain = await microsOf(network, 'plain', count, seconds / 4)
  const rate = (micros: number): number => (networkMacs(network) * count) / micros / 1000
  return [
    { case: name, metric: 'time', value: simd, unit: 'us', baseline: { name: 'plain kernel', value: plain } },
    {
      case: name,
      metric: 'rate',
      value: rate(simd),
      unit: 'GMAC/s',
      ...(goal === undefined ? {} : { goal }),
      baseline: { name: 'plain kernel', value: rate(plain) },
    },
    ...(signs === undefined ? [] : await signRows(name, signs(), rate(simd), seconds)),
  ]
}

export const bench: Bench = {
  name: 'kernels',
  description: 'single layers of the wasm engine, one thread, SIMD beside plain kernels; times include copying samples in and out',
  run: async (report, { seconds = DEFAULT_SECONDS }) => {
    for (const one of CASES) for (const row of await rowsOf(one, seconds)) report(row)
  },
}
