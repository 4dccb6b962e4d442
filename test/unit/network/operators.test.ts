// Every operator's evaluate against its definition: the integer stage in unbounded integers and exact rationals, the float stage in
// plain float64 loops that look values up by coordinate. Networks are random: sizes, windows, paddings, zero points, scales.

import { describe, expect, it } from 'vitest'
import { createBuilder, type NodeSpec } from '#src/network/builder.js'
import { evaluate } from '#src/network/evaluate.js'
import { nodeTypes } from '#src/network/graph.js'
import type { Node, NodeOf, OperatorKind } from '#src/network/operators/index.js'
import { operatorOf } from '#src/network/operators/index.js'
import { type ElementArray, elementCount, type Float32Type, type Network, type QuantizedType, type Shape, type Tensor } from '#src/network/types.js'
import { INTEGER_OPERATORS, type IntegerOperatorKind, operatorNetwork, randomInputs, type TimeOperatorKind } from '../../helpers/networks.js'
import { type TestRandom, testRandom } from '../../helpers/random.js'
import {
  convolve,
  exactAdd,
  exactAverageScale,
  exactQuantize,
  exactRequantize,
  exactScale,
  INTEGERS,
  join,
  matrixProduct,
  NUMBERS,
  picture,
  weightScale,
  windows,
} from './exact.js'

interface Around {
  readonly inputs: readonly ElementArray[]
  readonly types: readonly QuantizedType[]
  readonly output: QuantizedType
}

const scaleOf = (type: QuantizedType): number => type.scales[0] as number

/** Emits sums as the node's emission says, exactly. */
const emitted = (
  node: NodeOf<'dense'> | NodeOf<'conv1d'> | NodeOf<'conv2d'> | NodeOf<'depthwiseConv2d'>,
  sums: readonly bigint[],
  { types: [input], output }: Around,
): number[] => {
  const channels = output.shape.at(-1) as number
  const { emission } = node
  if (emission.kind === 'none') return sums.map(Number)
  if (emission.kind !== 'requantize') throw new Error('a float emission in the integer stage')
  const scales = Array.from({ length: channels }, (_, c) => exactScale(scaleOf(input as QuantizedType), weightScale(node, c), scaleOf(output)))
  return sums.map((sum, i) => exactRequantize(sum, scales[i % channels] as number, output.zeroPoint, emission.min, emission.max))
}

const integerImage = ({ inputs, types }: Around) => picture(inputs[0] as ElementArray, types[0]?.shape ?? [], types[0]?.zeroPoint ?? 0, INTEGERS)
const storedImage = ({ inputs, types }: Around) => picture(inputs[0] as ElementArray, types[0]?.shape ?? [], 0, NUMBERS)
const average = (node: NodeOf<'averagePool'> | NodeOf<'globalAveragePool'>, around: Around): number[] => {
  const {
    types: [input],
    output,
  } = around
  return windows(node, storedImage(around)).map((taps) => {
    const sum = taps.reduce((total, x) => total + BigInt(x - (input as QuantizedType).zeroPoint), 0n)
    return exactRequantize(sum, exactAverageScale(scaleOf(input as QuantizedType), scaleOf(output), taps.length), output.zeroPoint, -128, 127)
  })
}
const largest = (node: NodeOf<'maxPool'> | NodeOf<'globalMaxPool'>, around: Around): number[] =>
  windows(node, storedImage(around)).map((taps) => Math.max(...taps))
const unchanged = (_: Node, { inputs }: Around): number[] => [...(inputs[0] as ElementArray)]

