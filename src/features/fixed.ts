// FEAST in fixed point: integers only, the same bits on every machine, written so that a C core can follow it line by line. Products
// that need more than 32 bits are exact in a double here and int64 in C. See docs/feast.md, "Fixed point".

import { createDecayTable } from '../events/index.js'
import { type FeastBank, type FeastCore, firstWeights, windowOffsets } from './bank.js'
import { fixedScores } from './scores.js'
import { bankCount, type FeastSettings, fixedSteps, ONE_Q15, windowLength } from './settings.js'
import { ageOf, createTickStamps, STALE_TICKS } from './tick-stamps.js'

const MAX_Q15 = ONE_Q15 - 1
const TWO_19 = 2 ** 19
const TWO_30 = 2 ** 30
const TWO_31 = 2 ** 31

/** floor(sqrt(n)) for integers 0..2^52. */
export const integerRoot = (n: number): number => {
  let root = Math.floor(Math.sqrt(n))
  while (root * root > n) root--
  while ((root + 1) * (root + 1) <= n) root++
  return root
}

/** Writes the 8-bit copy of a feature's weights that scores are computed with: (w + 128) >> 8, at most 127. */
const roundToBytes = (weights: Int16Array, bytes: Int8Array, from: number, length: number): void => {
  for (let k = from; k < from + length; k++) bytes[k] = Math.min(127, ((weights[k] as number) + 128) >> 8)
}

const createBank = (settings: FeastSettings, bank: number): FeastBank => {
  const { featureCount } = settings
  const length = windowLength(settings)
  const raw = firstWeights(settings, bank)
  const weights = new Int16Array(raw.length)
  for (let n = 0; n < featureCount; n++) {
    const part = raw.subarray(n * length, (n + 1) * length)
    const norm = integerRoot(part.reduce((sum, w) => sum + w * w, 0))
    for (let k = 0; k < length; k++) weights[n * length + k] = Math.min(MAX_Q15, Math.floor(((part[k] as number) * ONE_Q15) / norm))
  }
  const thresholds = new Int32Array(featureCount).fill(fixedSteps(settings).initial)
  return { weights, thresholds, wins: new Float64Array(featureCount), missed: 0, saturations: 0 }
}

/** Fills the context with 0..127 and returns the sum of its squares, 16,129 or more since the centre is 127. */
const readContext = (plane: Uint16Array, offsets: Int32Array, at: number, low: number, table: Uint8Array, context: Int32Array): number => {
  let squares = 0
  for (let k = 0; k < context.length; k++) {
    const stamp = plane[at + (offsets[k] as number)] as number
    const age = ageOf(low, stamp)
    const value = stamp !== 0 && age < STALE_TICKS ? (table[age] as number) : 0
    context[k] = value
    squares = (squares + Math.imul(value, value)) | 0
  }
  return squares
}

/** The highest score among features whose cosine reaches the threshold, or -1: dot 2^19 >= threshold * norm * 127, without a division. */
const winnerAbove = (scores: Int32Array, thresholds: Int32Array, norm: number): number => {
  let winner = -1
  let best = -1
  for (let n = 0; n < scores.length; n++) {
    const dot = scores[n] as number
    if (dot > best && dot * TWO_19 >= (thresholds[n] as number) * norm * 127) {
      best = dot
      winner = n
    }
  }
  return winner
}

const highest = (scores: Int32Array): number => {
  let winner = 0
  for (let n = 1; n < scores.length; n++) if ((scores[n] as number) > (scores[winner] as number)) winner = n
  return winner
}

