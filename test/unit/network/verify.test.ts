// verify(): a network that breaks any rule is refused, with the text of each message.

import { describe, expect, it } from 'vitest'
import { SpikeportError } from '#src/errors.js'
import { createBuilder } from '#src/network/builder.js'
import type { Node } from '#src/network/operators/index.js'
import { type Network, perChannel, perTensor, type Stage, type Tensor, type ValueType } from '#src/network/types.js'
import { verify } from '#src/network/verify.js'

type Open<T> = { -readonly [K in keyof T]: T[K] extends object ? Open<T[K]> : T[K] }
type OpenNetwork = Record<string, unknown> & { values: { name: string; type: Record<string, unknown> }[]; nodes: Record<string, unknown>[] }

const f = (shape: readonly number[], fill = 0.5): Tensor => ({
  type: { kind: 'float32', shape },
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(fill),
})
const w = (shape: readonly number[], axis = 0): Tensor => ({
  type: perChannel('int8', shape, new Array<number>(shape[axis] as number).fill(0.25), axis),
  data: new Int8Array(shape.reduce((a, b) => a * b, 1)).fill(3),
})
const b = (channels: number): Tensor => ({ type: perTensor('int32', [channels], 1, 0), data: new Int32Array(channels) })
const CLAMP = { kind: 'clamp', min: 0, max: null } as const
const REQUANTIZE = { kind: 'requantize', min: -128, max: 127 } as const
const int8 = (shape: readonly number[], scale = 0.5, zeroPoint = 0): ValueType => perTensor('int8', shape, scale, zeroPoint)
const WINDOW = { stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] } as const
const POOL = { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] } as const

/** Every float operator once: "x" [6,6,2] and what follows. */
const floatNetwork = (): Network => {
  const n = createBuilder('float')
  const x = n.input('x', [6, 6, 2])
  const conv = n.add({ kind: 'conv2d', name: 'conv', inputs: [x], ...WINDOW, weights: f([3, 3, 3, 2]), bias: f([3]), emission: CLAMP })
  const norm = n.add({ kind: 'batchNorm', name: 'norm', inputs: [conv], gamma: f([3]), beta: f([3]), mean: f([3]), variance: f([3]), epsilon: 0.001 })
  const wise = n.add({ kind: 'depthwiseConv2d', name: 'wise', inputs: [norm], ...WINDOW, weights: f([1, 1, 3]), bias: null, emission: CLAMP })
  const sum = n.add({ kind: 'add', name: 'sum', inputs: [norm, wise], emission: CLAMP })
  const pool = n.add({ kind: 'maxPool', name: 'pool', inputs: [sum], ...POOL })
  const relu = n.add({ kind: 'relu', name: 'relu', inputs: [pool], max: 6 })
  const signal = n.add({ kind: 'reshape', name: 'signal', inputs: [relu], shape: [4, 3] })
  const line = n.add({
    kind: 'conv1d',
    name: 'line',
    inputs: [signal],
    stride: 1,
    dilation: 1,
    padding: [0, 0],
    weights: f([2, 1, 3]),
    bias: null,
    emission: CLAMP,
  })
  const join = n.add({ kind: 'concat', name: 'join', inputs: [line, line], axis: 1 })
  const mean = n.add({ kind: 'globalAveragePool', name: 'mean', inputs: [join] })
  const dense = n.add({ kind: 'dense', name: 'dense', inputs: [mean], weights: f([2, 4]), bias: f([2]), emission: CLAMP })
  return n.build({ name: 'float', outputs: [n.add({ kind: 'softmax', name: 'soft', inputs: [dense] })], labels: ['no', 'yes'] })
}

