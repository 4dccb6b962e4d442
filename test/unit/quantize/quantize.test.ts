// quantize(): ranges, scales, bias, grouping, report and refusals of int8 quantization.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createBuilder } from '#src/network/builder.js'
import { LINEAR } from '#src/network/emission.js'
import { evaluate } from '#src/network/evaluate.js'
import type { NodeOf } from '#src/network/operators/index.js'
import type { Network, QuantizedType } from '#src/network/types.js'
import { type CalibrationMethod, calibrate, quantizationReport, quantizeInput, quantizeSimplified } from '#src/quantize/index.js'
import { affineOf } from '#src/quantize/int8.js'
import { simplify } from '#src/simplify/index.js'
import { normalizedNetwork, randomReals, randomTensor } from '../../helpers/float-networks.js'
import { testRandom } from '../../helpers/random.js'

const quantizedAt = (network: Network<'integer'>, name: string): QuantizedType => network.values.find((value) => value.name === name)?.type as QuantizedType

const setup = (seed: number, method: CalibrationMethod = 'minmax') => {
  const float = simplify(normalizedNetwork(seed))
  const calibration = { count: 16, inputs: [randomReals(float, seed, 16)] }
  return { float, calibration, integer: quantizeSimplified(float, { calibration, method }) }
}

const denseNetwork = (weights: Float32Array, bias: Float32Array): Network<'float'> => {
  const units = bias.length
  const b = createBuilder<'float'>('float')
  const x = b.input('x', [weights.length / units])
  const d = b.add({
    kind: 'dense',
    name: 'd',
    inputs: [x],
    weights: { type: { kind: 'float32', shape: [units, weights.length / units] }, data: weights },
    bias: { type: { kind: 'float32', shape: [units] }, data: bias },
    emission: LINEAR,
  })
  return b.build({ name: 'd', outputs: [d] })
}

describe('affineOf', () => {
  test('0 is stored exactly and the range is covered to half a step', () => {
    fc.assert(
      fc.property(fc.float({ min: -1000, max: 1000, noNaN: true }), fc.float({ min: -1000, max: 1000, noNaN: true }), (a, b) => {
        const { scale, zeroPoint } = affineOf({ min: Math.min(a, b), max: Math.max(a, b) })
        expect(Number.isInteger(zeroPoint) && zeroPoint >= -128 && zeroPoint <= 127).toBe(true)
        expect(Math.fround(scale)).toBe(scale)
        expect(scale).toBeGreaterThan(0)
        const [low, high] = [scale * (-128 - zeroPoint), scale * (127 - zeroPoint)]
        expect(low).toBeLessThanOrEqual(Math.min(0, a, b) + scale * 0.51)
        expect(high).toBeGreaterThanOrEqual(Math.max(0, a, b) - scale * 0.51)
      }),
    )
  })

  test('an empty range gets scale 1/255', () => {
    expect(affineOf({ min: 0, max: 0 })).toEqual({ scale: Math.fround(1 / 255), zeroPoint: -128 })
  })
})