/** One definition an operator; softmax gives null, it is compared with a tolerance. */
const INTEGER_DEFINITIONS: { readonly [K in IntegerOperatorKind]: (node: NodeOf<K>, around: Around) => number[] | null } = {
  dense: (node, around) => emitted(node, matrixProduct(node, around.inputs[0] as ElementArray, around.types[0]?.zeroPoint ?? 0, INTEGERS), around),
  conv1d: (node, around) => emitted(node, convolve(node, integerImage(around), INTEGERS), around),
  conv2d: (node, around) => emitted(node, convolve(node, integerImage(around), INTEGERS), around),
  depthwiseConv2d: (node, around) => emitted(node, convolve(node, integerImage(around), INTEGERS), around),
  averagePool: average,
  globalAveragePool: average,
  maxPool: largest,
  globalMaxPool: largest,
  add: ({ emission }, { inputs: [a, b], types: [ta, tb], output }) => {
    if (emission.kind !== 'requantize') throw new Error('an add requantizes')
    const ratio = (type: QuantizedType): number => exactScale(scaleOf(type), 1, scaleOf(output))
    const [ra, rb] = [ratio(ta as QuantizedType), ratio(tb as QuantizedType)]
    const centred = (data: ElementArray, type: QuantizedType, i: number): number => (data[i] as number) - type.zeroPoint
    return Array.from(a as ElementArray, (_, i) =>
      exactAdd(
        centred(a as ElementArray, ta as QuantizedType, i),
        ra,
        centred(b as ElementArray, tb as QuantizedType, i),
        rb,
        output.zeroPoint,
        emission.min,
        emission.max,
      ),
    )
  },
  concat: ({ axis }, { inputs, types }) =>
    join(
      inputs.map((data, i) => ({ data, shape: types[i]?.shape ?? [] })),
      axis,
    ),
  flatten: unchanged,
  reshape: unchanged,
  relu: ({ max }, { inputs: [data], output }) => {
    const high = max === null ? 127 : exactQuantize(max, scaleOf(output), output.zeroPoint, -128, 127)
    return Array.from(data as ElementArray, (x) => Math.min(Math.max(x, output.zeroPoint), high))
  },
  softmax: () => null,
}

const aroundOf = (network: Network, node: Node, values: readonly ElementArray[]): Around => {
  const { inputs, output } = nodeTypes(network, node)
  return { inputs: node.inputs.map((i) => values[i] as ElementArray), types: inputs as QuantizedType[], output: output as QuantizedType }
}

const softmaxOf = (data: ArrayLike<number>, width: number, scale: number): number[] =>
  Array.from(data, (q, i) => {
    const row = Array.from({ length: width }, (_, k) => data[i - (i % width) + k] as number)
    const top = Math.max(...row)
    return Math.exp(scale * (q - top)) / row.reduce((sum, x) => sum + Math.exp(scale * (x - top)), 0)
  })

const expectClose = (actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void => {
  expect(actual.length).toBe(expected.length)
  const size = Math.max(1, ...expected.map(Math.abs))
  for (const [i, x] of expected.entries()) expect(Math.abs((actual[i] as number) - x)).toBeLessThanOrEqual(tolerance * size)
}

const SEEDS = 12

describe('the integer stage is exact', () => {
  it.each(INTEGER_OPERATORS)('%s', (kind) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const network = operatorNetwork(kind, seed)
      const values = evaluate(network, randomInputs(network, seed))
      for (const node of network.nodes) {
        const define = INTEGER_DEFINITIONS[node.kind as IntegerOperatorKind] as (node: Node, around: Around) => number[] | null
        const around = aroundOf(network, node, values)
        const expected = define(node, around)
        const actual = values[node.output] as ElementArray
        if (expected !== null) expect([...actual], `${kind}, seed ${seed}`).toEqual(expected)
        else
          expectClose(
            actual,
            softmaxOf(around.inputs[0] as ElementArray, around.output.shape.at(-1) as number, scaleOf(around.types[0] as QuantizedType)),
            1e-6,
          )
      }
    }
  })
})

// ---- float stage ----

