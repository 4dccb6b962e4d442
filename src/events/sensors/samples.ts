// Blocks of samples of sensors that are not cameras, as readers give them and encoders take them: integers of at most 24 bits, so that
// every step of the encoders fits an int32 on a microcontroller. See docs/events.md, "Other sensors".

import { usage } from '../../errors.js'
import type { Ledger } from '../ledger.js'

/** Samples lie between -SAMPLE_LIMIT and SAMPLE_LIMIT. */
export const SAMPLE_LIMIT = 2 ** 23 - 1

/** Samples of all channels at `count` instants. */
export interface SampleBlock {
  readonly count: number
  readonly channels: number
  /** integer microseconds, never falling, [count] */
  readonly timeMicros: Float64Array
  /** steps of the reader's resolution, -SAMPLE_LIMIT..SAMPLE_LIMIT, [count, channels] */
  readonly values: Int32Array
}

/** A reader of one recording. push() takes chunks of any size; end() must be called once after the last. */
export interface SampleReader {
  /** channels a sample; null before the header was read */
  readonly channels: number | null
  /** what one step of the integers is worth in units of the signal (full scale is 1 for .wav) */
  readonly resolution: number
  readonly ledger: Readonly<Ledger>
  push(chunk: Uint8Array): SampleBlock
  end(): SampleBlock
}

/** Checks a sample rate. @throws USAGE */
export const checkedRate = (rateHz: number): number => {
  if (Number.isFinite(rateHz) && rateHz > 0 && rateHz <= 1e6) return rateHz
  throw usage(`a sample rate of ${rateHz} Hz makes no sense.`, 'It lies above 0 and at most at 1000000 Hz: times are integer microseconds.')
}

/** A block of samples at a fixed rate, the first of which is number `first`: sample i is at floor(i * 1e6 / rateHz). */
export const regularBlock = (values: Int32Array, channels: number, rateHz: number, first: number): SampleBlock => {
  const count = values.length / channels
  return { count, channels, values, timeMicros: Float64Array.from({ length: count }, (_, i) => Math.floor(((first + i) * 1e6) / rateHz)) }
}
