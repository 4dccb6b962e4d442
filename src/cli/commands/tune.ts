// spikeport tune: other constants for an integer network, found from losses alone; the iterate is chosen on validation samples, test accuracy is computed
// once at the end, and an interrupted run goes on to the same bytes.

import { resolve } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Runtime } from '../../contracts/runtime.js'
import { crc32 } from '../../crc32.js'
import { usage } from '../../errors.js'
import { saveNetwork } from '../../network/net-file.js'
import type { Network } from '../../network/types.js'
import { networkParameters, scoreNetwork, splitData, type TuneData, tuneReportPage } from '../../tune/index.js'
import { type Io, percent, processIo, table } from '../io.js'
import { openInteger } from '../networks.js'
import { count, finish, real, writeResult } from '../options.js'
import { checkNoCheckpoint, type Fingerprint, readCheckpoint, removeCheckpoint, type SavedRun, writeCheckpoint } from '../tune/checkpoint.js'
import { readTuneData, type TuneSource } from '../tune/data.js'
import { accuracyOn, engineFor } from '../tune/engine.js'
import { type HistoryRecorder, recordHistory } from '../tune/history.js'
import { FULL_PASS_METHODS, OBJECTIVES } from '../tune/methods.js'
import { tuneProgress } from '../tune/progress.js'
import { parameterKinds, type RunOutcome, type RunSettings, runTuning } from '../tune/run.js'
import { type Accuracies, summaryRows, type TuneSummary } from '../tune/summary.js'

interface Options {
  readonly data: string
  readonly labels?: string
  readonly limit?: number
  readonly scale?: number
  readonly turn?: number
  readonly test?: string
  readonly testLabels?: string
  readonly method: RunSettings['method']
  readonly objective: RunSettings['objective']
  readonly steps: number
  readonly seconds?: number
  readonly batch: number
  readonly seed: number
  readonly layers?: string
  readonly parameters: string
  readonly radius?: number
  readonly stepSize?: number
  readonly largestLevel: number
  readonly validation: number
  readonly validateEvery?: number
  readonly resume?: boolean
  readonly report?: string
  readonly output: string
  readonly json?: boolean
}

/** Everything a run needs, read and checked. */
interface Job {
  readonly source: string
  readonly options: Options
  readonly network: Network<'integer'>
  readonly settings: RunSettings
  readonly data: TuneData
  readonly validation: TuneData | null
  readonly test: TuneData | null
  readonly engine: Runtime
  readonly fingerprint: Fingerprint
}

/** Milliseconds between two checkpoints; the first step writes one too, so that an output that cannot be written shows at once. */
const CHECKPOINT_MILLIS = 5000

const settingsOf = (options: Options): RunSettings => {
  const { method, objective, steps, batch, seed, layers, parameters, radius, stepSize, largestLevel, validateEvery } = options
  return {
    method,
    objective,
    steps,
    batchSize: batch,
    seed,
    kinds: parameterKinds(parameters),
    largestLevel: () => largestLevel,
    validateEvery: validateEvery ?? Math.max(1, Math.round(steps / 20)),
    ...(layers !== undefined && { layers: layers.split(',').map((name) => name.trim()) }),
    ...(radius !== undefined && { radius }),
    ...(stepSize !== undefined && { stepSize }),
  }
}

const crcOfData = ({ inputs, labels }: TuneData): number =>
  [...inputs, labels as Int32Array].reduce((crc, { buffer, byteOffset, byteLength }) => crc32(new Uint8Array(buffer, byteOffset, byteLength), crc), 0)

