import type { LayersModel, SymbolicTensor, Tensor } from '@tensorflow/tfjs'
import { beforeAll, expect, test } from 'vitest'
import type { DataSet } from '#src/train/data.js'
import { accuracy } from '#src/train/evaluate.js'
import { fakeQuantize, fakeQuantizeWeights } from '#src/train/fake-quantize.js'
import { modelGraph } from '#src/train/model-graph.js'
import { fakeQuantizedAccuracy, fineTuneQuantized } from '#src/train/quantization-aware.js'
import { quantizedForward, quantizedStages } from '#src/train/quantized-forward.js'
import type { Recipe } from '#src/train/recipe.js'
import { loadTensorFlow, type TensorFlow } from '#src/train/tfjs.js'
import { train } from '#src/train/train.js'
import { splits, toy } from './toy.js'

type LayerVariable = LayersModel['weights'][number]

let tf: TensorFlow

beforeAll(async () => {
  tf = await loadTensorFlow()
})

test('fake quantization rounds half to even onto the int8 grid and keeps zero exact', () => {
  const x = tf.tensor1d([-3, -1, -0.5, 0, 0.5, 1.5, 2.5, 154, 300])
  const y = fakeQuantize(tf, x, { min: -100, max: 155 })
  expect([...y.dataSync()]).toEqual([-3, -1, -0, 0, 0, 2, 2, 154, 155])
})

test('the gradient of fake quantization passes inside the range and stops outside', () => {
  const gradient = tf.grad((x) => fakeQuantize(tf, x, { min: -1, max: 1 }))(tf.tensor1d([-2, -0.9, 0, 0.9, 2]))
  expect([...gradient.dataSync()]).toEqual([0, 1, 1, 1, 0])
})

test('weights get one symmetric grid a channel, and their gradient passes', () => {
  const weights = tf.tensor2d([
    [127, 1],
    [63.4, -0.5],
    [-127, 0],
  ])
  const quantized = [...fakeQuantizeWeights(tf, weights).dataSync()]
  for (const [i, value] of [127, 1, 63, -64 / 127, -127, 0].entries()) expect(quantized[i]).toBeCloseTo(value, 5)
  const gradient = tf.grad((x) => fakeQuantizeWeights(tf, x as never))(weights)
  expect([...gradient.dataSync()]).toEqual([1, 1, 1, 1, 1, 1])
})

/** A Functional model of every kind of layer that training for int8 knows. */
const everyLayer = (): LayersModel => {
  const input = tf.input({ shape: [12, 8, 2] })
  const apply = (layer: { apply: (x: SymbolicTensor | SymbolicTensor[]) => unknown }, x: SymbolicTensor | SymbolicTensor[]) => layer.apply(x) as SymbolicTensor
  const first = apply(tf.layers.conv2d({ filters: 6, kernelSize: 3, padding: 'same', kernelInitializer: tf.initializers.heNormal({ seed: 1 }) }), input)
  const norm = apply(
    tf.layers.reLU({ maxValue: 6 }),
    apply(
      tf.layers.batchNormalization({
        betaInitializer: tf.initializers.randomNormal({ seed: 2 }),
        movingVarianceInitializer: tf.initializers.constant({ value: 2 }),
      }),
      first,
    ),
  )
  const deep = apply(
    tf.layers.depthwiseConv2d({
      kernelSize: 3,
      padding: 'same',
      depthMultiplier: 1,
      activation: 'relu',
      depthwiseInitializer: tf.initializers.heNormal({ seed: 3 }),
    }),
    norm,
  )
  const sum = apply(tf.layers.activation({ activation: 'relu' }), apply(tf.layers.add(), [norm, deep]))
  const joined = apply(tf.layers.concatenate(), [apply(tf.layers.maxPooling2d({ poolSize: 2 }), sum), apply(tf.layers.averagePooling2d({ poolSize: 2 }), sum)])
  const steps = apply(tf.layers.reshape({ targetShape: [24, 12] }), joined)
  const line = apply(
    tf.layers.conv1d({ filters: 5, kernelSize: 3, strides: 2, kernelInitializer: tf.initializers.heNormal({ seed: 4 }) }),
    apply(tf.layers.dropout({ rate: 0.3 }), steps),
  )
  const scores = apply(tf.layers.dense({ units: 3, kernelInitializer: tf.initializers.heNormal({ seed: 5 }) }), apply(tf.layers.flatten(), line))
  return tf.model({ inputs: input, outputs: apply(tf.layers.softmax(), scores) })
}

test('the quantized pass of every kind of layer stays within the error of eight bits', () => {
  const model = everyLayer()
  const x = tf.randomUniform([16, 12, 8, 2], 0, 1, 'float32', 7)
  const ranges = (_value: number, tensor: Tensor) => ({ min: Math.min(0, tf.min(tensor).dataSync()[0] ?? 0), max: tf.max(tensor).dataSync()[0] ?? 0 })
  const quantized = tf.softmax(quantizedForward(tf, modelGraph(model), x, ranges))
  const difference = tf.max(tf.abs(tf.sub(quantized, model.predict(x) as Tensor))).dataSync()[0] ?? 1
  expect(difference).toBeLessThan(0.05)
  expect(difference).toBeGreaterThan(0)
})

