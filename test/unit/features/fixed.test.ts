// FEAST in fixed point: every integer against a slow model in BigInt, golden checksums that a C core must reach too, and the fast forms
// against the plain ones.

import { describe, expect, test } from 'vitest'
import { crc32 } from '#src/crc32.js'
import { batchOf, createDecayTable, type EventBatch } from '#src/events/index.js'
import { integerRoot } from '#src/features/fixed.js'
import { createFeast, type Feast, MISSED, saveFeast, UNUSED } from '#src/features/index.js'
import { fixedScores, floatScores, plainFixedScores, plainFloatScores } from '#src/features/scores.js'
import { createTickStamps } from '#src/features/tick-stamps.js'
import { seededIntegers } from '../../helpers/fuzz.js'
import { SENSOR, sweepingEdge } from './fixtures.js'

const fixed = (options = {}): Feast => createFeast({ geometry: SENSOR, arithmetic: 'fixed', featureCount: 6, radius: 2, ...options })

const clampQ15 = (value: bigint): bigint => (value < 0n ? 0n : value > 32767n ? 32767n : value)

const rootOf = (n: bigint): bigint => {
  let root = 0n
  for (let bit = 1n << 20n; bit > 0n; bit >>= 1n) if ((root + bit) * (root + bit) <= n) root += bit
  return root
}

/** The recipe of docs/feast.md in BigInt, with exact ages instead of 16-bit stamps. */
const plainLearn = (feast: Feast, batch: EventBatch): { features: number[]; weights: number[][]; thresholds: number[][] } => {
  const { radius, featureCount, tauMicros, decay } = feast.settings
  const side = 2 * radius + 1
  const { table, shift } = createDecayTable(decay, tauMicros)
  const banks = feast.banks.map(({ weights, thresholds }) => ({
    weights: Array.from(weights, BigInt),
    thresholds: Array.from(thresholds, BigInt),
    stamps: new Map<number, number>(),
  }))
  const learnOne = (bank: (typeof banks)[number], context: readonly bigint[]): number => {
    const norm = rootOf(context.reduce((sum, c) => sum + c * c, 0n) << 8n)
    const byteOf = (w: bigint): bigint => ((w + 128n) >> 8n > 127n ? 127n : (w + 128n) >> 8n)
    const of = (n: number): bigint[] => bank.weights.slice(n * context.length, (n + 1) * context.length)
    const scores = bank.thresholds.map((_, n) => of(n).reduce((sum, w, k) => sum + byteOf(w) * (context[k] as bigint), 0n))
    const able = scores.map((score, n) => (score << 19n >= (bank.thresholds[n] as bigint) * norm * 127n ? score : -1n))
    const best = [...able].sort((a, b) => (a < b ? 1 : -1))[0] as bigint
    if (best < 0n) {
      bank.thresholds = bank.thresholds.map((threshold) => clampQ15(threshold - 98n))
      return MISSED
    }
    const winner = able.indexOf(best)
    const inverse = (32767n << 16n) / norm
    const moved = of(winner).map((w, k) => clampQ15(w + (((((context[k] as bigint) * inverse) >> 12n) - w + 512n) >> 10n)))
    const factor = (3n << 30n) - moved.reduce((sum, w) => sum + w * w, 0n)
    moved.forEach((w, k) => {
      bank.weights[winner * context.length + k] = clampQ15((w * factor + (1n << 30n)) >> 31n)
    })
    bank.thresholds[winner] = clampQ15((bank.thresholds[winner] as bigint) + 33n)
    return winner
  }
  const features = Array.from({ length: batch.count }, (_, i) => {
    const [x, y, p] = [batch.x[i] as number, batch.y[i] as number, batch.polarity[i] as number]
    const tick = Math.floor((batch.timeMicros[i] as number) / 2 ** shift)
    const bank = banks[p] as (typeof banks)[number]
    bank.stamps.set(y * SENSOR.width + x, tick)
    if (x < radius || y < radius || x >= SENSOR.width - radius || y >= SENSOR.height - radius) return UNUSED
    const context = Array.from({ length: side * side }, (_, k) => {
      const stamp = bank.stamps.get((y + Math.floor(k / side) - radius) * SENSOR.width + x + (k % side) - radius)
      return stamp === undefined ? 0n : BigInt(table[tick - stamp] ?? 0)
    })
    const winner = learnOne(bank, context)
    return winner < 0 ? winner : p * featureCount + winner
  })
  return { features, weights: banks.map(({ weights }) => weights.map(Number)), thresholds: banks.map(({ thresholds }) => thresholds.map(Number)) }
}

