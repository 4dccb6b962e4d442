// Each operator of a .tflite file by small models worked out by hand from TensorFlow Lite's published definition, and every refusal with its name and remedy.

import { describe, expect, it, test } from 'vitest'
import { UnsupportedError } from '#src/errors.js'
import { importTfliteBytes } from '#src/importers/tflite/index.js'
import { evaluate } from '#src/network/evaluate.js'
import type { ElementArray, Network } from '#src/network/types.js'
import { CODES, type ModelSpec, type OperatorSpec, type TensorSpec, tfliteBytes } from './tflite-models.js'

const load = (model: ModelSpec): Network => importTfliteBytes(tfliteBytes(model), 'small.tflite')

const outputsOf = (network: Network, ...inputs: ElementArray[]): number[][] => {
  const values = evaluate(network, inputs)
  return network.outputs.map((value) => Array.from(values[value] as ElementArray, (x) => x + 0))
}

const tensor = (name: string, shape: readonly number[], more: Partial<TensorSpec> = {}): TensorSpec => ({ name, shape, scales: [1], ...more })
const constant = (name: string, shape: readonly number[], data: ArrayBufferView, more: Partial<TensorSpec> = {}): TensorSpec => ({ name, shape, data, ...more })
const int32 = (name: string, ...numbers: number[]): TensorSpec => constant(name, [numbers.length], Int32Array.from(numbers), { type: 'int32' })

const WINDOW = { valid: ['i8', 1], same: ['i8', 0] } as const
const int = (x: number): readonly ['i32', number] => ['i32', x]
const byte = (x: number): readonly ['i8', number] => ['i8', x]
const RELU6 = byte(3)
const TANH = byte(4)

const conv = (
  inputs: readonly number[],
  outputs: readonly number[],
  padding: 'same' | 'valid' = 'valid',
  more: OperatorSpec['options'] = {},
): OperatorSpec => ({
  code: CODES.conv2d,
  inputs,
  outputs,
  options: { 0: WINDOW[padding], 1: int(1), 2: int(1), ...more },
})

const pool = (code: number, kernel: number, activation = 0): OperatorSpec => ({
  code,
  inputs: [0],
  outputs: [1],
  options: { 0: WINDOW.valid, 1: int(kernel), 2: int(kernel), 3: int(kernel), 4: int(kernel), 5: byte(activation) },
})

/** One operator from tensor 0 to tensor 1; further tensors are constants. */
const one = (operator: Partial<OperatorSpec> & { code: number }, tensors: readonly TensorSpec[]): ModelSpec => ({
  tensors,
  inputs: [0],
  outputs: [1],
  operators: [{ inputs: [0, ...tensors.slice(2).map((_, i) => i + 2)], outputs: [1], ...operator }],
})

/** A dense layer 2 -> 2 of unit scales: weights [[1, 2], [3, 4]], bias [10, -10]. */
const denseTensors: readonly TensorSpec[] = [
  tensor('x', [1, 2], { zeroPoints: [1] }),
  tensor('y', [1, 2], { zeroPoints: [-3] }),
  constant('w', [2, 2], Int8Array.of(1, 2, 3, 4), { scales: [1] }),
  constant('b', [2], Int32Array.of(10, -10), { type: 'int32', scales: [1] }),
]

