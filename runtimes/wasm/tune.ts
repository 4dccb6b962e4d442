// Unit costs by tune.wasm (the C tuner of firmware-stubs/tune built by scripts/build-tune.sh), the same integers as the plain TypeScript engine gives.

import type { LayerCosts, LayerProbe, UnitBatch, UnitEvaluation, UnitEvaluator, UnitProgram } from '#src/contracts/evaluator.js'
import { engineMemory, engineUnavailable } from '#src/errors.js'
import { arrayLength, type ElementArray, type Network } from '#src/network/types.js'
import { wasmModule } from '#src/wasm-module.js'

/** addresses are byte offsets into memory */
interface TuneExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  readonly __heap_base: { readonly value: number }
  readonly memoryBytes: (program: number, words: number, data: number, bytes: number) => number
  readonly init: (program: number, words: number, data: number, bytes: number, memory: number, memoryBytes: number) => number
  readonly setConstants: (node: number, weights: number, bias: number) => void
  readonly start: () => void
  readonly batch: (samples: number, bytes: number, labels: number, firstPositions: number, count: number) => void
  readonly finish: () => number
  readonly totals: (node: number) => number
}

/** Makes a program of a network and probes (src/tune/units/program.ts). */
export type UnitCompiler = (network: Network<'integer'>, probes: readonly LayerProbe[]) => UnitProgram

const PAGE_BYTES = 65536
const align16 = (bytes: number): number => Math.ceil(bytes / 16) * 16

const growTo = (tune: TuneExports, end: number): void => {
  const missing = end - tune.memory.buffer.byteLength
  if (missing > 0 && tune.memory.grow(Math.ceil(missing / PAGE_BYTES)) < 0) throw engineMemory('tune', end, tune.memory.buffer.byteLength)
}

/** A program laid out in an instance; `end` is the first byte that a batch may use. */
interface Loaded {
  readonly program: UnitProgram
  readonly words: number
  readonly end: number
}

const load = (tune: TuneExports, program: UnitProgram): Loaded => {
  const words = align16(tune.__heap_base.value)
  const data = align16(words + program.words.byteLength)
  const memory = align16(data + program.data.byteLength)
  growTo(tune, memory)
  new Int32Array(tune.memory.buffer, words).set(program.words)
  new Uint8Array(tune.memory.buffer, data).set(program.data)
  const bytes = tune.memoryBytes(words, program.words.length, data, program.data.length)
  growTo(tune, memory + bytes)
  const status = bytes === 0 ? 1 : tune.init(words, program.words.length, data, program.data.length, memory, bytes)
  if (status !== 0) throw engineUnavailable('wasm tuner', `program (status ${status})`, new Error('the program was refused'))
  return { program, words, end: memory + bytes }
}

/** Words of a node that follow the step's radius; everything else of a program stays. */
const isSameShape = (a: UnitProgram, b: UnitProgram): boolean => a.words.length === b.words.length && a.words.every((word, i) => word === b.words[i])

const setConstants = (tune: TuneExports, { program, end }: Loaded, network: Network<'integer'>): void => {
  program.nodes.forEach((index, node) => {
    const layer = network.nodes[index] as { weights?: { data: ElementArray }; bias?: { data: ElementArray } | null }
    if (layer.weights === undefined) return
    const bias = align16(end + layer.weights.data.length)
    growTo(tune, bias + 4 * (layer.bias?.data.length ?? 0))
    new Int8Array(tune.memory.buffer, end).set(layer.weights.data)
    if (layer.bias) new Int32Array(tune.memory.buffer, bias).set(layer.bias.data)
    tune.setConstants(node, end, layer.bias ? bias : 0)
  })
}

const runBatch = (tune: TuneExports, { program, end }: Loaded, batch: UnitBatch): void => {
  const count = batch.samples.length
  const bytes = (batch.samples[0] ?? []).reduce((sum, input) => sum + input.length, 0)
  const labels = align16(end + bytes * count)
  const first = align16(labels + 4 * count)
  const positions = program.firstPositions(batch)
  growTo(tune, first + positions.byteLength)
  const samples = new Int8Array(tune.memory.buffer, end, bytes * count)
  let at = 0
  for (const inputs of batch.samples) {
    for (const input of inputs) {
      samples.set(input, at)
      at += input.length
    }
  }
  new Int32Array(tune.memory.buffer, labels, count).set(Array.from(batch.labels))
  new Int32Array(tune.memory.buffer, first).set(positions)
  tune.batch(end, bytes, labels, first, count)
}

/** An int64 of a pair of words, exact below 2^53. */
const wide = (words: Int32Array, at: number): number => (words[at + 1] as number) * 4294967296 + ((words[at] as number) >>> 0)

const costsOf = (tune: TuneExports, { node, taps, channels }: UnitProgram['probes'][number]): LayerCosts => {
  const row = Math.ceil(channels / 8) * 8
  const totals = new Int32Array(tune.memory.buffer, tune.totals(node), (taps + 1) * 2 * row * 2)
  const [up, down] = [new Float64Array((taps + 1) * channels), new Float64Array((taps + 1) * channels)]
  for (let tap = 0; tap <= taps; tap++) {
    for (let c = 0; c < channels; c++) {
      up[tap * channels + c] = wide(totals, 2 * (tap * 2 * row + c))
      down[tap * channels + c] = wide(totals, 2 * (tap * 2 * row + row + c))
    }
  }
  return { up, down }
}

const finish = (tune: TuneExports, { program }: Loaded): UnitEvaluation => {
  const at = tune.finish()
  const counts = new Int32Array(tune.memory.buffer, at, 8)
  const [loss, correct, evaluations, macs] = [0, 2, 4, 6].map((word) => wide(counts, word)) as [number, number, number, number]
  const layers = program.probes.map((probe) => costsOf(tune, probe))
  return { layers, loss, correct, evaluations, weightProbes: layers.reduce((sum, { up }) => sum + 2 * up.length, 0), macs }
}

const checkBatch = (network: Network<'integer'>, batch: UnitBatch, classes: number): void => {
  for (const inputs of batch.samples)
    network.inputs.forEach((value, i) => {
      const length = arrayLength(network.values[value]?.type as never)
      if (inputs[i]?.length !== length) throw new RangeError(`input ${i} of a sample has ${inputs[i]?.length} elements, not ${length}`)
    })
  for (const label of Array.from(batch.labels)) if (!(label >= 0 && label < classes)) throw new RangeError(`label ${label} is not a class of ${classes}`)
}

const newInstance = wasmModule(new URL('./tune.wasm', import.meta.url), 'runtimes/wasm/tune.wasm')

/** A unit evaluator on an instance of its own. @throws ENGINE_UNAVAILABLE where tune.wasm cannot be read; when it evaluates, what `compile` throws */
export const wasmUnitEvaluator = async (compile: UnitCompiler): Promise<UnitEvaluator> => {
  const tune = (await newInstance()) as TuneExports
  let loaded: Loaded | null = null
  return (network, probes, batch) => {
    const program = compile(network, probes)
    const classes = arrayLength(network.values[network.outputs[0] as number]?.type as never)
    checkBatch(network, batch, classes)
    if (loaded === null || !isSameShape(loaded.program, program)) loaded = load(tune, program)
    else loaded = { ...loaded, program }
    setConstants(tune, loaded, network)
    tune.start()
    runBatch(tune, loaded, batch)
    return finish(tune, loaded)
  }
}