/** Options that change the bytes of the result. Time limits and where things are written do not. */
const fingerprintOf = (network: Network<'integer'>, data: TuneData, options: Options, { validateEvery }: RunSettings): Fingerprint => ({
  network: crc32(saveNetwork(network)),
  data: crcOfData(data),
  '--method': options.method,
  '--objective': options.objective,
  '--steps': options.steps,
  '--batch': options.batch,
  '--seed': options.seed,
  '--layers': options.layers ?? 'all',
  '--parameters': options.parameters,
  '--radius': options.radius ?? 'default',
  '--step-size': options.stepSize ?? 'default',
  '--largest-level': options.largestLevel,
  '--validation': options.validation,
  '--validate-every': validateEvery,
})

const testSource = ({ test, testLabels, scale, turn }: Options, source: string): TuneSource => ({
  source: test ?? source,
  split: 'test',
  labelOption: '--test-labels',
  ...(testLabels !== undefined && { labels: testLabels }),
  ...(scale !== undefined && { scale }),
  ...(turn !== undefined && { turn }),
})

const dataSource = ({ data, labels, limit, scale, turn }: Options): TuneSource => ({
  source: data,
  split: 'train',
  labelOption: '--labels',
  ...(labels !== undefined && { labels }),
  ...(limit !== undefined && { limit }),
  ...(scale !== undefined && { scale }),
  ...(turn !== undefined && { turn }),
})

const checkOptions = (source: string, { output, resume, testLabels, test }: Options): void => {
  if (resolve(source) === resolve(output)) throw usage(`-o ${output} would replace the network that is tuned.`, 'Write the result to another file.')
  if (output === '-' && resume === true) throw usage('--resume needs a file as output: its checkpoint lies beside it.', 'Name a file with -o.')
  if (testLabels !== undefined && test === undefined) throw usage('--test-labels is given, --test is not.', 'Name the test samples with --test.')
  if (output !== '-' && resume !== true) checkNoCheckpoint(output)
}

const prepare = async (source: string, options: Options): Promise<Job> => {
  checkOptions(source, options)
  const network = await openInteger(source)
  const settings = settingsOf(options)
  networkParameters(scoreNetwork(network), settings)
  const all = await readTuneData(network, dataSource(options))
  const test = options.test === undefined ? null : await readTuneData(network, testSource(options, options.test))
  const split = options.validation === 0 ? { data: all, validation: null } : splitData(network, all, options.validation, options.seed)
  return { source, options, network, settings, test, ...split, engine: await engineFor(network), fingerprint: fingerprintOf(network, all, options, settings) }
}

interface Finished {
  readonly outcome: RunOutcome
  readonly recorder: HistoryRecorder
  readonly stopped: TuneSummary['stopped']
}

const execute = async (io: Io, job: Job, resumed: SavedRun | null): Promise<Finished> => {
  const { options, network, data, validation, settings, engine, fingerprint } = job
  const recorder = recordHistory(resumed?.history)
  const progress = tuneProgress(io, {
    steps: settings.steps,
    probeName: settings.method === 'units' ? 'weight costs' : 'passes',
    ...(options.seconds !== undefined && { seconds: options.seconds }),
  })
  let savedAt = Number.NEGATIVE_INFINITY
  const save = (checkpoint: unknown): Promise<void> => writeCheckpoint(options.output, { fingerprint, history: recorder.saved(), checkpoint })
  try {
    const outcome = await runTuning({
      network,
      data,
      validation,
      settings,
      engine,
      signal: io.signal,
      ...(options.seconds !== undefined && { seconds: options.seconds }),
      ...(resumed !== null && { resume: resumed.checkpoint }),
      onValidation: (score, step, seconds) => {
        recorder.addValidation(score, step, seconds)
        progress.validation(score, step)
      },
      onStep: async (report, checkpoint) => {
        recorder.addStep(report.step, report.seconds, report.loss)
        progress.step(report)
        if (options.output !== '-' && performance.now() - savedAt > CHECKPOINT_MILLIS) {
          await save(checkpoint())
          savedAt = performance.now()
        }
        await nextTurn() // so that Ctrl-C is heard
      },
    })
    const stopped = outcome.step >= settings.steps ? 'steps' : io.signal.aborted ? 'interrupted' : 'seconds'
    if (stopped === 'interrupted' && options.output !== '-') await save(outcome.checkpoint)
    return { outcome, recorder, stopped }
  } finally {
    progress.stop()
  }
}

