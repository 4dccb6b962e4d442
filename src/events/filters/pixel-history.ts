// Filters that look at a pixel's own past: refractory period, and the trail filters of Prophesee sensors. The spatio-temporal
// correlation filter looks at the neighbours' past too, by polarity. Integer arithmetic only.

import type { Geometry } from '../batch.js'
import { tally } from '../ledger.js'
import { checkedDuration, checkedInteger, createPixelStamps, type PixelStamps, type Select, type SelectingFilter, selectingFilter, tickOf } from './filter.js'

/** Position of an event in the stamps, or -1 outside the sensor. */
const positionOf = (memory: PixelStamps, x: number, y: number): number =>
  x < memory.geometry.width && y < memory.geometry.height ? (y + 1) * memory.stride + x + 1 : -1

/** The loop of a filter that decides by event: `keep` gets the position in the stamps and the tick, and stores what it must. */
const selectBy =
  (memory: PixelStamps, reason: string, keep: (at: number, tick: number, polarity: number) => boolean): Select =>
  (batch, kept, ledger) => {
    const { timeMicros, x, y, polarity, count } = batch
    let n = 0
    let outside = 0
    for (let i = 0; i < count; i++) {
      const at = positionOf(memory, x[i] as number, y[i] as number)
      if (at < 0) {
        outside++
        continue
      }
      const tick = tickOf(memory, timeMicros[i] as number, ledger)
      if (keep(at, tick, polarity[i] as number)) kept[n++] = i
    }
    tally(ledger.droppedEvents, 'outOfBounds', outside)
    tally(ledger.droppedEvents, reason, count - n - outside)
    return n
  }

export interface RefractoryOptions {
  readonly geometry: Geometry
  /** an event passes if the pixel's last one is at least this old, 1..2^28 */
  readonly durationMicros: number
  /** the period restarts at "kept" events (default) or at "every" event */
  readonly restart?: 'kept' | 'every'
}

/** Drops events that come less than `durationMicros` after the pixel's last one, of either polarity. */
export const createRefractoryFilter = (options: RefractoryOptions): SelectingFilter => {
  const duration = checkedDuration('durationMicros', options.durationMicros)
  const isEvery = options.restart === 'every'
  const memory = createPixelStamps(options.geometry)
  const { stamps } = memory
  return selectingFilter(
    'refractory',
    selectBy(memory, 'refractory', (at, tick) => {
      const isKept = tick - (stamps[at] as number) >= duration
      if (isKept || isEvery) stamps[at] = tick
      return isKept
    }),
  )
}

export interface TrailOptions {
  readonly geometry: Geometry
  /** events of one polarity on a pixel belong to one train while they follow each other within this time, 1..2^28 */
  readonly durationMicros: number
  /** "first" keeps only the first event of a train (trail filter), "second" only the second (STC, trail cut), "afterFirst" all but the first (STC, trail kept) */
  readonly keep: 'first' | 'second' | 'afterFirst'
}

/** Keeps chosen events of each train of equal polarity on a pixel, as the event-noise filters of Prophesee sensors do. */
export const createTrailFilter = (options: TrailOptions): SelectingFilter => {
  const duration = checkedDuration('durationMicros', options.durationMicros)
  const memory = createPixelStamps(options.geometry)
  const { stamps } = memory
  /** place of the last event in its train, 0 = none, saturating at 3; its polarity in bit 2 */
  const trains = new Uint8Array(stamps.length)
  const isKept = (position: number): boolean => {
    if (options.keep === 'afterFirst') return position >= 2
    return options.keep === 'first' ? position === 1 : position === 2
  }
  return selectingFilter(
    `trail (${options.keep})`,
    selectBy(memory, 'trail', (at, tick, polarity) => {
      const train = trains[at] as number
      const isSame = (train & 3) > 0 && train >>> 2 === polarity && tick - (stamps[at] as number) <= duration
      const position = isSame ? Math.min((train & 3) + 1, 3) : 1
      stamps[at] = tick
      trains[at] = position | (polarity << 2)
      return isKept(position)
    }),
  )
}

export interface SpatioTemporalOptions {
  readonly geometry: Geometry
  /** an event supports for this long, 1..2^28 */
  readonly durationMicros: number
  /** pixels of the 3x3 block (the pixel itself counts) that must have had an event, 1..9, default 2 */
  readonly supporters?: number
  /** only events of the same polarity support; default true */
  readonly isSamePolarity?: boolean
}

/** Keeps events that enough pixels of their 3x3 block, themselves included, preceded within the time (STCF of jAER, Guo and Delbruck 2022). */
export const createSpatioTemporalFilter = (options: SpatioTemporalOptions): SelectingFilter => {
  const duration = checkedDuration('durationMicros', options.durationMicros)
  const supporters = checkedInteger('supporters', options.supporters ?? 2, 1, 9)
  const isSamePolarity = options.isSamePolarity ?? true
  const memory = createPixelStamps(options.geometry, isSamePolarity ? 2 : 1)
  const { stamps, stride, planeLength } = memory
  return selectingFilter(
    'spatio-temporal correlation',
    selectBy(memory, 'uncorrelated', (at, tick, polarity) => {
      const centre = isSamePolarity ? at + polarity * planeLength : at
      let support = 0
      for (let row = centre - stride; row <= centre + stride; row += stride) {
        for (let pixel = row - 1; pixel <= row + 1; pixel++) if (tick - (stamps[pixel] as number) <= duration) support++
      }
      stamps[centre] = tick
      return support >= supporters
    }),
  )
}
