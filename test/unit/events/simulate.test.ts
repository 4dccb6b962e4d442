// The simulated camera: events worked by hand, noise rates, the same bytes from the same seed.

import { describe, expect, test } from 'vitest'
import {
  type CameraOptions,
  concatBatches,
  createSimulatedCamera,
  type EventBatch,
  frameEvents,
  ledgerImbalance,
  rowsOf,
  type ShapeKind,
  shapeEvents,
} from '#src/events/index.js'

const level = (log: number): number => Math.exp(log) - 0.001
const pixel = { geometry: { width: 1, height: 1 } }
const film = (options: CameraOptions, frames: readonly (readonly number[])[], times: readonly number[]): EventBatch => {
  const camera = createSimulatedCamera(options)
  const batch = concatBatches(frames.map((frame, i) => camera.push(frame, times[i] as number)))
  expect(ledgerImbalance(camera.ledger)).toBeNull()
  return batch
}
const isSorted = ({ timeMicros }: EventBatch): boolean => timeMicros.every((time, i) => i === 0 || time >= (timeMicros[i - 1] as number))

describe('one pixel', () => {
  test('rises by 1 and falls by 0.5: five ON events at every fifth of the way, two OFF events', () => {
    const frames = [[level(-2)], [level(-0.95)], [level(-1.45)]]
    // up by 1.05 in 1,050 us: an event each 0.2 = 200 us; the reference is then -1.0; down by 0.5 in 500 us: -1.2 after 250 us, -1.4 after 450 us
    const rows = rowsOf(film({ ...pixel, threshold: 0.2 }, frames, [0, 1050, 1550]))
    expect(rows.map(([, , , polarity]) => polarity)).toEqual([1, 1, 1, 1, 1, 0, 0])
    for (const [i, time] of [200, 400, 600, 800, 1000, 1300, 1500].entries()) expect(Math.abs((rows[i]?.[0] as number) - time)).toBeLessThanOrEqual(1)
  })

  test('is silent in constant light, and after an event for the refractory period', () => {
    expect(film(pixel, [[0.5], [0.5], [0.5]], [0, 10, 20]).count).toBe(0)
    const times = rowsOf(film({ ...pixel, threshold: 0.2, refractoryMicros: 250 }, [[level(-2)], [level(-0.95)]], [0, 1050])).map(([time]) => time)
    expect(times).toHaveLength(3) // of those at 200, 400, 600, 800, 1000
    expect(times.every((time, i) => i === 0 || time - (times[i - 1] as number) >= 250)).toBe(true)
  })

  test('leaks at the rate given', () => {
    expect(film({ ...pixel, leakHz: 10 }, [[0.5], [0.5], [0.5]], [0, 400_000, 1_000_000]).count).toBe(10)
  })
})

test('mismatch spreads the thresholds of the pixels as stated', () => {
  const geometry = { width: 64, height: 64 }
  const frames = [0.02, 0.9].map((intensity) => Array<number>(64 * 64).fill(intensity))
  const counts = (mismatch: number): Uint32Array => {
    const perPixel = new Uint32Array(64 * 64)
    for (const [, x, y] of rowsOf(film({ geometry, threshold: 0.01, mismatch, seed: 3 }, frames, [0, 1000])))
      perPixel[y * 64 + x] = (perPixel[y * 64 + x] as number) + 1
    return perPixel
  }
  const rise = Math.log(0.901 / 0.021)
  expect(new Set(counts(0))).toEqual(new Set([Math.floor(rise / 0.01)]))
  const thresholds = Array.from(counts(0.05), (count) => rise / (count + 0.5) / 0.01)
  const mean = thresholds.reduce((sum, x) => sum + x, 0) / thresholds.length
  const deviation = Math.sqrt(thresholds.reduce((sum, x) => sum + (x - mean) ** 2, 0) / thresholds.length)
  expect(Math.abs(mean - 1)).toBeLessThan(0.005) // 4096 pixels: standard error 0.0008
  expect(Math.abs(deviation - 0.05)).toBeLessThan(0.005)
})

