// spikeport run: a network over data on one engine: predicted classes, accuracy and confusion matrix where there are labels, outputs to a file.

import type { Command } from 'commander'
import { referenceSession } from '#runtimes/reference/index.js'
import { argmax, type ClassificationSummary, summarize } from '../../check/classification.js'
import type { Outputs } from '../../contracts/runtime.js'
import { usage } from '../../errors.js'
import { writeNpy } from '../../formats/npy.js'
import { typeOf } from '../../network/graph.js'
import type { ElementArray, Network } from '../../network/types.js'
import { withEngines } from '../engines.js'
import { type Io, percent, processIo, table, thousands } from '../io.js'
import { openNetwork } from '../networks.js'
import { count, finish, real, writeResult } from '../options.js'
import { readSamples, type Samples, toBatch } from '../samples.js'

interface Options {
  readonly on: string
  readonly data: string
  readonly labels?: string
  readonly limit?: number
  readonly scale?: number
  readonly output?: string
  readonly json?: boolean
}

/** Lines of single predictions shown without labels. */
const SHOWN = 20

const runOn = async (network: Network, engine: string, samples: Samples): Promise<Outputs> => {
  const batch = toBatch(network, samples)
  if (network.stage === 'float') {
    if (engine !== 'reference')
      throw usage(`a float network runs on the reference engine only, not on ${engine}.`, 'Leave --on out, or quantize the network first.')
    return referenceSession(network).run(batch)
  }
  return withEngines(engine, network as Network<'integer'>, async ([first]) => (first as NonNullable<typeof first>).session.run(batch))
}

const printConfusion = (io: Io, summary: ClassificationSummary, names: readonly string[]): void => {
  const rows = summary.confusion.map((row, i) => [names[i] ?? String(i), ...row])
  io.print(table(['true \\ predicted', ...summary.confusion.map((_, i) => names[i] ?? String(i))], rows))
}

const printPredictions = (io: Io, predicted: Int32Array, names: readonly string[]): void => {
  for (const [i, label] of predicted.slice(0, SHOWN).entries()) io.print(`sample ${i}: ${names[label] ?? label}`)
  if (predicted.length > SHOWN) io.print(`... and ${predicted.length - SHOWN} more (-o writes all scores)`)
}

const report = (io: Io, network: Network, samples: Samples, scores: ElementArray, engine: string): void => {
  const classes = typeOf(network, network.outputs[0] as number).shape.at(-1) ?? 1
  const names = network.labels.length > 0 ? network.labels : samples.classes
  const predicted = argmax(scores, classes)
  if (samples.labels === null) {
    io.json({ engine, samples: samples.count, predicted: [...predicted] })
    printPredictions(io, predicted, names)
    return
  }
  const summary = summarize(predicted, samples.labels, classes)
  io.json({ engine, samples: summary.count, correct: summary.correct, accuracy: summary.accuracy, confusion: summary.confusion })
  printConfusion(io, summary, names)
  io.print(`\n${thousands(summary.correct)} of ${thousands(summary.count)} right, ${percent(summary.accuracy)}, on ${engine}`)
}

const run = async (source: string, options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const network = await openNetwork(source)
  const engine = network.stage === 'float' && options.on === 'wasm' ? 'reference' : options.on
  const { labels, limit, scale } = options
  const samples = await readSamples(options.data, network, {
    split: 'test',
    ...(labels && { labels }),
    ...(limit && { limit }),
    ...(scale !== undefined && { scale }),
  })
  const outputs = await runOn(network, engine, samples)
  const scores = outputs[0] as ElementArray
  if (options.output !== undefined) {
    const shape = typeOf(network, network.outputs[0] as number).shape
    await writeResult(options.output, writeNpy([samples.count, ...shape], scores), io)
  }
  if (options.output !== '-') report(io, network, samples, scores, engine)
}

export const registerRun = (program: Command): void => {
  finish(
    program
      .command('run')
      .description('run a network over data; with labels, print accuracy and the confusion matrix')
      .argument('<network>', 'a .net file, a model.json, or the name of a shipped model')
      .requiredOption('--data <data>', 'samples: .npy, idx, images, mnist, fashion-mnist')
      .option('--labels <file>', 'labels for .npy and idx samples: .npy or idx')
      .option('--on <engine>', 'reference, wasm or onnx', 'wasm')
      .option('--limit <n>', 'at most so many samples', count(1))
      .option('--scale <factor>', 'factor on byte data (default 1/255)', real)
      .option('-o, --output <file>', 'write the scores as .npy; - is stdout')
      .action(run),
    'spikeport run mnist-cnn --data mnist --on wasm',
  )
}
