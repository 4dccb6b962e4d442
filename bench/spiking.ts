// Networks over time: N-MNIST by a NIR graph in both stages, wasm against a plain dense simulation, and instructions of event-driven layers on chips over
// activity, beside dense int8 layers of the same size.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { wasmSession } from '#runtimes/wasm/index.js'
import { importNir } from '#src/importers/nir/index.js'
import { createBuilder } from '#src/network/builder.js'
import { evaluate } from '#src/network/evaluate.js'
import { type ElementArray, type Network, perTensor, spikes, type Tensor } from '#src/network/types.js'
import { plan } from '#src/plan/index.js'
import { quantizeSimplified } from '#src/quantize/index.js'
import { simplify } from '#src/simplify/index.js'
import { buildImage, CHIPS, type ChipName, runImage } from '../test/helpers/chips.js'
import { binnedTestRecordings, largestAt } from '../test/helpers/nmnist.js'
import { testRandom } from '../test/helpers/random.js'
import type { Bench, BenchRow } from './bench.js'

type Report = (row: BenchRow) => void

const STEPS = 300
const RECORDINGS = 100
const NIR = new URL('../../shared/data/nir/cnn_sinabs.nir', import.meta.url).pathname
const ACTIVITIES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5] as const
const CHIP_NAMES = ['m0plus', 'm4f'] as const satisfies readonly ChipName[]
const WIDTH = 256