describe('FEAST in fixed point', () => {
  test.each(['exponential', 'linear', 'binary'] as const)('every integer is that of the recipe, decay %s', (decay) => {
    const batch = sweepingEdge(3000)
    const model = plainLearn(fixed({ decay }), batch)
    const feast = fixed({ decay })
    expect([...feast.learn(batch)]).toEqual(model.features)
    expect(feast.banks.map(({ weights }) => [...weights])).toEqual(model.weights)
    expect(feast.banks.map(({ thresholds }) => [...thresholds])).toEqual(model.thresholds)
  })

  test.each([
    ['exponential', 'fd25e49e'],
    ['binary', '9cec19e4'],
  ] as const)('the learner after 20,000 events has the golden bytes, decay %s', (decay, golden) => {
    const feast = createFeast({ geometry: SENSOR, arithmetic: 'fixed', decay })
    feast.learn(sweepingEdge(20_000))
    expect(crc32(saveFeast(feast).slice(0, -4)).toString(16)).toBe(golden)
  })

  test('weights keep unit length within 1 %', () => {
    const feast = fixed()
    feast.learn(sweepingEdge(20_000))
    for (const { weights } of feast.banks) {
      for (let n = 0; n < 6; n++) expect(Math.abs(Math.hypot(...weights.slice(n * 25, n * 25 + 25)) / 32768 - 1)).toBeLessThan(0.01)
    }
  })

  test('only the tick of a time matters, wherever the clock stands', () => {
    const near = fixed()
    const far = fixed()
    const batch = sweepingEdge(2000)
    const moved = { ...batch, timeMicros: batch.timeMicros.map((time) => time + 1024 * 2 ** 42) }
    expect([...far.learn(moved)]).toEqual([...near.learn(batch)])
  })

  test('integerRoot is the floor of the root', () => {
    const random = seededIntegers(5)
    for (const n of [0, 1, 3, 4, 2 ** 32 - 1, 2 ** 52, ...Array.from({ length: 1000 }, () => random(2 ** 31) * 2 + random(2))]) {
      const root = integerRoot(n)
      expect(root * root <= n && (root + 1) * (root + 1) > n).toBe(true)
    }
  })
})

describe('the fast scores', () => {
  test.each([1, 3, 4, 7, 16])('of %i features have the bits of the plain ones', (featureCount) => {
    const random = seededIntegers(featureCount)
    const bytes = Int8Array.from({ length: featureCount * 49 }, () => random(128))
    const context = Int32Array.from({ length: 49 }, () => random(128))
    const [fast, plain] = [new Int32Array(featureCount), new Int32Array(featureCount)]
    fixedScores(bytes, context, fast)
    plainFixedScores(bytes, context, plain)
    expect(fast).toEqual(plain)
    const [fastReal, plainReal] = [new Float64Array(featureCount), new Float64Array(featureCount)]
    floatScores(
      Float64Array.from(bytes, (w) => w / 7),
      Float64Array.from(context, (c) => c / 3),
      fastReal,
    )
    plainFloatScores(
      Float64Array.from(bytes, (w) => w / 7),
      Float64Array.from(context, (c) => c / 3),
      plainReal,
    )
    expect(fastReal).toEqual(plainReal)
  })
})

describe('16-bit stamps', () => {
  test.each([1, 3, 100, 9000])('tell every age exactly through wraps and pauses, %i rows', (height) => {
    const random = seededIntegers(height)
    const stamps = createTickStamps({ width: 2, height }, 1)
    const exact = new Map<number, number>()
    let tick = 0
    for (let i = 0; i < 4000; i++) {
      tick += random(20) === 0 ? random(40_000) : random(30)
      stamps.advance(tick)
      const at = random(2 * height)
      stamps.stamp(0, at)
      exact.set(at, tick)
      if (i % 50 !== 0) continue
      const ages = stamps.ages(0)
      for (const [pixel, last] of exact) expect(ages[pixel]).toBe(tick - last < 256 ? tick - last + 1 : 0)
    }
  })

  test('go on from saved ages', () => {
    const stamps = createTickStamps(SENSOR, 1)
    stamps.advance(70_000)
    stamps.stamp(0, 5)
    stamps.advance(70_200)
    const copy = createTickStamps(SENSOR, 1)
    copy.setAges(stamps.latest, [stamps.ages(0)])
    expect(copy.ages(0)).toEqual(stamps.ages(0))
    copy.advance(70_300)
    expect(copy.ages(0)[5]).toBe(0)
    expect(copy.advance(70_299)).toBe(false)
  })

  test('an empty batch changes nothing', () => {
    const feast = fixed()
    const before = saveFeast(feast)
    feast.learn(batchOf([]))
    expect(saveFeast(feast)).toEqual(before)
  })
})
