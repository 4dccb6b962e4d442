import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { cloneModel, loadModel, saveModel } from '#src/train/model-files.js'
import { loadTensorFlow, type TensorFlow } from '#src/train/tfjs.js'
import { toy } from './toy.js'

let tf: TensorFlow
let folder: string

beforeAll(async () => {
  tf = await loadTensorFlow()
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikeport-model-'))
})
afterEach(async () => rm(folder, { recursive: true, force: true }))

const weightsOf = (model: ReturnType<typeof toy.model>) => model.weights.map((weight) => [weight.originalName, Array.from(weight.read().dataSync())])

test('a model that is saved and loaded is the same', async () => {
  const model = toy.model(tf, 3)
  await saveModel(tf, model, join(folder, 'new'))
  expect((await readdir(join(folder, 'new'))).sort()).toEqual(['model.json', 'weights.bin'])
  for (const path of [join(folder, 'new'), join(folder, 'new', 'model.json')]) expect(weightsOf(await loadModel(tf, path))).toEqual(weightsOf(model))
  expect(weightsOf(await cloneModel(tf, model))).toEqual(weightsOf(model))
})

test('saving the same model twice gives the same bytes', async () => {
  const model = toy.model(tf, 3)
  const bytes = []
  for (let i = 0; i < 2; i++) {
    await saveModel(tf, model, folder)
    bytes.push(await readFile(join(folder, 'model.json')), await readFile(join(folder, 'weights.bin')))
  }
  expect(bytes[2]).toEqual(bytes[0])
  expect(bytes[3]).toEqual(bytes[1])
})

test('a folder that cannot be written is refused', async () => {
  await writeFile(join(folder, 'file'), '')
  await expect(saveModel(tf, toy.model(tf, 3), join(folder, 'file'))).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' })
})

test('files that are no layers model are refused', async () => {
  const path = join(folder, 'model.json')
  await expect(loadModel(tf, folder)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  for (const [text, message] of [
    ['{', `${path}: not valid JSON.`],
    ['null', `${path}: not a tfjs layers model (modelTopology or weightsManifest is missing).`],
    ['{"modelTopology":{},"weightsManifest":[{}]}', `${path}: not a tfjs layers model (modelTopology or weightsManifest is missing).`],
  ] as const) {
    await writeFile(path, text)
    await expect(loadModel(tf, path)).rejects.toMatchObject({ code: 'FILE_MALFORMED', message })
  }
  await saveModel(tf, toy.model(tf, 3), folder)
  await writeFile(join(folder, 'weights.bin'), new Uint8Array(10))
  await expect(loadModel(tf, folder)).rejects.toMatchObject({
    code: 'FILE_MALFORMED',
    message: expect.stringContaining('TensorFlow.js cannot build it') as string,
  })
})