describe('int8', () => {
  it('is an integer network of rounding tflite, named after the file and its tensors', () => {
    const network = load(one({ code: CODES.fullyConnected }, denseTensors))
    expect(network).toMatchObject({ stage: 'integer', rounding: 'tflite', name: 'small', metadata: { source: 'TensorFlow Lite', description: 'a test' } })
    expect(network.values.map(({ name }) => name)).toEqual(['x', 'y'])
  })

  it('FULLY_CONNECTED', () => {
    const network = load(one({ code: CODES.fullyConnected }, denseTensors))
    expect(outputsOf(network, Int8Array.of(2, 4))).toEqual([[1 + 6 + 10 - 3, 3 + 12 - 10 - 3]])
  })

  it('FULLY_CONNECTED flattens an image and keeps the shape that the file states', () => {
    const tensors = [tensor('x', [1, 1, 1, 2], { zeroPoints: [1] }), tensor('y', [1, 1, 1, 2], { zeroPoints: [-3] }), ...denseTensors.slice(2)]
    const network = load(one({ code: CODES.fullyConnected, options: { 2: byte(1) } }, tensors))
    expect(network.nodes.map(({ kind }) => kind)).toEqual(['flatten', 'dense', 'reshape'])
    expect(outputsOf(network, Int8Array.of(2, 4))).toEqual([[14, 2]])
  })

  it('CONV_2D with per-channel scales and a fused RELU6', () => {
    const tensors = [
      tensor('x', [1, 1, 2, 1]),
      tensor('y', [1, 1, 2, 2]),
      constant('w', [2, 1, 1, 1], Int8Array.of(2, 2), { scales: [1, 0.25], zeroPoints: [0, 0], channelAxis: 0 }),
    ]
    const network = load({ ...one({ code: 0 }, tensors), operators: [conv([0, 2], [1], 'same', { 3: RELU6 })] })
    expect(outputsOf(network, Int8Array.of(5, -3))).toEqual([[6, 3, 0, 0]]) // 10 and 2.5 are 6 and 3 (half away from zero)
  })

  it('DEPTHWISE_CONV_2D with a multiplier', () => {
    const tensors = [tensor('x', [1, 1, 1, 2]), tensor('y', [1, 1, 1, 4]), constant('w', [1, 1, 1, 4], Int8Array.of(1, 2, 3, 4), { scales: [1] })]
    const options = { 0: WINDOW.valid, 1: int(1), 2: int(1), 3: int(2) }
    expect(outputsOf(load(one({ code: CODES.depthwise, options }, tensors)), Int8Array.of(5, 7))).toEqual([[5, 10, 21, 28]])
  })

  it('PAD is taken over by the convolution behind', () => {
    const tensors = [
      tensor('x', [1, 1, 1, 1], { zeroPoints: [2] }),
      tensor('y', [1, 1, 1, 1]),
      tensor('padded', [1, 3, 3, 1], { zeroPoints: [2] }),
      constant('paddings', [4, 2], Int32Array.of(0, 0, 1, 1, 1, 1, 0, 0), { type: 'int32' }),
      constant('w', [1, 3, 3, 1], Int8Array.of(9, 9, 9, 9, 1, 9, 9, 9, 9), { scales: [1] }),
    ]
    const operators = [{ code: CODES.pad, inputs: [0, 3], outputs: [2] }, conv([2, 4], [1])]
    const network = load({ tensors, inputs: [0], outputs: [1], operators })
    expect(network.nodes).toMatchObject([{ kind: 'conv2d', padding: [1, 1, 1, 1] }])
    expect(outputsOf(network, Int8Array.of(10))).toEqual([[8]])
  })

  it('AVERAGE_POOL_2D and MEAN round half away from zero', () => {
    const tensors = [tensor('x', [1, 2, 2, 1]), tensor('y', [1, 1, 1, 1])]
    const mean = load(one({ code: CODES.mean, options: { 0: byte(1) } }, [...tensors, int32('axes', 1, 2)]))
    for (const network of [mean, load({ ...one({ code: 0 }, tensors), operators: [pool(CODES.averagePool, 2)] })]) {
      expect(outputsOf(network, Int8Array.of(1, 2, 3, 4))).toEqual([[3]])
      expect(outputsOf(network, Int8Array.of(-1, -2, -3, -4))).toEqual([[-3]])
    }
  })

  it('MAX_POOL_2D with a fused RELU6', () => {
    const network = load({ ...one({ code: 0 }, [tensor('x', [1, 2, 2, 1]), tensor('y', [1, 1, 1, 1])]), operators: [pool(CODES.maxPool, 2, 3)] })
    expect(outputsOf(network, Int8Array.of(-5, 7, 3, 1))).toEqual([[6]])
    expect(outputsOf(network, Int8Array.of(-5, -7, -3, -1))).toEqual([[0]])
  })

  it('ADD of two scales, RELU6, RESHAPE, CONCATENATION, SOFTMAX', () => {
    const tensors = [
      tensor('a', [1, 1, 2, 1], { scales: [0.5] }),
      tensor('b', [1, 1, 2, 1]),
      tensor('sum', [1, 1, 2, 1]),
      tensor('relu', [1, 1, 2, 1]),
      tensor('joined', [1, 1, 2, 2]),
      tensor('flat', [1, 4]),
      tensor('p', [1, 4], { scales: [1 / 256], zeroPoints: [-128] }),
      int32('shape', 1, 4),
    ]
    const operators = [
      { code: CODES.add, inputs: [0, 1], outputs: [2] },
      { code: CODES.relu6, inputs: [2], outputs: [3] },
      { code: CODES.concatenation, inputs: [3, 2], outputs: [4], options: { 0: int(-1) } },
      { code: CODES.reshape, inputs: [4, 7], outputs: [5] },
      { code: CODES.softmax, inputs: [5], outputs: [6], options: { 0: ['f32', 1] as const } },
    ]
    const network = load({ tensors, inputs: [0, 1], outputs: [5, 6], operators })
    // 0.5 * 3 + 6 = 7.5 is 8, -0.5 - 3 = -3.5 is -4; exp(8 - 8) twice exp(6 - 8) and exp(0 - 8), exp(-4 - 8)
    const [flat, p] = outputsOf(network, Int8Array.of(3, -1), Int8Array.of(6, -3))
    expect(flat).toEqual([6, 8, 0, -4])
    const total = Math.exp(-2) + 1 + Math.exp(-8) + Math.exp(-12)
    expect(p).toEqual([Math.exp(-2), 1, Math.exp(-8), Math.exp(-12)].map((e) => Math.round((256 * e) / total) - 128))
  })

  it('QUANTIZE and DEQUANTIZE at the ends go: the network takes and gives integers', () => {
    const tensors = [
      tensor('real', [1, 2], { type: 'float32' }),
      tensor('out', [1, 2], { type: 'float32' }),
      tensor('x', [1, 2], { scales: [0.5], zeroPoints: [3] }),
      tensor('y', [1, 2], { scales: [0.5], zeroPoints: [3] }),
    ]
    const operators = [
      { code: CODES.quantize, inputs: [0], outputs: [2] },
      { code: CODES.relu, inputs: [2], outputs: [3] },
      { code: CODES.dequantize, inputs: [3], outputs: [1] },
    ]
    const network = load({ tensors, inputs: [0], outputs: [1], operators })
    expect(network.nodes.map(({ kind }) => kind)).toEqual(['relu'])
    expect(network.values[0]).toMatchObject({ name: 'real', type: { kind: 'int8', scales: [0.5], zeroPoint: 3 } })
    expect(outputsOf(network, Int8Array.of(-7, 9))).toEqual([[3, 9]])
  })
})