/** Seconds of processor time. */
const secondsOf = async (work: () => Promise<void> | void): Promise<number> => {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

const reportNmnist = async (report: Report): Promise<void> => {
  const recordings = binnedTestRecordings(RECORDINGS, STEPS)
  const float = await importNir(NIR, { steps: STEPS })
  const calibration = { count: 1, inputs: [Float32Array.from((recordings[0] as { counts: Uint8Array }).counts)] }
  const integer = quantizeSimplified(simplify(float), { scheme: 'spiking', calibration })
  const session = await wasmSession(integer)
  let [right, spikesOut] = [0, 0]
  const seconds = await secondsOf(async () => {
    for (const { label, counts } of recordings) {
      const [sums] = (await session.run({ count: 1, inputs: [counts] })) as [Int32Array]
      if (largestAt(sums) === label) right++
      spikesOut += sums.reduce((a, b) => a + b, 0)
    }
  })
  let rightFloat = 0
  const floatSeconds = await secondsOf(() => {
    for (const { label, counts } of recordings) {
      const sums = evaluate(float, [Float32Array.from(counts)])[float.outputs[0] as number] as ElementArray
      if (largestAt(sums) === label) rightFloat++
    }
  })
  const { arenaBytes, flashBytes } = plan(integer)
  report({ case: 'cnn_sinabs.nir', metric: 'right of 100, integer', value: right, unit: '', goal: 97, baseline: { name: 'float', value: rightFloat } })
  report({
    case: 'cnn_sinabs.nir',
    metric: 'recordings a second, wasm',
    value: RECORDINGS / seconds,
    unit: '/s',
    goal: 20,
    baseline: { name: 'definition', value: RECORDINGS / floatSeconds },
  })
  report({ case: 'cnn_sinabs.nir', metric: 'output spikes a recording', value: spikesOut / RECORDINGS, unit: '' })
  report({ case: 'cnn_sinabs.nir', metric: 'flash', value: flashBytes, unit: 'bytes', baseline: { name: '.nir', value: 273_552 } })
  report({ case: 'cnn_sinabs.nir', metric: 'arena, recording included', value: arenaBytes, unit: 'bytes' })
}

const weightsOf = (units: number, width: number): Tensor => {
  const random = testRandom(1)
  return { type: perTensor('int8', [units, width], 1 / 64, 0), data: Int8Array.from({ length: units * width }, () => random.integer(-127, 127)) }
}

/** A dense layer with int32 sums: of spikes with units behind it (event-driven), or of int8. */
const layer = (width: number, isSpiking: boolean): Network<'integer'> => {
  const b = createBuilder('integer')
  const x = b.input('x', isSpiking ? spikes([width]) : perTensor('int8', [width], 1, 0))
  const sums = b.add(
    { kind: 'dense', name: 'dense', inputs: [x], weights: weightsOf(width, width), bias: null, emission: { kind: 'none' } },
    perTensor('int32', [width], 1, 0),
  )
  if (!isSpiking) return b.build({ name: 'int8', outputs: [sums] })
  const int32 = (value: number): Tensor => ({ type: perTensor('int32', [1], 1, 0), data: Int32Array.of(value) })
  const membrane = b.state('membrane', { kind: 'membrane', shape: [width] })
  const nothing = { gain: null, drive: null, currentLeak: null, currentGain: null, shift: 0, resetTo: null } as const
  const units = b.add(
    { kind: 'lif', name: 'units', inputs: [sums], states: [membrane], leak: int32(1638), threshold: int32(500), fires: 'reaching', reset: 'zero', ...nothing },
    spikes([width]),
  )
  return b.build({ name: 'spikes', outputs: [units] })
}

/** Spikes of a share of `width` inputs, spread at random. */
const active = (width: number, activity: number): Uint8Array => {
  const random = testRandom(7)
  const order = Array.from({ length: width }, (_, i) => [random.uniform(), i] as const).sort(([a], [b]) => a - b)
  const out = new Uint8Array(width)
  for (const [, i] of order.slice(0, Math.round(activity * width))) out[i] = 1
  return out
}

/** Instructions of the dense node over activities; the activity at which int8 costs as much. */
const reportChip = (chip: ChipName, folder: string, report: Report): void => {
  const image = buildImage(CHIPS[chip], folder)
  const [event, int8] = [layer(WIDTH, true), layer(WIDTH, false)]
  const random = testRandom(3)
  const dense = Int8Array.from({ length: WIDTH }, () => random.integer(-127, 127))
  const cases = [...ACTIVITIES.map((activity) => ({ network: event, inputs: [active(WIDTH, activity)] })), { network: int8, inputs: [dense] }]
  const { instructions, failures } = runImage(image, cases, { reportsNodes: true })
  if (failures.length > 0) throw new Error(`${chip}: ${failures.join(', ')}`)
  const counts = instructions.map(([first]) => first as number)
  const denseCount = counts.at(-1) as number
  const name = `${CHIPS[chip].name} dense ${WIDTH}x${WIDTH}`
  ACTIVITIES.forEach((activity, i) => {
    const value = counts[i] as number
    report({ case: name, metric: `instructions at ${100 * activity} %`, value, unit: '', baseline: { name: 'int8', value: denseCount } })
  })
  const [low, high] = [counts[0] as number, counts[ACTIVITIES.length - 1] as number]
  const slope = (high - low) / ((ACTIVITIES.at(-1) as number) - ACTIVITIES[0])
  report({ case: name, metric: 'instructions a synaptic operation', value: slope / WIDTH / WIDTH, unit: '' })
  report({ case: name, metric: 'units, instructions each', value: (instructions[0]?.[1] as number) / WIDTH, unit: '' })
  report({ case: name, metric: 'break-even with int8 at', value: 100 * (ACTIVITIES[0] + (denseCount - low) / slope), unit: '%' })
}

/** The same layer as plain loops over all inputs, in TypeScript: what a simulator that ignores activity does. */
const denseStep = (weights: Int8Array, x: Uint8Array, sums: Int32Array): void => {
  for (let o = 0; o < sums.length; o++) {
    let sum = 0
    for (let i = 0; i < x.length; i++) sum += (weights[o * x.length + i] as number) * (x[i] as number)
    sums[o] = sum
  }
}

const reportWasm = async (seconds: number, report: Report): Promise<void> => {
  const width = 1024
  const network = layer(width, true)
  const session = await wasmSession(network)
  const [weights, sums] = [weightsOf(width, width).data as Int8Array, new Int32Array(width)]
  for (const activity of [0.01, 0.05, 0.2]) {
    const x = active(width, activity)
    const rate = async (work: () => void): Promise<number> => {
      let runs = 0
      const end = Date.now() + 1000 * seconds
      const used = await secondsOf(() => {
        for (; Date.now() < end; runs++) work()
      })
      return runs / used
    }
    const fast = await rate(() => session.runNow({ count: 1, inputs: [x] }))
    const plain = await rate(() => denseStep(weights, x, sums))
    report({
      case: `wasm dense ${width}x${width}`,
      metric: `steps a second at ${100 * activity} %`,
      value: fast,
      unit: '/s',
      baseline: { name: 'plain dense loops', value: plain },
    })
    report({
      case: `wasm dense ${width}x${width}`,
      metric: `times faster at ${100 * activity} %`,
      value: fast / plain,
      unit: 'x',
      ...(activity === 0.05 ? { goal: 5 } : {}),
    })
  }
}

export const bench: Bench = {
  name: 'spiking',
  description: 'networks over time: accuracy and speed of a NIR graph, event-driven against dense layers',
  run: async (report, { seconds = 0.5, task }) => {
    const folder = mkdtempSync(join(tmpdir(), 'spikeport-bench-spiking-'))
    try {
      if (task === undefined || task === 'chips') for (const chip of CHIP_NAMES) reportChip(chip, folder, report)
      if (task === undefined || task === 'wasm') await reportWasm(seconds, report)
      if (task === undefined || task === 'nmnist') await reportNmnist(report)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}
