// Integer networks with random weights for tests and benches: well-known shapes (MNIST MLP and CNN, MLPerf Tiny KWS and ResNet-8), one network
// per operator with random attributes, and random graphs. The same seed gives the same network.

import type { OperatorKind } from '#src/network/operators/index.js'
import type { Network, Shape } from '#src/network/types.js'
import { type LayerOptions, type NetworkBuilder, networkBuilder, type WindowOptions } from './network-builder.js'

export { type NetworkBuilder, networkBuilder, randomElements, randomInputs } from './network-builder.js'
export { type TestRandom, testRandom } from './random.js'

const digits = Array.from({ length: 10 }, (_, i) => String(i))

/** 784-128-128-10, ReLU between; int8 scores. */
export const mlpNetwork = (seed: number): Network<'integer'> => {
  const b = networkBuilder('mlp', seed)
  const x = b.input([784], { zeroPoint: -128, scale: 1 / 255 })
  const hidden = b.dense(b.dense(x, 128, { relu: true }), 128, { relu: true })
  return b.build([b.dense(hidden, 10)], digits)
}

/** 28x28x1: conv 3x3 of 16, 32, 32 channels, each stride 2 with ReLU, global average pool, dense 10. */
export const cnnNetwork = (seed: number): Network<'integer'> => {
  const b = networkBuilder('cnn', seed)
  let x = b.input([28, 28, 1], { zeroPoint: -128, scale: 1 / 255 })
  for (const channels of [16, 32, 32]) x = b.conv2d(x, channels, { kernel: [3, 3], stride: [2, 2], relu: true })
  return b.build([b.dense(b.globalAveragePool(x), 10)], digits)
}

/** MLPerf Tiny keyword spotting (DS-CNN): 49x10x1, conv 10x4 stride 2, four times depthwise 3x3 and pointwise 64, average pool, dense 12. */
export const kwsNetwork = (seed: number): Network<'integer'> => {
  const b = networkBuilder('kws', seed)
  let x = b.conv2d(b.input([49, 10, 1], { zeroPoint: 83, scale: 0.58 }), 64, { kernel: [10, 4], stride: [2, 2], relu: true })
  for (let block = 0; block < 4; block++) {
    x = b.depthwise(x, 1, { kernel: [3, 3], relu: true })
    x = b.conv2d(x, 64, { kernel: [1, 1], relu: true })
  }
  return b.build([b.dense(b.globalAveragePool(x), 12)])
}

const residualStack = (b: NetworkBuilder, x: number, channels: number, stride: number): number => {
  const first = b.conv2d(x, channels, { kernel: [3, 3], stride: [stride, stride], relu: true })
  const second = b.conv2d(first, channels, { kernel: [3, 3] })
  const shortcut = stride === 1 ? x : b.conv2d(x, channels, { kernel: [1, 1], stride: [stride, stride] })
  return b.add(shortcut, second, { relu: true })
}

/** MLPerf Tiny image classification (ResNet-8): 32x32x3, conv 3x3 of 16, residual stacks of 16, 32 and 64 channels, average pool, dense 10. */
export const resnet8Network = (seed: number): Network<'integer'> => {
  const b = networkBuilder('resnet8', seed)
  let x = b.conv2d(b.input([32, 32, 3], { scale: 1 / 255, zeroPoint: -128 }), 16, { kernel: [3, 3], relu: true })
  x = residualStack(b, x, 16, 1)
  x = residualStack(b, x, 32, 2)
  x = residualStack(b, x, 64, 2)
  return b.build([b.dense(b.globalAveragePool(x), 10)], digits)
}

/** Operators of the integer stage. */
/** Operators of networks over time: test/helpers/spiking-networks.ts makes those. */
export type TimeOperatorKind = 'lif' | 'li' | 'carry' | 'timeSlice' | 'sumPool' | 'encode'
export type IntegerOperatorKind = Exclude<OperatorKind, 'batchNorm' | 'sign' | 'staircase' | TimeOperatorKind>