const integerNetwork = (): Network => {
  const n = createBuilder('integer')
  const x = n.input('x', int8([6, 6, 2], 0.5, -128))
  const conv = n.add({ kind: 'conv2d', name: 'conv', inputs: [x], ...WINDOW, weights: w([3, 3, 3, 2]), bias: b(3), emission: REQUANTIZE }, int8([4, 4, 3]))
  const wise = n.add(
    { kind: 'depthwiseConv2d', name: 'wise', inputs: [conv], ...WINDOW, weights: w([1, 1, 3], 2), bias: null, emission: REQUANTIZE },
    int8([4, 4, 3]),
  )
  const sum = n.add({ kind: 'add', name: 'sum', inputs: [conv, wise], emission: REQUANTIZE }, int8([4, 4, 3]))
  const pool = n.add({ kind: 'maxPool', name: 'pool', inputs: [sum], ...POOL }, int8([2, 2, 3]))
  const mean = n.add({ kind: 'averagePool', name: 'mean', inputs: [pool], ...POOL }, int8([1, 1, 3]))
  const relu = n.add({ kind: 'relu', name: 'relu', inputs: [mean], max: null }, int8([1, 1, 3]))
  const flat = n.add({ kind: 'flatten', name: 'flat', inputs: [relu] }, int8([3]))
  const join = n.add({ kind: 'concat', name: 'join', inputs: [flat, flat], axis: 0 }, int8([6]))
  const dense = n.add(
    { kind: 'dense', name: 'dense', inputs: [join], weights: w([2, 6]), bias: b(2), emission: { kind: 'none' } },
    perTensor('int32', [2], 0.1, 0),
  )
  return n.build({ name: 'integer', outputs: [dense, n.add({ kind: 'softmax', name: 'soft', inputs: [dense] })] })
}

type Change = (
  node: (name: string) => Record<string, unknown>,
  value: (name: string) => { name: string; type: Record<string, unknown> },
  network: OpenNetwork,
) => unknown
type Row = readonly [message: string, change: Change]

const refusal = (network: Network, change: Change): SpikeportError => {
  const open = structuredClone(network) as unknown as OpenNetwork
  change(
    (name) => open.nodes.find((node) => node.name === name) as Record<string, unknown>,
    (name) => open.values.find((value) => value.name === name) as { name: string; type: Record<string, unknown> },
    open,
  )
  try {
    verify(open as unknown as Network<Stage>)
  } catch (error) {
    if (error instanceof SpikeportError) return error
    throw error
  }
  throw new Error('verify() accepts the network')
}

const set = (target: object, entries: Record<string, unknown>): object => Object.assign(target, entries)

const STRUCTURE: readonly Row[] = [
  ['network: unknown stage "double".', (_n, _v, network) => set(network, { stage: 'double' })],
  ['network: unknown rounding "up".', (_n, _v, network) => set(network, { rounding: 'up' })],
  ['network: the name is missing.', (_n, _v, network) => set(network, { name: 5 })],
  ['network: labels is not a list.', (_n, _v, network) => set(network, { labels: null })],
  ['network: labels must be strings.', (_n, _v, network) => set(network, { labels: [1] })],
  ['network: metadata must be strings.', (_n, _v, network) => set(network, { metadata: { a: 1 } })],
  ['network: input 99 is not a value or is listed twice.', (_n, _v, network) => set(network, { inputs: [99] })],
  ['network: input 0 is not a value or is listed twice.', (_n, _v, network) => set(network, { inputs: [0, 0] })],
  ['network: input length is not a value or is listed twice.', (_n, _v, network) => set(network, { inputs: [0, 'length'] })],
  ['network: has no input or no output.', (_n, _v, network) => set(network, { outputs: [] })],
  ['network: lists an output twice.', (_n, _v, network) => set(network, { outputs: [1, 1] })],
  ['network: output 99 is not a value.', (_n, _v, network) => set(network, { outputs: [99] })],
  ['value "extra": nothing computes it.', (_n, _v, network) => network.values.push({ name: 'extra', type: { kind: 'float32', shape: [1] } })],
  ['value 1: a name is missing.', (_n, _v, network) => set(network.values[1] as object, { name: '' })],
  ['value 1 "x": the name is used twice.', (_n, _v, network) => set(network.values[1] as object, { name: 'x' })],
  ['value "x": unknown type "int4".', (_n, v) => set(v('x').type, { kind: 'int4' })],
  ['value "x": shape [6,0,2] is not a list of at most 4 integers from 1 to 65535.', (_n, v) => set(v('x').type, { shape: [6, 0, 2] })],
  ['value "x": shape [1,1,1,1,1] is not a list of at most 4 integers from 1 to 65535.', (_n, v) => set(v('x').type, { shape: [1, 1, 1, 1, 1] })],
  ['value "x": 1073741824 elements, at most 268435456 are possible.', (_n, v) => set(v('x').type, { shape: [32768, 32768] })],
  ['value "x": int8 does not exist in the float stage.', (_n, v) => set(v('x'), { type: int8([6, 6, 2]) })],
  ['node: a name is missing.', (n) => set(n('conv'), { name: undefined })],
  ['node "conv": the name is used twice.', (n) => set(n('norm'), { name: 'conv' })],
  ['gelu "relu": unknown operator.', (n) => set(n('relu'), { kind: 'gelu' })],
  ['toString "relu": unknown operator.', (n) => set(n('relu'), { kind: 'toString' })],
  ['relu "relu": has 2 inputs, expected 1.', (n) => set(n('relu'), { inputs: [0, 0] })],
  ['relu "relu": has -1 inputs, expected 1.', (n) => set(n('relu'), { inputs: 5 })],
  ['concat "join": has 1 inputs, expected many.', (n) => set(n('join'), { inputs: [0] })],
  ['relu "relu": reads value 7, which nothing before it computes.', (n) => set(n('relu'), { inputs: [7] })],
  ['relu "relu": writes value 0, which exists already.', (n) => set(n('relu'), { output: 0 })],
  ['softmax "soft": writes value 99, the network has 13.', (n) => set(n('soft'), { output: 99 })],
  ['relu "relu": gives [2,2,3], its output is declared [2,3,2].', (_n, v) => set(v('relu').type, { shape: [2, 3, 2] })],
]

