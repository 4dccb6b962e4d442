// FEAST in float: the definition that the fixed-point form is measured against. Afshar et al., "Event-based feature extraction using
// adaptive selection thresholds", Sensors 20(6):1600, 2020. See docs/feast.md, "The method".

import { decayed } from '../events/index.js'
import { type FeastBank, type FeastCore, firstWeights, type SurfaceState, windowOffsets } from './bank.js'
import { floatScores } from './scores.js'
import { bankCount, type FeastSettings, windowLength } from './settings.js'

/** Scales values[from..from + length) to unit length. */
const normalise = (values: Float64Array, from: number, length: number): void => {
  let squares = 0
  for (let k = from; k < from + length; k++) squares += (values[k] as number) ** 2
  const factor = 1 / Math.sqrt(squares)
  for (let k = from; k < from + length; k++) values[k] = (values[k] as number) * factor
}

/** Values exp(-age / tau) of a window; pixels without events have the age Infinity. */
const readExponential = (surface: Float64Array, offsets: Int32Array, at: number, now: number, tauMicros: number, context: Float64Array): void => {
  for (let k = 0; k < context.length; k++) context[k] = Math.exp(((surface[at + (offsets[k] as number)] as number) - now) / tauMicros)
}

/** One step of a feature towards the context, both of unit length. */
const moveWeights = (weights: Float64Array, from: number, context: Float64Array, learningRate: number): void => {
  for (let k = 0; k < context.length; k++) {
    const weight = weights[from + k] as number
    weights[from + k] = weight + learningRate * ((context[k] as number) - weight)
  }
  normalise(weights, from, context.length)
}

const createBank = (settings: FeastSettings, bank: number): FeastBank => {
  const { featureCount, initialThreshold } = settings
  const length = windowLength(settings)
  const weights = Float64Array.from(firstWeights(settings, bank))
  for (let n = 0; n < featureCount; n++) normalise(weights, n * length, length)
  return { weights, thresholds: new Float64Array(featureCount).fill(initialThreshold), wins: new Float64Array(featureCount), missed: 0, saturations: 0 }
}

/** Float FEAST on given banks, or on new ones. */
export const createFloatCore = (settings: FeastSettings, given?: readonly FeastBank[]): FeastCore => {
  const { featureCount, tauMicros, decay, learningRate, closeStep, openStep, geometry } = settings
  const length = windowLength(settings)
  const offsets = windowOffsets(settings)
  const banks = given ?? Array.from({ length: bankCount(settings) }, (_, bank) => createBank(settings, bank))
  const stamps = banks.map(() => new Float64Array(geometry.width * geometry.height).fill(Number.NEGATIVE_INFINITY))
  const context = new Float64Array(length)
  const scores = new Float64Array(featureCount)
  const isExponential = decay === 'exponential'
  let now = Number.NEGATIVE_INFINITY

  /** Fills the context with the decayed surface around a pixel and scales it to unit length; its centre is 1 before that. */
  const readContext = (surface: Float64Array, at: number): void => {
    if (isExponential) readExponential(surface, offsets, at, now, tauMicros, context)
    else for (let k = 0; k < length; k++) context[k] = decayed(decay, now - (surface[at + (offsets[k] as number)] as number), tauMicros)
    normalise(context, 0, length)
  }

  /** The nearest feature whose cosine reaches its threshold (null: any), or -1; ties go to the lowest number. */
  const winnerOf = (weights: Float64Array, thresholds: Float64Array | null): number => {
    floatScores(weights, context, scores)
    let winner = -1
    for (let n = 0; n < featureCount; n++) {
      const cosine = scores[n] as number
      if ((winner < 0 || cosine > (scores[winner] as number)) && (thresholds === null || cosine >= (thresholds[n] as number))) winner = n
    }
    return winner
  }

  const reward = (bank: FeastBank, winner: number): void => {
    moveWeights(bank.weights as Float64Array, winner * length, context, learningRate)
    bank.thresholds[winner] = Math.min(1, (bank.thresholds[winner] as number) + closeStep)
    bank.wins[winner] = (bank.wins[winner] as number) + 1
  }

  const open = (bank: FeastBank): void => {
    for (let n = 0; n < featureCount; n++) bank.thresholds[n] = Math.max(0, (bank.thresholds[n] as number) - openStep)
    bank.missed++
  }

  const clearSurface = (): void => {
    now = Number.NEGATIVE_INFINITY
    for (const surface of stamps) surface.fill(Number.NEGATIVE_INFINITY)
  }

  return {
    banks,
    setTime: (timeMicros) => {
      if (timeMicros < now) return false
      now = timeMicros
      return true
    },
    stamp: (bank, at) => {
      ;(stamps[bank] as Float64Array)[at] = now
    },
    learn: (index, at) => {
      const bank = banks[index] as FeastBank
      readContext(stamps[index] as Float64Array, at)
      const winner = winnerOf(bank.weights as Float64Array, bank.thresholds as Float64Array)
      if (winner < 0) open(bank)
      else reward(bank, winner)
      return winner
    },
    infer: (index, at) => {
      readContext(stamps[index] as Float64Array, at)
      return winnerOf((banks[index] as FeastBank).weights as Float64Array, null)
    },
    clearSurface,
    surface: (): SurfaceState => ({ latest: now, stamps: stamps.map((surface) => surface.slice()) }),
    setSurface: (state) => {
      now = state.latest
      for (const [bank, surface] of stamps.entries()) surface.set(state.stamps[bank] as Float64Array)
    },
  }
}