const randomZeroPoint = ({ random }: NetworkBuilder): number => (random.chance(0.4) ? random.pick([-128, 127, 0]) : random.integer(-128, 127))

const randomInput = (b: NetworkBuilder, shape: Shape): number =>
  b.input(shape, { zeroPoint: randomZeroPoint(b), scale: b.random.chance(0.3) ? 2 ** -b.random.integer(4, 8) : 0.002 + 0.02 * b.random.uniform() })

/** Mostly small sizes with a tail, so that every vector remainder occurs. */
const randomSize = ({ random }: NetworkBuilder, largest: number): number =>
  random.chance(0.7) ? random.integer(1, Math.min(9, largest)) : random.integer(1, largest)

const layerOptions = ({ random }: NetworkBuilder): LayerOptions => ({
  relu: random.chance(0.4),
  bias: random.chance(0.8),
  perChannel: random.chance(0.7),
  ties: random.chance(0.3),
  largestWeight: random.pick([1, 20, 127]),
  ...(random.chance(0.15) ? { emission: 'none' as const } : {}),
})

const pairOf = ({ random }: NetworkBuilder, largest: number): readonly [number, number] => [random.integer(1, largest), random.integer(1, largest)]

/** Window attributes that fit an image of the given size. */
const randomWindow = (b: NetworkBuilder, [height, width]: readonly [number, number], canDilate: boolean): WindowOptions => {
  const fits = (size: number): readonly [number, number] => {
    const kernel = b.random.integer(1, Math.min(5, size))
    const dilation = canDilate && kernel > 1 && b.random.chance(0.3) ? b.random.integer(1, Math.max(1, Math.floor((size - 1) / (kernel - 1)))) : 1
    return [kernel, dilation]
  }
  const [[kh, dh], [kw, dw]] = [fits(height), fits(width)]
  const pad = (kernel: number, dilation: number): number => b.random.integer(0, dilation * (kernel - 1))
  const padding = b.random.pick(['same', 'valid', [pad(kh, dh), pad(kh, dh), pad(kw, dw), pad(kw, dw)]] as const)
  return { ...layerOptions(b), kernel: [kh, kw], dilation: [dh, dw], stride: pairOf(b, 3), padding }
}

const image = (b: NetworkBuilder, channels: number): readonly [number, number, number] => [randomSize(b, 20), randomSize(b, 20), randomSize(b, channels)]

const sizeOf = (shape: readonly number[]): readonly [number, number] => [shape[0] as number, shape[1] as number]

const poolQuantization = (b: NetworkBuilder): { quantization?: { scale: number; zeroPoint: number } } =>
  b.random.chance(0.5)
    ? { quantization: { scale: b.random.chance(0.5) ? 2 ** -b.random.integer(4, 8) : 0.002 + 0.02 * b.random.uniform(), zeroPoint: randomZeroPoint(b) } }
    : {}