const FLOAT: readonly Row[] = [
  ['conv2d "conv": weights are missing.', (n) => set(n('conv'), { weights: null })],
  ['conv2d "conv": weights are missing.', (n) => set(n('conv'), { weights: { type: { kind: 'float32', shape: [1] } } })],
  ['conv2d "conv": a float32 constant is stored in the wrong array.', (n) => set(n('conv'), { weights: { ...f([1]), data: new Int8Array(1) } })],
  ['conv2d "conv": a constant has 1 elements, its shape takes 54.', (n) => set(n('conv'), { weights: { ...f([3, 3, 3, 2]), data: new Float32Array(1) } })],
  ['conv2d "conv": shape [0] is not a list of at most 4 integers from 1 to 65535.', (n) => set(n('conv'), { weights: f([0]) })],
  ['conv2d "conv": weights are int32, expected float32 or int8 or binary.', (n) => set(n('conv'), { weights: b(3) })],
  ['conv2d "conv": weights have shape [3], expected [*,*,*,*].', (n) => set(n('conv'), { weights: f([3]) })],
  ['conv2d "conv": weights hold NaN, every weight must be a finite number.', (n) => set(n('conv'), { weights: f([3, 3, 3, 2], Number.NaN) })],
  ['conv2d "conv": bias values have shape [4], expected [3].', (n) => set(n('conv'), { bias: f([4]) })],
  ['conv2d "conv": bias values are missing.', (n) => set(n('conv'), { bias: undefined })],
  ['conv2d "conv": weights are int8, a float network takes float32.', (n) => set(n('conv'), { weights: w([3, 3, 3, 2]) })],
  ['conv2d "conv": the bias is int32, a float network takes float32.', (n) => set(n('conv'), { bias: b(3) })],
  ['conv2d "conv": stride must be 2 integers from 1 to 65535, not [0,1].', (n) => set(n('conv'), { stride: [0, 1] })],
  ['conv2d "conv": dilation must be 2 integers from 1 to 65535, not null.', (n) => set(n('conv'), { dilation: null })],
  ['conv2d "conv": padding must be 4 integers from 0 to 65535, not [0,0,0,0.5].', (n) => set(n('conv'), { padding: [0, 0, 0, 0.5] })],
  ['conv2d "conv": padding 3,0,0,0 must be less than the window\'s extent 3x3.', (n) => set(n('conv'), { padding: [3, 0, 0, 0] })],
  ['conv2d "conv": a 7x7 window does not fit an input of 6x6 with padding 0,0,0,0.', (n) => set(n('conv'), { weights: f([3, 7, 7, 2]) })],
  ['conv2d "conv": the input has shape [6,6,2], the weights take [height,width,3].', (n) => set(n('conv'), { weights: f([3, 3, 3, 3]) })],
  ['conv2d "conv": the emission is missing or of an unknown kind.', (n) => set(n('conv'), { emission: undefined })],
  ['conv2d "conv": the emission is missing or of an unknown kind.', (n) => set(n('conv'), { emission: { kind: 'valueOf' } })],
  ['conv2d "conv": a requantize emission belongs to the integer stage.', (n) => set(n('conv'), { emission: REQUANTIZE })],
  ['conv2d "conv": the emission\'s bound Infinity is not a finite number.', (n) => set(n('conv'), { emission: { kind: 'clamp', min: null, max: Infinity } })],
  ['conv2d "conv": the emission\'s bounds 2..1 are empty.', (n) => set(n('conv'), { emission: { kind: 'clamp', min: 2, max: 1 } })],
  ['batchNorm "norm": gamma values are missing.', (n) => set(n('norm'), { gamma: null })],
  ['batchNorm "norm": mean values have shape [4], expected [3].', (n) => set(n('norm'), { mean: f([4]) })],
  ['batchNorm "norm": variance + epsilon must be positive in every channel.', (n) => set(n('norm'), { variance: f([3], -1) })],
  ['batchNorm "norm": variance + epsilon must be positive in every channel.', (n) => set(n('norm'), { epsilon: undefined })],
  [
    'batchNorm "norm": the input has shape [4,4,3], expected 4 channels.',
    (n) => set(n('norm'), { gamma: f([4]), beta: f([4]), mean: f([4]), variance: f([4]) }),
  ],
  [
    'depthwiseConv2d "wise": the input has shape [4,4,3], the weights give 4 channels, a multiple of the input\'s is needed.',
    (n) => set(n('wise'), { weights: f([1, 1, 4]) }),
  ],
  ['add "sum": the inputs have shapes [4,4,3] and [6,6,2], they must be equal.', (n) => set(n('sum'), { inputs: [1, 0] })],
  ['maxPool "pool": kernel must be 2 integers from 1 to 65535, not [2].', (n) => set(n('pool'), { kernel: [2] })],
  ['maxPool "pool": stride must be 2 integers from 1 to 65535, not "2".', (n) => set(n('pool'), { stride: '2' })],
  ['maxPool "pool": padding must be 4 integers from 0 to 65535, not [0,0,0,-1].', (n) => set(n('pool'), { padding: [0, 0, 0, -1] })],
  ['relu "relu": max 0 is not a positive number.', (n) => set(n('relu'), { max: 0 })],
  ['relu "relu": max undefined is not a positive number.', (n) => set(n('relu'), { max: undefined })],
  ['reshape "signal": shape [0] is not a list of integers from 1 to 65535.', (n) => set(n('signal'), { shape: [0] })],
  ['reshape "signal": [2,2,3] cannot become [4,4]: the number of elements differs.', (n) => set(n('signal'), { shape: [4, 4] })],
  ['conv1d "line": stride must be 1 integers from 1 to 65535, not [0].', (n) => set(n('line'), { stride: 0 })],
  ['conv1d "line": padding must be 2 integers from 0 to 65535, not 0.', (n) => set(n('line'), { padding: 0 })],
  ['conv1d "line": the input has shape [4,3], the weights take [steps,4].', (n) => set(n('line'), { weights: f([2, 1, 4]) })],
  ['concat "join": axis -1 is not an integer from 0.', (n) => set(n('join'), { axis: -1 })],
  ['concat "join": axis 2 is outside [4,2].', (n) => set(n('join'), { axis: 2 })],
  ['concat "join": [4,3] and [4,2] differ outside axis 0.', (n) => set(n('join'), { axis: 0, inputs: [8, 7] })],
  ['dense "dense": the input has shape [4], the weights take [5].', (n) => set(n('dense'), { weights: f([2, 5]) })],
]