test('a layer, the batch norm and the ReLU behind it become one stage', () => {
  const { stages } = quantizedStages(modelGraph(everyLayer()))
  expect(stages.map(({ call, norm, activation }) => `${call.kind}${norm ? '+norm' : ''}:${activation}`)).toEqual([
    'Conv2D+norm:relu6',
    'DepthwiseConv2D:relu',
    'Add:relu',
    'MaxPooling2D:linear',
    'AveragePooling2D:linear',
    'Concatenate:linear',
    'Reshape:linear',
    'Dropout:linear',
    'Conv1D:linear',
    'Flatten:linear',
    'Dense:linear',
  ])
})

test('an activation that int8 has no form for is refused by the name of its layer', () => {
  const model = tf.sequential({ layers: [tf.layers.dense({ name: 'hidden', units: 3, inputShape: [2], activation: 'tanh' }), tf.layers.dense({ units: 2 })] })
  expect(() => quantizedStages(modelGraph(model))).toThrow(
    'layer "hidden" has the activation tanh, quantization-aware training handles relu, relu6 and a last softmax.',
  )
})

/** Stripes whose first pixel is always white: a weight on it is a second bias. */
const whiteCorner = (data: DataSet): DataSet => ({ ...data, images: data.images.map((value, i) => (i % 36 === 0 ? 255 : value)) as Uint8Array })

const dense: Recipe = {
  ...toy,
  model: (engine, seed) =>
    engine.sequential({
      layers: [
        engine.layers.flatten({ inputShape: [6, 6, 1] }),
        engine.layers.dense({ name: 'hidden', units: 12, activation: 'relu', kernelInitializer: engine.initializers.heNormal({ seed }) }),
        engine.layers.dense({ name: 'scores', units: 2, activation: 'softmax', kernelInitializer: engine.initializers.heNormal({ seed: seed + 1 }) }),
      ],
    }),
  schedule: { epochs: 10, batchSize: 32, learningRate: { kind: 'one-cycle', peak: 0.02 } },
}

/** Gives the white corner a weight of 100 in each hidden unit and takes it away again from the bias: the float model stays the same,
 * but on the int8 grid the other weights of the unit are less than a step. */
const widenWeights = (model: LayersModel): void => {
  const [kernel, bias] = ['hidden/kernel', 'hidden/bias'].map((name) => model.weights.find((weight) => weight.originalName === name)) as [
    LayerVariable,
    LayerVariable,
  ]
  const [weights, biases] = [kernel, bias].map((variable) => Float32Array.from(variable.read().dataSync())) as [Float32Array, Float32Array]
  for (let unit = 0; unit < biases.length; unit++) {
    biases[unit] = (biases[unit] ?? 0) + (weights[unit] ?? 0) - 100
    weights[unit] = 100
  }
  kernel.write(tf.tensor(weights, kernel.shape as number[]))
  bias.write(tf.tensor(biases, bias.shape as number[]))
}

test('fine-tuning wins back what quantization lost to a wide range of weights', async () => {
  const { train: training, validation, test: testing } = splits()
  const data = { train: whiteCorner(training), validation: whiteCorner(validation), test: whiteCorner(testing) }
  const { model } = await train(dense, { data })
  widenWeights(model)
  const float = accuracy(tf, model, data.test)
  const quantized = await fakeQuantizedAccuracy(model, data.train, data.test)
  const result = await fineTuneQuantized(model, data, { steps: 150, batchSize: 32, learningRate: 0.02, validateEverySteps: 25 })
  const tuned = await fakeQuantizedAccuracy(result.model, data.train, data.test)
  expect(float).toBeGreaterThan(0.95)
  expect(quantized).toBeLessThan(float - 0.1)
  expect(tuned).toBeGreaterThan(float - 0.03)
  expect(result.accuracyAfter).toBeGreaterThan(result.accuracyBefore)
  expect(accuracy(tf, model, data.test)).toBe(float)
})

test('fine-tuning is the same for the same seed, tells its progress and can be stopped', async () => {
  const { model } = await train(toy, { schedule: { ...toy.schedule, epochs: 1 } })
  const run = async (signal?: AbortSignal) => {
    const steps: number[] = []
    const result = await fineTuneQuantized(model, splits(), { steps: 6, validateEverySteps: 2, signal, onProgress: ({ step }) => steps.push(step) })
    return { steps, weights: result.model.weights.map((weight) => Array.from(weight.read().dataSync())) }
  }
  const [first, second, stopped] = [await run(), await run(), await run(AbortSignal.abort())]
  expect(first.steps).toEqual([1, 2, 3, 4, 5, 6])
  expect(second.weights).toEqual(first.weights)
  expect(stopped.steps).toEqual([])
  expect(stopped.weights).toEqual(model.weights.map((weight) => Array.from(weight.read().dataSync())))
})
