import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchOf, concatBatches, type EventBatch, rowsOf, sliceBatch } from '#src/events/batch.js'
import {
  addPixelCounts,
  chainFilters,
  createBackgroundActivityFilter,
  createCropFilter,
  createDownSampleFilter,
  createMaskFilter,
  createPixelCounts,
  createPolarityFilter,
  createRateLimitFilter,
  createRefractoryFilter,
  createSpatioTemporalFilter,
  createTimeFilter,
  createTrailFilter,
  type EventFilter,
  hotPixelMask,
  injectNoise,
  rocCurve,
  type SelectingFilter,
} from '#src/events/filters/index.js'
import { ledgerImbalance } from '#src/events/ledger.js'
import { decodeRecording } from '#src/events/read.js'
import { sharedFile } from './fixtures.js'

const geometry = { width: 8, height: 6 }
type Row = readonly [number, number, number, number]

/** Random recordings on an 8 x 6 sensor in time order, now and then with long pauses. */
const rows = fc
  .array(
    fc.tuple(
      fc.oneof({ weight: 20, arbitrary: fc.integer({ min: 0, max: 60 }) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 3e9 }) }),
      fc.nat(7),
      fc.nat(5),
      fc.nat(1),
    ),
    { maxLength: 200 },
  )
  .map((steps) => {
    let time = 0
    return steps.map(([step, x, y, polarity]): Row => {
      time += step
      return [time, x, y, polarity]
    })
  })

/** Applies a filter in two pieces and checks its ledger. */
const kept = (filter: SelectingFilter | EventFilter, events: readonly Row[], cut = events.length >> 1): Row[] => {
  const batch = batchOf(events)
  const passed = concatBatches([filter.apply(sliceBatch(batch, 0, cut)), filter.apply(sliceBatch(batch, cut, batch.count))])
  expect(ledgerImbalance(filter.ledger)).toBeNull()
  expect(filter.ledger).toMatchObject({ eventsIn: batch.count, eventsOut: passed.count })
  return rowsOf(passed)
}

const last = (events: readonly Row[], match: (row: Row) => boolean): Row | undefined => events.findLast(match)

/** The plain definition: looks through all earlier events. */
const plainBackgroundActivity = (events: readonly Row[], durationMicros: number, neighbourhood: 'block' | 'cross', supporters: number): Row[] =>
  events.filter(([time, x, y], i) => {
    let support = 0
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        if ((dx === 0 && dy === 0) || (neighbourhood === 'cross' && dx !== 0 && dy !== 0)) continue
        const before = last(events.slice(0, i), (row) => row[1] === x + dx && row[2] === y + dy)
        if (before !== undefined && time - before[0] <= durationMicros) support++
      }
    }
    return support >= supporters
  })

describe('background activity', () => {
  it.each([
    ['block', 1],
    ['block', 3],
    ['cross', 1],
    ['cross', 2],
  ] as const)('(%s, k = %i) agrees with the plain definition', (neighbourhood, supporters) => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 200 }), (events, durationMicros) => {
        const filter = createBackgroundActivityFilter({ geometry, durationMicros, neighbourhood, supporters })
        expect(kept(filter, events)).toEqual(plainBackgroundActivity(events, durationMicros, neighbourhood, supporters))
      }),
      { numRuns: 60 },
    )
  })

  it('an event exactly durationMicros old supports, one microsecond more does not', () => {
    const run = (gap: number): number =>
      kept(createBackgroundActivityFilter({ geometry, durationMicros: 10 }), [
        [5, 1, 1, 1],
        [5 + gap, 2, 1, 1],
      ]).length
    expect([run(10), run(11)]).toEqual([1, 0])
  })

  it('counts events outside the sensor and does not touch its memory with them', () => {
    const filter = createBackgroundActivityFilter({ geometry, durationMicros: 10 })
    expect(
      kept(filter, [
        [0, 8, 0, 1],
        [1, 0, 1, 1],
        [2, 0, 6, 1],
      ]),
    ).toEqual([])
    expect(filter.ledger.droppedEvents).toEqual({ unsupported: 1, outOfBounds: 2 })
  })

  it('forgets what is older than the ticks, and starts anew after a long step back', () => {
    const filter = createBackgroundActivityFilter({ geometry, durationMicros: 2 ** 28 })
    expect(
      kept(filter, [
        [1.6e15, 1, 1, 1],
        [1.6e15 + 2 ** 28, 2, 1, 1],
        [1.6e15 + 2 ** 40, 3, 1, 1],
        [100, 2, 1, 1],
        [101, 3, 1, 1],
      ]).map((row) => row[0]),
    ).toEqual([1.6e15 + 2 ** 28, 101])
    expect(filter.ledger.faults).toEqual({ timeReset: 1 })
  })

  it('refuses durations beyond its integers', () => {
    expect(() => createBackgroundActivityFilter({ geometry, durationMicros: 2 ** 28 + 1 })).toThrow(
      'durationMicros is 268435457, it must be an integer from 1 to 268435456 us.',
    )
    expect(() => createBackgroundActivityFilter({ geometry, durationMicros: 1, neighbourhood: 'cross', supporters: 5 })).toThrow(
      'supporters is 5, it must be an integer from 1 to 4.',
    )
  })
})

