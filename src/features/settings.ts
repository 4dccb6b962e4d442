// The settings of a FEAST learner: defaults, ranges, and the integers that the fixed-point form derives from them. See docs/feast.md,
// "Settings".

import { usage } from '../errors.js'
import type { DecayKind, Geometry } from '../events/index.js'

/** "float" is the definition; "fixed" uses integers only, with the same bits on every machine. */
export type Arithmetic = 'float' | 'fixed'

/** "split": a surface and a bank of features a polarity (bank 0 = OFF, 1 = ON); "merged": one for both; "on", "off": one, events of the other are left out. */
export type PolarityMode = 'split' | 'merged' | 'on' | 'off'

export interface FeastOptions {
  /** size of the sensor; events outside are left out and counted */
  readonly geometry: Geometry
  /** features a bank, 1..1024, default 16 */
  readonly featureCount?: number
  /** r of a window of (2r + 1) x (2r + 1) pixels, 1..15, default 3 */
  readonly radius?: number
  /** time constant of the surface, 1..2^28, default 30,000 */
  readonly tauMicros?: number
  /** default "exponential"; "binary" with "fixed" is the 1-bit variant: a pixel counts while its last event is younger than tau */
  readonly decay?: DecayKind
  /** default "float" */
  readonly arithmetic?: Arithmetic
  /** default "split" */
  readonly polarity?: PolarityMode
  /** eta, above 0 and at most 0.5, default 0.001; fixed point takes the nearest power of two, 2^-1..2^-15 */
  readonly learningRate?: number
  /** dI, by which a win raises the winner's threshold, 0..1, default 0.001 */
  readonly closeStep?: number
  /** dE, by which a miss lowers all thresholds of the bank, 0..1, default 0.003 */
  readonly openStep?: number
  /** thresholds at the start, 0..1, default 1 */
  readonly initialThreshold?: number
  /** seed of the first weights, an integer 0..2^53 - 1, default 1 */
  readonly seed?: number
}

/** Options with every default filled in and checked. */
export type FeastSettings = Required<FeastOptions>

export const ARITHMETICS: readonly Arithmetic[] = ['float', 'fixed']
export const DECAYS: readonly DecayKind[] = ['exponential', 'linear', 'binary']
export const POLARITY_MODES: readonly PolarityMode[] = ['split', 'merged', 'on', 'off']

const DEFAULTS = {
  featureCount: 16,
  radius: 3,
  tauMicros: 30_000,
  decay: 'exponential',
  arithmetic: 'float',
  polarity: 'split',
  learningRate: 0.001,
  closeStep: 0.001,
  openStep: 0.003,
  initialThreshold: 1,
  seed: 1,
} as const

/** name -> lowest and highest value; whole numbers only where the third is true */
const RANGES: readonly (readonly [keyof FeastSettings, number, number, boolean])[] = [
  ['featureCount', 1, 1024, true],
  ['radius', 1, 15, true],
  ['tauMicros', 1, 2 ** 28, true],
  ['learningRate', 2 ** -16, 0.5, false],
  ['closeStep', 0, 1, false],
  ['openStep', 0, 1, false],
  ['initialThreshold', 0, 1, false],
  ['seed', 0, Number.MAX_SAFE_INTEGER, true],
]

const CHOICES: readonly (readonly [keyof FeastSettings, readonly string[]])[] = [
  ['arithmetic', ARITHMETICS],
  ['decay', DECAYS],
  ['polarity', POLARITY_MODES],
]

const isPixels = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 65536

/** What is wrong with settings, or null. */
export const settingsFault = (settings: FeastSettings): string | null => {
  const { geometry, radius } = settings
  if (!isPixels(geometry.width) || !isPixels(geometry.height)) return `a sensor of ${geometry.width} x ${geometry.height} pixels does not exist`
  for (const [name, low, high, isWhole] of RANGES) {
    const value = settings[name] as number
    if (!(value >= low && value <= high) || (isWhole && !Number.isInteger(value))) {
      return `${name} is ${value}, it must be ${isWhole ? 'an integer' : 'a number'} from ${low} to ${high}`
    }
  }
  for (const [name, known] of CHOICES)
    if (!known.includes(settings[name] as string)) return `${name} is "${settings[name]}", it must be one of ${known.join(', ')}`
  const side = 2 * radius + 1
  return geometry.width < side || geometry.height < side ? `a window of ${side} x ${side} pixels does not fit on ${geometry.width} x ${geometry.height}` : null
}

/** Fills in the defaults. @throws USAGE for values out of range */
export const completeSettings = (options: FeastOptions): FeastSettings => {
  const settings = { ...DEFAULTS, ...options }
  const fault = settingsFault(settings)
  if (fault !== null) throw usage(`${fault}.`, 'The settings and their ranges are listed in docs/feast.md.')
  return settings
}

/** Pixels of a window, D = (2r + 1)^2. */
export const windowLength = ({ radius }: FeastSettings): number => (2 * radius + 1) ** 2

export const bankCount = ({ polarity }: FeastSettings): number => (polarity === 'split' ? 2 : 1)

/** Features of all banks together; feature n of bank b has the number b * featureCount + n. */
export const totalFeatures = (settings: FeastSettings): number => bankCount(settings) * settings.featureCount

/** 1.0 of weights and thresholds in fixed point. */
export const ONE_Q15 = 32768

/** The integers of the fixed-point form: k of eta = 2^-k, and dI, dE, the first threshold in 1/32768. */
export const fixedSteps = (settings: FeastSettings): { readonly shift: number; readonly close: number; readonly open: number; readonly initial: number } => ({
  shift: Math.min(15, Math.max(1, Math.round(-Math.log2(settings.learningRate)))),
  close: Math.min(ONE_Q15 - 1, Math.round(settings.closeStep * ONE_Q15)),
  open: Math.min(ONE_Q15 - 1, Math.round(settings.openStep * ONE_Q15)),
  initial: Math.min(ONE_Q15 - 1, Math.round(settings.initialThreshold * ONE_Q15)),
})

/**
 * The share of events without a winner once wins and misses balance: each win raises one threshold by dI, each miss lowers N of
 * them by dE, so it is dI / (dI + N dE), a constant of the settings and no measure of quality. 0 where nothing ever closes.
 */
export const expectedMissRate = (settings: FeastSettings): number => {
  const { shift: _, ...steps } = fixedSteps(settings)
  const [close, open] = settings.arithmetic === 'fixed' ? [steps.close, steps.open] : [settings.closeStep, settings.openStep]
  return close === 0 ? 0 : close / (close + settings.featureCount * open)
}
