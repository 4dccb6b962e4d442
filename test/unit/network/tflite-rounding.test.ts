// Rounding 'tflite' against TensorFlow Lite's formulas in exact integers (BigInt), written from its published sources, and what verify() refuses.

import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { wasmSession } from '#runtimes/wasm/index.js'
import {
  addFixed,
  addMultipliers,
  averageFixed,
  divideByPowerOfTwo,
  doublingHighMultiply,
  expFixed,
  multiplierOf,
  multiplyBy,
  softmaxFixed,
  softmaxScale,
} from '#src/network/arithmetic-tflite.js'
import { createBuilder } from '#src/network/builder.js'
import { reluBounds } from '#src/network/operators/relu.js'
import { perTensor, type QuantizedType } from '#src/network/types.js'
import { differingBytes, expectedOutputs } from '../../helpers/engines.js'
import { INTEGER_OPERATORS, operatorNetwork, randomInputs, randomNetwork } from '../../helpers/networks.js'
import { asTflite } from '../../helpers/tflite-networks.js'

const INT32 = fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0, 1, -1, 2 ** 30, -(2 ** 30)))
const FACTOR = fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 })

/** SaturatingRoundingDoublingHighMul: a nudge by the sign, then a division that truncates. */
const exactHighMultiply = (a: number, b: number): number => {
  if (a === -(2 ** 31) && b === -(2 ** 31)) return 2 ** 31 - 1
  const product = BigInt(a) * BigInt(b)
  return Number((product + (product >= 0n ? 1n << 30n : 1n - (1n << 30n))) / (1n << 31n))
}

/** RoundingDivideByPOT: mask, remainder, threshold. */
const exactDivide = (x: number, exponent: number): number => {
  const mask = (1n << BigInt(exponent)) - 1n
  const remainder = BigInt(x) & mask
  const threshold = (mask >> 1n) + (x < 0 ? 1n : 0n)
  return Number((BigInt(x) >> BigInt(exponent)) + (remainder > threshold ? 1n : 0n))
}

const exactMultiply = (x: number, q: number, shift: number): number => {
  const shifted = BigInt(x) << BigInt(Math.max(shift, 0))
  const saturated = shifted > 2n ** 31n - 1n ? 2 ** 31 - 1 : shifted < -(2n ** 31n) ? -(2 ** 31) : Number(shifted)
  return exactDivide(exactHighMultiply(saturated, q), Math.max(-shift, 0))
}

