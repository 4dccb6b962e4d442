// What the tfjs importer refuses, with the text of each message.

import { describe, expect, it } from 'vitest'
import { SpikeportError } from '#src/errors.js'
import { importTfjsModel } from '#src/importers/tfjs/model.js'
import { importSaved, type ModelFile, type SavedModel, saveToMemory, sequential, tf, type WeightSpec } from './tfjs-models.js'

const { layers } = tf

type Change = (json: ModelFile, layer: Record<string, unknown>) => void

const layersOf = (json: ModelFile): { class_name: string; config: Record<string, unknown>; inbound_nodes?: unknown }[] =>
  (json.modelTopology.config as { layers: { class_name: string; config: Record<string, unknown> }[] }).layers
const specsOf = (json: ModelFile): WeightSpec[] => json.weightsManifest[0]?.weights as WeightSpec[]

const refusalOf = (run: () => unknown): { code: string; message: string; note: string | undefined } => {
  try {
    run()
  } catch (error) {
    if (error instanceof SpikeportError) return { code: error.code, message: error.message, note: error.note }
    throw error
  }
  throw new Error('was not refused')
}

/** Saves a model, changes its document (layer 1 is the first behind the input) and gives the refusal. */
const refused = async (model: tf.LayersModel, change: Change): Promise<{ code: string; message: string; note: string | undefined }> => {
  const saved = await saveToMemory(model)
  change(saved.json, layersOf(saved.json)[1]?.config as Record<string, unknown>)
  return refusalOf(() => importSaved(saved))
}

const dense = (): tf.Sequential => sequential([4], layers.dense({ units: 2, name: 'd' }))
const conv = (): tf.Sequential => sequential([6, 6, 2], layers.conv2d({ filters: 3, kernelSize: 3, name: 'c' }))

const ACTIVATION_NOTE =
  'Train with relu, relu6 or linear, and with softmax as the last layer only (two classes: two units and softmax instead of one and sigmoid).'

describe('unsupported layers', () => {
  it('all of them are listed in one error, each with its reason', async () => {
    const model = sequential(
      [8, 8, 1],
      layers.conv2d({ filters: 2, kernelSize: 3, activation: 'tanh', name: 'first' }),
      layers.upSampling2d({ name: 'up' }),
      layers.leakyReLU({ name: 'leaky' }),
      layers.flatten({ name: 'flat' }),
      layers.dense({ units: 1, activation: 'sigmoid', name: 'last' }),
    )
    expect(refusalOf(() => importSaved({ json: { ...model_(model) }, weights: new Uint8Array() }, 'faces'))).toEqual({
      code: 'UNSUPPORTED',
      message:
        '4 layers of "faces" are not supported: "first" (Conv2D) has the activation tanh; "up" (UpSampling2D) enlarges images; "leaky" (LeakyReLU) is an activation without an integer form; "last" (Dense) has the activation sigmoid.',
      note: `${ACTIVATION_NOTE} Leave out layers that enlarge images; classifiers do not need them. Use ReLU, with max_value 6 if a bound is wanted.`,
    })
  })

  const model_ = (model: tf.LayersModel): ModelFile => ({
    format: 'layers-model',
    generatedBy: 'test',
    convertedBy: null,
    modelTopology: model.toJSON(null, false) as unknown as Record<string, unknown>,
    weightsManifest: [{ paths: [], weights: [] }],
  })

  it.each([
    ['LSTM', 'layer "x" (LSTM) is recurrent.', 'Use Conv1D over the time steps instead of a recurrent layer.'],
    ['Conv2DTranspose', 'layer "x" (Conv2DTranspose) enlarges images.', 'Leave out layers that enlarge images; classifiers do not need them.'],
    ['Multiply', 'layer "x" (Multiply) merges values in a way that has no integer form.', 'Merge with Add or Concatenate.'],
    [
      'Rescaling',
      'layer "x" (Rescaling) prepares data.',
      'Prepare the data outside the model; a change of scale is for free, it becomes the scale of the quantized input.',
    ],
    ['Permute', 'layer "x" (Permute) moves data between axes.', 'Arrange the data outside the model, or use Reshape and Flatten.'],
    ['Lambda', 'layer "x" (Lambda) holds code of its own.', 'Replace the Lambda by standard layers, or do its work outside the model.'],
    ['TimeDistributed', 'layer "x" (TimeDistributed) repeats a layer over time.', 'Dense and Conv1D work on every step without TimeDistributed.'],
    ['MyLayer', 'layer "x" (MyLayer) is a layer that spikeport does not know.', 'Build the model from the layers that "spikeport list operators" shows.'],
    [
      'constructor',
      'layer "x" (constructor) is a layer that spikeport does not know.',
      'Build the model from the layers that "spikeport list operators" shows.',
    ],
  ])('%s', async (className, message, note) => {
    const refusal = await refused(dense(), (json) => {
      layersOf(json)[1] = { class_name: className, config: { name: 'x' } }
    })
    expect(refusal).toEqual({ code: 'UNSUPPORTED', message, note })
  })

  it('inside a nested model the name says where', async () => {
    const inner = tf.sequential({ name: 'inner', layers: [layers.dense({ units: 3, activation: 'elu', name: 'odd', inputShape: [4] })] })
    const saved = await saveToMemory(tf.sequential({ layers: [inner] }))
    expect(refusalOf(() => importSaved(saved)).message).toBe('layer "inner/odd" (Dense) has the activation elu.')
  })
})