const floats = (random: TestRandom, count: number): Float32Array => new Float32Array(count).map(() => random.uniform() * 2 - 1)
const floatTensor = (random: TestRandom, shape: Shape): Tensor<Float32Type> => ({ type: { kind: 'float32', shape }, data: floats(random, elementCount(shape)) })
const clampOf = (random: TestRandom) => ({ kind: 'clamp', min: random.pick([null, 0, -0.3]), max: random.pick([null, 0.4, 6]) }) as const

const image = (random: TestRandom): readonly [number, number, number] => [random.integer(3, 7), random.integer(3, 7), random.integer(1, 4)]
const pair = (random: TestRandom, high: number): readonly [number, number] => [random.integer(1, high), random.integer(1, high)]
const pads = (random: TestRandom, [kh, kw]: readonly [number, number]) =>
  [random.integer(0, kh - 1), random.integer(0, kh - 1), random.integer(0, kw - 1), random.integer(0, kw - 1)] as const

type Case = readonly [shapes: readonly Shape[], node: NodeSpec]

const poolCase = (kind: 'maxPool' | 'averagePool', random: TestRandom): Case => {
  const kernel = pair(random, 3)
  return [[image(random)], { kind, name: 'n', inputs: [0], kernel, stride: pair(random, 3), padding: pads(random, kernel) }]
}

/** A random node of each kind and the shapes of what it reads. */
type FloatOperatorKind = Exclude<OperatorKind, TimeOperatorKind>
const FLOAT_CASES: Readonly<Record<FloatOperatorKind, (random: TestRandom) => Case>> = {
  dense: (random) => {
    const [width, units] = pair(random, 20)
    return [
      [[width]],
      {
        kind: 'dense',
        name: 'n',
        inputs: [0],
        weights: floatTensor(random, [units, width]),
        bias: random.chance(0.5) ? floatTensor(random, [units]) : null,
        emission: clampOf(random),
      },
    ]
  },
  conv1d: (random) => {
    const [steps, channels, out, k] = [random.integer(5, 12), random.integer(1, 4), random.integer(1, 4), random.integer(1, 3)]
    const padding = [random.integer(0, k - 1), random.integer(0, k - 1)] as const
    return [
      [[steps, channels]],
      {
        kind: 'conv1d',
        name: 'n',
        inputs: [0],
        weights: floatTensor(random, [out, k, channels]),
        bias: floatTensor(random, [out]),
        stride: random.integer(1, 3),
        dilation: random.integer(1, 2),
        padding,
        emission: clampOf(random),
      },
    ]
  },
  conv2d: (random) => {
    const [shape, kernel, out] = [image(random), pair(random, 2), random.integer(1, 4)]
    return [
      [shape],
      {
        kind: 'conv2d',
        name: 'n',
        inputs: [0],
        weights: floatTensor(random, [out, ...kernel, shape[2]]),
        bias: null,
        stride: pair(random, 3),
        dilation: pair(random, 2),
        padding: pads(random, kernel),
        emission: clampOf(random),
      },
    ]
  },
  depthwiseConv2d: (random) => {
    const [shape, kernel] = [image(random), pair(random, 2)]
    const out = shape[2] * random.integer(1, 3)
    return [
      [shape],
      {
        kind: 'depthwiseConv2d',
        name: 'n',
        inputs: [0],
        weights: floatTensor(random, [...kernel, out]),
        bias: floatTensor(random, [out]),
        stride: pair(random, 3),
        dilation: pair(random, 2),
        padding: pads(random, kernel),
        emission: clampOf(random),
      },
    ]
  },
  averagePool: (random) => poolCase('averagePool', random),
  maxPool: (random) => poolCase('maxPool', random),
  globalAveragePool: (random) => [[image(random)], { kind: 'globalAveragePool', name: 'n', inputs: [0] }],
  globalMaxPool: (random) => [[image(random).slice(1)], { kind: 'globalMaxPool', name: 'n', inputs: [0] }],
  add: (random) => {
    const shape = image(random)
    return [[shape, shape], { kind: 'add', name: 'n', inputs: [0, 1], emission: clampOf(random) }]
  },
  concat: (random) => {
    const [shape, axis] = [image(random), random.integer(0, 2)]
    const part = (): Shape => shape.map((size, i) => (i === axis ? random.integer(1, 4) : size))
    return [[part(), part(), part()], { kind: 'concat', name: 'n', inputs: [0, 1, 2], axis }]
  },
  flatten: (random) => [[image(random)], { kind: 'flatten', name: 'n', inputs: [0] }],
  reshape: (random) => {
    const [height, width, channels] = image(random)
    return [[[height, width, channels]], { kind: 'reshape', name: 'n', inputs: [0], shape: [channels * width, height] }]
  },
  relu: (random) => [[image(random)], { kind: 'relu', name: 'n', inputs: [0], max: random.pick([null, 0.25, 6]) }],
  softmax: (random) => [[image(random)], { kind: 'softmax', name: 'n', inputs: [0] }],
  batchNorm: (random) => {
    const shape = image(random)
    const variance: Tensor = { type: { kind: 'float32', shape: [shape[2]] }, data: floats(random, shape[2]).map(Math.abs) }
    const [gamma, beta, mean] = [0, 1, 2].map(() => floatTensor(random, [shape[2]])) as [Tensor, Tensor, Tensor]
    return [[shape], { kind: 'batchNorm', name: 'n', inputs: [0], gamma, beta, mean, variance, epsilon: 0.01 }]
  },
  sign: (random) => [[image(random)], { kind: 'sign', name: 'n', inputs: [0] }],
  staircase: (random) => [
    [image(random)],
    { kind: 'staircase', name: 'n', inputs: [0], levels: random.integer(2, 9), curve: random.pick(['sigmoid', 'relu'] as const) },
  ],
}

