// The training loop of a recipe: epochs with progress, the best checkpoint by validation accuracy, early stop, resume, and an
// abort signal that keeps what was reached. The test split is looked at once, at the end.

import type { LayersModel } from '@tensorflow/tfjs'
import { inputMismatch, unsupported, usage } from '#src/errors.js'
import { makeFolder } from '#src/files.js'
import { permutation, STREAMS } from '#src/random.js'
import { makeBatch } from './batches.js'
import type { Splits } from './data.js'
import { accuracy } from './evaluate.js'
import { crossEntropy, trainingForward } from './forward.js'
import { saveModel } from './model-files.js'
import { type ModelGraph, modelGraph } from './model-graph.js'
import type { Recipe } from './recipe.js'
import { type EpochRecord, loadState, removeState, saveState } from './resume-file.js'
import { learningRateAt, type OptimizerSettings, type Schedule } from './schedule.js'
import { loadTensorFlow, type TensorFlow } from './tfjs.js'
import { assignWeights, makeTrainer, type Trainer, trainStep } from './trainer.js'
import { copyWeights, restoreWeights } from './weights.js'

export interface TrainOptions {
  /** folder for model.json, weights.bin and the state to resume from; default: nothing is written */
  readonly output?: string | undefined
  /** default: the recipe's */
  readonly seed?: number | undefined
  /** default: the recipe's full schedule */
  readonly schedule?: Schedule | undefined
  /** default: the recipe's data */
  readonly data?: Splits | undefined
  /** go on with the unfinished training in `output`; default false */
  readonly resume?: boolean | undefined
  /** stops between two batches; what was reached is kept */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Told after every batch, and once more when an epoch has been validated. */
export interface Progress {
  /** 1..epochs */
  readonly epoch: number
  readonly epochs: number
  /** 1..batches */
  readonly batch: number
  readonly batches: number
  /** mean over the epoch so far */
  readonly loss: number
  /** 0..1; of the epoch just validated, otherwise of the one before; null before the first */
  readonly validationAccuracy: number | null
  /** estimate for the rest of the training */
  readonly secondsLeft: number
}

export interface TrainResult {
  readonly tf: TensorFlow
  /** with the best weights by validation accuracy; the caller disposes of it */
  readonly model: LayersModel
  readonly splits: Splits
  readonly history: readonly EpochRecord[]
  /** what was kept: an epoch and its validation accuracy 0..1; null where no epoch was completed */
  readonly best: EpochRecord | null
  /** 0..1; null where the training was interrupted */
  readonly testAccuracy: number | null
  readonly stopped: 'finished' | 'early' | 'interrupted'
  /** path of model.json, or null where nothing was written */
  readonly checkpoint: string | null
  /** of this call, without loading */
  readonly seconds: number
}

/** Everything one training works on. */
interface Session {
  readonly tf: TensorFlow
  readonly model: LayersModel
  readonly graph: ModelGraph
  readonly splits: Splits
  readonly schedule: Schedule
  readonly seed: number
  readonly plan: string
  readonly trainer: Trainer
  readonly batches: number
  readonly history: EpochRecord[]
  best: { epoch: number; weights: Float32Array[] }
}

const ADAM: OptimizerSettings = { kind: 'adam' }

/**
 * Trains a recipe's model.
 *
 *     const { testAccuracy, checkpoint } = await train(recipe, { output: 'digits', onProgress: console.log })
 */
export const train = async (recipe: Recipe, options: TrainOptions = {}): Promise<TrainResult> => {
  if (options.resume && options.output === undefined) throw usage('resume needs the folder of the training to go on with.', 'Name it with -o.')
  const session = await openSession(recipe, options)
  if (options.output !== undefined) await makeFolder(options.output)
  if (options.resume && options.output !== undefined) await resumeSession(session, options.output)
  const start = performance.now()
  const stopped = await runEpochs(session, options, start)
  return finish(session, options, stopped, start)
}

const openSession = async (recipe: Recipe, options: TrainOptions): Promise<Session> => {
  const [tf, splits] = await Promise.all([loadTensorFlow(), options.data ?? recipe.data()])
  const schedule = options.schedule ?? recipe.schedule
  const seed = options.seed ?? recipe.seed
  const model = recipe.model(tf, seed)
  checkShapes(model, splits)
  const trainer = makeTrainer(tf, model, schedule.optimizer ?? ADAM)
  const batches = Math.max(1, Math.floor(splits.train.count / schedule.batchSize))
  const plan = JSON.stringify([recipe.name, seed, schedule, splits.train.count, model.weights.map(({ shape }) => shape)])
  const best = { epoch: 0, weights: [] }
  return { tf, model, graph: modelGraph(model), splits, schedule, seed, plan, trainer, batches, history: [], best }
}

const checkShapes = (model: LayersModel, { train: data }: Splits): void => {
  const [input, output] = [model.inputs[0]?.shape ?? [], model.outputs[0]?.shape ?? []]
  const expected = input.slice(1).join(', ')
  if (expected !== data.shape.join(', ')) {
    throw inputMismatch(
      `${data.name} has samples of shape [${data.shape.join(', ')}], the model takes [${expected}].`,
      'Change the input shape of the model or the data.',
    )
  }
  if (output.length !== 2) {
    throw unsupported(`the model gives values of shape [${output.slice(1).join(', ')}], training takes one score a class.`, 'End the model with a dense layer.')
  }
  if ((output[1] ?? 0) < data.classes.length) {
    throw inputMismatch(`${data.name} has ${data.classes.length} classes, the model has ${output[1]} outputs.`, 'Give the last layer one unit a class.')
  }
}

const runEpochs = async (session: Session, options: TrainOptions, start: number): Promise<TrainResult['stopped']> => {
  const firstEpoch = session.history.length
  for (let epoch = firstEpoch; epoch < session.schedule.epochs; epoch++) {
    if (hasStoppedEarly(session)) return 'early'
    const tell = progressTeller(session, options, epoch, firstEpoch, start)
    const loss = await runEpoch(session, epoch, tell, options.signal)
    if (loss === null) return 'interrupted'
    const validationAccuracy = accuracy(session.tf, session.model, session.splits.validation)
    session.history.push({ epoch: epoch + 1, loss, validationAccuracy })
    if (isBest(session.history)) session.best = { epoch: epoch + 1, weights: copyWeights(session.model) }
    if (options.output !== undefined) await saveCheckpoint(session, options.output)
    tell(session.batches, loss)
  }
  return 'finished'
}

/** The epoch's mean loss, or null when aborted. */
const runEpoch = async (session: Session, epoch: number, tell: Teller, signal: AbortSignal | undefined): Promise<number | null> => {
  const { schedule, splits, seed, batches } = session
  const order = permutation(splits.train.count, seed, epoch, STREAMS.shuffle)
  let sum = 0
  for (let batch = 0; batch < batches; batch++) {
    if (signal?.aborted) return null
    const position = batch * schedule.batchSize
    sum += runBatch(session, epoch, order.subarray(position, position + schedule.batchSize), position)
    if (batch + 1 < batches) tell(batch + 1, sum / (batch + 1))
    await new Promise((resolve) => setImmediate(resolve))
  }
  return signal?.aborted ? null : sum / batches
}

const runBatch = (session: Session, epoch: number, indices: Uint32Array, position: number): number => {
  const { tf, trainer, graph, schedule, splits, seed, batches } = session
  const { images, labels } = makeBatch(splits.train, indices, { seed, epoch, position }, schedule.augmentation)
  const { step } = trainer.state
  return trainStep(trainer, learningRateAt(schedule.learningRate, step, schedule.epochs * batches), () => {
    const x = tf.tensor(images, [labels.length, ...splits.train.shape])
    return crossEntropy(tf, trainingForward(tf, graph, x, { seed, step }), labels, schedule.labelSmoothing)
  })
}

type Teller = (batch: number, loss: number) => void

const progressTeller = ({ history, schedule, batches }: Session, options: TrainOptions, epoch: number, firstEpoch: number, start: number): Teller => {
  const all = (schedule.epochs - firstEpoch) * batches
  return (batch, loss) => {
    const done = (epoch - firstEpoch) * batches + batch
    const secondsLeft = ((performance.now() - start) / 1000 / done) * (all - done)
    const validationAccuracy = history.at(-1)?.validationAccuracy ?? null
    options.onProgress?.({ epoch: epoch + 1, epochs: schedule.epochs, batch, batches, loss, validationAccuracy, secondsLeft })
  }
}

const bestRecord = (history: readonly EpochRecord[]): EpochRecord | undefined =>
  history.reduce<EpochRecord | undefined>((best, record) => (best && best.validationAccuracy >= record.validationAccuracy ? best : record), undefined)

const isBest = (history: readonly EpochRecord[]): boolean => bestRecord(history) === history.at(-1)

const hasStoppedEarly = ({ history, schedule }: Session): boolean =>
  schedule.patienceEpochs !== undefined && history.length - (bestRecord(history)?.epoch ?? 0) >= schedule.patienceEpochs

const saveCheckpoint = async (session: Session, output: string): Promise<void> => {
  const { tf, model, trainer, best, history, plan } = session
  const weights = copyWeights(model)
  if (best.epoch === history.length) await saveModel(tf, model, output)
  const tensors = [...weights, ...best.weights, ...trainer.state.first, ...trainer.state.second]
  await saveState(output, { plan, step: trainer.state.step, history, bestEpoch: best.epoch, tensors })
}

const resumeSession = async (session: Session, output: string): Promise<void> => {
  const { tf, model, trainer } = session
  const state = await loadState(output)
  if (state.plan !== session.plan) {
    throw inputMismatch(
      `${output} holds the state of another training (recipe, seed, schedule or data differ).`,
      'Resume with the same settings, or train again without --resume.',
    )
  }
  const count = model.weights.length
  const tensors = trainer.variables.length
  restoreWeights(tf, model, state.tensors.slice(0, count))
  session.best = { epoch: state.bestEpoch, weights: state.tensors.slice(count, 2 * count) }
  session.history.push(...state.history)
  trainer.state.step = state.step
  copyInto(trainer.state.first, state.tensors.slice(2 * count))
  copyInto(trainer.state.second, state.tensors.slice(2 * count + tensors))
  copyInto(
    trainer.weights,
    trainer.variables.map((variable) => variable.dataSync() as Float32Array),
  )
  assignWeights(trainer)
}

const copyInto = (targets: readonly Float32Array[], sources: readonly Float32Array[]): void => {
  for (const [i, target] of targets.entries()) target.set(sources[i] ?? [])
}

const finish = async (session: Session, options: TrainOptions, stopped: TrainResult['stopped'], start: number): Promise<TrainResult> => {
  const { tf, model, splits, history, best } = session
  if (best.epoch > 0) restoreWeights(tf, model, best.weights)
  const testAccuracy = stopped === 'interrupted' ? null : accuracy(tf, model, splits.test)
  if (stopped !== 'interrupted' && options.output !== undefined) await removeState(options.output)
  return {
    tf,
    model,
    splits,
    history,
    best: history[best.epoch - 1] ?? null,
    testAccuracy,
    stopped,
    checkpoint: best.epoch > 0 && options.output !== undefined ? `${options.output}/model.json` : null,
    seconds: (performance.now() - start) / 1000,
  }
}