type Row = readonly [name: string, model: () => tf.LayersModel, change: Change, message: string, note?: string]

const pool = (): tf.Sequential => sequential([6, 6, 2], layers.maxPooling2d({ poolSize: 2, name: 'p' }))
const padded = (): tf.Sequential =>
  sequential([6, 6, 2], layers.zeroPadding2d({ padding: 1, name: 'z' }), layers.conv2d({ filters: 3, kernelSize: 3, name: 'c' }))
const none: Change = () => {}
const PADDING_NOTE = 'Let the zero padding stand directly in front of a convolution with padding "valid", or use padding "same".'

const UNSUPPORTED: readonly Row[] = [
  [
    'a GraphModel',
    dense,
    (json) => Object.assign(json, { format: 'graph-model' }),
    'model.json holds a GraphModel.',
    'A GraphModel holds TensorFlow operations without layers. Save the LayersModel instead: model.save(...) in TensorFlow.js, or tensorflowjs_converter --input_format keras --output_format tfjs_layers_model model.h5 folder.',
  ],
  ['a GraphModel without format', dense, (json) => Object.assign(json, { modelTopology: { node: [] } }), 'model.json holds a GraphModel.'],
  [
    'a model class',
    dense,
    (json) => Object.assign(json.modelTopology, { class_name: 'MyModel' }),
    'model.json holds a model of class "MyModel".',
    'Build it as a Sequential or functional model of standard layers.',
  ],
  [
    'an open dimension',
    conv,
    (json) => Object.assign(layersOf(json)[0]?.config as object, { batch_input_shape: [null, null, 6, 2] }),
    'layer "in" (InputLayer) takes inputs of no fixed size, [null,null,6,2].',
    'Build the model with a fixed input shape; only the batch size may be open.',
  ],
  [
    'no input shape',
    dense,
    (json) => layersOf(json).shift(),
    'layer "d" (Dense) states no input shape.',
    'Give the first layer an inputShape, or build the model before saving it.',
  ],
  [
    'channels first',
    conv,
    (_, layer) => Object.assign(layer, { data_format: 'channels_first' }),
    'layer "c" (Conv2D) puts channels first.',
    'Build the model with dataFormat channelsLast.',
  ],
  ['channels first in a pool', pool, (_, layer) => Object.assign(layer, { data_format: 'channelsFirst' }), 'layer "p" (MaxPooling2D) puts channels first.'],
  ['groups', conv, (_, layer) => Object.assign(layer, { groups: 2 }), 'layer "c" (Conv2D) has 2 groups.', 'Use groups 1, or a depthwise convolution.'],
  [
    'an activation object',
    conv,
    (_, layer) => Object.assign(layer, { activation: { class_name: 'LeakyReLU', config: { alpha: 0.1 } } }),
    'layer "c" (Conv2D) has the activation {"class_name":"LeakyReLU","config":{"alpha":0.1}}.',
    ACTIVATION_NOTE,
  ],
  [
    'an activation layer',
    () => sequential([4], layers.activation({ activation: 'swish', name: 'a' })),
    none,
    'layer "a" (Activation) has the activation swish.',
    ACTIVATION_NOTE,
  ],
  [
    'a leaky ReLU',
    () => sequential([4], layers.reLU({ name: 'r' })),
    (_, layer) => Object.assign(layer, { negative_slope: 0.1 }),
    'layer "r" (ReLU) has negative_slope 0.1.',
    'Use a plain ReLU, with or without max_value.',
  ],
  [
    'a ReLU with threshold',
    () => sequential([4], layers.reLU({ name: 'r' })),
    (_, layer) => Object.assign(layer, { threshold: 1 }),
    'layer "r" (ReLU) has threshold 1.',
  ],
  [
    'a ReLU below zero',
    () => sequential([4], layers.reLU({ name: 'r' })),
    (_, layer) => Object.assign(layer, { max_value: -1 }),
    'layer "r" (ReLU) has max_value -1.',
    'Use a positive max_value, or none.',
  ],
  [
    'softmax in the middle',
    () => sequential([4], layers.softmax({ name: 's' }), layers.dense({ units: 2 })),
    none,
    'layer "s" (Softmax) applies softmax before the last layer.',
    'Use softmax as the last layer only.',
  ],
  [
    'softmax of a dense layer in the middle',
    () => sequential([4], layers.dense({ units: 2, activation: 'softmax', name: 'd' }), layers.dropout({ rate: 0.1 }), layers.reLU()),
    none,
    'layer "d" (Dense) applies softmax before the last layer.',
  ],
  [
    'softmax over rows',
    () => sequential([4, 3], layers.softmax({ axis: 1, name: 's' })),
    none,
    'layer "s" (Softmax) works along axis 1 of 3.',
    'Only the last axis (-1) is supported.',
  ],
  [
    'batch norm over rows',
    () => sequential([4, 3], layers.batchNormalization({ axis: 1, name: 'b' })),
    none,
    'layer "b" (BatchNormalization) works along axis 1 of 3.',
  ],
  [
    'zero padding in front of a pool',
    () => sequential([6, 6, 2], layers.zeroPadding2d({ padding: 1, name: 'z' }), layers.maxPooling2d({ poolSize: 2 })),
    none,
    'layer "z" (ZeroPadding2D) is not followed by a convolution with padding valid.',
    PADDING_NOTE,
  ],
  [
    'zero padding at the end',
    () => sequential([6, 6, 2], layers.zeroPadding2d({ padding: 1, name: 'z' })),
    none,
    'layer "z" (ZeroPadding2D) is not followed by a convolution with padding valid.',
  ],
  [
    'zero padding in front of padding same',
    padded,
    (json) => Object.assign(layersOf(json)[2]?.config as object, { padding: 'same' }),
    'layer "z" (ZeroPadding2D) is not followed by a convolution with padding valid.',
  ],
  [
    'zero padding of a whole window',
    padded,
    (_, layer) =>
      Object.assign(layer, {
        padding: [
          [0, 0],
          [3, 0],
        ],
      }),
    'layer "z" (ZeroPadding2D) pads 0,0,3,0, as much as the whole window of layer "c".',
    'Pad less than the kernel that follows covers.',
  ],
  [
    'a sum of different shapes',
    () => {
      const input = tf.input({ shape: [4, 1] })
      const other = tf.input({ shape: [4, 3] })
      return tf.model({ inputs: [input, other], outputs: layers.add({ name: 's' }).apply([input, other]) as tf.SymbolicTensor })
    },
    none,
    'layer "s" (Add) adds the shapes [4,1] and [4,3].',
    'Add values of one shape.',
  ],
  [
    'a join of the batch',
    () => {
      const input = tf.input({ shape: [4] })
      return tf.model({
        inputs: input,
        outputs: layers.concatenate({ name: 'j' }).apply([input, layers.reLU().apply(input) as tf.SymbolicTensor]) as tf.SymbolicTensor,
      })
    },
    (json) => Object.assign(layersOf(json).at(-1)?.config as object, { axis: 0 }),
    'layer "j" (Concatenate) joins along axis 0 of [4].',
    'Join along an axis of the data, not along the batch.',
  ],
  [
    'a vector too long',
    () => sequential([300, 300, 1], layers.flatten({ name: 'f' })),
    none,
    'layer "f" (Flatten) gives the shape [90000], no axis may be longer than 65535.',
    'Use smaller inputs, or pool in front of this layer.',
  ],
  [
    'a weight of text',
    dense,
    (json) => Object.assign(specsOf(json)[0] as object, { dtype: 'string' }),
    'model.json: weight "d/kernel" has type "string".',
    'Weights must be float32, int32 or bool, or quantized to uint8, uint16 or float16.',
  ],
]

