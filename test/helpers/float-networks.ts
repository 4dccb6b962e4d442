// Float networks with random weights for tests of simplification and quantization, built like an importer builds them.

import { createBuilder } from '#src/network/builder.js'
import { LINEAR } from '#src/network/emission.js'
import type { Network, Shape, Tensor } from '#src/network/types.js'
import { elementCount } from '#src/network/types.js'
import { type TestRandom, testRandom } from './random.js'

/** A float32 tensor of normal-ish numbers. */
export const randomTensor = (shape: Shape, random: TestRandom, spread = 1): Tensor => ({
  type: { kind: 'float32', shape },
  data: new Float32Array(elementCount(shape)).map(() => spread * (random.uniform() + random.uniform() + random.uniform() - 1.5)),
})

/** Float inputs of a network in -1..1, samples one after the other. */
export const randomReals = (network: Network, seed: number, samples: number): Float32Array => {
  const random = testRandom(seed)
  const length = elementCount(network.values[network.inputs[0] as number]?.type.shape ?? [])
  return new Float32Array(length * samples).map(() => random.uniform() * 2 - 1)
}

const positive = (channels: number, random: TestRandom): Tensor => ({
  type: { kind: 'float32', shape: [channels] },
  data: new Float32Array(channels).map(() => 0.2 + random.uniform()),
})

/** conv - norm - relu - (norm - conv) - depthwise - norm - relu6 - global average pool - norm - dense - softmax. */
export const normalizedNetwork = (seed: number): Network<'float'> => {
  const random = testRandom(seed)
  const b = createBuilder<'float'>('float')
  let x = b.input('image', [9, 7, 3])
  const weights = (shape: Shape): Tensor => randomTensor(shape, random, 0.5)
  const norm = (name: string, channels: number): void => {
    const [gamma, beta, mean] = [0, 1, 2].map(() => randomTensor([channels], random)) as [Tensor, Tensor, Tensor]
    x = b.add({ kind: 'batchNorm', name, inputs: [x], gamma, beta, mean, variance: positive(channels, random), epsilon: 1e-3 })
  }
  const window = { stride: [1, 1], dilation: [1, 1], padding: [1, 1, 1, 1] } as const
  x = b.add({ kind: 'conv2d', name: 'stem', inputs: [x], weights: weights([8, 3, 3, 3]), bias: null, emission: LINEAR, ...window, stride: [2, 2] })
  norm('stem_norm', 8)
  x = b.add({ kind: 'relu', name: 'stem_relu', inputs: [x], max: null })
  norm('before_point', 8)
  x = b.add({
    kind: 'conv2d',
    name: 'point',
    inputs: [x],
    weights: weights([6, 1, 1, 8]),
    bias: weights([6]),
    emission: LINEAR,
    ...window,
    padding: [0, 0, 0, 0],
  })
  norm('before_depth', 6)
  x = b.add({ kind: 'relu', name: 'point_relu', inputs: [x], max: 6 })
  norm('alone', 6)
  x = b.add({ kind: 'depthwiseConv2d', name: 'depth', inputs: [x], weights: weights([3, 3, 12]), bias: weights([12]), emission: LINEAR, ...window })
  norm('depth_norm', 12)
  x = b.add({ kind: 'relu', name: 'depth_relu', inputs: [x], max: 6 })
  x = b.add({ kind: 'globalAveragePool', name: 'pool', inputs: [x] })
  norm('pool_norm', 12)
  x = b.add({ kind: 'dense', name: 'scores', inputs: [x], weights: weights([5, 12]), bias: weights([5]), emission: LINEAR })
  x = b.add({ kind: 'softmax', name: 'softmax', inputs: [x] })
  return b.build({ name: 'normalized', outputs: [x], labels: ['a', 'b', 'c', 'd', 'e'] })
}
