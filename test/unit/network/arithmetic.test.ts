// The scalar arithmetic against exact rational numbers: every float32 step of docs/arithmetic.md rounds once, to nearest even.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addRequantize,
  averageScale,
  clamp,
  expFloat32,
  quantizeReal,
  requantize,
  requantizeScale,
  roundHalfEven,
  softmaxFloat32,
} from '#src/network/arithmetic.js'
import { exactAdd, exactAverageScale, exactQuantize, exactRequantize, exactScale, float32, nearestEven, rational } from './exact.js'

const RUNS = { numRuns: 3000 }

/** Positive float32 numbers over many magnitudes, short mantissas (so that ties happen) among them. */
const scale = fc
  .tuple(fc.oneof(fc.integer({ min: 2 ** 23, max: 2 ** 24 - 1 }), fc.integer({ min: 1, max: 16 })), fc.integer({ min: -45, max: 5 }))
  .map(([mantissa, exponent]) => mantissa * 2 ** exponent)
const wildScale = fc.tuple(fc.integer({ min: 1, max: 2 ** 24 - 1 }), fc.integer({ min: -149, max: 40 })).map(([mantissa, exponent]) => mantissa * 2 ** exponent)
const accumulator = fc.oneof(fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }), fc.integer({ min: -3000, max: 3000 }))
const int8 = fc.integer({ min: -128, max: 127 })

describe('the exact definitions themselves', () => {
  it('float32() rounds as Math.fround does', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(float32(rational(x))).toBe(Math.fround(x) + 0)
      }),
      RUNS,
    )
  })
})

describe('rounding', () => {
  it('roundHalfEven sends ties to the even neighbour', () => {
    expect([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5].map(roundHalfEven).map((x) => x + 0)).toEqual([-2, -2, 0, 0, 2, 2, 4])
  })

  it('roundHalfEven is exact below 2^51', () => {
    const numbers = fc.oneof(
      fc.double({ min: -(2 ** 51) + 1, max: 2 ** 51 - 1, noNaN: true }),
      fc.integer({ min: -(2 ** 30), max: 2 ** 30 }).map((n) => n + 0.5),
      fc.integer({ min: 0, max: 2 ** 30 }).map((n) => n + 0.5 - 2 ** -23),
    )
    fc.assert(
      fc.property(numbers, (x) => {
        expect(BigInt(roundHalfEven(x))).toBe(nearestEven(rational(x)))
      }),
      RUNS,
    )
  })

  it('clamp keeps what lies inside', () => {
    expect([-200, -128, 3, 127, 400].map((x) => clamp(x, -128, 127))).toEqual([-128, -128, 3, 127, 127])
  })
})

describe('requantize', () => {
  it('the factor is fl32(fl32(sx sw) / sy), in that order', () => {
    fc.assert(
      fc.property(fc.oneof(scale, wildScale), scale, fc.oneof(scale, wildScale), (sx, sw, sy) => {
        expect(requantizeScale(sx, sw, sy)).toBe(exactScale(sx, sw, sy))
      }),
      RUNS,
    )
  })

  it('the factor of an average is fl32(sx / fl32(sy count))', () => {
    fc.assert(
      fc.property(scale, scale, fc.integer({ min: 1, max: 2 ** 20 }), (sx, sy, count) => {
        expect(averageScale(sx, sy, count)).toBe(exactAverageScale(sx, sy, count))
      }),
      RUNS,
    )
  })

  it('is clamp(rne(fl32(fl32(acc) m)) + zero point, low, high)', () => {
    fc.assert(
      fc.property(accumulator, scale, int8, int8, int8, (acc, m, zero, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)]
        expect(requantize(acc, m, zero, low, high)).toBe(exactRequantize(BigInt(acc), m, zero, low, high))
      }),
      RUNS,
    )
  })

  it('ties of powers of two go to even', () => {
    fc.assert(
      fc.property(fc.integer({ min: -500, max: 500 }), fc.integer({ min: 1, max: 4 }), int8, (n, shift, zero) => {
        const acc = n * 2 ** shift + 2 ** (shift - 1)
        expect(requantize(acc, 2 ** -shift, zero, -128, 127)).toBe(exactRequantize(BigInt(acc), 2 ** -shift, zero, -128, 127))
      }),
    )
    expect([1, 3, 5, -1, -3].map((acc) => requantize(acc, 0.5, 0, -128, 127) + 0)).toEqual([0, 2, 2, 0, -2])
  })

  it('the accumulator itself is rounded above 2^24', () => {
    expect(requantize(2 ** 24 + 1, 2 ** -18, 0, -128, 127)).toBe(64)
    expect(requantize(33 * 2 ** 20 + 1, 2 ** -21, 0, -128, 127)).toBe(16) // 16.5 and a bit, rounded to the tie 16.5 first
  })
})

describe('residual add', () => {
  it('rounds both products and the sum to float32', () => {
    const centred = fc.integer({ min: -255, max: 255 })
    fc.assert(
      fc.property(centred, scale, centred, scale, int8, (a, ra, b, rb, zero) => {
        expect(addRequantize(a, ra, b, rb, zero, -128, 127)).toBe(exactAdd(a, ra, b, rb, zero, -128, 127))
      }),
      RUNS,
    )
  })
})

describe('quantizeReal', () => {
  it('is clamp(rne(fl32(x / scale)) + zero point, -128, 127)', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), scale, int8, (x, s, zero) => {
        expect(quantizeReal(x, s, zero, -128, 127)).toBe(exactQuantize(x, s, zero, -128, 127))
      }),
      RUNS,
    )
  })

  it('NaN gives the zero point, infinities the bounds', () => {
    expect([Number.NaN, Infinity, -Infinity].map((x) => quantizeReal(x, 0.1, 7, -128, 127))).toEqual([7, 127, -128])
  })
})

describe('softmax', () => {
  it('expFloat32 is a float32 number within 2e-7 of exp', () => {
    let worst = 0
    for (let i = 0; i <= 200_000; i++) {
      const x = Math.fround((-87 * i) / 200_000)
      const y = expFloat32(x)
      expect(Math.fround(y)).toBe(y)
      worst = Math.max(worst, Math.abs(y / Math.exp(x) - 1))
    }
    expect(worst).toBeLessThan(2e-7)
    expect([expFloat32(0), expFloat32(-0), expFloat32(-87.5), expFloat32(-Infinity)]).toEqual([1, 1, 0, 0])
  })

  it('sums to one, keeps the order, and is float32 throughout', () => {
    fc.assert(
      fc.property(fc.array(int8, { minLength: 1, maxLength: 50 }), fc.double({ min: 1e-4, max: 1, noNaN: true }), (scores, s) => {
        const p = softmaxFloat32(scores, 0, scores.length, Math.fround(s))
        expect(p.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
        const largest = Math.max(...scores)
        const sum = scores.reduce((a, q) => a + Math.exp(Math.fround(s) * (q - largest)), 0)
        scores.forEach((q, i) => {
          expect(Math.abs((p[i] as number) - Math.exp(Math.fround(s) * (q - largest)) / sum)).toBeLessThan(1e-6)
        })
      }),
    )
  })

  it('reads a row of a longer array', () => {
    expect(softmaxFloat32([100, 1, 1, 1, 1, -100], 1, 4, 0.5)).toEqual(Float32Array.of(0.25, 0.25, 0.25, 0.25))
  })
})