const MALFORMED: readonly Row[] = [
  ['no topology', dense, (json) => Object.assign(json, { modelTopology: null }), 'model.json: not a tfjs model.json (modelTopology is missing).'],
  ['no class', dense, (json) => Object.assign(json, { modelTopology: {} }), 'model.json: modelTopology has no class_name or config.'],
  ['no layers', dense, (json) => Object.assign(json.modelTopology.config as object, { layers: 5, name: 'm' }), 'model.json: model "m" has no list of layers.'],
  ['empty', dense, (json) => Object.assign(json.modelTopology.config as object, { layers: [], name: 'm' }), 'model.json: model "m" has no layers.'],
  [
    'a layer without name',
    dense,
    (json) => Object.assign(layersOf(json)[1] as object, { config: {} }),
    'model.json: a layer without class_name or name: {"class_name":"Dense","config":{}}.',
  ],
  ['twins', dense, (json) => layersOf(json).push({ class_name: 'ReLU', config: { name: 'd' } }), 'model.json: two layers are called "d".'],
  [
    'an input shape that is no list',
    dense,
    (json) => Object.assign(layersOf(json)[0]?.config as object, { batch_input_shape: 4 }),
    'model.json: layer "in" (InputLayer) declares the input shape 4, expected a list.',
  ],
  [
    'an input shape too large',
    dense,
    (json) => Object.assign(layersOf(json)[0]?.config as object, { batch_input_shape: [null, 70000] }),
    'model.json: layer "in" (InputLayer) declares the input shape [null,70000], sizes are integers from 1 to 65535.',
  ],
  ['units', dense, (_, layer) => Object.assign(layer, { units: 0 }), 'model.json: layer "d" (Dense) has units 0, expected an integer from 1 to 65535.'],
  ['use_bias', dense, (_, layer) => Object.assign(layer, { use_bias: 'yes' }), 'model.json: layer "d" (Dense) has use_bias "yes", expected true or false.'],
  [
    'kernel size',
    conv,
    (_, layer) => Object.assign(layer, { kernel_size: [3] }),
    'model.json: layer "c" (Conv2D) has kernel_size [3], expected 2 integers from 1 to 65535.',
  ],
  [
    'padding',
    conv,
    (_, layer) => Object.assign(layer, { padding: 'full' }),
    'model.json: layer "c" (Conv2D) has padding "full", expected valid, same or causal.',
  ],
  [
    'causal padding of an image',
    conv,
    (_, layer) => Object.assign(layer, { padding: 'causal' }),
    'model.json: layer "c" (Conv2D) has padding causal, which is for one axis.',
  ],
  [
    'causal padding of a pool',
    pool,
    (_, layer) => Object.assign(layer, { padding: 'causal' }),
    'model.json: layer "p" (MaxPooling2D) has padding causal, which is for Conv1D.',
  ],
  ['data format', conv, (_, layer) => Object.assign(layer, { data_format: 'middle' }), 'model.json: layer "c" (Conv2D) has data_format "middle".'],
  [
    'zero padding',
    padded,
    (_, layer) => Object.assign(layer, { padding: [1, -1] }),
    'model.json: layer "z" (ZeroPadding2D) has padding [1,-1], expected 2 pairs of integers from 0 to 65535.',
  ],
  [
    'epsilon',
    () => sequential([4], layers.batchNormalization({ name: 'b' })),
    (_, layer) => Object.assign(layer, { epsilon: 'x' }),
    'model.json: layer "b" (BatchNormalization) has epsilon "x", expected a number.',
  ],
  [
    'axis',
    () => sequential([4], layers.batchNormalization({ name: 'b' })),
    (_, layer) => Object.assign(layer, { axis: [1, 2] }),
    'model.json: layer "b" (BatchNormalization) has axis [1,2], expected one integer.',
  ],
  [
    'target shape',
    () => sequential([4], layers.reshape({ targetShape: [2, 2], name: 'r' })),
    (_, layer) => Object.assign(layer, { target_shape: [-1, -1] }),
    'model.json: layer "r" (Reshape) has target_shape [-1,-1], expected positive integers and at most one -1.',
  ],
  [
    'target size',
    () => sequential([4], layers.reshape({ targetShape: [2, 2], name: 'r' })),
    (_, layer) => Object.assign(layer, { target_shape: [3, -1] }),
    'model.json: layer "r" (Reshape) cannot turn [4] into [3,-1].',
  ],
  [
    'an image into a signal layer',
    conv,
    (json) => Object.assign(layersOf(json)[0]?.config as object, { batch_input_shape: [null, 6, 2] }),
    'model.json: layer "c" (Conv2D) gets the shape [6,2], expected 3 dimensions.',
  ],
  [
    'a weight of another shape',
    dense,
    (_, layer) => Object.assign(layer, { units: 3 }),
    'model.json: layer "d" (Dense) has the weight "d/kernel" of shape [4,2], its settings and its input need [4,3].',
  ],
  [
    'a missing weight',
    dense,
    (json) => Object.assign(specsOf(json)[1] as object, { name: 'e/bias' }),
    'model.json: layer "d" (Dense) has no weight "d/bias" in the weights manifest.',
  ],
  [
    'two weights that fit',
    dense,
    (json) => Object.assign(specsOf(json)[1] as object, { name: 'd/kernel', shape: [2] }),
    'model.json: layer "d" (Dense) could own several weights: ["d/kernel","d/kernel"].',
  ],
  [
    'no manifest',
    dense,
    (json) => Object.assign(json, { weightsManifest: undefined }),
    'model.json: weightsManifest is missing.',
    'Save the model with its weights.',
  ],
  [
    'a broken group',
    dense,
    (json) => Object.assign(json, { weightsManifest: [{ paths: 5 }] }),
    'model.json: the weights manifest holds {"paths":5}, expected paths and weights.',
  ],
  [
    'a broken entry',
    dense,
    (json) => Object.assign(specsOf(json)[0] as object, { shape: [-4, 2] }),
    'model.json: the weights manifest holds {"name":"d/kernel","shape":[-4,2],"dtype":"float32"}, expected name, shape and dtype.',
  ],
  [
    'an unknown quantization',
    dense,
    (json) => Object.assign(specsOf(json)[0] as object, { quantization: { dtype: 'int4' } }),
    'model.json: weight "d/kernel" has the quantization {"dtype":"int4"}, expected uint8 or uint16 with scale and min, or float16.',
  ],
  [
    'a manifest too long',
    dense,
    (json) => Object.assign(specsOf(json)[0] as object, { shape: [5, 2] }),
    'model.json: the weights take 48 bytes, the weight data holds 40.',
    'model.json and its shards do not belong together, or a shard is cut off; copy or save them again.',
  ],
]