describe('fixed-point steps', () => {
  it('multiplies as SaturatingRoundingDoublingHighMul', () => {
    fc.assert(
      fc.property(INT32, INT32, (a, b) => void expect(doublingHighMultiply(a, b)).toBe(exactHighMultiply(a, b))),
      { numRuns: 5000 },
    )
  })

  it('divides as RoundingDivideByPOT, ties away from zero', () => {
    fc.assert(
      fc.property(INT32, fc.integer({ min: 0, max: 31 }), (x, e) => void expect(divideByPowerOfTwo(x, e) + 0).toBe(exactDivide(x, e))),
      { numRuns: 5000 },
    )
    expect([3, -3, 5, -5].map((x) => divideByPowerOfTwo(x, 1))).toEqual([2, -2, 3, -3])
  })

  it('multiplies by a multiplier, the left shift saturating', () => {
    fc.assert(
      fc.property(
        INT32,
        FACTOR,
        fc.integer({ min: -31, max: 30 }),
        (x, q, shift) => void expect(multiplyBy(x, { q, shift }) + 0).toBe(exactMultiply(x, q, shift)),
      ),
      { numRuns: 5000 },
    )
  })

  it('turns a real into q and shift', () => {
    expect(multiplierOf(1)).toEqual({ q: 2 ** 30, shift: 1 })
    expect(multiplierOf(0.75)).toEqual({ q: 1610612736, shift: 0 })
    expect(multiplierOf(1 - 2 ** -40)).toEqual({ q: 2 ** 30, shift: 1 }) // 2^31 is halved
    expect(multiplierOf(2 ** -40)).toEqual({ q: 0, shift: 0 })
    expect(multiplierOf(2 ** -32)).toEqual({ q: 2 ** 30, shift: -31 })
    fc.assert(
      fc.property(fc.double({ min: 2 ** -30, max: 2 ** 29, noNaN: true }), (real) => {
        const { q, shift } = multiplierOf(real)
        expect(q >= 2 ** 30 && q < 2 ** 31).toBe(true)
        expect(Math.abs(q * 2 ** (shift - 31) - real)).toBeLessThanOrEqual(2 ** (shift - 32))
      }),
    )
  })

  test('an average rounds half away from zero', () => {
    expect([averageFixed(5, 2), averageFixed(-5, 2), averageFixed(4, 3), averageFixed(-4, 3), averageFixed(0, 4)].map((x) => x + 0)).toEqual([3, -3, 1, -1, 0])
  })

  it('adds as the reference kernel: left shift 20, three multipliers', () => {
    const scale = fc.double({ min: 0.001, max: 0.2, noNaN: true }).map(Math.fround)
    const element = fc.integer({ min: -255, max: 255 })
    fc.assert(
      fc.property(scale, scale, scale, element, element, fc.integer({ min: -128, max: 127 }), (sa, sb, sy, a, b, zero) => {
        const m = addMultipliers(sa, sb, sy)
        const scaled = (x: number, { q, shift }: { q: number; shift: number }): number => exactMultiply(x * 2 ** 20, q, shift)
        const y = exactMultiply(scaled(a, m.a) + scaled(b, m.b), m.output.q, m.output.shift) + zero
        expect(addFixed(a, b, m, zero, -128, 127)).toBe(Math.max(-128, Math.min(127, y)))
        expect(Math.abs(y - zero - (a * sa + b * sb) / sy)).toBeLessThan(0.51)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('softmax', () => {
  it('has an exponential within 2^-23 of the real one', () => {
    for (let x = 0; x > -(2 ** 31); x -= 12_345_677) expect(Math.abs(expFixed(x) / 2 ** 31 - Math.exp(x / 2 ** 26))).toBeLessThan(2 ** -23)
    expect(expFixed(0)).toBe(2 ** 31 - 1)
  })

  it('gives probabilities within one step of 1/256', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 1, maxLength: 40 }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (scores, s) => {
          const scale = Math.fround(s)
          const largest = Math.max(...scores)
          const exponentials = scores.map((q) => Math.exp(scale * (q - largest)))
          const sum = exponentials.reduce((a, b) => a + b)
          softmaxFixed(scores, 0, scores.length, softmaxScale(scale)).forEach((p, i) => {
            expect(Math.abs(p - Math.min(127, (256 * (exponentials[i] as number)) / sum - 128))).toBeLessThanOrEqual(1)
          })
        },
      ),
      { numRuns: 500 },
    )
  })
})

test('ReLU6 bounds take ties away from zero', () => {
  const type = perTensor('int8', [1], 6 / 100.5, -128) // 6 / scale is 100.5
  const scale = type.scales[0] as number
  const expected = Math.floor(Math.fround(6 / scale) + 0.5) - 128
  expect(reluBounds(6, type, 'tflite')).toEqual([-128, expected])
  expect(reluBounds(6, perTensor('int8', [1], 4, 0), 'tflite')).toEqual([0, 2])
  expect(reluBounds(6, perTensor('int8', [1], 4, 0))).toEqual([0, 2])
  expect(reluBounds(10, perTensor('int8', [1], 4, 0), 'tflite')).toEqual([0, 3])
  expect(reluBounds(10, perTensor('int8', [1], 4, 0))).toEqual([0, 2])
})

const KERNELS = ['simd', 'plain'] as const

/** Networks of rounding 'tflite' among seeds; some kinds of random types it does not take. */
const checked = async (make: (seed: number) => ReturnType<typeof asTflite>, seeds: number): Promise<number> => {
  let taken = 0
  for (let seed = 0; seed < seeds; seed++) {
    const network = make(seed)
    if (network === null) continue
    const inputs = randomInputs(network, seed, 2)
    const expected = await expectedOutputs(network, { count: 2, inputs })
    for (const kernels of KERNELS) {
      const session = await wasmSession(network, { kernels })
      expect(differingBytes(expected, session.runNow({ count: 2, inputs })), `seed ${seed}, ${kernels}`).toBe(0)
    }
    taken++
  }
  return taken
}

describe('wasm gives the bytes of the reference', () => {
  it.each(INTEGER_OPERATORS)(
    'for %s with random attributes',
    async (kind) => {
      expect(await checked((seed) => asTflite(operatorNetwork(kind, seed)), 40)).toBeGreaterThan(20)
    },
    30_000,
  )

  it('for factors above one, whose left shift saturates, and for factors of zero', async () => {
    for (const outputScale of [0.5, 2 ** -21, 2 ** -29, 2 ** 30, 2 ** 40]) {
      const b = createBuilder<'integer'>('integer')
      const weights = { type: perTensor('int8', [9, 50], 1, 0), data: Int8Array.from({ length: 450 }, (_, i) => ((i * 37) % 255) - 127) }
      const x = b.input('x', perTensor('int8', [50], 1, 3))
      const emission = { kind: 'requantize', min: -128, max: 127 } as const
      const y = b.add({ kind: 'dense', name: 'd', inputs: [x], weights, bias: null, emission }, perTensor('int8', [9], outputScale, -7))
      const network = b.build({ name: 'n', outputs: [y], rounding: 'tflite' })
      expect(await checked(() => network, 3)).toBe(3)
    }
  })

  it('for random graphs', async () => {
    expect(await checked((seed) => asTflite(randomNetwork(seed)), 60)).toBeGreaterThan(15)
  }, 30_000)
})

describe('verify refuses', () => {
  const int8 = (scale: number, zeroPoint = 0, shape: readonly number[] = [4]): QuantizedType => perTensor('int8', shape, scale, zeroPoint)
  const requantize = { kind: 'requantize', min: -128, max: 127 } as const

  const softmaxOf = (input: QuantizedType, output: QuantizedType): (() => unknown) => {
    const b = createBuilder('integer')
    const y = b.add({ kind: 'softmax', name: 's', inputs: [b.input('x', input)] }, output)
    return () => b.build({ name: 'n', outputs: [y], rounding: 'tflite' })
  }

  test('a softmax whose types TensorFlow Lite does not have', () => {
    expect(softmaxOf(int8(0.1), int8(1 / 256, -128))).not.toThrow()
    expect(softmaxOf(int8(0.1), int8(1 / 128, -128))).toThrow('rounding "tflite" gives int8 with scale 1/256 and zero point -128')
    expect(softmaxOf(int8(2 ** -26), int8(1 / 256, -128))).toThrow('is too small, rounding "tflite" takes more than 2^-26')
    expect(softmaxOf(int8(0.1, 0, [4096]), int8(1 / 256, -128, [4096]))).toThrow('4096 scores in a row, rounding "tflite" sums at most 4095')
    expect(softmaxOf(perTensor('int32', [4], 1, 0), int8(1 / 256, -128))).toThrow('the input is int32, rounding "tflite" takes int8')
  })

  test('an average pool that changes the quantization', () => {
    const b = createBuilder('integer')
    const y = b.add({ kind: 'globalAveragePool', name: 'p', inputs: [b.input('x', int8(0.1, 0, [2, 2, 4]))] }, int8(0.2))
    expect(() => b.build({ name: 'n', outputs: [y], rounding: 'tflite' })).toThrow('input and output must have one scale and zero point')
  })

  test('factors that have no multiplier', () => {
    const dense = createBuilder('integer')
    const weights = { type: perTensor('int8', [1, 4], 2 ** 20, 0), data: new Int8Array(4) }
    const y = dense.add({ kind: 'dense', name: 'd', inputs: [dense.input('x', int8(2 ** 20))], weights, bias: null, emission: requantize }, int8(1, 0, [1]))
    expect(() => dense.build({ name: 'n', outputs: [y], rounding: 'tflite' })).toThrow('rounding "tflite" takes factors below 1073741824')
    const add = createBuilder('integer')
    const [a, b] = [add.input('a', int8(1)), add.input('b', int8(1))]
    const sum = add.add({ kind: 'add', name: 's', inputs: [a, b], emission: requantize }, int8(2 ** -20))
    expect(() => add.build({ name: 'n', outputs: [sum], rounding: 'tflite' })).toThrow('rounding "tflite" takes factors below 1')
  })
})