describe('calibrate', () => {
  const range = (method: CalibrationMethod, percentile?: number) => {
    const b = createBuilder<'float'>('float')
    const x = b.input('x', [1000])
    const r = b.add({ kind: 'relu', name: 'r', inputs: [x], max: null })
    const network = b.build({ name: 'r', outputs: [r] })
    const sample = Float32Array.from({ length: 1000 }, (_, i) => (i === 999 ? 100 : i / 1000))
    return calibrate(network, { count: 1, inputs: [sample] }, method, percentile)[r]
  }

  test('min-max keeps the outlier', () => expect(range('minmax')).toEqual({ min: 0, max: 100 }))
  test('percentile 99 drops the outlier', () => expect(range('percentile', 99)?.max).toBeLessThan(2))
  test('mean squared error keeps an outlier that costs more than rounding', () => expect(range('mse')?.max).toBeGreaterThan(50))

  test('mean squared error clips where rounding costs more than the outliers', () => {
    const b = createBuilder<'float'>('float')
    const x = b.input('x', [200_000 / 4])
    const r = b.add({ kind: 'relu', name: 'r', inputs: [x], max: null })
    const network = b.build({ name: 'r', outputs: [r] })
    const random = testRandom(1)
    const sample = new Float32Array(50_000).map((_, i) => (i === 0 ? 12 : random.uniform()))
    expect(calibrate(network, { count: 1, inputs: [sample] }, 'mse')[r]?.max).toBeLessThan(12)
  })

  test.each([
    [{ count: 0, inputs: [new Float32Array(0)] }, 'the calibration data is empty.'],
    [{ count: 2, inputs: [new Float32Array(3)] }, 'calibration input "x" has 3 numbers, 2 samples take 8.'],
    [{ count: 1, inputs: [Float32Array.of(1, Number.NaN, 0, 0)] }, 'calibration input "x" holds NaN at index 1.'],
  ])('data that does not fit is refused: %#', (data, message) => {
    const network = denseNetwork(new Float32Array(8), new Float32Array(2))
    expect(() => calibrate(network, data, 'minmax')).toThrow(message)
  })

  test('a percentile outside 50..100 is refused', () => {
    const network = denseNetwork(new Float32Array(8), new Float32Array(2))
    expect(() => calibrate(network, { count: 1, inputs: [new Float32Array(4)] }, 'percentile', 20)).toThrow('percentile 20 is not above 50 and at most 100.')
  })
})