const bounded = ({ emission }: { emission: NodeOf<'add'>['emission'] }, sums: readonly number[]): number[] => {
  if (emission.kind !== 'clamp') throw new Error('an integer emission in the float stage')
  return sums.map((x) => (emission.max !== null && x > emission.max ? emission.max : emission.min !== null && x < emission.min ? emission.min : x))
}

interface FloatAround {
  readonly inputs: readonly ElementArray[]
  readonly shapes: readonly Shape[]
}

const floatImage = ({ inputs, shapes }: FloatAround) => picture(inputs[0] as ElementArray, shapes[0] as Shape, 0, NUMBERS)
const mean = (node: NodeOf<'averagePool'> | NodeOf<'globalAveragePool'>, around: FloatAround): number[] =>
  windows(node, floatImage(around)).map((taps) => taps.reduce((a, b) => a + b, 0) / taps.length)
const floatMax = (node: NodeOf<'maxPool'> | NodeOf<'globalMaxPool'>, around: FloatAround): number[] =>
  windows(node, floatImage(around)).map((taps) => Math.max(...taps))
const same = (_: Node, { inputs }: FloatAround): number[] => [...(inputs[0] as ElementArray)]

const FLOAT_DEFINITIONS: { readonly [K in FloatOperatorKind]: (node: NodeOf<K>, around: FloatAround) => number[] } = {
  dense: (node, { inputs }) => bounded(node, matrixProduct(node, inputs[0] as ElementArray, 0, NUMBERS)),
  conv1d: (node, around) => bounded(node, convolve(node, floatImage(around), NUMBERS)),
  conv2d: (node, around) => bounded(node, convolve(node, floatImage(around), NUMBERS)),
  depthwiseConv2d: (node, around) => bounded(node, convolve(node, floatImage(around), NUMBERS)),
  averagePool: mean,
  globalAveragePool: mean,
  maxPool: floatMax,
  globalMaxPool: floatMax,
  add: (node, { inputs: [a, b] }) =>
    bounded(
      node,
      Array.from(a as ElementArray, (x, i) => x + ((b as ElementArray)[i] as number)),
    ),
  concat: ({ axis }, { inputs, shapes }) =>
    join(
      inputs.map((data, i) => ({ data, shape: shapes[i] as Shape })),
      axis,
    ),
  flatten: same,
  reshape: same,
  relu: ({ max }, { inputs }) => Array.from(inputs[0] as ElementArray, (x) => Math.min(Math.max(x, 0), max ?? Infinity)),
  softmax: (_, { inputs, shapes }) => softmaxOf(inputs[0] as ElementArray, shapes[0]?.at(-1) as number, 1),
  batchNorm: ({ gamma, beta, mean: average_, variance, epsilon }, { inputs, shapes }) => {
    const channels = shapes[0]?.at(-1) as number
    const of = (tensor: Tensor, i: number): number => tensor.data[i % channels] as number
    return Array.from(inputs[0] as ElementArray, (x, i) => (of(gamma, i) * (x - of(average_, i))) / Math.sqrt(of(variance, i) + epsilon) + of(beta, i))
  },
  sign: (_, { inputs }) => Array.from(inputs[0] as ElementArray, (x) => (x >= 0 ? 1 : -1)),
  staircase: ({ levels, curve }, { inputs }) =>
    Array.from(inputs[0] as ElementArray, (x) => {
      const share = curve === 'relu' ? x : 1 / (1 + Math.exp(-x))
      return Math.min(Math.max(Math.floor(levels * share), 0), levels - 1) / levels
    }),
}

