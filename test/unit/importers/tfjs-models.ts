// What the importer's tests share: tfjs models with random weights, saved to memory, and the comparison of an imported network
// with tfjs itself.

import * as tf from '@tensorflow/tfjs'
import { referenceSession } from '#runtimes/reference/index.js'
import { importTfjsModel } from '#src/importers/tfjs/model.js'
import { typeOf } from '#src/network/graph.js'
import { elementCount, type Network } from '#src/network/types.js'
import { seededIntegers } from '../../helpers/fuzz.js'

await tf.setBackend('cpu')

export { tf }

export interface WeightSpec {
  name: string
  shape: number[]
  dtype: string
  quantization?: Record<string, unknown>
}

/** A model.json as tfjs writes it, open for changes by a test. */
export interface ModelFile {
  format: string
  generatedBy: string
  convertedBy: string | null
  modelTopology: Record<string, unknown>
  weightsManifest: { paths: string[]; weights: WeightSpec[] }[]
  userDefinedMetadata?: Record<string, unknown>
}

export interface SavedModel {
  readonly json: ModelFile
  readonly weights: Uint8Array
}

/** Uniform float32 numbers in -1..1. */
export const randomFloats = (count: number, seed: number): Float32Array => {
  const random = seededIntegers(seed)
  return Float32Array.from({ length: count }, () => (random(2 ** 24) - 2 ** 23) / 2 ** 23)
}

/** Sets all weights at random; variances and gammas are positive. */
export const randomizeWeights = (model: tf.LayersModel, seed: number): void => {
  model.weights.forEach((weight, i) => {
    const shape = weight.shape as number[]
    const data = randomFloats(elementCount(shape), seed + i)
    const isPositive = /variance|gamma/.test(weight.name)
    const scale = shape.length > 1 ? 1 / Math.sqrt(elementCount(shape.slice(0, -1))) : 0.5
    weight.write(
      tf.tensor(
        data.map((x) => (isPositive ? Math.abs(x) + 0.5 : x * scale)),
        shape,
      ),
    )
  })
}

/** A model's files as tfjs' own handlers write them: one shard "weights.bin". */
export const saveToMemory = async (model: tf.LayersModel): Promise<SavedModel> => {
  let saved: tf.io.ModelArtifacts = {}
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
    }),
  )
  const { modelTopology, weightSpecs } = JSON.parse(JSON.stringify({ ...saved, weightData: null })) as {
    modelTopology: ModelFile['modelTopology']
    weightSpecs: WeightSpec[]
  }
  return {
    json: {
      format: 'layers-model',
      generatedBy: `TensorFlow.js tfjs-layers v${tf.version['tfjs-layers']}`,
      convertedBy: null,
      modelTopology,
      weightsManifest: [{ paths: ['./weights.bin'], weights: weightSpecs }],
    },
    weights: new Uint8Array(saved.weightData as ArrayBuffer).slice(),
  }
}

export const importSaved = ({ json, weights }: SavedModel, name = 'test'): Network<'float'> => importTfjsModel(json, weights, name)

/** Runs a float network over samples; one array per output. */
export const runNetwork = async (network: Network<'float'>, inputs: readonly Float32Array[], count: number): Promise<readonly Float32Array[]> =>
  (await referenceSession(network).run({ count, inputs })) as readonly Float32Array[]

/** Largest difference, relative to the largest magnitude (at least 1). */
export const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  if (a.length !== b.length) return Infinity
  let [largest, worst] = [1, 0]
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number]
    largest = Math.max(largest, Math.abs(x))
    worst = Math.max(worst, Number.isNaN(x - y) ? Infinity : Math.abs(x - y))
  }
  return worst / largest
}

const SAMPLES = 2

/** Largest relative difference between tfjs and the network over random samples, all outputs. */
export const compareWithTfjs = async (model: tf.LayersModel, network: Network<'float'>, seed = 7): Promise<number> => {
  const shapes = network.inputs.map((value) => [...typeOf(network, value).shape])
  const inputs = shapes.map((shape, i) => randomFloats(SAMPLES * elementCount(shape), seed + i))
  const tensors = inputs.map((data, i) => tf.tensor(data, [SAMPLES, ...(shapes[i] as number[])]))
  const predicted = model.predict(tensors.length === 1 ? (tensors[0] as tf.Tensor) : tensors)
  const expected = (Array.isArray(predicted) ? predicted : [predicted]).map((tensor) => tensor.dataSync())
  const actual = await runNetwork(network, inputs, SAMPLES)
  if (expected.length !== actual.length) return Infinity
  return Math.max(...expected.map((data, i) => difference(data, actual[i] as Float32Array)))
}

/** Randomizes, saves, imports and compares a model; gives the network. */
export const roundTrip = async (model: tf.LayersModel, seed = 1): Promise<{ network: Network<'float'>; difference: number }> => {
  randomizeWeights(model, seed)
  const network = importSaved(await saveToMemory(model))
  return { network, difference: await compareWithTfjs(model, network) }
}

/** A sequential model over an input shape. */
export const sequential = (inputShape: number[], ...layers: tf.layers.Layer[]): tf.Sequential => {
  const model = tf.sequential()
  model.add(tf.layers.inputLayer({ inputShape, name: 'in' }))
  for (const layer of layers) model.add(layer)
  return model
}