/** w += (c / |c| - w) 2^-shift, rounded; returns the sum of squares in 1/2^30. One division an event. */
const moveWeights = (weights: Int16Array, from: number, context: Int32Array, norm: number, shift: number): number => {
  const inverse = Math.floor((MAX_Q15 * 65536) / norm)
  const half = 1 << (shift - 1)
  let squares = 0
  for (let k = 0; k < context.length; k++) {
    const target = Math.imul(context[k] as number, inverse) >> 12
    const weight = weights[from + k] as number
    const moved = Math.min(MAX_Q15, Math.max(0, weight + ((target - weight + half) >> shift)))
    weights[from + k] = moved
    squares += moved * moved
  }
  return squares
}

/** One Newton step towards unit length, w (3 2^30 - |w|^2) / 2^31, rounded; returns how many weights were cut to 0..32767. */
const renormalise = (weights: Int16Array, from: number, length: number, squares: number): number => {
  const factor = 3 * TWO_30 - squares
  let cut = 0
  for (let k = from; k < from + length; k++) {
    const scaled = Math.floor(((weights[k] as number) * factor + TWO_30) / TWO_31)
    const kept = Math.min(MAX_Q15, Math.max(0, scaled))
    if (kept !== scaled) cut++
    weights[k] = kept
  }
  return cut
}

/** Fixed-point FEAST on given banks, or on new ones. */
export const createFixedCore = (settings: FeastSettings, given?: readonly FeastBank[]): FeastCore => {
  const { featureCount, geometry } = settings
  const length = windowLength(settings)
  const offsets = windowOffsets(settings)
  const { shift, close, open } = fixedSteps(settings)
  const { table, shift: tickShift } = createDecayTable(settings.decay, settings.tauMicros)
  const ticksAMicro = 2 ** -tickShift
  const banks = given ?? Array.from({ length: bankCount(settings) }, (_, bank) => createBank(settings, bank))
  const scoring = banks.map(({ weights }) => new Int8Array(weights.length))
  for (const [index, bank] of banks.entries()) roundToBytes(bank.weights as Int16Array, scoring[index] as Int8Array, 0, bank.weights.length)
  const stamps = createTickStamps(geometry, banks.length)
  const context = new Int32Array(length)
  const scores = new Int32Array(featureCount)

  const reward = (bank: FeastBank, bytes: Int8Array, winner: number, norm: number): void => {
    const weights = bank.weights as Int16Array
    const from = winner * length
    bank.saturations += renormalise(weights, from, length, moveWeights(weights, from, context, norm, shift))
    roundToBytes(weights, bytes, from, length)
    bank.thresholds[winner] = Math.min(MAX_Q15, (bank.thresholds[winner] as number) + close)
    bank.wins[winner] = (bank.wins[winner] as number) + 1
  }

  const openAll = (bank: FeastBank): void => {
    for (let n = 0; n < featureCount; n++) bank.thresholds[n] = Math.max(0, (bank.thresholds[n] as number) - open)
    bank.missed++
  }

  return {
    banks,
    setTime: (timeMicros) => stamps.advance(Math.floor(timeMicros * ticksAMicro)),
    stamp: stamps.stamp,
    learn: (index, at) => {
      const bank = banks[index] as FeastBank
      const bytes = scoring[index] as Int8Array
      const squares = readContext(stamps.planes[index] as Uint16Array, offsets, at, stamps.low, table, context)
      const norm = integerRoot(256 * squares) // |c| in 1/16
      fixedScores(bytes, context, scores)
      const winner = winnerAbove(scores, bank.thresholds as Int32Array, norm)
      if (winner < 0) openAll(bank)
      else reward(bank, bytes, winner, norm)
      return winner
    },
    infer: (index, at) => {
      readContext(stamps.planes[index] as Uint16Array, offsets, at, stamps.low, table, context)
      fixedScores(scoring[index] as Int8Array, context, scores)
      return highest(scores)
    },
    clearSurface: stamps.clear,
    surface: () => ({ latest: stamps.latest, stamps: banks.map((_, bank) => stamps.ages(bank)) }),
    setSurface: ({ latest, stamps: ages }) => stamps.setAges(latest, ages as readonly Uint16Array[]),
  }
}
