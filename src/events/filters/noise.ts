// Judging a noise filter: shot and leak noise of known amount is injected into a recording, and the shares of signal and of noise
// that pass are measured over a range of settings (ROC curve, as in jAER's NoiseTesterFilter).

import { boundedInteger, randomWords, STREAMS } from '../../random.js'
import { appendBatch, appendEvent, type Columns, createColumns, type EventBatch, type Geometry, gatherEvents, takeBatch } from '../batch.js'
import type { SelectingFilter } from './filter.js'

export interface NoiseOptions {
  readonly geometry: Geometry
  /** mean rate of shot noise a pixel (both polarities), default 5 */
  readonly shotHz?: number
  /** rate of leak events a pixel (ON, regular in time with a random phase), default 0.3 */
  readonly leakHz?: number
  /** 0..2^53 - 1, default 0 */
  readonly seed?: number
}

/** A recording with noise between its events. */
export interface NoisyEvents {
  readonly events: EventBatch
  /** 1 = injected noise, 0 = signal, [events.count] */
  readonly isNoise: Uint8Array
}

const addShotNoise = (columns: Columns, startMicros: number, durationMicros: number, hz: number, geometry: Geometry, seed: number): void => {
  const pixels = geometry.width * geometry.height
  const count = Math.round((hz * pixels * durationMicros) / 1e6)
  for (let k = 0; k < count; k++) {
    const [when, where, which] = randomWords(seed, 0, STREAMS.shotNoise, k)
    const pixel = boundedInteger(where, pixels)
    appendEvent(columns, startMicros + Math.floor((when / 4294967296) * durationMicros), pixel % geometry.width, Math.floor(pixel / geometry.width), which & 1)
  }
}

const addLeakNoise = (columns: Columns, startMicros: number, durationMicros: number, hz: number, geometry: Geometry, seed: number): void => {
  const periodMicros = 1e6 / hz
  for (let pixel = 0; hz > 0 && pixel < geometry.width * geometry.height; pixel++) {
    const [phase] = randomWords(seed, 0, STREAMS.leakNoise, pixel)
    for (let at = (phase / 4294967296) * periodMicros; at < durationMicros; at += periodMicros) {
      appendEvent(columns, startMicros + Math.floor(at), pixel % geometry.width, Math.floor(pixel / geometry.width), 1)
    }
  }
}

/** Injects noise over the time the signal spans; the same seed gives the same noise. */
export const injectNoise = (signal: EventBatch, options: NoiseOptions): NoisyEvents => {
  const { geometry, shotHz = 5, leakHz = 0.3, seed = 0 } = options
  const startMicros = signal.timeMicros[0] ?? 0
  const durationMicros = (signal.timeMicros[signal.count - 1] ?? 0) - startMicros
  const columns = createColumns(signal.rgb !== undefined)
  appendBatch(columns, signal)
  addShotNoise(columns, startMicros, durationMicros, shotHz, geometry, seed)
  addLeakNoise(columns, startMicros, durationMicros, leakHz, geometry, seed)
  const all = takeBatch(columns)
  const order = Uint32Array.from({ length: all.count }, (_, i) => i).sort((a, b) => (all.timeMicros[a] as number) - (all.timeMicros[b] as number) || a - b)
  return { events: gatherEvents(all, order, all.count), isNoise: Uint8Array.from(order, (i) => (i >= signal.count ? 1 : 0)) }
}

/** One point of a ROC curve. */
export interface RocPoint {
  readonly threshold: number
  /** share of signal events that passed, 0..1 */
  readonly truePositiveRate: number
  /** share of noise events that passed, 0..1 */
  readonly falsePositiveRate: number
}

const pointOf = (noisy: NoisyEvents, filter: SelectingFilter, threshold: number): RocPoint => {
  const noise = noisy.isNoise.reduce((sum, flag) => sum + flag, 0)
  const kept = filter.select(noisy.events)
  const keptNoise = kept.reduce((sum, i) => sum + (noisy.isNoise[i] as number), 0)
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
  return {
    threshold,
    truePositiveRate: share(kept.length - keptNoise, noisy.events.count - noise),
    falsePositiveRate: share(keptNoise, noise),
  }
}

/** The curve over thresholds, a fresh filter for each, and the area under it by trapezoids from (0, 0) to (1, 1). */
export const rocCurve = (
  noisy: NoisyEvents,
  thresholds: readonly number[],
  makeFilter: (threshold: number) => SelectingFilter,
): { readonly points: readonly RocPoint[]; readonly areaUnderCurve: number } => {
  const points = thresholds.map((threshold) => pointOf(noisy, makeFilter(threshold), threshold))
  const corners = [
    { truePositiveRate: 0, falsePositiveRate: 0 },
    ...[...points].sort((a, b) => a.falsePositiveRate - b.falsePositiveRate || a.truePositiveRate - b.truePositiveRate),
    { truePositiveRate: 1, falsePositiveRate: 1 },
  ]
  let areaUnderCurve = 0
  for (let k = 1; k < corners.length; k++) {
    const before = corners[k - 1] as RocPoint
    const after = corners[k] as RocPoint
    areaUnderCurve += ((after.falsePositiveRate - before.falsePositiveRate) * (after.truePositiveRate + before.truePositiveRate)) / 2
  }
  return { points, areaUnderCurve }
}
