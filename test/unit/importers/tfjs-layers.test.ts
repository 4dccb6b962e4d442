// Every layer and option that the tfjs importer knows, against TensorFlow.js itself.

import { describe, expect, it } from 'vitest'
import type { Network } from '#src/network/types.js'
import { roundTrip, sequential, tf } from './tfjs-models.js'

const { layers } = tf
const TOLERANCE = 1e-5
const kinds = (network: Network): string[] => network.nodes.map(({ kind }) => kind)

type Case = readonly [name: string, model: () => tf.LayersModel, nodes: string]

const image = [7, 6, 3]
const signal = [11, 4]

const CASES: readonly Case[] = [
  ['dense', () => sequential([5], layers.dense({ units: 3 })), 'dense'],
  ['dense without bias, relu', () => sequential([5], layers.dense({ units: 3, useBias: false, activation: 'relu' })), 'dense'],
  ['dense, relu6', () => sequential([50], layers.dense({ units: 9, activation: 'relu6' })), 'dense'],
  ['dense, softmax', () => sequential([5], layers.dense({ units: 3, activation: 'softmax' })), 'dense,softmax'],
  ['dense on a signal', () => sequential(signal, layers.dense({ units: 3 })), 'conv1d'],
  ['dense on an image', () => sequential(image, layers.dense({ units: 5, activation: 'relu' })), 'conv2d'],
  ['conv2d valid', () => sequential(image, layers.conv2d({ filters: 4, kernelSize: 3 })), 'conv2d'],
  [
    'conv2d same, stride 2, relu',
    () => sequential(image, layers.conv2d({ filters: 4, kernelSize: [3, 2], strides: 2, padding: 'same', activation: 'relu' })),
    'conv2d',
  ],
  ['conv2d same, strides 3 and 2', () => sequential(image, layers.conv2d({ filters: 4, kernelSize: [2, 5], strides: [3, 2], padding: 'same' })), 'conv2d'],
  ['conv2d dilated', () => sequential(image, layers.conv2d({ filters: 2, kernelSize: 2, dilationRate: [3, 2] })), 'conv2d'],
  ['conv2d same, dilated', () => sequential(image, layers.conv2d({ filters: 2, kernelSize: 3, dilationRate: 2, padding: 'same', useBias: false })), 'conv2d'],
  ['conv2d, softmax over channels', () => sequential(image, layers.conv2d({ filters: 4, kernelSize: 3, activation: 'softmax' })), 'conv2d,softmax'],
  ['conv1d valid', () => sequential(signal, layers.conv1d({ filters: 5, kernelSize: 3 })), 'conv1d'],
  ['conv1d same, stride 2', () => sequential(signal, layers.conv1d({ filters: 5, kernelSize: 4, strides: 2, padding: 'same', activation: 'relu' })), 'conv1d'],
  ['depthwise conv2d', () => sequential(image, layers.depthwiseConv2d({ kernelSize: 3, activation: 'relu6' })), 'depthwiseConv2d'],
  [
    'depthwise conv2d, multiplier 2, same, stride 2',
    () => sequential(image, layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same', strides: 2 })),
    'depthwiseConv2d',
  ],
  [
    'separable conv2d',
    () => sequential(image, layers.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2, padding: 'same', strides: 2, activation: 'relu' })),
    'depthwiseConv2d,conv2d',
  ],
  ['max pool 2d', () => sequential(image, layers.maxPooling2d({ poolSize: 2 })), 'maxPool'],
  ['max pool 2d, same', () => sequential(image, layers.maxPooling2d({ poolSize: [3, 2], strides: [2, 3], padding: 'same' })), 'maxPool'],
  ['average pool 2d', () => sequential(image, layers.averagePooling2d({ poolSize: [2, 3] })), 'averagePool'],
  ['average pool 2d, same', () => sequential(image, layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' })), 'averagePool'],
  ['max pool 1d', () => sequential(signal, layers.maxPooling1d({ poolSize: 3 })), 'maxPool'],
  ['average pool 1d, same', () => sequential(signal, layers.averagePooling1d({ poolSize: 3, strides: 2, padding: 'same' })), 'averagePool'],
  ['global max pool 2d', () => sequential(image, layers.globalMaxPooling2d({})), 'globalMaxPool'],
  ['global average pool 2d', () => sequential(image, layers.globalAveragePooling2d({})), 'globalAveragePool'],
  ['global max pool 1d', () => sequential(signal, layers.globalMaxPooling1d()), 'globalMaxPool'],
  ['global average pool 1d', () => sequential(signal, layers.globalAveragePooling1d()), 'globalAveragePool'],
  ['flatten', () => sequential(image, layers.flatten(), layers.dense({ units: 3 })), 'flatten,dense'],
  ['reshape', () => sequential(image, layers.reshape({ targetShape: [6, 21] }), layers.conv1d({ filters: 2, kernelSize: 3 })), 'reshape,conv1d'],
  ['reshape with -1', () => sequential(image, layers.reshape({ targetShape: [-1, 9] }), layers.conv1d({ filters: 2, kernelSize: 3 })), 'reshape,conv1d'],
  ['relu', () => sequential(image, layers.reLU()), 'relu'],
  ['relu with a bound', () => sequential(image, layers.reLU({ maxValue: 0.25 })), 'relu'],
  ['activation relu', () => sequential(image, layers.activation({ activation: 'relu' })), 'relu'],
  ['activation relu6', () => sequential(image, layers.activation({ activation: 'relu6' })), 'relu'],
  ['activation linear', () => sequential(image, layers.activation({ activation: 'linear' }), layers.flatten()), 'flatten'],
  ['activation softmax', () => sequential([9], layers.activation({ activation: 'softmax' })), 'softmax'],
  ['softmax', () => sequential([9], layers.softmax()), 'softmax'],
  ['batch norm on an image', () => sequential(image, layers.batchNormalization({ epsilon: 0.01 })), 'batchNorm'],
  ['batch norm without scale', () => sequential([9], layers.batchNormalization({ scale: false })), 'batchNorm'],
  ['batch norm without center', () => sequential(signal, layers.batchNormalization({ center: false, axis: 2 })), 'batchNorm'],
  [
    'dropout and noise',
    () =>
      sequential(
        [9],
        layers.dropout({ rate: 0.5 }),
        layers.gaussianNoise({ stddev: 1 }),
        layers.gaussianDropout({ rate: 0.1 }),
        layers.alphaDropout({ rate: 0.1 }),
        layers.dense({ units: 2 }),
      ),
    'dense',
  ],
  ['spatial dropout', () => sequential(signal, layers.spatialDropout1d({ rate: 0.5 }), layers.flatten()), 'flatten'],
  [
    'zero padding in front of conv2d',
    () =>
      sequential(
        image,
        layers.zeroPadding2d({
          padding: [
            [1, 0],
            [0, 2],
          ],
        }),
        layers.conv2d({ filters: 3, kernelSize: 3, strides: 2 }),
      ),
    'conv2d',
  ],
  [
    'zero padding in front of depthwise conv2d',
    () => sequential(image, layers.zeroPadding2d({ padding: 1 }), layers.depthwiseConv2d({ kernelSize: 3, strides: 2 })),
    'depthwiseConv2d',
  ],
  [
    'zero padding, dropout, separable conv2d',
    () => sequential(image, layers.zeroPadding2d({ padding: [1, 2] }), layers.dropout({ rate: 0.1 }), layers.separableConv2d({ filters: 2, kernelSize: 3 })),
    'depthwiseConv2d,conv2d',
  ],
]

describe('tfjs layers give what TensorFlow.js gives', () => {
  it.each(CASES)('%s', async (_, model, nodes) => {
    const { network, difference } = await roundTrip(model())
    expect(kinds(network).join(',')).toBe(nodes)
    expect(difference).toBeLessThanOrEqual(TOLERANCE)
  })
})

describe('functional models', () => {
  const conv = (filters: number, name: string): tf.layers.Layer => layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu', name })

  it('a residual block with add, batch norm and relu', async () => {
    const input = tf.input({ shape: image, name: 'picture' })
    const left = conv(4, 'left').apply(input) as tf.SymbolicTensor
    const right = layers.batchNormalization({ name: 'norm' }).apply(conv(4, 'right').apply(left)) as tf.SymbolicTensor
    const sum = layers.add({ name: 'sum' }).apply([left, right, left])
    const model = tf.model({ inputs: input, outputs: layers.reLU({ name: 'after' }).apply(sum) as tf.SymbolicTensor })
    const { network, difference } = await roundTrip(model)
    expect(network.nodes.map(({ name }) => name)).toEqual(['left', 'right', 'norm', 'sum/sum1', 'sum', 'after'])
    expect(difference).toBeLessThanOrEqual(TOLERANCE)
  })

  it.each([-1, 3, 1, 2])('concatenate along axis %i', async (axis) => {
    const input = tf.input({ shape: [5, 5, 2] })
    const parts = [conv(2, 'a').apply(input), input, conv(2, 'b').apply(input)] as tf.SymbolicTensor[]
    const model = tf.model({ inputs: input, outputs: layers.concatenate({ axis }).apply(parts) as tf.SymbolicTensor })
    const { network, difference } = await roundTrip(model)
    expect(kinds(network)).toEqual(['conv2d', 'conv2d', 'concat'])
    expect(difference).toBeLessThanOrEqual(TOLERANCE)
  })

  it('several inputs and outputs, a softmax among them', async () => {
    const [a, b] = [tf.input({ shape: [4], name: 'a' }), tf.input({ shape: [6], name: 'b' })]
    const merged = layers
      .concatenate()
      .apply([layers.dense({ units: 3, name: 'da' }).apply(a), layers.dense({ units: 2, name: 'db' }).apply(b)] as tf.SymbolicTensor[])
    const logits = layers.dense({ units: 3, name: 'logits' }).apply(merged) as tf.SymbolicTensor
    const model = tf.model({ inputs: [a, b], outputs: [logits, layers.softmax({ name: 'p' }).apply(logits) as tf.SymbolicTensor] })
    const { network, difference } = await roundTrip(model)
    expect(network.inputs.map((value) => network.values[value]?.name)).toEqual(['a', 'b'])
    expect(network.outputs).toHaveLength(2)
    expect(difference).toBeLessThanOrEqual(TOLERANCE)
  })

  it('a layer called twice becomes two nodes with the same weights', async () => {
    const [a, b] = [tf.input({ shape: [4] }), tf.input({ shape: [4] })]
    const shared = layers.dense({ units: 3, name: 'shared' })
    const sum = layers.add().apply([shared.apply(a), shared.apply(b)] as tf.SymbolicTensor[])
    const { network, difference } = await roundTrip(tf.model({ inputs: [a, b], outputs: sum as tf.SymbolicTensor }))
    expect(network.nodes.slice(0, 2).map(({ name }) => name)).toEqual(['shared', 'shared_1'])
    expect(difference).toBeLessThanOrEqual(TOLERANCE)
  })
})

describe('nested models are unrolled', () => {
  const features = (): tf.Sequential => sequential(image, layers.conv2d({ filters: 4, kernelSize: 3, name: 'c' }), layers.globalAveragePooling2d({ name: 'g' }))

  it('a sequential of sequentials, as transfer learning gives', async () => {
    const head = tf.sequential({
      name: 'head',
      layers: [layers.dense({ units: 6, activation: 'relu', inputShape: [4], name: 'd1' }), layers.dense({ units: 2, activation: 'softmax', name: 'd2' })],
    })
    const { network, difference } = await roundTrip(tf.sequential({ layers: [features(), head] }))
    expect(kinds(network).join(',')).toBe('conv2d,globalAveragePool,dense,dense,softmax')
    expect(network.nodes.at(-1)?.name).toBe('head/d2/softmax')
    expect(difference).toBeLessThanOrEqual(TOLERANCE)
  })

  it('a sequential called twice inside a functional model', async () => {
    const [a, b] = [tf.input({ shape: image }), tf.input({ shape: image })]
    const inner = features()
    const sum = layers.add().apply([inner.apply(a), inner.apply(b)] as tf.SymbolicTensor[])
    const { network, difference } = await roundTrip(tf.model({ inputs: [a, b], outputs: sum as tf.SymbolicTensor }))
    expect(kinds(network).join(',')).toBe('conv2d,globalAveragePool,conv2d,globalAveragePool,add')
    expect(difference).toBeLessThanOrEqual(TOLERANCE)
  })

  it('a functional model with two outputs inside another', async () => {
    const x = tf.input({ shape: [4] })
    const inner = tf.model({ inputs: x, outputs: ['p', 'q'].map((name) => layers.dense({ units: 3, name }).apply(x) as tf.SymbolicTensor), name: 'inner' })
    const outer = tf.input({ shape: [4] })
    const sum = layers.add().apply(inner.apply(outer) as tf.SymbolicTensor[])
    const { network, difference } = await roundTrip(tf.model({ inputs: outer, outputs: sum as tf.SymbolicTensor }))
    expect(network.nodes.map(({ name }) => name)).toEqual(['inner/p', 'inner/q', expect.stringContaining('add')])
    expect(difference).toBeLessThanOrEqual(TOLERANCE)
  })
})