const keptStepOf = ({ best, step }: RunOutcome): number => best?.step ?? step

/** How the result was made, in words that do not depend on the time it took. */
const withMetadata = ({ network, options, settings, data, validation }: Job, outcome: RunOutcome): Network<'integer'> => {
  const chosen =
    outcome.best === null ? '' : `, step ${outcome.best.step} chosen by ${percent(outcome.best.score)} of ${validation?.count ?? 0} validation samples`
  const what = `${settings.method}, ${settings.objective}, ${outcome.step} of ${settings.steps} steps, batch ${settings.batchSize}, seed ${settings.seed}, ${options.parameters} of ${options.layers ?? 'all layers'}, ${data.count} samples${chosen}`
  const earlier = network.metadata['tuned']
  return { ...outcome.network, metadata: { ...outcome.network.metadata, tuned: earlier === undefined ? what : `${earlier}; ${what}` } }
}

const testAccuracies = async ({ test, engine, network }: Job, { network: tuned, last }: RunOutcome): Promise<(Accuracies & { samples: number }) | null> => {
  if (test === null) return null
  const accuracy = accuracyOn(engine)
  return { before: await accuracy(network, test), tuned: await accuracy(tuned, test), last: await accuracy(last, test), samples: test.count }
}

const summarize = async (job: Job, { outcome, recorder, stopped }: Finished): Promise<TuneSummary> => {
  const { network, settings, options, data, validation, engine } = job
  const { losses, validations } = recorder.history
  const finite = losses.filter(Number.isFinite)
  return {
    network: network.name,
    output: options.output,
    method: settings.method,
    objective: settings.objective,
    engine: engine.name,
    stopped,
    steps: outcome.step,
    seconds: outcome.seconds,
    samples: data.count,
    parameters: networkParameters(scoreNetwork(network), settings).count,
    keptStep: keptStepOf(outcome),
    lossFirst: finite[0] ?? null,
    lossLast: finite.at(-1) ?? null,
    validation:
      validation === null || outcome.best === null
        ? null
        : { before: validations[0] ?? 0, tuned: outcome.best.score, last: outcome.lastScore ?? outcome.best.score, samples: validation.count },
    test: stopped === 'interrupted' ? null : await testAccuracies(job, outcome),
    probes: outcome.probes,
    probesPerSecond: outcome.probes / Math.max(outcome.seconds, 1e-9),
    passes: outcome.passes,
    unitEvaluations: outcome.unitEvaluations,
  }
}

const writeReport = async (io: Io, path: string, job: Job, summary: TuneSummary, { history }: HistoryRecorder): Promise<void> => {
  const settings = Object.entries(job.fingerprint).map(([name, value]) => [name, String(value)] as const)
  const page = tuneReportPage({
    title: `spikeport tune ${summary.network}`,
    figures: summaryRows(summary),
    settings: [['--data', job.options.data], ['engine of validation', summary.engine], ...settings],
    history,
  })
  await writeResult(path, page, io)
}

const run = async (source: string, options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const job = await prepare(source, options)
  const finished = await execute(io, job, options.resume === true ? await readCheckpoint(options.output, job.fingerprint) : null)
  const summary = await summarize(job, finished)
  await writeResult(options.output, saveNetwork(withMetadata(job, finished.outcome)), io)
  if (options.report !== undefined) await writeReport(io, options.report, job, summary, finished.recorder)
  const isInterrupted = finished.stopped === 'interrupted'
  if (!isInterrupted && options.output !== '-') await removeCheckpoint(options.output)
  if (options.output !== '-') {
    io.json(summary)
    io.print(table(['figure', 'value'], summaryRows(summary)))
    io.print(`\n${options.output}: ${summary.network}, tuned`)
  }
  if (isInterrupted) {
    io.note(options.output === '-' ? 'interrupted' : `interrupted; ${options.output} holds the best so far; the same command with --resume goes on`)
    process.exitCode = 130
  }
}

