// Inference side by side: wasm, ONNX Runtime (the fastest form that gives our bytes, and the fused form that does not promise them) and
// TensorFlow.js, one thread each, at batch 1 and 64. Weights are random, shapes are those of the recipes and of MLPerf Tiny.

import { openRuntime } from '#runtimes/index.js'
import { prepareBareRun } from '#runtimes/onnx/index.js'
import { networkMacs } from '#src/network/graph.js'
import type { Network } from '#src/network/types.js'
import { loadTensorFlow, trainingBackend } from '#src/train/tfjs.js'
import { cnnNetwork, kwsNetwork, mlpNetwork, randomInputs, resnet8Network } from '../test/helpers/networks.js'
import type { Bench, BenchRow } from './bench.js'
import { tfjsRun } from './tfjs-model.js'
import { bestMicros, type Contender } from './timing.js'

interface Case {
  readonly name: string
  readonly network: Network<'integer'>
  /** at batch 1: how many times ONNX Runtime's time wasm may take; null states no goal */
  readonly wasmGoal: number | null
}

const CASES: readonly Case[] = [
  { name: 'mnist-mlp', network: mlpNetwork(1), wasmGoal: 1 },
  { name: 'mnist-cnn', network: cnnNetwork(1), wasmGoal: null },
  { name: 'kws ds-cnn', network: kwsNetwork(1), wasmGoal: 1 },
  { name: 'resnet-8', network: resnet8Network(1), wasmGoal: 1.5 },
]

const BATCHES = [1, 64]
const TFJS_GOAL = 10
const DEFAULT_SECONDS = 2

const EXACT_FORMS = { 'onnxruntime qlinear': {}, 'onnxruntime qgemm': { dense: 'qgemm' } } as const
const FUSED = 'onnxruntime qdq, fused'

type Closing = Contender & { readonly close: () => Promise<void> }

const wasmContender = async (network: Network<'integer'>, count: number): Promise<Closing> => {
  const session = await (await openRuntime('wasm')).load(network)
  const batch = { count, inputs: randomInputs(network, 1, count) }
  return { name: 'wasm', run: async () => void (await session.run(batch)), close: session.close }
}

const onnxContenders = async (network: Network<'integer'>, count: number): Promise<readonly Closing[]> => {
  const batch = { count, inputs: randomInputs(network, 1, count) }
  const forms = { ...EXACT_FORMS, [FUSED]: { form: 'qdq' } as const }
  return Promise.all(Object.entries(forms).map(async ([name, form]) => ({ name, ...(await prepareBareRun(network, batch, { threads: 1, ...form })) })))
}

const tfjsContender = async (network: Network<'integer'>, count: number): Promise<Closing> => {
  const tf = await loadTensorFlow()
  return { name: `tfjs ${trainingBackend(tf)}`, run: tfjsRun(tf, network, count), close: async () => {} }
}

/** Times, and how wasm stands against the others. */
const rowsOf = (c: Case, count: number, micros: ReadonlyMap<string, number>): readonly BenchRow[] => {
  const name = `${c.name} batch ${count}`
  const [exactName, exact] = Object.keys(EXACT_FORMS)
    .map((form) => [form, micros.get(form) ?? Infinity] as const)
    .sort((a, b) => a[1] - b[1])[0] as readonly [string, number]
  const baseline = { name: exactName, value: exact }
  const macs = networkMacs(c.network) * count
  const times = [...micros].map(
    ([engine, value]): BenchRow => ({ case: name, metric: `${engine}, time`, value, unit: 'us', ...(engine === 'wasm' ? { baseline } : {}) }),
  )
  const wasm = micros.get('wasm') ?? Number.NaN
  const [tfjsName, tfjs] = [...micros].find(([engine]) => engine.startsWith('tfjs')) as [string, number]
  const goal = count === 1 && c.wasmGoal !== null ? { goal: c.wasmGoal } : {}
  return [
    ...times,
    { case: name, metric: 'wasm, rate', value: macs / wasm / 1000, unit: 'GMAC/s', baseline: { name: exactName, value: macs / exact / 1000 } },
    { case: name, metric: 'wasm time / onnxruntime time', value: wasm / exact, unit: 'x', ...goal, baseline },
    {
      case: name,
      metric: 'tfjs time / wasm time',
      value: tfjs / wasm,
      unit: 'x',
      ...(count === 1 ? { goal: TFJS_GOAL } : {}),
      baseline: { name: tfjsName, value: tfjs },
    },
  ]
}

export const bench: Bench = {
  name: 'inference',
  description: 'wasm against ONNX Runtime and TensorFlow.js, one thread, batch 1 and 64',
  run: async (report, options) => {
    const seconds = options.seconds ?? DEFAULT_SECONDS
    for (const c of CASES) {
      for (const count of BATCHES) {
        const contenders = [await wasmContender(c.network, count), ...(await onnxContenders(c.network, count)), await tfjsContender(c.network, count)]
        for (const row of rowsOf(c, count, await bestMicros(contenders, seconds))) report(row)
        for (const contender of contenders) await contender.close()
      }
    }
  },
}