const INTEGER: readonly Row[] = [
  ['value "x": scales must be positive float32 numbers.', (_n, v) => set(v('x').type, { scales: [0.1] })],
  ['value "x": scales must be positive float32 numbers.', (_n, v) => set(v('x').type, { scales: [0] })],
  ['value "x": channel axis 3 is outside [6,6,2].', (_n, v) => set(v('x').type, { channelAxis: 3 })],
  ['value "x": 2 scales for 1 channels.', (_n, v) => set(v('x').type, { scales: [1, 2] })],
  ['value "x": zero point 128 is not an integer from -128 to 127.', (_n, v) => set(v('x').type, { zeroPoint: 128 })],
  ['value "dense": zero point 1 is not an integer from 0 to 0.', (_n, v) => set(v('dense').type, { zeroPoint: 1 })],
  ['value "x": only constants are quantized per channel.', (_n, v) => set(v('x').type, { channelAxis: 2, scales: [1, 1] })],
  ['value "x": levels 0 is not an integer from 1 to 255.', (_n, v) => set(v('x'), { type: { kind: 'level', shape: [6, 6, 2], levels: 0 } })],
  ['conv2d "conv": the input is uint8, an integer network\'s conv2d takes int8.', (_n, v) => set(v('x'), { type: perTensor('uint8', [6, 6, 2], 1, 0) })],
  ['conv2d "conv": weights are float32, an integer network takes int8 or binary.', (n) => set(n('conv'), { weights: f([3, 3, 3, 2]) })],
  ['conv2d "conv": the bias is float32, an integer network takes int32.', (n) => set(n('conv'), { bias: f([3]) })],
  [
    'conv2d "conv": weights have zero point 1, they must be symmetric (0).',
    (n) => set(n('conv'), { weights: { ...w([3, 3, 3, 2]), type: perTensor('int8', [3, 3, 3, 2], 1, 1) } }),
  ],
  ['conv2d "conv": weights are quantized along axis 3, expected 0.', (n) => set(n('conv'), { weights: w([3, 3, 3, 2], 3) })],
  ['conv2d "conv": requantize gives int8, the output is int32.', (_n, v) => set(v('conv'), { type: perTensor('int32', [4, 4, 3], 1, 0) })],
  ['conv2d "conv": requantize bounds -129..127 are not integers within -128..127.', (n) => set(n('conv'), { emission: { ...REQUANTIZE, min: -129 } })],
  ['conv2d "conv": requantize bounds 5..4 are not integers within -128..127.', (n) => set(n('conv'), { emission: { kind: 'requantize', min: 5, max: 4 } })],
  ['conv2d "conv": a clamp emission belongs to the float stage.', (n) => set(n('conv'), { emission: CLAMP })],
  [
    'conv2d "conv": the scales of input, weights and output give the factor Infinity, it must be a finite number.',
    (_n, v) => {
      set(v('x').type, { scales: [2 ** 100] })
      set(v('conv').type, { scales: [2 ** -100] })
    },
  ],
  ['depthwiseConv2d "wise": weights are quantized along axis 0, expected 2.', (n) => set(n('wise'), { weights: w([1, 1, 3], 0) })],
  [
    'add "sum": an add needs a requantize emission.',
    (n, v) => {
      set(n('sum'), { emission: { kind: 'none' } })
      set(v('sum'), { type: perTensor('int32', [4, 4, 3], 1, 0) })
    },
  ],
  [
    'add "sum": the scales of input, weights and output give the factor Infinity, it must be a finite number.',
    (_n, v) => {
      set(v('wise').type, { scales: [2 ** 100] })
      set(v('sum').type, { scales: [2 ** -100] })
    },
  ],
  ['maxPool "pool": input and output must have one scale and zero point.', (_n, v) => set(v('pool').type, { zeroPoint: 1 })],
  ['averagePool "mean": the output is int32, expected int8.', (_n, v) => set(v('mean'), { type: perTensor('int32', [1, 1, 3], 1, 0) })],
  [
    'averagePool "mean": the scales of input, weights and output give the factor Infinity, it must be a finite number.',
    (_n, v) => {
      for (const name of ['sum', 'pool']) set(v(name).type, { scales: [2 ** 100] })
      set(v('mean').type, { scales: [2 ** -100] })
    },
  ],
  ['relu "relu": input and output must have one scale and zero point.', (_n, v) => set(v('relu').type, { scales: [1] })],
  ['flatten "flat": input and output must be of one kind, scale and zero point.', (_n, v) => set(v('flat').type, { scales: [1] })],
  ['concat "join": inputs and output must have one scale and zero point.', (_n, v) => set(v('join').type, { scales: [1] })],
  ['dense "dense": an emission of none gives int32, the output is int8.', (_n, v) => set(v('dense'), { type: int8([2]) })],
  ['softmax "soft": the output is int8, expected float32.', (_n, v) => set(v('soft'), { type: int8([2]) })],
  [
    'softmax "soft": the input is uint8, expected int8 or int32 with one scale.',
    (n, _v, network) => {
      set(n('soft'), { inputs: [network.values.length] })
      ;(network.inputs as number[]).push(network.values.length)
      network.values.push({ name: 'bytes', type: perTensor('uint8', [2], 1, 0) as unknown as Record<string, unknown> })
    },
  ],
  ['batchNorm "flat": does not exist in the integer stage.', (n) => set(n('flat'), { kind: 'batchNorm' })],
]