describe('refractory', () => {
  it.each(['kept', 'every'] as const)('restarted by %s events agrees with the plain definition', (restart) => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 200 }), (events, durationMicros) => {
        const passed: Row[] = []
        events.forEach((row, i) => {
          const before = last(restart === 'every' ? events.slice(0, i) : passed, (other) => other[1] === row[1] && other[2] === row[2])
          if (before === undefined || row[0] - before[0] >= durationMicros) passed.push(row)
        })
        expect(kept(createRefractoryFilter({ geometry, durationMicros, restart }), events)).toEqual(passed)
      }),
      { numRuns: 60 },
    )
  })
})

describe('spatio-temporal correlation', () => {
  it.each([true, false])('(same polarity: %s) agrees with the plain definition', (isSamePolarity) => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 4 }), (events, durationMicros, supporters) => {
        const expected = events.filter(([time, x, y, polarity], i) => {
          let support = 0
          for (let dy = -1; dy <= 1; dy++) {
            for (let dx = -1; dx <= 1; dx++) {
              const before = last(events.slice(0, i), (row) => row[1] === x + dx && row[2] === y + dy && (!isSamePolarity || row[3] === polarity))
              if (before !== undefined && time - before[0] <= durationMicros) support++
            }
          }
          return support >= supporters
        })
        expect(kept(createSpatioTemporalFilter({ geometry, durationMicros, supporters, isSamePolarity }), events)).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })
})

describe('trail', () => {
  const train: readonly Row[] = [
    [0, 1, 1, 1],
    [5, 1, 1, 1],
    [10, 1, 1, 1],
    [12, 1, 1, 0],
    [13, 2, 1, 0],
    [14, 1, 1, 0],
    [100, 1, 1, 0],
  ]
  it.each([
    ['first', [0, 12, 13, 100]],
    ['second', [5, 14]],
    ['afterFirst', [5, 10, 14]],
  ] as const)('keeps the %s events of trains of one polarity', (keep, times) => {
    expect(kept(createTrailFilter({ geometry, durationMicros: 10, keep }), train).map((row) => row[0])).toEqual(times)
  })
})

