// What FEAST learns: one bank of features a polarity, plain data; and the interface between the event loop and an arithmetic.

import { randomWords, STREAMS } from '../random.js'
import { type FeastSettings, windowLength } from './settings.js'

/** One bank of features. Float: weights of unit length and thresholds 0..1; fixed: both in 1/32768, 0..32767. */
export interface FeastBank {
  readonly weights: Float64Array | Int16Array // [featureCount, window]
  readonly thresholds: Float64Array | Int32Array // [featureCount]
  /** events learned from, by winning feature, [featureCount] */
  readonly wins: Float64Array
  /** events learned from that no feature won */
  missed: number
  /** fixed: weights cut to 0..32767 */
  saturations: number
}

/** The surface of the banks between events, independent of how an arithmetic keeps it. */
export interface SurfaceState {
  /** time of the latest event in microseconds (float) or ticks (fixed); -Infinity before the first */
  readonly latest: number
  /** float: time of each pixel's last event in microseconds, -Infinity without one; fixed: 1 + age in ticks, 0 from 256 ticks on */
  readonly stamps: readonly (Float64Array | Uint16Array)[] // [banks][height, width]
}

/** An arithmetic of FEAST. Times never go back; `at` = y * width + x. */
export interface FeastCore {
  readonly banks: readonly FeastBank[]
  /** moves the clock, in microseconds; returns false where the time lies before the latest, which then stays */
  setTime(timeMicros: number): boolean
  stamp(bank: number, at: number): void
  /** the winner, or -1, after the bank has learned from the window around `at` */
  learn(bank: number, at: number): number
  /** the nearest feature to the window around `at`, whatever the thresholds */
  infer(bank: number, at: number): number
  clearSurface(): void
  surface(): SurfaceState
  setSurface(state: SurfaceState): void
}

/** Positions of a window's pixels relative to its centre, row by row. */
export const windowOffsets = ({ radius, geometry }: FeastSettings): Int32Array => {
  const side = 2 * radius + 1
  return Int32Array.from({ length: side * side }, (_, k) => (Math.floor(k / side) - radius) * geometry.width + (k % side) - radius)
}

/** Raw first weights of a bank, 15-bit integers from 1 on, not yet of unit length: independent of each other and never negative. */
export const firstWeights = (settings: FeastSettings, bank: number): Int32Array => {
  const weights = new Int32Array(settings.featureCount * windowLength(settings))
  for (let i = 0; i < weights.length; i += 4) {
    const words = randomWords(settings.seed, bank, STREAMS.instance, i / 4)
    for (let k = 0; k < 4 && i + k < weights.length; k++) weights[i + k] = ((words[k] as number) >>> 17) + 1
  }
  return weights
}

/** Events a bank has learned from. */
export const learnedEvents = ({ wins, missed }: FeastBank): number => wins.reduce((sum, count) => sum + count, missed)