describe('float32', () => {
  const real = (name: string, shape: readonly number[]): TensorSpec => ({ name, shape, type: 'float32' })

  it('is a float network', () => {
    const tensors = [real('x', [1, 2]), real('y', [1, 1]), constant('w', [1, 2], Float32Array.of(1.5, -2), { type: 'float32' })]
    const network = load(one({ code: CODES.fullyConnected, options: { 0: byte(1) } }, tensors))
    expect(network).toMatchObject({ stage: 'float', rounding: 'single' })
    expect(outputsOf(network, Float32Array.of(2, 1))).toEqual([[1]])
    expect(outputsOf(network, Float32Array.of(0, 1))).toEqual([[0]])
  })

  it('MEAN without kept dimensions is a global average pool', () => {
    const network = load(one({ code: CODES.mean }, [real('x', [1, 2, 1, 2]), real('y', [1, 2]), int32('axes', 1, -2)]))
    expect(outputsOf(network, Float32Array.of(1, 10, 2, 20))).toEqual([[1.5, 15]])
  })

  it('refuses int8 weights in it', () => {
    const tensors = [real('x', [1, 2]), real('y', [1, 1]), constant('w', [1, 2], Int8Array.of(1, 2), { scales: [1] })]
    expect(() => load(one({ code: CODES.fullyConnected }, tensors))).toThrow('tensor "w" is int8, expected float32.')
  })
})

