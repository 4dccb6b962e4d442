// The forms of model.json that TensorFlow.js, tensorflowjs_converter and Keras write; quantized shards; reading from a folder.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { importTfjs, importTfjsModel } from '#src/importers/tfjs/index.js'
import type { NodeOf } from '#src/network/operators/index.js'
import {
  compareWithTfjs,
  difference,
  importSaved,
  type ModelFile,
  randomFloats,
  randomizeWeights,
  runNetwork,
  type SavedModel,
  saveToMemory,
  sequential,
  tf,
  type WeightSpec,
} from './tfjs-models.js'

const { layers } = tf

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikeport-tfjs-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const small = (): tf.Sequential => {
  const model = sequential(
    [6, 6, 1],
    layers.conv2d({ filters: 3, kernelSize: 3, activation: 'relu', name: 'conv' }),
    layers.flatten({ name: 'flat' }),
    layers.dense({ units: 4, activation: 'softmax', name: 'head' }),
  )
  randomizeWeights(model, 3)
  return model
}

type Config = { layers: Record<string, unknown>[] } & Record<string, unknown>
const configOf = (json: ModelFile): Config => json.modelTopology.config as Config
const layerConfig = (json: ModelFile, index: number): Record<string, unknown> => configOf(json).layers[index]?.config as Record<string, unknown>
const specsOf = (json: ModelFile): WeightSpec[] => json.weightsManifest.flatMap(({ weights }) => weights)

/** Changes a saved model's document and imports it. */
const changed = async (model: tf.LayersModel, change: (json: ModelFile) => void): Promise<number> => {
  const saved = await saveToMemory(model)
  change(saved.json)
  return compareWithTfjs(model, importSaved(saved))
}