const functional = (): tf.LayersModel => {
  const input = tf.input({ shape: [4], name: 'x' })
  return tf.model({ inputs: input, outputs: layers.dense({ units: 2, name: 'd' }).apply(input) as tf.SymbolicTensor, name: 'm' })
}
const config = (json: ModelFile): Record<string, unknown> => json.modelTopology.config as Record<string, unknown>

const GRAPHS: readonly Row[] = [
  [
    'a reference',
    functional,
    (json) => Object.assign(layersOf(json)[1] as object, { inbound_nodes: [[['x', 'y', 0]]] }),
    'model.json: inbound_nodes of layer "d" holds ["x","y",0], expected [layer, call, tensor].',
  ],
  [
    'references that are no list',
    functional,
    (json) => Object.assign(layersOf(json)[1] as object, { inbound_nodes: [3] }),
    'model.json: inbound_nodes of layer "d" is 3, expected a list.',
  ],
  [
    'no references',
    functional,
    (json) => Object.assign(layersOf(json)[1] as object, { inbound_nodes: null }),
    'model.json: layer "d" (Dense) has no list inbound_nodes.',
  ],
  [
    'a loop',
    functional,
    (json) => Object.assign(layersOf(json)[1] as object, { inbound_nodes: [[['d', 0, 0]]] }),
    'model.json: layer "d" reads a value that nothing computes, or its own output.',
  ],
  [
    'an unknown input',
    functional,
    (json) => Object.assign(config(json), { input_layers: [['y', 0, 0]] }),
    'model.json: input_layers of model "m" names "y", which is no InputLayer.',
  ],
  [
    'an unknown output',
    functional,
    (json) => Object.assign(config(json), { output_layers: [['d', 0, 1]] }),
    'model.json: model "m" names the output "d" (call 0, tensor 1), which nothing computes.',
  ],
  [
    'two inputs of one',
    functional,
    (json) =>
      Object.assign(layersOf(json)[1] as object, {
        inbound_nodes: [
          [
            ['x', 0, 0],
            ['x', 0, 0],
          ],
        ],
      }),
    'model.json: layer "d" (Dense) reads 2 values, expected 1.',
  ],
]

