// Integer networks of levels, signs and thresholds with random weights: one operator with random kinds of inputs, weights and outputs, or a stack of
// them behind an int8 stem. The same seed gives the same network.

import { packSigns } from '#src/network/accumulate.js'
import { createBuilder, type NetworkBuilder, type NodeSpec } from '#src/network/builder.js'
import type { Emission } from '#src/network/emission.js'
import { type Node, operatorOf } from '#src/network/operators/index.js'
import { elementCount, type Network, perTensor, type Shape, type Tensor, type ValueType } from '#src/network/types.js'
import { type TestRandom, testRandom } from './random.js'

/** Operators that take levels or signs. */
export const COARSE_OPERATORS = ['dense', 'conv1d', 'conv2d', 'depthwiseConv2d', 'maxPool', 'globalMaxPool', 'flatten', 'reshape'] as const
export type CoarseOperator = (typeof COARSE_OPERATORS)[number]

interface Draft {
  readonly random: TestRandom
  readonly b: NetworkBuilder<'integer'>
  readonly types: Map<number, ValueType>
}

const draftOf = (seed: number): Draft => ({ random: testRandom(seed), b: createBuilder('integer'), types: new Map() })

const coarseType = (random: TestRandom, shape: Shape): ValueType =>
  random.chance(0.5) ? { kind: 'binary', shape } : { kind: 'level', shape, levels: random.pick([1, 4, 15, 255]) }

const anyType = (random: TestRandom, shape: Shape): ValueType =>
  random.chance(0.25) ? perTensor('int8', shape, 1 / 64, random.pick([-128, 0, 5, 127])) : coarseType(random, shape)

const addInput = ({ b, types }: Draft, name: string, type: ValueType): number => {
  const value = b.input(name, type)
  types.set(value, type)
  return value
}

/** Adds a node whose output is what `typeOf` makes of its shape. */
const addNode = ({ b, types }: Draft, spec: NodeSpec, typeOf: (shape: Shape) => ValueType): number => {
  const node = { ...spec, output: 0 } as Node
  const type = typeOf(operatorOf(node).outputShape(node, spec.inputs.map(b.shapeOf)))
  const value = b.add(spec, type)
  types.set(value, type)
  return value
}

const weightsOf = (random: TestRandom, shape: Shape): Tensor => {
  const numbers = Float64Array.from({ length: elementCount(shape) }, () => random.integer(-127, 127))
  if (random.chance(0.6)) return { type: { kind: 'binary', shape }, data: packSigns(numbers) }
  return { type: perTensor('int8', shape, 1 / 64, 0), data: Int8Array.from(numbers) }
}

const biasOf = (random: TestRandom, channels: number): Tensor | null =>
  random.chance(0.5) ? null : { type: perTensor('int32', [channels], 1, 0), data: new Int32Array(channels).map(() => random.integer(-50, 50)) }

/** Ascending thresholds around 0; some channels are constant. */
const thresholdsOf = (random: TestRandom, channels: number, levels: number, spread: number): Emission => {
  const channel = (): number[] => {
    if (random.chance(0.1)) return new Array<number>(levels).fill(random.pick([-(2 ** 31), 2 ** 31 - 1]))
    return Array.from({ length: levels }, () => random.integer(-spread, spread)).sort((a, b) => a - b)
  }
  const data = Array.from({ length: channels }, channel).flat()
  return { kind: 'thresholds', thresholds: { type: perTensor('int32', [channels, levels], 1, 0), data: Int32Array.from(data) } }
}

type Output = readonly [emission: Emission, typeOf: (shape: Shape) => ValueType]

/** A random emission for sums of `taps` products, and the output it gives. */
const outputOf = (random: TestRandom, input: ValueType, weights: Tensor, channels: number, taps: number, canBeSums = true): Output => {
  if (canBeSums && random.chance(0.25)) return [{ kind: 'none' }, (shape) => perTensor('int32', shape, 1, 0)]
  const sizes = (input.kind === 'int8' ? 60 : input.kind === 'level' ? input.levels : 1) * (weights.type.kind === 'int8' ? 60 : 1)
  const spread = Math.ceil(Math.sqrt(taps) * sizes)
  if (random.chance(0.5)) return [thresholdsOf(random, channels, 1, spread), (shape) => ({ kind: 'binary', shape })]
  const levels = random.pick([1, 4, 15])
  return [thresholdsOf(random, channels, levels, spread), (shape) => ({ kind: 'level', shape, levels })]
}

