// The monitor's promises: the miss rate settles where the formula says, features are used equally, and a changed scene raises the alarm.

import { describe, expect, test } from 'vitest'
import type { EventBatch } from '#src/events/index.js'
import { createFeast, createFeastMonitor, expectedMissRate, type FeastBank, noiseFeatures } from '#src/features/index.js'
import { loneEvents, nmnist, SENSOR, sweepingEdge } from './fixtures.js'

const RECORDINGS = nmnist(60)

describe('the monitor', () => {
  test.each([
    ['float', 1, 0.25],
    ['float', 4, 1 / 13],
    ['float', 16, 1 / 49],
    ['fixed', 16, 33 / (33 + 16 * 98)],
  ] as const)('%s with %i features settles at the expected miss rate within 10 %%', (arithmetic, featureCount, expected) => {
    const feast = createFeast({ geometry: SENSOR, arithmetic, featureCount, polarity: 'merged', initialThreshold: 0.7 })
    const monitor = createFeastMonitor(feast, { windowEvents: 50_000 })
    expect(expectedMissRate(feast.settings)).toBeCloseTo(expected, 12)
    for (const { events } of RECORDINGS) {
      feast.clearSurface()
      feast.learn(events)
      monitor.update()
    }
    const [report] = monitor.update()
    expect((report?.missRate ?? 0) / expected).toBeGreaterThan(0.9)
    expect((report?.missRate ?? 0) / expected).toBeLessThan(1.1)
    expect(report?.phase).toBe('steady')
    expect(report?.leastUse).toBeGreaterThan(0.8)
    expect(report?.mostUse).toBeLessThan(1.25)
  })

  test('before the first full window there is no rate', () => {
    const monitor = createFeastMonitor(createFeast({ geometry: SENSOR }))
    expect(monitor.update()[0]).toMatchObject({ missRate: null, overallMissRate: null, leastUse: null, mostUse: null, phase: 'settling', learnedEvents: 0 })
  })

  test('a changed scene raises the alarm, and learning ends it', () => {
    const feast = createFeast({
      geometry: SENSOR,
      polarity: 'merged',
      featureCount: 4,
      learningRate: 0.02,
      initialThreshold: 0.5,
      closeStep: 0.001,
      openStep: 0.003,
    })
    const monitor = createFeastMonitor(feast, { windowEvents: 1000 })
    const phases = (scene: (count: number, seed: number) => EventBatch, rounds: number): string[] =>
      Array.from({ length: rounds }, (_, round) => {
        feast.clearSurface()
        feast.learn(scene(1500, 1 + round))
        return monitor.update()[0]?.phase ?? ''
      })
    expect(phases(sweepingEdge, 30).at(-1)).toBe('steady')
    const after = phases(loneEvents, 40)
    expect(after).toContain('drifting')
    expect(after.at(-1)).toBe('steady')
  })

  test('lone events get noise features', () => {
    const feast = createFeast({ geometry: SENSOR, polarity: 'merged', featureCount: 1, learningRate: 0.05 })
    feast.learn(loneEvents(2000))
    expect(noiseFeatures(feast.settings, feast.banks[0] as FeastBank)).toEqual([0])
  })

  test('a feature of one pixel is a noise feature', () => {
    const feast = createFeast({ geometry: SENSOR, polarity: 'merged', featureCount: 2 })
    const [bank] = feast.banks
    bank?.weights.fill(0, 0, 49)
    bank?.weights.fill(1, 24, 25)
    expect(noiseFeatures(feast.settings, bank as FeastBank)).toEqual([0])
  })

  test('windows shorter than 100 events are refused', () => {
    expect(() => createFeastMonitor(createFeast({ geometry: SENSOR }), { windowEvents: 5 })).toThrow('a window of 5 events makes no sense.')
  })
})