describe('filters without a past', () => {
  const events: readonly Row[] = [
    [0, 0, 0, 1],
    [1, 3, 2, 0],
    [2, 7, 5, 1],
  ]

  it('crop moves the corner to 0, 0 unless told not to', () => {
    expect(kept(createCropFilter({ x: 2, y: 1, width: 3, height: 3 }), events)).toEqual([[1, 1, 1, 0]])
    expect(kept(createCropFilter({ x: 2, y: 1, width: 3, height: 3, isMoved: false }), events)).toEqual([[1, 3, 2, 0]])
  })

  it('mask keeps marked pixels', () => {
    const mask = new Uint8Array(48)
    mask[2 * 8 + 3] = 1
    expect(kept(createMaskFilter(geometry, mask), events)).toEqual([[1, 3, 2, 0]])
    expect(() => createMaskFilter(geometry, new Uint8Array(4))).toThrow('the mask has 4 pixels, the sensor 48.')
  })

  it('down-sampling keeps every event and both polarities', () => {
    expect(kept(createDownSampleFilter({ factorX: 2, factorY: 3 }), events)).toEqual([
      [0, 0, 0, 1],
      [1, 1, 0, 0],
      [2, 3, 1, 1],
    ])
  })

  it('polarity keeps, flips or merges', () => {
    const polarities = (mode: 'on' | 'off' | 'flip' | 'merge'): number[] => kept(createPolarityFilter(mode), events).map((row) => row[3])
    expect([polarities('on'), polarities('off'), polarities('flip'), polarities('merge')]).toEqual([[1, 1], [0], [0, 1, 0], [1, 1, 1]])
  })

  it('time keeps a half-open span', () => {
    expect(kept(createTimeFilter({ fromMicros: 1, toMicros: 2 }), events).map((row) => row[0])).toEqual([1])
  })

  it('the rate limit passes the first events of every period', () => {
    const burst = [0, 1, 2, 9, 10, 11, 25].map((time): Row => [time, 0, 0, 1])
    expect(kept(createRateLimitFilter({ periodMicros: 10, eventsPerPeriod: 2 }), burst).map((row) => row[0])).toEqual([0, 1, 10, 11, 25])
  })

  it('a chain books drops by filter', () => {
    const chain = chainFilters([createPolarityFilter('on'), createTimeFilter({ fromMicros: 0, toMicros: 1 })])
    expect(kept(chain, events)).toEqual([[0, 0, 0, 1]])
    expect(chain.ledger.droppedEvents).toEqual({ 'polarity (on)': 1, time: 1 })
  })
})

describe('hot pixels', () => {
  it('are above the mean of the active pixels by n standard deviations', () => {
    const counts = createPixelCounts(geometry)
    const quiet = Array.from({ length: 40 }, (_, i): Row => [i, i % 8, Math.floor(i / 8), 1])
    addPixelCounts(counts, geometry, batchOf([...quiet, ...Array.from({ length: 500 }, (_, i): Row => [100 + i, 3, 2, 1]), [700, 9, 9, 1]]))
    const mask = hotPixelMask(counts, 3)
    expect([...mask].flatMap((keep, i) => (keep === 0 ? [i] : []))).toEqual([2 * 8 + 3])
    expect(hotPixelMask(new Uint32Array(48), 3).every((keep) => keep === 1)).toBe(true)
    expect(hotPixelMask(new Uint32Array(48).fill(7), 1).every((keep) => keep === 1)).toBe(true)
  })
})

describe('noise', () => {
  const signal = (): EventBatch => sliceBatch(decodeRecording(sharedFile('events/edvsd_balls.dvsd')).events, 0, 20000)
  const sensor = { width: 128, height: 128 }

  it('is injected at the stated rates, the same for the same seed', () => {
    const events = signal()
    const seconds = ((events.timeMicros[events.count - 1] as number) - (events.timeMicros[0] as number)) / 1e6
    const noisy = injectNoise(events, { geometry: sensor, shotHz: 5, leakHz: 0.3, seed: 7 })
    const injected = noisy.isNoise.reduce((sum, flag) => sum + flag, 0)
    expect(injected / (128 * 128 * seconds * 5.3)).toBeCloseTo(1, 1)
    expect(noisy.events.count).toBe(events.count + injected)
    for (let i = 1; i < noisy.events.count; i++) expect((noisy.events.timeMicros[i] as number) >= (noisy.events.timeMicros[i - 1] as number)).toBe(true)
    expect(injectNoise(events, { geometry: sensor, shotHz: 5, leakHz: 0.3, seed: 7 })).toEqual(noisy)
    expect(injectNoise(events, { geometry: sensor, shotHz: 5, leakHz: 0.3, seed: 8 })).not.toEqual(noisy)
  })

  it('the background-activity filter tells signal from noise', () => {
    const noisy = injectNoise(signal(), { geometry: sensor, seed: 1 })
    const { points, areaUnderCurve } = rocCurve(noisy, [100, 300, 1000, 3000, 10000, 30000, 100000], (durationMicros) =>
      createBackgroundActivityFilter({ geometry: sensor, durationMicros }),
    )
    for (let k = 1; k < points.length; k++) {
      expect(points[k]?.truePositiveRate).toBeGreaterThanOrEqual(points[k - 1]?.truePositiveRate as number)
      expect(points[k]?.falsePositiveRate).toBeGreaterThanOrEqual(points[k - 1]?.falsePositiveRate as number)
    }
    expect(areaUnderCurve).toBeGreaterThan(0.85)
  })
})
