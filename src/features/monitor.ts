// Watches a FEAST learner from its counters: the miss rate against the one expected in balance, equal use, noise features, and an alarm
// when the scene changes. Figures are those of the last full window of events. See docs/feast.md, "Monitoring".

import { usage } from '../errors.js'
import { type FeastBank, learnedEvents } from './bank.js'
import type { Feast } from './feast.js'
import { expectedMissRate, type FeastSettings, ONE_Q15, windowLength } from './settings.js'

/**
 * "settling" until a window's miss rate first comes down to 1.25 times the expected one; then "steady"; "drifting" while the misses of a
 * window exceed the expected ones by half and by four standard deviations, which says that the scene has changed.
 */
export type LearningPhase = 'settling' | 'steady' | 'drifting'

export interface BankReport {
  /** events learned from in all, and in the last full window */
  readonly learnedEvents: number
  readonly windowEvents: number
  /** share of all learned events without a winner, 0..1, null before the first event */
  readonly overallMissRate: number | null
  /** share of the window without a winner, 0..1, null before the first full window */
  readonly missRate: number | null
  readonly expectedMissRate: number
  /** wins in the window of the least and the most used feature, over the mean; 1 is equal use, null before the first full window */
  readonly leastUse: number | null
  readonly mostUse: number | null
  /** numbers of features that are little more than their centre pixel: they stand for noise */
  readonly noiseFeatures: readonly number[]
  /** 0..1 */
  readonly lowestThreshold: number
  readonly highestThreshold: number
  readonly phase: LearningPhase
}

export interface FeastMonitor {
  /** call it after learn(); returns the reports of all banks */
  update(): readonly BankReport[]
}

export interface MonitorOptions {
  /** learned events after which a window closes, at least 100, default 10,000 */
  readonly windowEvents?: number
}

/** A feature is a noise feature where its centre weight is above this share of its length. */
export const NOISE_WEIGHT = 0.8
const SETTLED = 1.25
const DRIFT = 1.5
const DEVIATIONS = 4

/** Weights of a bank as numbers of unit length, whatever the arithmetic. [featureCount, window] */
export const realWeights = ({ weights }: FeastBank): Float64Array =>
  weights instanceof Float64Array ? weights.slice() : Float64Array.from(weights, (w) => w / ONE_Q15)

/** Thresholds of a bank as cosines 0..1. */
export const realThresholds = ({ thresholds }: FeastBank): Float64Array =>
  thresholds instanceof Float64Array ? thresholds.slice() : Float64Array.from(thresholds, (t) => t / ONE_Q15)

/** Numbers of the features of a bank that are little more than their centre pixel. */
export const noiseFeatures = (settings: FeastSettings, bank: FeastBank): number[] => {
  const length = windowLength(settings)
  const weights = realWeights(bank)
  const isNoise = (n: number): boolean => (weights[n * length + (length - 1) / 2] as number) > NOISE_WEIGHT
  return Array.from({ length: settings.featureCount }, (_, n) => n).filter(isNoise)
}

interface Window {
  readonly start: Float64Array
  startMissed: number
  wins: Float64Array | null
  missed: number
  events: number
  phase: LearningPhase
}

/** The phase after a window of `events` with `missed` of them unrecognised. */
const nextPhase = (phase: LearningPhase, missed: number, events: number, expected: number): LearningPhase => {
  const mean = events * expected
  if (phase === 'settling') return missed <= SETTLED * mean ? 'steady' : 'settling'
  return missed > DRIFT * mean && missed > mean + DEVIATIONS * Math.sqrt(mean) ? 'drifting' : 'steady'
}

const openWindow = (bank: FeastBank): Window => ({
  start: bank.wins.slice(),
  startMissed: bank.missed,
  wins: null,
  missed: 0,
  events: 0,
  phase: 'settling',
})

const closeWindow = (window: Window, bank: FeastBank, expected: number): void => {
  window.wins = bank.wins.map((wins, n) => wins - (window.start[n] as number))
  window.missed = bank.missed - window.startMissed
  window.events = window.wins.reduce((sum, wins) => sum + wins, window.missed)
  window.phase = nextPhase(window.phase, window.missed, window.events, expected)
  window.start.set(bank.wins)
  window.startMissed = bank.missed
}

const extremeUse = (wins: Float64Array | null, extreme: (...values: number[]) => number): number | null => {
  if (wins === null) return null
  const mean = wins.reduce((sum, count) => sum + count, 0) / wins.length
  return mean === 0 ? null : extreme(...wins) / mean
}

/** The report of a bank as it stands. */
const reportOf = (settings: FeastSettings, bank: FeastBank, window: Window): BankReport => {
  const thresholds = realThresholds(bank)
  const learned = learnedEvents(bank)
  return {
    learnedEvents: learned,
    windowEvents: window.events,
    overallMissRate: learned === 0 ? null : bank.missed / learned,
    missRate: window.wins === null ? null : window.missed / window.events,
    expectedMissRate: expectedMissRate(settings),
    leastUse: extremeUse(window.wins, Math.min),
    mostUse: extremeUse(window.wins, Math.max),
    noiseFeatures: noiseFeatures(settings, bank),
    lowestThreshold: Math.min(...thresholds),
    highestThreshold: Math.max(...thresholds),
    phase: window.phase,
  }
}

/** A monitor of a learner, from its counters as they stand now. */
export const createFeastMonitor = ({ settings, banks }: Pick<Feast, 'settings' | 'banks'>, { windowEvents = 10_000 }: MonitorOptions = {}): FeastMonitor => {
  if (!(Number.isInteger(windowEvents) && windowEvents >= 100))
    throw usage(`a window of ${windowEvents} events makes no sense.`, 'Give an integer of at least 100.')
  const expected = expectedMissRate(settings)
  const windows = banks.map(openWindow)
  const gathered = (bank: FeastBank, window: Window): number => learnedEvents(bank) - window.start.reduce((sum, wins) => sum + wins, window.startMissed)
  return {
    update: () =>
      banks.map((bank, index) => {
        const window = windows[index] as Window
        if (gathered(bank, window) >= windowEvents) closeWindow(window, bank, expected)
        return reportOf(settings, bank, window)
      }),
  }
}