const typeAt = (draft: Draft, value: number): ValueType => draft.types.get(value) as ValueType

const dense = (draft: Draft, x: number, units: number, canBeSums = true): number => {
  const { random } = draft
  const width = typeAt(draft, x).shape[0] as number
  const weights = weightsOf(random, [units, width])
  const [emission, typeOf] = outputOf(random, typeAt(draft, x), weights, units, width, canBeSums)
  return addNode(draft, { kind: 'dense', name: `dense${x}`, inputs: [x], weights, bias: biasOf(random, units), emission }, typeOf)
}

type Pair = readonly [number, number]

/** Kernel, stride and padding that fit an image. */
const windowOf = (random: TestRandom, [height, width]: Pair): { kernel: Pair; stride: Pair; padding: readonly [number, number, number, number] } => {
  const kernel: Pair = [random.integer(1, Math.min(4, height)), random.integer(1, Math.min(4, width))]
  const pad = (k: number): number => random.integer(0, k - 1)
  return { kernel, stride: [random.integer(1, 2), random.integer(1, 2)], padding: [pad(kernel[0]), pad(kernel[0]), pad(kernel[1]), pad(kernel[1])] }
}

const imageSize = (draft: Draft, x: number): Pair => typeAt(draft, x).shape.slice(0, 2) as unknown as Pair

const conv2d = (draft: Draft, x: number, channels: number, canBeSums = true): number => {
  const { random } = draft
  const { kernel, stride, padding } = windowOf(random, imageSize(draft, x))
  const inner = typeAt(draft, x).shape[2] as number
  const weights = weightsOf(random, [channels, ...kernel, inner])
  const [emission, typeOf] = outputOf(random, typeAt(draft, x), weights, channels, kernel[0] * kernel[1] * inner, canBeSums)
  const bias = biasOf(random, channels)
  return addNode(draft, { kind: 'conv2d', name: `conv${x}`, inputs: [x], weights, bias, emission, stride, padding, dilation: [1, 1] }, typeOf)
}

const depthwise = (draft: Draft, x: number, canBeSums = true): number => {
  const { random } = draft
  const { kernel, stride, padding } = windowOf(random, imageSize(draft, x))
  const channels = (typeAt(draft, x).shape[2] as number) * random.integer(1, 2)
  const weights = weightsOf(random, [...kernel, channels])
  const [emission, typeOf] = outputOf(random, typeAt(draft, x), weights, channels, kernel[0] * kernel[1], canBeSums)
  const bias = biasOf(random, channels)
  return addNode(draft, { kind: 'depthwiseConv2d', name: `depthwise${x}`, inputs: [x], weights, bias, emission, stride, padding, dilation: [1, 1] }, typeOf)
}

const conv1d = (draft: Draft, x: number, channels: number): number => {
  const { random } = draft
  const [steps, inner] = typeAt(draft, x).shape as readonly [number, number]
  const kernel = random.integer(1, Math.min(5, steps))
  const weights = weightsOf(random, [channels, kernel, inner])
  const [emission, typeOf] = outputOf(random, typeAt(draft, x), weights, channels, kernel * inner)
  const padding = [random.integer(0, kernel - 1), random.integer(0, kernel - 1)] as const
  const bias = biasOf(random, channels)
  return addNode(draft, { kind: 'conv1d', name: `conv${x}`, inputs: [x], weights, bias, emission, stride: random.integer(1, 2), dilation: 1, padding }, typeOf)
}

const sameAs =
  (draft: Draft, x: number) =>
  (shape: Shape): ValueType =>
    ({ ...typeAt(draft, x), shape }) as ValueType

const maxPool = (draft: Draft, x: number): number =>
  addNode(draft, { kind: 'maxPool', name: `pool${x}`, inputs: [x], ...windowOf(draft.random, imageSize(draft, x)) }, sameAs(draft, x))

const move = (draft: Draft, spec: NodeSpec): number => addNode(draft, spec, sameAs(draft, spec.inputs[0] as number))

/** Sizes that are multiples of 32, sizes that are not, and small ones. */
const sizeOf = (random: TestRandom): number => random.pick([1, 3, 7, 32, 33, 64, 100, 128, 300])
const channelsOf = (random: TestRandom): number => random.pick([1, 2, 5, 8, 32, 40])
const image = (random: TestRandom): readonly [number, number, number] => [random.integer(1, 7), random.integer(1, 7), channelsOf(random)]