describe('the float stage computes its definition', () => {
  it.each(Object.keys(FLOAT_CASES) as FloatOperatorKind[])('%s', (kind) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = testRandom(seed)
      const [shapes, node] = FLOAT_CASES[kind](random)
      const builder = createBuilder('float')
      for (const [i, shape] of shapes.entries()) builder.input(`x${i}`, shape)
      const network = builder.build({ name: kind, outputs: [builder.add(node)] })
      const inputs = shapes.map((shape) => floats(random, elementCount(shape)))
      const values = evaluate(network, inputs)
      const define = FLOAT_DEFINITIONS[kind] as (node: Node, around: FloatAround) => number[]
      expectClose(values.at(-1) as ElementArray, define(network.nodes[0] as Node, { inputs, shapes }), 1e-6)
    }
  })
})

describe('costs', () => {
  it.each([
    [
      'dense',
      3 * 5,
      (b: ReturnType<typeof createBuilder<'float'>>, r: TestRandom) =>
        b.add({
          kind: 'dense',
          name: 'n',
          inputs: [b.input('x', [5])],
          weights: floatTensor(r, [3, 5]),
          bias: null,
          emission: { kind: 'clamp', min: null, max: null },
        }),
    ],
    [
      'averagePool',
      2 * 2 * 3 * 9,
      (b, _) => b.add({ kind: 'averagePool', name: 'n', inputs: [b.input('x', [6, 6, 3])], kernel: [3, 3], stride: [3, 3], padding: [0, 0, 0, 0] }),
    ],
    ['maxPool', 0, (b, _) => b.add({ kind: 'maxPool', name: 'n', inputs: [b.input('x', [6, 6, 3])], kernel: [3, 3], stride: [3, 3], padding: [0, 0, 0, 0] })],
    [
      'add',
      12,
      (b, _) => b.add({ kind: 'add', name: 'n', inputs: [b.input('x', [12]), b.input('y', [12])], emission: { kind: 'clamp', min: null, max: null } }),
    ],
  ] as readonly (readonly [string, number, (b: ReturnType<typeof createBuilder<'float'>>, r: TestRandom) => number])[])(
    '%s counts its multiply-accumulates',
    (_, macs, add) => {
      const builder = createBuilder('float')
      const network = builder.build({ name: 'n', outputs: [add(builder, testRandom(1))] })
      const node = network.nodes[0] as Node
      expect(operatorOf(node).macs(node, nodeTypes(network, node))).toBe(macs)
    },
  )
})
