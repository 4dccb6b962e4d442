// spikeport demo: the whole story on real data without hardware: train on MNIST, quantize, plan, export, run the test images on every
// engine, compare bytes, print what it all costs.

import { join } from 'node:path'
import type { Command } from 'commander'
import { eventnetExporter } from '#exporters/eventnet/index.js'
import { onnxExporter } from '#exporters/onnx/index.js'
import { argmax, summarize } from '../../check/classification.js'
import { compareEngines, type EngineResult } from '../../check/index.js'
import type { Batch } from '../../contracts/runtime.js'
import { interrupted } from '../../errors.js'
import { writeBytes } from '../../files.js'
import { importTfjs } from '../../importers/tfjs/index.js'
import { typeOf } from '../../network/graph.js'
import { saveNetwork } from '../../network/net-file.js'
import type { ElementArray, Network } from '../../network/types.js'
import { plan } from '../../plan/index.js'
import { quantizeInput, quantizeSimplified } from '../../quantize/index.js'
import { simplify } from '../../simplify/index.js'
import { type DataSet, floatImages, type Splits, sliceData } from '../../train/data.js'
import type { TrainResult } from '../../train/train.js'
import { withEngines } from '../engines.js'
import { type Io, percent, processIo, table, thousands } from '../io.js'
import { count, finish } from '../options.js'
import { openRecipe, trainWithProgress } from './train.js'

interface Options {
  readonly output: string
  readonly fast?: boolean
  readonly seed?: number
  readonly json?: boolean
}

const ENGINES = 'reference,wasm,onnx'
/** Images that --fast runs on the engines; the whole test set otherwise. */
const FAST_IMAGES = 1000
const CALIBRATION_IMAGES = 256
/** Images a call of tfjs's predict. */
const PREDICT_BATCH = 100

/** What one engine did with the test images. */
interface Run {
  readonly engine: string
  readonly accuracy: number
  readonly imagesPerSecond: number
}

const quantizeTrained = async (folder: string, train: DataSet): Promise<Network<'integer'>> => {
  const float = simplify(await importTfjs(join(folder, 'model.json')))
  return quantizeSimplified(float, { calibration: { count: CALIBRATION_IMAGES, inputs: [floatImages(train, 0, CALIBRATION_IMAGES)] } })
}

const runTfjs = async ({ tf, model }: TrainResult, test: DataSet): Promise<Run> => {
  const images = floatImages(test)
  const each = images.length / test.count
  const predicted = new Int32Array(test.count)
  const start = performance.now()
  for (let first = 0; first < test.count; first += PREDICT_BATCH) {
    const count = Math.min(PREDICT_BATCH, test.count - first)
    const scores = tf.tidy(() => model.predict(tf.tensor(images.subarray(first * each, (first + count) * each), [count, ...test.shape]), { batchSize: count }))
    const data = (await (Array.isArray(scores) ? scores[0] : scores)?.data()) as Float32Array
    tf.dispose(scores)
    predicted.set(argmax(data, test.classes.length), first)
  }
  const seconds = (performance.now() - start) / 1000
  return { engine: 'tfjs (float)', accuracy: summarize(predicted, test.labels, test.classes.length).accuracy, imagesPerSecond: test.count / seconds }
}

/** Runs the test images everywhere; times are of each engine's whole run. */
const runEngines = (network: Network<'integer'>, test: DataSet): Promise<{ results: readonly EngineResult[]; runs: readonly Run[] }> => {
  const batch: Batch = { count: test.count, inputs: [quantizeInput(network, 0, floatImages(test))] }
  const classes = typeOf(network, network.outputs[0] as number).shape.at(-1) as number
  return withEngines(ENGINES, network, async (engines) => {
    const runs: Run[] = []
    let last = performance.now()
    const results = await compareEngines(network, engines, batch, (engine, outputs) => {
      const seconds = (performance.now() - last) / 1000
      const { accuracy } = summarize(argmax(outputs[0] as ElementArray, classes), test.labels, classes)
      runs.push({ engine: `${engine} (int8)`, accuracy, imagesPerSecond: test.count / seconds })
      last = performance.now()
    })
    return { results, runs }
  })
}

