// Calibration: the range that each value of a float network takes over sample inputs, and how a range is chosen from what was seen.

import { inputMismatch, usage } from '../errors.js'
import { evaluate } from '../network/evaluate.js'
import { typeOf } from '../network/graph.js'
import { arrayLength, type ElementArray, type Network } from '../network/types.js'

/** Sample inputs: inputs[i] holds `count` samples of the network's i-th input one after the other, in real units. */
export interface CalibrationData {
  readonly count: number
  readonly inputs: readonly Float32Array[]
}

/**
 * minmax: everything seen fits. percentile: the outermost (100 - percentile) % on each side are clipped. mse: the clip that makes the mean
 * squared error of 8-bit rounding and clipping least.
 */
export type CalibrationMethod = 'minmax' | 'percentile' | 'mse'

export interface Range {
  readonly min: number
  readonly max: number
}

const BINS = 2048

/** Counts of a value's elements in BINS equal bins from min to max. */
interface Histogram extends Range {
  readonly counts: Float64Array
}

const sampleInputs = (network: Network, data: CalibrationData, sample: number): ElementArray[] =>
  network.inputs.map((value, i) => {
    const length = arrayLength(typeOf(network, value))
    return (data.inputs[i] as Float32Array).subarray(sample * length, (sample + 1) * length)
  })

/** Refuses calibration data that is empty, of the wrong size, or holds NaN or infinity. @throws INPUT_MISMATCH */
export const checkCalibration = (network: Network, data: CalibrationData): void => {
  if (data.count < 1) throw inputMismatch('the calibration data is empty.', 'Pass at least one sample; a hundred or more are better.')
  network.inputs.forEach((value, i) => {
    const expected = arrayLength(typeOf(network, value)) * data.count
    const got = data.inputs[i]?.length ?? 0
    if (got !== expected) {
      throw inputMismatch(
        `calibration input "${network.values[value]?.name}" has ${got} numbers, ${data.count} samples take ${expected}.`,
        'Check the shape of the calibration data.',
      )
    }
    const bad = data.inputs[i]?.findIndex((x) => !Number.isFinite(x)) ?? -1
    if (bad >= 0)
      throw inputMismatch(
        `calibration input "${network.values[value]?.name}" holds ${data.inputs[i]?.[bad]} at index ${bad}.`,
        'Remove samples that hold NaN or infinity.',
      )
  })
}

const forEachValue = (network: Network, data: CalibrationData, visit: (value: number, elements: ElementArray) => void): void => {
  for (let sample = 0; sample < data.count; sample++) {
    for (const [value, elements] of evaluate(network, sampleInputs(network, data, sample)).entries()) visit(value, elements)
  }
}

const observeRanges = (network: Network, data: CalibrationData): Range[] => {
  const ranges = network.values.map(() => ({ min: Infinity, max: -Infinity }))
  forEachValue(network, data, (value, elements) => {
    const range = ranges[value] as { min: number; max: number }
    for (const x of elements) {
      if (x < range.min) range.min = x
      if (x > range.max) range.max = x
    }
  })
  return ranges
}

/** The ranges of a network's inputs; everything else is left empty. For schemes that need no others. */
export const inputRanges = (network: Network, data: CalibrationData): readonly Range[] => {
  checkCalibration(network, data)
  const ranges = network.values.map((): Range => ({ min: 0, max: 0 }))
  network.inputs.forEach((value, i) => {
    let [min, max] = [0, 0]
    for (const x of data.inputs[i] as Float32Array) {
      if (x < min) min = x
      if (x > max) max = x
    }
    ranges[value] = { min, max }
  })
  return ranges
}

const observeHistograms = (network: Network, data: CalibrationData, ranges: readonly Range[]): Histogram[] => {
  const histograms = ranges.map(({ min, max }) => ({ min, max, counts: new Float64Array(BINS) }))
  forEachValue(network, data, (value, elements) => {
    const { min, max, counts } = histograms[value] as Histogram
    const binsPerUnit = max > min ? BINS / (max - min) : 0
    for (const x of elements) {
      const bin = Math.min(BINS - 1, Math.floor((x - min) * binsPerUnit))
      counts[bin] = (counts[bin] as number) + 1
    }
  })
  return histograms
}

const clipPercentile = ({ min, max, counts }: Histogram, percentile: number): Range => {
  const width = (max - min) / BINS
  const spare = counts.reduce((a, b) => a + b, 0) * (1 - percentile / 100)
  const skip = (order: (i: number) => number): number => {
    let seen = 0
    for (let i = 0; i < BINS; i++) {
      seen += counts[order(i)] as number
      if (seen > spare) return i
    }
    return 0
  }
  return { min: min + width * skip((i) => i), max: max - width * skip((i) => BINS - 1 - i) }
}

/** Mean squared error of storing the histogram's numbers in 256 steps of [low, high]: step^2 / 12 inside, distance squared outside. */
const storageError = ({ min, max, counts }: Histogram, low: number, high: number): number => {
  const width = (max - min) / BINS
  const rounding = ((high - low) / 255) ** 2 / 12
  let error = 0
  for (let i = 0; i < BINS; i++) {
    const x = min + (i + 0.5) * width
    const outside = x < low ? low - x : x > high ? x - high : 0
    error += (counts[i] as number) * (outside > 0 ? outside ** 2 : rounding)
  }
  return error
}

const CLIP_STEPS = 64

const clipByError = (histogram: Histogram): Range => {
  let best: Range = { min: histogram.min, max: histogram.max }
  let least = storageError(histogram, best.min, best.max)
  for (let step = 1; step < CLIP_STEPS; step++) {
    const kept = 1 - step / CLIP_STEPS
    const low = Math.min(0, histogram.min) * kept
    const high = Math.max(0, histogram.max) * kept
    const error = storageError(histogram, low, high)
    if (error < least) {
      least = error
      best = { min: low, max: high }
    }
  }
  return best
}

/**
 * The range of every value (by index) over the calibration data.
 * @param percentile for method percentile: 50..100, default 99.99
 */
export const calibrate = (network: Network<'float'>, data: CalibrationData, method: CalibrationMethod, percentile = 99.99): readonly Range[] => {
  checkCalibration(network, data)
  if (!(percentile > 50 && percentile <= 100)) throw usage(`percentile ${percentile} is not above 50 and at most 100.`, 'The default is 99.99.')
  const ranges = observeRanges(network, data)
  if (method === 'minmax') return ranges
  const clip = method === 'mse' ? clipByError : (histogram: Histogram): Range => clipPercentile(histogram, percentile)
  return observeHistograms(network, data, ranges).map((histogram, value) => (network.inputs.includes(value) ? (ranges[value] as Range) : clip(histogram)))
}
