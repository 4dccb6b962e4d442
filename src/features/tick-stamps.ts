// Time stamps of pixels in 16 bits, as a microcontroller keeps them: 15 bits of the tick and a mark "live". A sweep that goes over one
// row after the other clears stamps before their 15 bits could come round again, so ages are exact. See docs/feast.md, "Stamps".

import type { Geometry } from '../events/index.js'

const LIVE = 0x8000
const MASK = 0x7fff
/** Within so many ticks of time the sweep passes every row; a longer step clears everything. Ages stay below 256 + 2 * 2^13, so 15 bits tell them. */
const SWEEP_TICKS = 2 ** 13
/** Ages from here on count as "never". */
export const STALE_TICKS = 256

/** Stamps of one or more planes of a sensor. */
export interface TickStamps {
  /** 0 = never or stale, else 0x8000 | the low 15 bits of the tick, [height, width] each */
  readonly planes: readonly Uint16Array[]
  /** low 15 bits of the current tick */
  readonly low: number
  /** the current tick, -Infinity before the first event */
  readonly latest: number
  /** false where the tick lies before the latest, which then stays */
  advance(tick: number): boolean
  stamp(plane: number, at: number): void
  clear(): void
  /** 1 + age of each pixel in ticks, 0 from 256 ticks on */
  ages(plane: number): Uint16Array
  setAges(latest: number, planes: readonly Uint16Array[]): void
}

/** Age in ticks of a live stamp. */
export const ageOf = (low: number, stamp: number): number => (low - stamp) & MASK

export const createTickStamps = ({ width, height }: Geometry, planeCount: number): TickStamps => {
  const planes = Array.from({ length: planeCount }, () => new Uint16Array(width * height))
  const rowsAtOnce = Math.ceil(height / SWEEP_TICKS)
  /** ticks between two steps of the sweep */
  const interval = Math.floor(SWEEP_TICKS / Math.ceil(height / rowsAtOnce))
  let latest = Number.NEGATIVE_INFINITY
  let low = 0
  let sinceSweep = 0
  let row = 0

  const sweepRows = (): void => {
    for (let end = Math.min(height, row + rowsAtOnce); row < end; row++) {
      for (const stamps of planes) {
        for (let at = row * width; at < (row + 1) * width; at++) {
          const stamp = stamps[at] as number
          if (stamp !== 0 && ageOf(low, stamp) >= STALE_TICKS) stamps[at] = 0
        }
      }
    }
    if (row === height) row = 0
  }

  const forget = (): void => {
    for (const stamps of planes) stamps.fill(0)
    sinceSweep = 0
  }

  const advance = (tick: number): boolean => {
    const step = tick - latest
    if (step < 0) return false
    latest = tick
    low = tick & MASK
    if (step >= SWEEP_TICKS) forget()
    else for (sinceSweep += step; sinceSweep >= interval; sinceSweep -= interval) sweepRows()
    return true
  }

  return {
    planes,
    get low() {
      return low
    },
    get latest() {
      return latest
    },
    advance,
    stamp: (plane, at) => {
      ;(planes[plane] as Uint16Array)[at] = LIVE | low
    },
    clear: () => {
      forget()
      latest = Number.NEGATIVE_INFINITY
    },
    ages: (plane) =>
      (planes[plane] as Uint16Array).map((stamp) => {
        const age = ageOf(low, stamp)
        return stamp === 0 || age >= STALE_TICKS ? 0 : age + 1
      }),
    setAges: (time, ages) => {
      latest = time
      low = time === Number.NEGATIVE_INFINITY ? 0 : time & MASK
      sinceSweep = 0
      for (const [plane, stamps] of planes.entries()) {
        const source = ages[plane] as Uint16Array
        for (let at = 0; at < stamps.length; at++) {
          const age = source[at] as number
          stamps[at] = age === 0 ? 0 : LIVE | ((low - age + 1) & MASK)
        }
      }
    },
  }
}