describe('refusals name operator or tensor, and say what to do', () => {
  const x = tensor('x', [1, 2])
  const y = tensor('y', [1, 2])
  const relu = { code: CODES.relu }

  it.each<readonly [what: string, model: ModelSpec, message: string, note: string]>([
    ['an operator', one({ code: CODES.logistic }, [x, y]), 'not imported: operator 0 LOGISTIC.', 'Operators that are: ADD'],
    ['a custom operator', one({ code: CODES.custom }, [x, y]), 'not imported: operator 0 CUSTOM Mine.', 'Replace the others'],
    ['a uint8 tensor', one(relu, [tensor('x', [1, 2], { type: 'uint8' }), y]), 'tensor "x" is uint8, expected int8.', 'full integer quantization'],
    ['an int16 tensor', one(relu, [tensor('x', [1, 2], { type: 'int16' }), y]), 'tensor "x" is int16, expected int8.', 'full integer quantization'],
    ['a sparse tensor', one(relu, [tensor('x', [1, 2], { isSparse: true }), y]), 'tensor "x" is sparse.', 'without sparsity'],
    ['an unknown size', one(relu, [tensor('x', [1, 2], { signature: [-1, -1] }), y]), 'tensor "x" has an unknown size', 'fixed input shapes'],
    ['a batch', one(relu, [tensor('x', [2, 2]), y]), 'tensor "x" has shape [2,2], the first axis must be a batch of 1.', 'batch of 1'],
    ['no scale', one(relu, [tensor('x', [1, 2], { scales: [] }), y]), 'tensor "x" is int8 with 0 scales', 'full integer quantization'],
    [
      'two scales',
      one(relu, [x, tensor('y', [1, 2], { scales: [2] })]),
      'operator 0 RELU "y" has an input and an output of different scale',
      'current converter',
    ],
    [
      'an int64 bias',
      one({ code: CODES.fullyConnected }, [...denseTensors.slice(0, 3), constant('b', [2], BigInt64Array.of(1n, 2n), { type: 'int64', scales: [1] })]),
      'tensor "b" is int64, expected int32.',
      'full integer quantization',
    ],
    [
      'weights that are not symmetric',
      one({ code: CODES.fullyConnected }, [
        ...denseTensors.slice(0, 2),
        constant('w', [2, 2], Int8Array.of(1, 2, 3, 4), { scales: [1], zeroPoints: [1] }),
        denseTensors[3] as TensorSpec,
      ]),
      'operator 0 FULLY_CONNECTED "y" has weights "w" with a zero point.',
      'full integer quantization',
    ],
    [
      'a fused TANH',
      one({ code: CODES.fullyConnected, options: { 0: TANH } }, denseTensors),
      'operator 0 FULLY_CONNECTED "y" has the fused activation TANH.',
      'NONE, RELU or RELU6',
    ],
    [
      'rows of a matrix',
      one({ code: CODES.fullyConnected }, [tensor('x', [1, 3, 2]), tensor('y', [1, 3, 2]), ...denseTensors.slice(2)]),
      'operator 0 FULLY_CONNECTED "y" applies weights of [2,2] to each row of [3,2].',
      '1x1 convolution',
    ],
    ['beta', one({ code: CODES.softmax, options: { 0: ['f32', 2] } }, [x, y]), 'operator 0 SOFTMAX "y" has beta 2.', 'beta 1'],
    [
      'a constant summand',
      one({ code: CODES.add }, [x, y, constant('c', [1, 2], Int8Array.of(1, 2), { scales: [1] })]),
      'operator 0 ADD "y" reads the constant "c" as a value.',
      'Only weights, biases, shapes, axes and paddings may be constants.',
    ],
    [
      'broadcasting',
      { tensors: [x, y, tensor('z', [1, 1])], inputs: [0, 2], outputs: [1], operators: [{ code: CODES.add, inputs: [0, 2], outputs: [1] }] },
      'operator 0 ADD "y" adds [2] and [1].',
      'does not broadcast',
    ],
    [
      'PAD in front of anything but a convolution',
      one({ code: CODES.pad }, [
        tensor('x', [1, 1, 1, 1]),
        tensor('y', [1, 3, 3, 1]),
        constant('p', [4, 2], Int32Array.of(0, 0, 1, 1, 1, 1, 0, 0), { type: 'int32' }),
      ]),
      'the output "y" is padded.',
      'in front of a convolution',
    ],
    [
      'MEAN whose ties TensorFlow Lite rounds otherwise',
      one({ code: CODES.mean, options: { 0: byte(1) } }, [
        tensor('x', [1, 2, 2, 1], { zeroPoints: [5] }),
        tensor('y', [1, 1, 1, 1], { zeroPoints: [5] }),
        int32('axes', 1, 2),
      ]),
      'operator 0 MEAN "y" is not the same as an average pool (4 elements, zero point 5).',
      'AveragePooling2D',
    ],
    [
      'MEAN over channels',
      one({ code: CODES.mean }, [tensor('x', [1, 2, 2, 1]), tensor('y', [1, 2, 2]), int32('axes', 3)]),
      'operator 0 MEAN "y" averages over the axes 3.',
      'height and width',
    ],
    [
      'QUANTIZE in the middle',
      one({ code: CODES.quantize }, [x, tensor('y', [1, 2], { scales: [2] })]),
      'operator 0 QUANTIZE "y" stands in the middle',
      'float32 input',
    ],
    [
      'a join along the batch',
      one({ code: CODES.concatenation, options: { 0: int(0) } }, [x, y]),
      'operator 0 CONCATENATION "y" joins along axis 0',
      'another axis',
    ],
  ])('%s', (_, model, message, note) => {
    let thrown: unknown
    try {
      load(model)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(UnsupportedError)
    expect((thrown as UnsupportedError).message).toContain(message)
    expect((thrown as UnsupportedError).note).toContain(note)
  })

  test('broken files, by what is wrong', () => {
    const model = one(relu, [x, y])
    expect(() => load({ ...model, version: 2 })).toThrow('schema version 2, expected 3.')
    expect(() => load({ ...model, subgraphs: 2 })).toThrow('2 subgraphs, expected 1.')
    expect(() => load({ ...model, outputs: [7] })).toThrow('the list of outputs names tensor 7 of 2.')
    expect(() => load({ ...model, inputs: [] })).toThrow('operator 0 RELU "y" reads tensor "x", which nothing before it computes.')
    expect(() => load({ ...model, tensors: [x, y, tensor('z', [1])], outputs: [2] })).toThrow('nothing computes the output "z".')
    expect(() => load(one({ code: CODES.fullyConnected }, [...denseTensors.slice(0, 2), constant('w', [2, 2], Int8Array.of(1), { scales: [1] })]))).toThrow(
      'has 1 bytes in "w", its shape [2,2] takes another number.',
    )
    expect(() => importTfliteBytes(new Uint8Array(100), 'zeros.tflite')).toThrow('zeros.tflite at byte 4: not a .tflite file (the identifier TFL3 is missing).')
  })
})

describe('the same network from a Node Buffer', () => {
  it('whose bytes lie in the middle of a larger one', () => {
    const bytes = tfliteBytes(one({ code: CODES.fullyConnected }, denseTensors))
    const inside = Buffer.concat([Buffer.alloc(3), bytes, Buffer.alloc(5)]).subarray(3, 3 + bytes.length)
    expect(importTfliteBytes(inside, 'small.tflite')).toEqual(load(one({ code: CODES.fullyConnected }, denseTensors)))
  })
})
