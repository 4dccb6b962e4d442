// FEAST in float: the definition against a slow reading of docs/feast.md, and the faults of other implementations that it must not have.

import { describe, expect, test } from 'vitest'
import { SpikeportError } from '#src/errors.js'
import { batchOf, type EventBatch, ledgerImbalance } from '#src/events/index.js'
import { createFeast, type Feast, MISSED, UNUSED } from '#src/features/index.js'
import { SENSOR, sweepingEdge } from './fixtures.js'

const float = (options = {}): Feast =>
  createFeast({ geometry: SENSOR, featureCount: 5, radius: 2, learningRate: 0.01, closeStep: 0.01, openStep: 0.02, ...options })

/** The method spelled out: no shared buffers, no offsets, maps instead of arrays. */
const plainLearn = (feast: Feast, batch: EventBatch): number[] => {
  const { radius, featureCount, tauMicros, learningRate, closeStep, openStep } = feast.settings
  const banks = feast.banks.map(({ weights, thresholds }) => ({
    weights: Array.from({ length: featureCount }, (_, n) => [...weights.slice(n * (2 * radius + 1) ** 2, (n + 1) * (2 * radius + 1) ** 2)]),
    thresholds: [...thresholds],
    stamps: new Map<string, number>(),
  }))
  return Array.from({ length: batch.count }, (_, i) => {
    const [t, x, y, p] = [batch.timeMicros[i] as number, batch.x[i] as number, batch.y[i] as number, batch.polarity[i] as number]
    const bank = banks[p] as (typeof banks)[number]
    bank.stamps.set(`${x},${y}`, t)
    if (x < radius || y < radius || x >= SENSOR.width - radius || y >= SENSOR.height - radius) return UNUSED
    const context: number[] = []
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++) {
        const stamp = bank.stamps.get(`${x + dx},${y + dy}`)
        context.push(stamp === undefined ? 0 : Math.exp(-(t - stamp) / tauMicros))
      }
    }
    const norm = Math.hypot(...context)
    const unit = context.map((c) => c / norm)
    const cosines = bank.weights.map((w) => w.reduce((sum, weight, k) => sum + weight * (unit[k] as number), 0))
    const able = cosines.map((cosine, n) => (cosine >= (bank.thresholds[n] as number) ? cosine : Number.NEGATIVE_INFINITY))
    const best = Math.max(...able)
    if (best === Number.NEGATIVE_INFINITY) {
      bank.thresholds = bank.thresholds.map((threshold) => Math.max(0, threshold - openStep))
      return MISSED
    }
    const winner = able.indexOf(best)
    const moved = (bank.weights[winner] as number[]).map((w, k) => (1 - learningRate) * w + learningRate * (unit[k] as number))
    bank.weights[winner] = moved.map((w) => w / Math.hypot(...moved))
    bank.thresholds[winner] = Math.min(1, (bank.thresholds[winner] as number) + closeStep)
    return p * featureCount + winner
  })
}

const batchesOf = (batch: EventBatch): readonly [EventBatch, EventBatch] => {
  const rows = Array.from(
    { length: batch.count },
    (_, i) => [batch.timeMicros[i], batch.x[i], batch.y[i], batch.polarity[i]] as [number, number, number, number],
  )
  return [batchOf(rows.slice(0, 777)), batchOf(rows.slice(777))]
}