const RANDOM_OPERATOR: Readonly<Record<IntegerOperatorKind, (b: NetworkBuilder) => number>> = {
  dense: (b) => b.dense(randomInput(b, [randomSize(b, 300)]), randomSize(b, 70), layerOptions(b)),
  conv1d: (b) => {
    const shape = [randomSize(b, 40), randomSize(b, 40)]
    return b.conv1d(randomInput(b, shape), randomSize(b, 40), randomWindow(b, [1, shape[0] as number], true))
  },
  conv2d: (b) => {
    const shape = image(b, 40)
    return b.conv2d(randomInput(b, shape), randomSize(b, 40), randomWindow(b, sizeOf(shape), true))
  },
  depthwiseConv2d: (b) => {
    const shape = image(b, 40)
    return b.depthwise(randomInput(b, shape), b.random.chance(0.7) ? 1 : b.random.integer(1, 3), randomWindow(b, sizeOf(shape), true))
  },
  averagePool: (b) => {
    const shape = image(b, 40)
    return b.averagePool(randomInput(b, shape), { ...randomWindow(b, sizeOf(shape), false), ...poolQuantization(b) })
  },
  maxPool: (b) => {
    const shape = image(b, 40)
    return b.maxPool(randomInput(b, shape), randomWindow(b, sizeOf(shape), false))
  },
  globalAveragePool: (b) => b.globalAveragePool(randomInput(b, image(b, 40)), poolQuantization(b).quantization),
  globalMaxPool: (b) => b.globalMaxPool(randomInput(b, image(b, 40))),
  add: (b) => {
    const shape = image(b, 20)
    return b.add(randomInput(b, shape), randomInput(b, shape), { relu: b.random.chance(0.4), ties: b.random.chance(0.4) })
  },
  concat: (b) => {
    const shape = image(b, 20)
    const axis = b.random.integer(0, 2)
    const type = { zeroPoint: randomZeroPoint(b), scale: 1 / 64 }
    const part = (): number =>
      b.input(
        shape.map((size, i) => (i === axis ? randomSize(b, 20) : size)),
        type,
      )
    return b.concat(Array.from({ length: b.random.integer(2, 4) }, part), axis)
  },
  flatten: (b) => b.flatten(randomInput(b, image(b, 20))),
  reshape: (b) => {
    const [height, width, channels] = image(b, 20)
    return b.reshape(
      randomInput(b, [height, width, channels]),
      b.random.pick([[height * width, channels], [channels, height, width], [width * channels * height]]),
    )
  },
  relu: (b) => b.relu(randomInput(b, image(b, 20)), b.random.chance(0.5) ? 6 * b.random.uniform() + 0.01 : null),
  softmax: (b) => {
    const shape = b.random.chance(0.5) ? [randomSize(b, 40)] : image(b, 20)
    return b.softmax(b.random.chance(0.3) ? b.input(shape, { kind: 'int32', scale: 2 ** -b.random.integer(0, 12) }) : randomInput(b, shape))
  },
}

/** Every operator of the integer stage. */
export const INTEGER_OPERATORS = Object.keys(RANDOM_OPERATOR) as readonly IntegerOperatorKind[]

/** A network of one operator with random attributes, sizes, zero points (extremes included) and weights. */
export const operatorNetwork = (kind: IntegerOperatorKind, seed: number): Network<'integer'> => {
  const b = networkBuilder(`${kind}_${seed}`, seed)
  return b.build([RANDOM_OPERATOR[kind](b)])
}

/** A layer over an image that keeps an image. */
const imageLayer = (b: NetworkBuilder, x: number): number => {
  const [height, width] = sizeOf(b.shapeAt(x))
  const { emission: _, ...options } = randomWindow(b, [Math.min(height, 5), Math.min(width, 5)], false)
  const layers: readonly (() => number)[] = [
    () => b.conv2d(x, randomSize(b, 24), options),
    () => b.depthwise(x, 1, options),
    () => b.maxPool(x, options),
    () => b.averagePool(x, options),
    () => b.relu(x, b.random.chance(0.5) ? 1 : null),
    () => b.add(x, b.conv2d(x, b.shapeAt(x)[2] as number, { kernel: [1, 1] }), { relu: b.random.chance(0.5) }),
    () => b.concat([x, b.relu(x), b.depthwise(x, 1, { kernel: [3, 3], quantization: b.quantizationOf(x) })], 2),
  ]
  return b.random.pick(layers)()
}

/** A random graph: an image, up to six layers with branches, a head, at times a second output and a softmax. */
export const randomNetwork = (seed: number): Network<'integer'> => {
  const b = networkBuilder(`random_${seed}`, seed)
  let x = randomInput(b, image(b, 8))
  const middle = x
  for (let depth = b.random.integer(0, 6); depth > 0; depth--) x = imageLayer(b, x)
  const outputs: number[] = x !== middle && b.random.chance(0.3) ? [x] : []
  const flat = b.random.chance(0.5) ? b.globalAveragePool(x) : b.flatten(x)
  const scores = b.dense(flat, randomSize(b, 20), b.random.chance(0.3) ? { emission: 'none' } : {})
  outputs.unshift(scores)
  if (b.random.chance(0.4)) outputs.push(b.softmax(scores))
  return b.build(outputs)
}