const TABLES: readonly (readonly [string, () => Network, readonly Row[]])[] = [
  ['structure', floatNetwork, STRUCTURE],
  ['a float network', floatNetwork, FLOAT],
  ['an integer network', integerNetwork, INTEGER],
]

describe('verify', () => {
  it('accepts the networks that the tests below break, and gives them back', () => {
    const [float, integer] = [floatNetwork(), integerNetwork()]
    expect(verify(float)).toBe(float)
    expect(verify(integer)).toBe(integer)
  })

  describe.each(TABLES)('refuses in %s', (_, build, rows) => {
    rows.forEach(([message, change], i) => {
      it(`${i}: ${message}`, () => {
        const error = refusal(build(), change)
        expect(error.message).toBe(message)
        expect(error.code).toBe('NETWORK_INVALID')
        expect(error.note).toBe('The network breaks a rule that every engine relies on; make it again from its source, and report it if spikeport made it.')
      })
    })
  })

  it('refuses inputs of a rank that an operator does not take', () => {
    const n = createBuilder('float')
    const [line, point] = [n.input('line', [4]), n.input('point', [])]
    const refused = (message: string): unknown => expect.objectContaining({ code: 'NETWORK_INVALID', message })
    expect(() => n.add({ kind: 'globalAveragePool', name: 'g', inputs: [line] })).toThrow(
      refused('globalAveragePool "g": expects [height, width, channels] or [steps, channels], not [4].'),
    )
    expect(() => n.add({ kind: 'softmax', name: 's', inputs: [point] })).toThrow(refused('softmax "s": needs an axis to sum over.'))
  })

  it('proves that sums fit int32, and names the channel where they do not', () => {
    const error = refusal(integerNetwork(), (n) => {
      const bias = n('conv').bias as Open<Tensor>
      ;(bias.data as unknown as Int32Array)[1] = 2 ** 31 - 18 * 3 * 255
    })
    expect(error).toMatchObject({
      code: 'ACCUMULATOR_OVERFLOW',
      message: 'layer "conv", channel 1: the sum can reach 2147483648, an int32 accumulator holds less than 2147483648.',
      note: 'Use smaller weights or a narrower layer: |bias| + sum |weight| * max |input - zero point| must stay below 2^31.',
    })
  })

  it('accepts the largest bias that fits', () => {
    const open = structuredClone(integerNetwork())
    const conv = open.nodes[0] as Extract<Node, { kind: 'conv2d' }>
    ;(conv.bias?.data as Int32Array)[1] = 2 ** 31 - 18 * 3 * 255 - 1
    expect(verify(open)).toBe(open)
  })

  it('proves it for averages too', () => {
    const n = createBuilder('integer')
    const x = n.input('x', int8([4096, 4096, 1]))
    const mean = n.add({ kind: 'globalAveragePool', name: 'mean', inputs: [x] }, int8([1]))
    expect(() => n.build({ name: 'big', outputs: [mean] })).toThrow(
      expect.objectContaining({
        code: 'ACCUMULATOR_OVERFLOW',
        message: expect.stringContaining('layer "mean", channel 0: the sum can reach 4278190080') as string,
      }),
    )
  })
})