const GROUPS: readonly (readonly [title: string, code: string, rows: readonly Row[]])[] = [
  ['what is unsupported', 'UNSUPPORTED', UNSUPPORTED],
  ['what is malformed', 'FILE_MALFORMED', MALFORMED],
  ['graphs that are malformed', 'FILE_MALFORMED', GRAPHS],
]

describe.each(GROUPS)('%s', (_, code, rows) => {
  for (const [name, model, change, message, note] of rows) {
    it(name, async () => {
      const refusal = await refused(model(), change)
      expect(refusal).toMatchObject({ code, message })
      if (note !== undefined) expect(refusal.note).toBe(note)
    })
  }
})

describe('weights', () => {
  const withElement = async (x: number): Promise<SavedModel> => {
    const saved = await saveToMemory(dense())
    new DataView(saved.weights.buffer).setFloat32(12, x, true)
    return saved
  }

  it.each([Number.NaN, Infinity, -Infinity])('%d is refused with layer, weight and index', async (x) => {
    const saved = await withElement(x)
    expect(refusalOf(() => importSaved(saved)).message).toBe(
      `model.json: layer "d" (Dense) has the weight "d/kernel" with ${x} at index 3, every weight must be a finite float32 number.`,
    )
  })

  it('an int32 weight that float32 cannot hold', async () => {
    const saved = await saveToMemory(dense())
    for (const spec of specsOf(saved.json)) spec.dtype = 'int32'
    new DataView(saved.weights.buffer).setInt32(0, 16777217, true)
    expect(refusalOf(() => importSaved(saved)).message).toBe(
      'model.json: layer "d" (Dense) has the weight "d/kernel" with 16777217 at index 0, every weight must be a finite float32 number.',
    )
  })

  it.each(['../weights.bin', 'a/../../b.bin', '/etc/passwd', 'https://example.org/w.bin', 'file:w.bin', 'C:\\w.bin', 'a\\..\\w.bin', '', 5, 'a\0b'])(
    'the shard path %j',
    async (shard) => {
      const { json, weights } = await saveToMemory(dense())
      Object.assign(json.weightsManifest[0] as object, { paths: [shard] })
      expect(refusalOf(() => importTfjsModel(json, () => weights, 'x', { path: 'm/model.json' }))).toEqual({
        code: 'FILE_MALFORMED',
        message: `m/model.json: the weights manifest names the shard ${JSON.stringify(shard)}, shards must lie in the model's folder.`,
        note: 'Put the shards beside model.json and name them there without a folder.',
      })
    },
  )

  it('class names that do not match the output', async () => {
    const { json, weights } = await saveToMemory(dense())
    expect(refusalOf(() => importTfjsModel(json, weights, 'x', { labels: ['a', 'b', 'c'] }))).toEqual({
      code: 'FILE_MALFORMED',
      message: 'model.json: 3 class names for an output of 2 values.',
      note: 'Correct labels.txt or metadata.json beside the model, or remove it.',
    })
  })
})