describe('quantize', () => {
  test.each(['minmax', 'percentile', 'mse'] as const)('%s: the integer network follows the float one', (method) => {
    for (let seed = 0; seed < 5; seed++) {
      const { float, calibration, integer } = setup(seed, method)
      const scores = quantizationReport(float, integer, calibration).find(({ name }) => name === 'scores')
      expect(scores?.signalToNoiseDb).toBeGreaterThan(20)
    }
  })

  test('softmax: the scores become the first output, probabilities the second', () => {
    const { integer } = setup(1)
    expect(integer.outputs.map((i) => integer.values[i]?.name)).toEqual(['scores', 'softmax'])
    expect(integer.outputs.map((i) => integer.values[i]?.type.kind)).toEqual(['int8', 'float32'])
  })

  test('relu bounds: min is the zero point, relu6 ends at 6', () => {
    const { integer } = setup(1)
    const stem = integer.nodes.find(({ name }) => name === 'stem') as NodeOf<'conv2d'>
    const output = integer.values[stem.output]?.type as QuantizedType
    expect(stem.emission).toEqual({ kind: 'requantize', min: output.zeroPoint, max: 127 })
  })

  test('weights: per channel, the largest is 127; scales are float32', () => {
    const weights = Float32Array.of(1, -2, 3, 0.5, 0.25, -0.125)
    const integer = quantizeSimplified(denseNetwork(weights, new Float32Array(2)), { calibration: { count: 1, inputs: [Float32Array.of(1, 1, 1)] } })
    const node = integer.nodes[0] as NodeOf<'dense'>
    expect([...node.weights.data]).toEqual([42, -85, 127, 127, 64, -32])
    expect((node.weights.type as QuantizedType).scales).toEqual([Math.fround(3 / 127), Math.fround(0.5 / 127)])
  })

  test('a bias that dwarfs its weights widens the scale instead of overflowing', () => {
    const integer = quantizeSimplified(denseNetwork(Float32Array.of(1e-9, 1), Float32Array.of(1000, 0)), {
      calibration: { count: 1, inputs: [Float32Array.of(1)] },
    })
    const node = integer.nodes[0] as NodeOf<'dense'>
    expect(Math.abs(node.bias?.data[0] as number)).toBeLessThanOrEqual(2 ** 30)
    const [output] = evaluate(integer, [Int8Array.of(127)]).slice(-1) as [Int8Array]
    const type = integer.values[1]?.type as QuantizedType
    expect((type.scales[0] as number) * ((output[0] as number) - type.zeroPoint)).toBeCloseTo(1000, -1)
  })

  test('a channel of zeros is quantized without a division by zero', () => {
    const integer = quantizeSimplified(denseNetwork(Float32Array.of(0, 0, 1, 1), new Float32Array(2)), {
      calibration: { count: 1, inputs: [Float32Array.of(1, 1)] },
    })
    expect(((integer.nodes[0] as NodeOf<'dense'>).weights.type as QuantizedType).scales[0]).toBe(1)
  })

  test('concat, max pool and flatten share one quantization, which covers all parts', () => {
    const random = testRandom(5)
    const b = createBuilder<'float'>('float')
    const x = b.input('x', [4, 4, 2])
    const window = { stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] } as const
    const conv = (name: string, spread: number) =>
      b.add({ kind: 'conv2d', name, inputs: [x], weights: randomTensor([3, 1, 1, 2], random, spread), bias: null, emission: LINEAR, ...window })
    const joined = b.add({ kind: 'concat', name: 'joined', inputs: [conv('small', 0.1), conv('large', 10)], axis: 2 })
    const pooled = b.add({ kind: 'maxPool', name: 'pooled', inputs: [joined], kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] })
    const flat = b.add({ kind: 'flatten', name: 'flat', inputs: [pooled] })
    const float = b.build({ name: 'joined', outputs: [flat] })
    const integer = quantizeSimplified(float, { calibration: { count: 4, inputs: [randomReals(float, 1, 4)] } })
    const scales = ['small', 'large', 'joined', 'pooled', 'flat'].map((name) => quantizedAt(integer, name).scales[0])
    expect(new Set(scales).size).toBe(1)
    expect(quantizedAt(integer, 'x').scales[0]).not.toBe(scales[0])
  })

  test('what was done is in the metadata', () => {
    expect(setup(1, 'mse').integer.metadata).toMatchObject({ scheme: 'int8', calibration: 'mse, 16 samples' })
  })

  test('an unsimplified batch norm is refused by name with the remedy', () => {
    const float = normalizedNetwork(1)
    expect(() => quantizeSimplified(float, { calibration: { count: 1, inputs: [randomReals(float, 1, 1)] } })).toThrow(
      'batch normalization "stem_norm" cannot be quantized by itself.',
    )
  })

  test('unknown schemes and methods are refused with what there is', () => {
    const float = denseNetwork(new Float32Array(2), new Float32Array(1))
    const calibration = { count: 1, inputs: [new Float32Array(2)] }
    expect(() => quantizeSimplified(float, { calibration, scheme: 'int3' as never })).toThrow('unknown scheme "int3".')
    expect(() => quantizeSimplified(float, { calibration, method: 'best' as never })).toThrow('unknown calibration method "best".')
  })

  test('the report calls a value that is always zero noiseless', () => {
    const float = denseNetwork(Float32Array.of(1, 1, 1), new Float32Array(1))
    const calibration = { count: 2, inputs: [Float32Array.of(0, 0.5, 1, 0, 0.5, 1)] }
    const zeros = { count: 1, inputs: [new Float32Array(3)] }
    const report = quantizationReport(float, quantizeSimplified(float, { calibration }), zeros)
    expect(report.map(({ signalToNoiseDb }) => signalToNoiseDb)).toEqual(report.map(() => Infinity))
  })

  test('inputs: bytes of an image in 0..1 become pixel - 128', () => {
    const integer = quantizeSimplified(denseNetwork(Float32Array.of(1, 1, 1), new Float32Array(1)), {
      calibration: { count: 1, inputs: [Float32Array.of(0, 0.5, 1)] },
    })
    const pixels = Uint8Array.from({ length: 256 }, (_, i) => i)
    expect([
      ...quantizeInput(
        integer,
        0,
        Float32Array.from(pixels, (p) => p / 255),
      ),
    ]).toEqual([...pixels].map((p) => p - 128))
  })
})
