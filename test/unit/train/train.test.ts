import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { accuracy } from '#src/train/evaluate.js'
import { loadModel } from '#src/train/model-files.js'
import { type Progress, type TrainOptions, type TrainResult, train } from '#src/train/train.js'
import { splits, toy } from './toy.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikeport-train-'))
})
afterEach(async () => rm(folder, { recursive: true, force: true }))

const weightsOf = ({ model }: TrainResult): number[][] => model.weights.map((weight) => Array.from(weight.read().dataSync()))

/** Trains and stops after a number of batches. */
const trainAndStop = (batches: number, options: TrainOptions = {}): Promise<TrainResult> => {
  const controller = new AbortController()
  let done = 0
  const onProgress = () => {
    done += 1
    if (done === batches) controller.abort()
  }
  return train(toy, { ...options, signal: controller.signal, onProgress })
}

test('training learns, tells its progress, and looks at the test data at the end', async () => {
  const told: Progress[] = []
  const result = await train(toy, { onProgress: (progress) => told.push(progress) })
  expect(result.stopped).toBe('finished')
  expect(result.testAccuracy).toBeGreaterThan(0.9)
  expect(result.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4])
  expect(told).toHaveLength(40)
  expect(told.at(0)).toMatchObject({ epoch: 1, epochs: 4, batch: 1, batches: 10, validationAccuracy: null })
  expect(told.at(-1)).toMatchObject({ epoch: 4, batch: 10, secondsLeft: 0, validationAccuracy: result.history[3]?.validationAccuracy })
  expect(result.checkpoint).toBeNull()
})

test('the same seed gives the same weights, another seed gives others', async () => {
  const [first, second, other] = [await train(toy), await train(toy), await train(toy, { seed: 6 })]
  expect(weightsOf(second)).toEqual(weightsOf(first))
  expect(weightsOf(other)).not.toEqual(weightsOf(first))
})

test('the checkpoint holds the best epoch by validation accuracy, as standard tfjs files', async () => {
  const result = await train(toy, { output: folder })
  expect((await readdir(folder)).sort()).toEqual(['model.json', 'weights.bin'])
  expect(result.checkpoint).toBe(join(folder, 'model.json'))
  const document = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as Record<string, unknown>
  expect(Object.keys(document).sort()).toEqual(['convertedBy', 'format', 'generatedBy', 'modelTopology', 'weightsManifest'])
  expect(document['format']).toBe('layers-model')
  const loaded = await loadModel(result.tf, folder)
  expect(accuracy(result.tf, loaded, splits().validation)).toBe(result.best?.validationAccuracy)
  expect(result.best?.validationAccuracy).toBe(Math.max(...result.history.map(({ validationAccuracy }) => validationAccuracy)))
})

test('a resumed training ends with the same weights, bit for bit', async () => {
  const whole = await train(toy)
  const stopped = await trainAndStop(27, { output: folder })
  expect(stopped).toMatchObject({ stopped: 'interrupted', testAccuracy: null, best: { epoch: expect.any(Number) as number } })
  expect((await readdir(folder)).sort()).toEqual(['model.json', 'resume.bin', 'weights.bin'])
  const resumed = await train(toy, { output: folder, resume: true })
  expect(resumed.history).toEqual(whole.history)
  expect(weightsOf(resumed)).toEqual(weightsOf(whole))
  expect(await readdir(folder)).not.toContain('resume.bin')
})

test('an interrupt before the first epoch ends keeps nothing and says so', async () => {
  const result = await trainAndStop(3, { output: folder })
  expect(result).toMatchObject({ stopped: 'interrupted', best: null, checkpoint: null })
  expect(await readdir(folder)).toEqual([])
})

test('training stops early when validation does not get better', async () => {
  const schedule = { ...toy.schedule, epochs: 30, learningRate: { kind: 'constant', peak: 1e-9 }, patienceEpochs: 2 } as const
  const result = await train(toy, { schedule })
  expect(result.stopped).toBe('early')
  expect(result.history.length - (result.best?.epoch ?? 0)).toBe(2)
})

test('momentum trains as well', async () => {
  const schedule = {
    ...toy.schedule,
    optimizer: { kind: 'momentum', weightDecay: 1e-3 },
    learningRate: { kind: 'cosine', peak: 0.05 },
    labelSmoothing: 0.1,
  } as const
  expect((await train(toy, { schedule })).testAccuracy).toBeGreaterThan(0.9)
})

test('no tensor of a training is left behind but the weights of its model', async () => {
  const { tf, model } = await train(toy)
  const before = tf.memory().numTensors
  const again = await train(toy)
  expect(tf.memory().numTensors - before).toBe(model.weights.length)
  again.model.dispose()
  expect(tf.memory().numTensors).toBe(before)
})

test('resuming is refused where it cannot be the same training', async () => {
  await expect(train(toy, { resume: true })).rejects.toMatchObject({ code: 'USAGE', message: 'resume needs the folder of the training to go on with.' })
  await expect(train(toy, { output: folder, resume: true })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  await trainAndStop(12, { output: folder })
  await expect(train(toy, { output: folder, resume: true, seed: 9 })).rejects.toMatchObject({
    code: 'INPUT_MISMATCH',
    message: `${folder} holds the state of another training (recipe, seed, schedule or data differ).`,
  })
})

test('a damaged state is refused', async () => {
  await trainAndStop(12, { output: folder })
  const path = join(folder, 'resume.bin')
  const bytes = await readFile(path)
  bytes[200] = (bytes[200] ?? 0) ^ 1
  await writeFile(path, bytes)
  await expect(train(toy, { output: folder, resume: true })).rejects.toMatchObject({
    code: 'FILE_MALFORMED',
    message: expect.stringContaining('the checksum does not match') as string,
  })
  await writeFile(path, bytes.subarray(0, 7))
  await expect(train(toy, { output: folder, resume: true })).rejects.toMatchObject({ message: `${path} at byte 0: not the state of a training.` })
})

test('data that do not fit the model are refused before anything is trained', async () => {
  const { train: data, ...rest } = splits()
  const flat = { ...rest, train: { ...data, shape: [36] } }
  await expect(train(toy, { data: flat })).rejects.toMatchObject({
    code: 'INPUT_MISMATCH',
    message: 'stripes has samples of shape [36], the model takes [6, 6, 1].',
  })
  const many = { ...rest, train: { ...data, classes: ['a', 'b', 'c'] } }
  await expect(train(toy, { data: many })).rejects.toMatchObject({ message: 'stripes has 3 classes, the model has 2 outputs.' })
})