describe('files made to hurt', () => {
  const nested = (depth: number, copies: number): unknown => {
    let model: unknown = {
      class_name: 'Sequential',
      config: { name: 'm', layers: [{ class_name: 'ReLU', config: { name: 'r', batch_input_shape: [null, 4] } }] },
    }
    for (let i = 0; i < depth; i++) {
      const layer = model as { class_name: string; config: Record<string, unknown> }
      model = {
        class_name: 'Sequential',
        config: { name: 'm', layers: Array.from({ length: copies }, (_, c) => ({ ...layer, config: { ...layer.config, name: `m${c}` } })) },
      }
    }
    return { modelTopology: model, weightsManifest: [] }
  }

  it('models nested too deep', () => {
    expect(refusalOf(() => importTfjsModel(nested(20, 1), new Uint8Array(), 'x')).message).toBe('model.json: models are nested more than 16 deep.')
  })

  it('a shared model that multiplies', () => {
    const call = (name: string, count: number): unknown[] => Array.from({ length: count }, (_, i) => [[i === 0 ? 'in' : name, Math.max(0, i - 1), 0, {}]])
    let inner: Record<string, unknown> = { class_name: 'ReLU', config: { name: 'r' } }
    for (let depth = 0; depth < 8; depth++) {
      const name = (inner.config as { name: string }).name
      inner = {
        class_name: 'Functional',
        config: {
          name: `m${depth}`,
          layers: [
            { class_name: 'InputLayer', name: 'in', config: { name: 'in', batch_input_shape: [null, 2] }, inbound_nodes: [] },
            { ...inner, name, inbound_nodes: call(name, 10) },
          ],
          input_layers: [['in', 0, 0]],
          output_layers: [[name, 9, 0]],
        },
      }
    }
    expect(refusalOf(() => importTfjsModel({ modelTopology: inner, weightsManifest: [] }, new Uint8Array(), 'x')).message).toBe(
      'model.json: more than 65536 layers once nested models are unrolled.',
    )
  })

  it('lists nested beyond the stack', () => {
    let deep: unknown = []
    for (let i = 0; i < 100_000; i++) deep = [deep]
    const topology = { class_name: 'Sequential', config: { layers: [deep] } }
    expect(refusalOf(() => importTfjsModel({ modelTopology: topology }, new Uint8Array(), 'x')).message).toBe(
      'model.json: a layer without class_name or name: a deeply nested list.',
    )
  })
})