describe('forms of model.json', () => {
  it('the artifacts of a save handler, without a manifest', async () => {
    const model = small()
    const { json, weights } = await saveToMemory(model)
    const network = importTfjsModel({ modelTopology: json.modelTopology, weightSpecs: specsOf(json) }, weights, 'direct')
    expect(await compareWithTfjs(model, network)).toBeLessThanOrEqual(1e-5)
  })

  it('tensorflowjs_converter: model_config, training_config, no InputLayer', async () => {
    const apart = await changed(small(), (json) => {
      const { class_name, config } = json.modelTopology as { class_name: string; config: Config }
      const [input, first, ...rest] = config.layers as { config: Record<string, unknown> }[]
      const shaped = { ...first, config: { ...first?.config, batch_input_shape: input?.config.batch_input_shape, dtype: 'float32' } }
      json.modelTopology = {
        keras_version: '2.15.0',
        backend: 'tensorflow',
        model_config: { class_name, config: { ...config, layers: [shaped, ...rest] } },
        training_config: { loss: 'mse' },
      }
    })
    expect(apart).toBeLessThanOrEqual(1e-5)
  })

  it('old Keras: the layers of a Sequential are its config', async () => {
    const apart = await changed(small(), (json) => {
      json.modelTopology = { ...json.modelTopology, config: configOf(json).layers }
    })
    expect(apart).toBeLessThanOrEqual(1e-5)
  })

  it('Keras wraps settings: axis in a list, activations in objects, padding of a pool', async () => {
    const model = sequential(
      [6, 6, 2],
      layers.batchNormalization({ name: 'bn' }),
      layers.dense({ units: 3, activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
    )
    randomizeWeights(model, 5)
    const apart = await changed(model, (json) => {
      Object.assign(layerConfig(json, 1), { axis: [3], renorm: false })
      Object.assign(layerConfig(json, 2), { activation: { module: 'builtins', class_name: 'function', config: 'relu', registered_name: 'function' } })
      Object.assign(layerConfig(json, 3), { strides: null, data_format: 'channels_last' })
    })
    expect(apart).toBeLessThanOrEqual(1e-5)
  })

  const functional = (): tf.LayersModel => {
    const input = tf.input({ shape: [5], name: 'x' })
    const parts = ['a', 'b'].map((name) => layers.dense({ units: 3, name }).apply(input) as tf.SymbolicTensor)
    const model = tf.model({ inputs: input, outputs: layers.add({ name: 'sum' }).apply(parts) as tf.SymbolicTensor })
    randomizeWeights(model, 9)
    return model
  }

  it('a functional model of class Functional with single references', async () => {
    const apart = await changed(functional(), (json) => {
      json.modelTopology = { ...json.modelTopology, class_name: 'Functional' }
      const config = configOf(json)
      Object.assign(config, { input_layers: ['x', 0, 0], output_layers: ['sum', 0, 0] })
      Object.assign(config.layers[1] as object, { inbound_nodes: [['x', 0, 0, {}]] })
    })
    expect(apart).toBeLessThanOrEqual(1e-5)
  })

  it('Keras 3: batch_shape and keras_history', async () => {
    const tensor = (layer: string): unknown => ({
      class_name: '__keras_tensor__',
      config: { shape: [null, 5], dtype: 'float32', keras_history: [layer, 0, 0] },
    })
    const apart = await changed(functional(), (json) => {
      const { layers: entries } = configOf(json)
      const [input, a, b, sum] = entries
      Object.assign(input as object, { config: { batch_shape: [null, 5], dtype: 'float32', name: 'x' } })
      for (const layer of [a, b]) Object.assign(layer as object, { inbound_nodes: [{ args: [tensor('x')], kwargs: { mask: null } }] })
      Object.assign(sum as object, { inbound_nodes: [{ args: [[tensor('a'), tensor('b')]], kwargs: {} }] })
    })
    expect(apart).toBeLessThanOrEqual(1e-5)
  })

  it('layers listed in any order', async () => {
    expect(await changed(functional(), (json) => configOf(json).layers.reverse())).toBeLessThanOrEqual(1e-5)
  })

  it('one-dimensional padding: causal is zeros in front', async () => {
    const inner = sequential([14, 2], layers.conv1d({ filters: 3, kernelSize: 3, dilationRate: 2, name: 'c' }))
    randomizeWeights(inner, 4)
    const saved = await saveToMemory(inner)
    Object.assign(layerConfig(saved.json, 0), { batch_input_shape: [null, 10, 2] })
    Object.assign(layerConfig(saved.json, 1), { padding: 'causal' })
    const network = importSaved(saved)
    const data = randomFloats(20, 1)
    const padded = new Float32Array(28)
    padded.set(data, 8)
    const expected = (inner.predict(tf.tensor(padded, [1, 14, 2])) as tf.Tensor).dataSync()
    const [actual] = await runNetwork(network, [data], 1)
    expect(difference(expected, actual as Float32Array)).toBeLessThanOrEqual(1e-5)
    Object.assign(layerConfig(saved.json, 1), { padding: 'valid' })
    configOf(saved.json).layers.splice(1, 0, { class_name: 'ZeroPadding1D', config: { name: 'zero', padding: [4, 0] } })
    expect(await runNetwork(importSaved(saved), [data], 1)).toEqual([actual])
  })

  it('Keras keeps pooled axes', async () => {
    const model = sequential([4, 4, 2], layers.globalAveragePooling2d({ name: 'g' }))
    const saved = await saveToMemory(model)
    Object.assign(layerConfig(saved.json, 1), { keepdims: true })
    const network = importSaved(saved)
    expect(network.values.at(-1)?.type.shape).toEqual([1, 1, 2])
  })

  it('a sequential that keeps its input shape in build_input_shape', async () => {
    const saved = await saveToMemory(small())
    configOf(saved.json).layers.shift()
    configOf(saved.json).build_input_shape = [null, 6, 6, 1]
    expect(importSaved(saved).values[0]).toEqual({ name: 'conv_input', type: { kind: 'float32', shape: [6, 6, 1] } })
  })
})

describe('weight names', () => {
  const renamed = (rename: (name: string) => string): Promise<number> =>
    changed(small(), (json) => {
      for (const spec of specsOf(json)) spec.name = rename(spec.name)
    })

  it.each([
    ['with an output number', (name: string) => `${name}:0`],
    ['inside a scope', (name: string) => `net/${name}`],
    ['with the layer twice', (name: string) => name.replace(/^(\w+)\//, '$1/$1/')],
    ['with a scope behind the layer', (name: string) => name.replace('/', '/block/')],
    ['with counters', (name: string) => `${name}_12`],
  ])('%s', async (_, rename) => {
    expect(await renamed(rename)).toBeLessThanOrEqual(1e-5)
  })

  it('of twins in two nested models are told apart by the model', async () => {
    const input = tf.input({ shape: [3] })
    const inner = (name: string): tf.Sequential => tf.sequential({ name, layers: [layers.dense({ units: 2, name: 'twin', inputShape: [3] })] })
    const model = tf.model({
      inputs: input,
      outputs: layers.add().apply([inner('left').apply(input), inner('right').apply(input)] as tf.SymbolicTensor[]) as tf.SymbolicTensor,
    })
    randomizeWeights(model, 6)
    const saved = await saveToMemory(model)
    specsOf(saved.json).forEach((spec, i) => {
      spec.name = `${i < 2 ? 'left' : 'right'}/twin/${spec.name.split('/').at(-1)}`
    })
    expect(await compareWithTfjs(model, importSaved(saved))).toBeLessThanOrEqual(1e-5)
  })
})

/** Quantizes all weights as tensorflowjs_converter does, and gives tfjs' own reading of them. */
const quantizeWeights = (saved: SavedModel, dtype: 'uint8' | 'uint16'): SavedModel => {
  const [bytes, levels, Elements] = dtype === 'uint8' ? ([1, 255, Uint8Array] as const) : ([2, 65535, Uint16Array] as const)
  let at = 0
  const chunks: Uint8Array[] = []
  for (const spec of specsOf(saved.json)) {
    const count = spec.shape.reduce((a, b) => a * b, 1)
    const data = new Float32Array(saved.weights.slice(at, at + 4 * count).buffer)
    at += 4 * count
    const min = Math.min(...data)
    const scale = (Math.max(...data) - min) / levels || 1
    spec.quantization = { dtype, min, scale, original_dtype: 'float32' }
    chunks.push(new Uint8Array(new Elements(Array.from(data, (x) => Math.round((x - min) / scale))).buffer).subarray(0, bytes * count))
  }
  return { json: saved.json, weights: Uint8Array.from(Buffer.concat(chunks)) }
}

describe('quantized shards', () => {
  const decoded = async ({ json, weights }: SavedModel): Promise<tf.LayersModel> =>
    tf.loadLayersModel(
      tf.io.fromMemory({ modelTopology: json.modelTopology, weightSpecs: specsOf(json) as tf.io.WeightsManifestEntry[], weightData: weights.slice().buffer }),
    )

  it.each(['uint8', 'uint16'] as const)('%s', async (dtype) => {
    const saved = quantizeWeights(await saveToMemory(small()), dtype)
    const network = importSaved(saved)
    const model = await decoded(saved)
    expect(await compareWithTfjs(model, network)).toBeLessThanOrEqual(1e-5)
    expect((network.nodes[0] as NodeOf<'conv2d'>).bias?.data).toEqual(model.getLayer('conv').getWeights()[1]?.dataSync())
  })

  it('float16', async () => {
    const saved = await saveToMemory(small())
    const halves = Uint16Array.from(
      { length: saved.weights.length / 4 },
      (_, i) => [0x3c00, 0xbc00, 0x3555, 0x0001, 0x8000, 0x7bff - 0x4000, 0x03ff][i % 7] as number,
    )
    for (const spec of specsOf(saved.json)) spec.quantization = { dtype: 'float16', original_dtype: 'float32' }
    const half = { json: saved.json, weights: new Uint8Array(halves.buffer) }
    const [network, model] = [importSaved(half), await decoded(half)]
    expect((network.nodes[0] as NodeOf<'conv2d'>).bias?.data).toEqual(model.getLayer('conv').getWeights()[1]?.dataSync())
    expect(await compareWithTfjs(model, network)).toBeLessThanOrEqual(1e-5)
  })

  it('int32 and bool weights are numbers', async () => {
    const model = sequential([2], layers.dense({ units: 2, name: 'd' }))
    const saved = await saveToMemory(model)
    const [kernel, bias] = specsOf(saved.json) as [WeightSpec, WeightSpec]
    kernel.dtype = 'int32'
    bias.dtype = 'bool'
    const network = importSaved({ json: saved.json, weights: Uint8Array.from([...new Uint8Array(Int32Array.of(1, -2, 3, 40).buffer), 1, 0]) })
    expect(await runNetwork(network, [Float32Array.of(1, 10)], 1)).toEqual([Float32Array.of(32, 398)])
  })
})

describe('importTfjs reads a folder', () => {
  const write = async (name: string, { json, weights }: SavedModel, extra: Readonly<Record<string, string>> = {}): Promise<string> => {
    const place = join(folder, name)
    await mkdir(place, { recursive: true })
    const half = weights.length >> 1
    const document = { ...json, weightsManifest: [{ paths: ['./group1-shard1of2.bin', 'group1-shard2of2.bin'], weights: specsOf(json) }] }
    await writeFile(join(place, 'model.json'), JSON.stringify(document))
    await writeFile(join(place, 'group1-shard1of2.bin'), weights.subarray(0, half))
    await writeFile(join(place, 'group1-shard2of2.bin'), weights.subarray(half))
    for (const [file, text] of Object.entries(extra)) await writeFile(join(place, file), text)
    return place
  }

  it('model.json or its folder, two shards; the folder names the network', async () => {
    const model = small()
    const place = await write('digits', await saveToMemory(model))
    const network = await importTfjs(join(place, 'model.json'))
    expect(network.name).toBe('digits')
    expect(network.metadata.importedFrom).toMatch(/^tfjs layers model \(TensorFlow\.js tfjs-layers v/)
    expect(await compareWithTfjs(model, network)).toBeLessThanOrEqual(1e-5)
    expect(await importTfjs(place)).toEqual(network)
  })

  it('a model with a name of its own keeps it', async () => {
    const model = tf.sequential({ name: 'gestures', layers: [layers.dense({ units: 2, inputShape: [3] })] })
    expect((await importTfjs(await write('checkpoint', await saveToMemory(model)))).name).toBe('gestures')
  })

  it.each([
    ['labels.txt', 'a\nb\n\nc\r\nd\n'],
    ['labels.txt', '0 a\n1 b\n2 c\n3 d'],
    ['metadata.json', '{"tfjsVersion":"1.3.1","labels":["a","b","c","d"],"imageSize":224}'],
  ])('labels from %s', async (file, text) => {
    const place = await write('labelled', await saveToMemory(small()), { [file]: text })
    expect((await importTfjs(place)).labels).toEqual(['a', 'b', 'c', 'd'])
    await rm(place, { recursive: true })
  })

  it('labels from the metadata that a program saved', async () => {
    const { json, weights } = await saveToMemory(small())
    expect(importTfjsModel({ ...json, userDefinedMetadata: { labels: ['no', 'yes', 'b', 'c'] } }, weights, 'x').labels).toEqual(['no', 'yes', 'b', 'c'])
  })

  it('a shard that begins like gzip is not unpacked', async () => {
    const saved = await saveToMemory(small())
    saved.weights.set([0x1f, 0x8b, 0x08, 0x3f])
    const place = await write('gzip', saved)
    expect((await importTfjs(place)).nodes).toHaveLength(4)
  })

  it('a missing shard, a missing folder', async () => {
    const place = await write('lost', await saveToMemory(small()))
    await rm(join(place, 'group1-shard2of2.bin'))
    await expect(importTfjs(place)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: `cannot read ${join(place, 'group1-shard2of2.bin')}: ENOENT: no such file or directory.`,
    })
    await expect(importTfjs(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })

  it('a shard cut off', async () => {
    const place = await write('cut', await saveToMemory(small()))
    await writeFile(join(place, 'group1-shard2of2.bin'), new Uint8Array(8))
    await expect(importTfjs(place)).rejects.toMatchObject({
      code: 'FILE_MALFORMED',
      message: `${join(place, 'model.json')}: the weights take 904 bytes, group1-shard1of2.bin, group1-shard2of2.bin hold 460.`,
    })
  })
})