/** A number above 0. */
const positive = (text: string): number => {
  const value = real(text)
  if (value <= 0) throw new InvalidArgumentError('a number above 0 is needed.')
  return value
}

/** A part of the samples, 0 up to but not including 1. */
const share = (text: string): number => {
  const value = real(text)
  if (value < 0 || value >= 1) throw new InvalidArgumentError('a number from 0 up to, but not including, 1 is needed.')
  return value
}

/** The largest |level| of a weight. */
const level = (text: string): number => {
  const value = count(1)(text)
  if (value > 127) throw new InvalidArgumentError('a whole number from 1 to 127 is needed.')
  return value
}

export const registerTune = (program: Command): void => {
  finish(
    program
      .command('tune')
      .description('change the constants of an integer network, without gradients, to make a loss on labelled samples small; Ctrl-C keeps the best so far')
      .argument('<network>', 'an integer .net file, a .tflite file or the name of a shipped model')
      .requiredOption('--data <data>', 'labelled samples: mnist, fashion-mnist, .npy, idx, or a folder with one subfolder of images a class')
      .option('--labels <file>', 'class of each sample: .npy or idx')
      .option('--limit <n>', 'use the first samples only', count(1))
      .option('--scale <factor>', 'factor on byte data (default 1/255)', real)
      .option('--turn <degrees>', 'turn the images of --data and --test first: a shift of the data to try tuning on', real)
      .option('--test <data>', 'samples that the accuracy is computed on once, at the end')
      .option('--test-labels <file>', 'class of each test sample')
      .addOption(
        new Option('--method <name>', 'units is PolyStep with costs of single units, the others take full passes')
          .choices(['units', ...FULL_PASS_METHODS])
          .default('units'),
      )
      .addOption(new Option('--objective <name>', 'what is made small').choices(OBJECTIVES).default('cross-entropy'))
      .option('--steps <n>', 'steps of the whole run; step sizes fall towards the last one', count(1), 200)
      .option('--seconds <s>', 'stop after so much time, if the steps are not done by then', positive)
      .option('--batch <n>', 'samples of a step', count(1), 256)
      .option('--seed <n>', 'order of the samples, the validation split, random directions', count(0), 1)
      .option('--layers <names>', 'layers to tune, comma-separated (default: all with int8 weights)')
      .option('--parameters <kinds>', 'weights, bias or both', 'weights,bias')
      .option('--radius <levels>', 'how far a weight is probed (default: 10 levels for int8; each method has its own)', positive)
      .option('--step-size <levels>', 'how far a weight moves in a step (default: 1.5 levels for int8; each method has its own)', positive)
      .option('--largest-level <n>', 'weights stay within -n..n: 1 ternary, 7 int4', level, 127)
      .option('--validation <part>', 'part of the samples that chooses the best iterate, cut off by the seed; 0 keeps the last iterate', share, 0.1)
      .option('--validate-every <steps>', 'steps between validations (default: a twentieth of the steps)', count(1))
      .option('--resume', 'go on with the unfinished run of the same output, to the bytes that an uninterrupted one gives')
      .option('--report <file>', 'write a page of HTML with curves, figures and settings')
      .requiredOption('-o, --output <file>', 'the .net file to write; - is stdout')
      .action(run),
    [
      'spikeport tune digits.int8.net --data train.npy --labels labels.npy --steps 200 -o tuned.net',
      '',
      'A camera was mounted askew: 2000 labelled samples of what it sees now bring the accuracy back',
      'spikeport tune mnist-mlp --data mnist --limit 2000 --turn 35 --test mnist --steps 60 --report tuned.html -o tuned.net',
    ].join('\n'),
  )
}