describe('FEAST in float', () => {
  test('it is the method as documented', () => {
    const batch = sweepingEdge(4000)
    expect([...float().learn(batch)]).toEqual(plainLearn(float(), batch))
  })

  test('cutting the events into batches changes nothing', () => {
    const whole = float()
    const parts = float()
    const batch = sweepingEdge(2000)
    const [first, second] = batchesOf(batch)
    expect([...parts.learn(first), ...parts.learn(second)]).toEqual([...whole.learn(batch)])
    expect(parts.banks).toEqual(whole.banks)
  })

  test('weights stay of unit length and never negative, thresholds within 0..1', () => {
    const feast = float({ openStep: 0.5, closeStep: 0.3 })
    feast.learn(sweepingEdge(3000))
    for (const { weights, thresholds } of feast.banks) {
      expect(Math.min(...weights)).toBeGreaterThanOrEqual(0)
      expect(Math.hypot(...weights.slice(0, 25))).toBeCloseTo(1, 12)
      expect(Math.min(...thresholds)).toBeGreaterThanOrEqual(0)
      expect(Math.max(...thresholds)).toBeLessThanOrEqual(1)
    }
  })

  test('no two features start equal', () => {
    const rows = float().banks.flatMap(({ weights }) => Array.from({ length: 5 }, (_, n) => weights.slice(n * 25, n * 25 + 25).join()))
    expect(new Set(rows).size).toBe(10)
  })

  test('pixels without events count as empty, also at time 0', () => {
    const feast = float({ polarity: 'merged', featureCount: 1, initialThreshold: 0, learningRate: 0.5 })
    feast.learn(batchOf(Array.from({ length: 200 }, (_, i) => [i, 10, 10, 1] as const)))
    const [weights] = feast.banks.map((bank) => [...bank.weights])
    expect(weights?.[12]).toBeCloseTo(1, 12)
    expect(weights?.filter((_, k) => k !== 12).every((w) => w < 1e-12)).toBe(true)
  })

  test('windows that leave the sensor give no feature and teach nothing', () => {
    const feast = float()
    const before = structuredClone(feast.banks)
    const edges = batchOf([
      [1, 1, 10, 1],
      [2, 32, 10, 1],
      [3, 10, 1, 1],
      [4, 10, 32, 1],
      [5, 40, 10, 1],
    ])
    expect([...feast.learn(edges)]).toEqual([UNUSED, UNUSED, UNUSED, UNUSED, UNUSED])
    expect(feast.banks).toEqual(before)
    expect(feast.ledger).toMatchObject({ eventsIn: 5, eventsOut: 0, droppedEvents: { edge: 4, outOfBounds: 1 } })
  })

  test('a miss opens the thresholds of its own bank only', () => {
    const feast = float({ openStep: 0.01 })
    feast.learn(batchOf([[1, 10, 10, 1]]))
    expect([...(feast.banks[0]?.thresholds ?? [])]).toEqual([1, 1, 1, 1, 1])
    expect([...(feast.banks[1]?.thresholds ?? [])]).toEqual([0.99, 0.99, 0.99, 0.99, 0.99])
  })

  test('inference takes the nearest feature whatever the thresholds and learns nothing', () => {
    const feast = float()
    const before = structuredClone(feast.banks)
    const features = feast.infer(sweepingEdge(500))
    expect([...features].includes(MISSED)).toBe(false)
    expect([...features].some((feature) => feature >= 5)).toBe(true)
    expect(feast.banks).toEqual(before)
  })

  test('a time that goes back counts as the latest one', () => {
    const back = float()
    const same = float()
    const row = (time: number, x: number) => [time, x, 10, 1] as const
    const features = back.infer(batchOf([row(5000, 10), row(3000, 11), row(6000, 10)]))
    expect([...features]).toEqual([...same.infer(batchOf([row(5000, 10), row(5000, 11), row(6000, 10)]))])
    expect(back.ledger.faults).toEqual({ nonMonotonic: 1 })
  })

  test.each([
    ['merged', 1, 1],
    ['on', 1, 1],
    ['off', 0, 1],
    ['split', 0, 2],
  ] as const)('polarity "%s" learns from the events it should', (polarity, learned, banks) => {
    const feast = float({ polarity, initialThreshold: 0 })
    const features = feast.learn(batchOf([[1, 10, 10, learned]]))
    expect(feast.banks.length).toBe(banks)
    expect(features[0]).toBeGreaterThanOrEqual(0)
    const other = feast.learn(batchOf([[2, 10, 10, 1 - learned]]))
    expect(other[0] === UNUSED).toBe(polarity === 'on' || polarity === 'off')
    expect(ledgerImbalance(feast.ledger)).toBeNull()
  })

  test('the ledger balances', () => {
    const feast = float()
    feast.learn(sweepingEdge(1000))
    expect(ledgerImbalance(feast.ledger)).toBeNull()
  })

  test.each([
    ['featureCount', 0],
    ['radius', 16],
    ['radius', 17.5],
    ['tauMicros', 0.5],
    ['learningRate', 0],
    ['closeStep', -1],
    ['openStep', Number.NaN],
    ['seed', -1],
    ['decay', 'none'],
    ['geometry', { width: 4, height: 34 }],
  ])('%s of %j is refused', (name, value) => {
    expect(() => float({ [name]: value })).toThrow(SpikeportError)
  })
})