const MAKE: Readonly<Record<CoarseOperator, (draft: Draft) => number>> = {
  dense: (draft) => dense(draft, addInput(draft, 'x', anyType(draft.random, [sizeOf(draft.random)])), draft.random.pick([1, 10, 33, 70])),
  conv1d: (draft) =>
    conv1d(draft, addInput(draft, 'x', anyType(draft.random, [draft.random.integer(1, 12), channelsOf(draft.random)])), channelsOf(draft.random)),
  conv2d: (draft) => conv2d(draft, addInput(draft, 'x', anyType(draft.random, image(draft.random))), channelsOf(draft.random)),
  depthwiseConv2d: (draft) => depthwise(draft, addInput(draft, 'x', anyType(draft.random, image(draft.random)))),
  maxPool: (draft) => maxPool(draft, addInput(draft, 'x', coarseType(draft.random, image(draft.random)))),
  globalMaxPool: (draft) =>
    move(draft, { kind: 'globalMaxPool', name: 'largest', inputs: [addInput(draft, 'x', coarseType(draft.random, image(draft.random)))] }),
  flatten: (draft) => move(draft, { kind: 'flatten', name: 'flat', inputs: [addInput(draft, 'x', coarseType(draft.random, image(draft.random)))] }),
  reshape: (draft) => {
    const [height, width, channels] = image(draft.random)
    const x = addInput(draft, 'x', coarseType(draft.random, [height, width, channels]))
    return move(draft, { kind: 'reshape', name: 'shape', inputs: [x], shape: [height * width, channels] })
  },
}

const finish = ({ b }: Draft, name: string, output: number): Network<'integer'> => b.build({ name, outputs: [output] })

/** A network of one operator over random kinds. */
export const coarseNetwork = (kind: CoarseOperator, seed: number): Network<'integer'> => {
  const draft = draftOf(seed)
  return finish(draft, `coarse_${kind}_${seed}`, MAKE[kind](draft))
}

/** An int8 image, layers with thresholds and max pools, then int32 scores. */
export const coarseStack = (seed: number): Network<'integer'> => {
  const draft = draftOf(seed)
  const { random } = draft
  let x = conv2d(draft, addInput(draft, 'x', perTensor('int8', [random.integer(5, 12), random.integer(5, 12), 3], 1 / 64, -3)), channelsOf(random), false)
  for (let depth = random.integer(1, 3); depth > 0; depth--) {
    if (random.chance(0.4)) x = maxPool(draft, x)
    x = random.chance(0.3) ? depthwise(draft, x, false) : conv2d(draft, x, channelsOf(random), false)
  }
  const flat = move(draft, { kind: 'flatten', name: 'flat', inputs: [x] })
  return finish(draft, `coarse_stack_${seed}`, dense(draft, flat, 10))
}

const signWeights = (random: TestRandom, shape: Shape): Tensor => ({
  type: { kind: 'binary', shape },
  data: packSigns(Float64Array.from({ length: elementCount(shape) }, () => random.integer(0, 1) - 0.5)),
})

const signsOf = (random: TestRandom, channels: number, taps: number): Output => [
  thresholdsOf(random, channels, 1, Math.ceil(Math.sqrt(taps))),
  (shape) => ({ kind: 'binary', shape }),
]

/** One dense layer from signs to signs by signs. */
export const signDense = (inputs: number, units: number, seed: number): Network<'integer'> => {
  const draft = draftOf(seed)
  const { random } = draft
  const x = addInput(draft, 'x', { kind: 'binary', shape: [inputs] })
  const [emission, typeOf] = signsOf(random, units, inputs)
  const weights = signWeights(random, [units, inputs])
  return finish(draft, 'signs', addNode(draft, { kind: 'dense', name: 'dense', inputs: [x], weights, bias: null, emission }, typeOf))
}

/** One convolution 3x3 with same padding from signs to signs by signs. */
export const signConv = (size: number, channels: number, seed: number): Network<'integer'> => {
  const draft = draftOf(seed)
  const { random } = draft
  const x = addInput(draft, 'x', { kind: 'binary', shape: [size, size, channels] })
  const [emission, typeOf] = signsOf(random, channels, 9 * channels)
  const weights = signWeights(random, [channels, 3, 3, channels])
  const window = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1] } as const
  return finish(draft, 'signs', addNode(draft, { kind: 'conv2d', name: 'conv', inputs: [x], weights, bias: null, emission, ...window }, typeOf))
}
