import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { models } from '#models/index.js'
import { accuracy } from '#src/train/evaluate.js'
import { mnist } from '#src/train/mnist.js'
import { loadModel } from '#src/train/model-files.js'
import { loadTensorFlow, type TensorFlow } from '#src/train/tfjs.js'

const MODELS = join(import.meta.dirname, '..', '..', '..', 'models')

/** Trainable and moving weights, and the least test accuracy of the shipped checkpoint. */
const PROMISES: Readonly<Record<string, { weights: number; accuracy: number }>> = {
  'mnist-mlp': { weights: 118282, accuracy: 0.98 },
  'mnist-mlp-staircase': { weights: 119050, accuracy: 0.975 },
  'mnist-mlp-binary': { weights: 270858, accuracy: 0.97 },
  'mnist-snn': { weights: 101770, accuracy: 0.975 },
  'mnist-cnn': { weights: 14618, accuracy: 0.985 },
  'mnist-cnn-staircase': { weights: 19418, accuracy: 0.985 },
  'mnist-cnn-binary': { weights: 90154, accuracy: 0.985 },
  'fashion-cnn': { weights: 46898, accuracy: 0.91 },
}

let tf: TensorFlow

beforeAll(async () => {
  tf = await loadTensorFlow()
})

test.each(models.map(({ name }) => name))('recipe %s has the name, the size and the shapes it promises, and its checkpoint is that network', async (name) => {
  const recipe = await models.find((model) => model.name === name)?.load()
  expect(recipe?.name).toBe(name)
  const model = recipe?.model(tf, 1)
  expect(model?.countParams()).toBe(PROMISES[name]?.weights)
  expect([model?.inputs[0]?.shape, model?.outputs[0]?.shape]).toEqual([
    [null, 28, 28, 1],
    [null, 10],
  ])
  expect(existsSync(join(MODELS, name, 'card.md'))).toBe(true)
  const shipped = await loadModel(tf, join(MODELS, name, 'checkpoint'))
  expect(shipped.weights.map(({ originalName, shape }) => [originalName, shape])).toEqual(
    model?.weights.map(({ originalName, shape }) => [originalName, shape]),
  )
})

test.each(['mnist-mlp', 'mnist-mlp-staircase', 'mnist-mlp-binary', 'mnist-snn', 'mnist-cnn', 'mnist-cnn-staircase', 'mnist-cnn-binary'])(
  'the checkpoint of %s is as accurate on the test data as promised',
  async (name) => {
    const { test: data } = await mnist()
    expect(accuracy(tf, await loadModel(tf, join(MODELS, name, 'checkpoint')), data)).toBeGreaterThan(PROMISES[name]?.accuracy ?? 1)
  },
)

test('the weights of a recipe depend on the seed alone', async () => {
  const recipe = await models.find(({ name }) => name === 'mnist-cnn')?.load()
  const kernel = (seed: number) => Array.from(recipe?.model(tf, seed).weights[0]?.read().dataSync() ?? [])
  expect(kernel(1)).toEqual(kernel(1))
  expect(kernel(2)).not.toEqual(kernel(1))
})