test('shot noise has the rate given, both polarities, all over the sensor, and does not depend on the frames', () => {
  const geometry = { width: 20, height: 10 }
  const frame = Array<number>(200).fill(0.5)
  const few = film({ geometry, shotHz: 5, seed: 7 }, [frame, frame], [0, 10_000_000])
  const times = Array.from({ length: 101 }, (_, i) => i * 100_000)
  const many = film(
    { geometry, shotHz: 5, seed: 7 },
    times.map(() => frame),
    times,
  )
  expect(rowsOf(many)).toEqual(rowsOf(few))
  expect(Math.abs(few.count - 10_000)).toBeLessThan(400) // Poisson: standard deviation 100
  expect(Math.abs(few.polarity.reduce((sum, on) => sum + on, 0) - few.count / 2)).toBeLessThan(200)
  expect(new Set(rowsOf(few).map(([, x, y]) => y * 20 + x)).size).toBe(200)
  expect(isSorted(few)).toBe(true)
})

describe('moving shapes', () => {
  const scene = { width: 24, height: 16, speed: 400, durationMicros: 100_000 }
  const record = (shape: ShapeKind, seed: number, extra: Partial<CameraOptions> = {}): EventBatch => {
    const camera = createSimulatedCamera({ geometry: scene, seed, ...extra })
    return concatBatches([...shapeEvents(camera, { ...scene, shape })])
  }

  test('an edge gives floor(log ratio / threshold) ON events a pixel, column after column at its speed', () => {
    const events = record('edge', 1)
    const perPixel = Math.floor(Math.log(0.901 / 0.101) / 0.2)
    expect(perPixel).toBe(10)
    // bright after x * 2.5 ms, dark again 24 columns = 60 ms later: columns 0 to 15 are dark after 100 ms
    expect(events.polarity.filter((on) => on === 1).length).toBe(24 * 16 * perPixel)
    expect(events.polarity.filter((on) => on === 0).length).toBe(16 * 16 * perPixel)
    for (const [time, x, , polarity] of rowsOf(events)) {
      const start = polarity === 1 ? x * 2500 : (x + 24) * 2500
      expect(time).toBeGreaterThanOrEqual(start)
      expect(time).toBeLessThanOrEqual(start + 2500)
    }
  })

  test.each(['bar', 'disc', 'edge'] as const)('%s with noise: sorted, in bounds, the same from the same seed, another from another', (shape) => {
    const noise = { shotHz: 20, leakHz: 5, mismatch: 0.1, refractoryMicros: 100 }
    const events = record(shape, 1, noise)
    expect(events.count).toBeGreaterThan(500)
    expect(isSorted(events)).toBe(true)
    expect(events.x.every((x) => x < 24) && events.y.every((y) => y < 16)).toBe(true)
    expect(rowsOf(record(shape, 1, noise))).toEqual(rowsOf(events))
    expect(rowsOf(record(shape, 2, noise))).not.toEqual(rowsOf(events))
  })

  test('a disc makes events only where it passes', () => {
    const events = record('disc', 1)
    expect(events.y.every((y) => Math.abs(y + 0.5 - 8) <= 2.5)).toBe(true)
    expect(events.count).toBeGreaterThan(100)
  })
})

test('frames: bytes are divided by 255, and what is no film or no light is refused', () => {
  const make = () => createSimulatedCamera({ geometry: { width: 2, height: 1 } })
  const bytes = [...frameEvents(make(), { shape: [2, 1, 2], data: Uint8Array.of(51, 51, 255, 51) }, 1000)]
  const floats = [...frameEvents(make(), { shape: [2, 1, 2], data: [0.2, 0.2, 1, 0.2] }, 1000)]
  expect(rowsOf(concatBatches(bytes))).toEqual(rowsOf(concatBatches(floats)))
  expect(concatBatches(bytes).count).toBe(Math.floor(Math.log(1.001 / 0.201) / 0.2))
  expect(() => [...frameEvents(make(), { shape: [2, 2], data: [1, 1, 1, 1] }, 30)]).toThrow('frames of shape [2, 2] make no film')
  expect(() => [...frameEvents(make(), { shape: [2, 1, 2], data: [1, 1, 1, -1] }, 30)]).toThrow('the intensity of column 1, row 0 is -1')
  expect(() => make().push([1], 0)).toThrow('a frame has 1 values, the sensor 2 pixels')
})