const exportAll = async (network: Network<'integer'>, folder: string): Promise<Readonly<Record<string, number>>> => {
  const files = {
    'mnist-cnn.int8.net': saveNetwork(network),
    'mnist-cnn.onnx': onnxExporter.export(network),
    'mnist-cnn.evn': eventnetExporter.export(network),
  }
  for (const [name, bytes] of Object.entries(files)) await writeBytes(join(folder, name), bytes)
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, bytes.length]))
}

const trainModel = async (io: Io, options: Options): Promise<{ trained: TrainResult; splits: Splits }> => {
  const recipe = await openRecipe('mnist-cnn')
  const schedule = options.fast === true ? recipe.fast : recipe.schedule
  io.print(`1. train ${recipe.name} on MNIST (${schedule?.epochs} epochs of real training, nothing is downloaded)`)
  const trained = await trainWithProgress(io, recipe, { output: options.output, schedule, seed: options.seed })
  if (trained.stopped === 'interrupted') throw interrupted('the demo was stopped during training.', `The best checkpoint is in ${options.output}.`)
  io.print(`   float test accuracy ${percent(trained.testAccuracy ?? 0)} after ${trained.seconds.toFixed(0)} s\n`)
  return { trained, splits: trained.splits }
}

const printSummary = (io: Io, runs: readonly Run[], results: readonly EngineResult[]): void => {
  for (const { engine, differing, bytes } of results.slice(1))
    io.print(`   ${engine}: ${thousands(differing)} of ${thousands(bytes)} output bytes differ from reference`)
  io.print()
  io.print(
    table(
      ['engine', 'accuracy', 'images a second'],
      runs.map((r) => [r.engine, percent(r.accuracy), thousands(Math.round(r.imagesPerSecond))]),
    ),
  )
}

/** Stops between two stages of the demo after a Ctrl-C. @throws INTERRUPTED */
const stopIfAsked = (io: Io, folder: string): void => {
  if (io.signal.aborted) throw interrupted('the demo was stopped.', `What was made until then is in ${folder}.`)
}

const run = async (options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const { trained, splits } = await trainModel(io, options)
  io.print('2. quantize to int8 (batch norm folded, per-channel weights)')
  const network = await quantizeTrained(options.output, splits.train)
  stopIfAsked(io, options.output)
  const memory = plan(network)
  io.print(`3. plan: ${thousands(memory.macs)} MACs, arena ${thousands(memory.arenaBytes)} bytes, flash ${thousands(memory.flashBytes)} bytes`)
  const files = await exportAll(network, options.output)
  io.print(
    `4. export to ${options.output}: ${Object.entries(files)
      .map(([name, bytes]) => `${name} ${thousands(bytes)} bytes`)
      .join(', ')}`,
  )
  const test = options.fast === true ? sliceData(splits.test, 0, FAST_IMAGES) : splits.test
  io.print(`5. run ${thousands(test.count)} test images on every engine`)
  stopIfAsked(io, options.output)
  const { results, runs } = await runEngines(network, test)
  const all = [await runTfjs(trained, test), ...runs]
  trained.model.dispose()
  printSummary(io, all, results)
  io.json({
    floatAccuracy: trained.testAccuracy,
    trainSeconds: trained.seconds,
    images: test.count,
    macs: memory.macs,
    arenaBytes: memory.arenaBytes,
    flashBytes: memory.flashBytes,
    files,
    runs: all,
    engines: results,
  })
  if (results.some(({ differing }) => differing > 0)) process.exitCode = 1
  else io.print(`\nnext: spikeport plan ${join(options.output, 'mnist-cnn.int8.net')}`)
}

export const registerDemo = (program: Command): void => {
  finish(
    program
      .command('demo')
      .description('train, quantize, plan, export and run a digit classifier on this machine: real data, no hardware, about two minutes')
      .option('-o, --output <folder>', 'where the model and its exports go', 'spikeport-demo')
      .option('--fast', 'a shorter training and 1,000 test images: half a minute')
      .option('--seed <n>', "seed of the training (default: the recipe's)", count(0))
      .action(run),
    'spikeport demo',
  )
}
