// FEAST, a learner of spatio-temporal features: the loop over events around an arithmetic. Every event is stamped, windows that leave
// the sensor give no feature, and the ledger says what became of each event. See docs/feast.md.

import { createLedger, type EventBatch, type Ledger, tally } from '../events/index.js'
import type { FeastBank, FeastCore, SurfaceState } from './bank.js'
import { createFixedCore } from './fixed.js'
import { createFloatCore } from './float.js'
import { type Arithmetic, completeSettings, type FeastOptions, type FeastSettings, type PolarityMode } from './settings.js'

/** In a list of features: an event that no feature won (learning only). */
export const MISSED = -1
/** In a list of features: an event without a window, or of a polarity that is left out. */
export const UNUSED = -2

/** A FEAST learner. Both functions take batches in time order and give one feature number, MISSED or UNUSED an event, [count]. */
export interface Feast {
  readonly settings: FeastSettings
  readonly banks: readonly FeastBank[]
  /** eventsOut: events with a feature; drops: missed, edge, outOfBounds, otherPolarity; faults: nonMonotonic */
  readonly ledger: Readonly<Ledger>
  learn(batch: EventBatch): Int16Array
  infer(batch: EventBatch): Int16Array
  /** forgets the time surface, not the features; call it between recordings */
  clearSurface(): void
  surface(): SurfaceState
}

const CORES: Readonly<Record<Arithmetic, (settings: FeastSettings, banks?: readonly FeastBank[]) => FeastCore>> = {
  float: createFloatCore,
  fixed: createFixedCore,
}

/** Bank of a polarity 0 or 1, -1 = left out. */
const BANKS: Readonly<Record<PolarityMode, readonly [number, number]>> = { split: [0, 1], merged: [0, 0], on: [-1, 0], off: [0, -1] }

/** What a saved learner consists of. */
export interface FeastState {
  readonly settings: FeastSettings
  readonly banks: readonly FeastBank[]
  /** null: without a surface, as after clearSurface() */
  readonly surface: SurfaceState | null
}

/** A learner that goes on where `state` stood. The arrays of the state are used, not copied. */
export const resumeFeast = ({ settings, banks, surface }: FeastState): Feast => {
  const core = CORES[settings.arithmetic](settings, banks)
  if (surface !== null) core.setSurface(surface)
  return feastOf(settings, core)
}

/**
 * A new learner.
 *
 *     const feast = createFeast({ geometry: { width: 34, height: 34 }, featureCount: 16 })
 *     for (const recording of recordings) {
 *       feast.clearSurface()
 *       feast.learn(recording.events)
 *     }
 *
 * @throws USAGE for options out of range
 */
export const createFeast = (options: FeastOptions): Feast => {
  const settings = completeSettings(options)
  return feastOf(settings, CORES[settings.arithmetic](settings))
}

const feastOf = (settings: FeastSettings, core: FeastCore): Feast => {
  const { radius, featureCount, geometry } = settings
  const { width, height } = geometry
  const bankOf = BANKS[settings.polarity]
  const ledger = createLedger()

  const run = (batch: EventBatch, find: (bank: number, at: number) => number): Int16Array => {
    const { count, timeMicros, x, y, polarity } = batch
    const features = new Int16Array(count).fill(UNUSED)
    let outside = 0
    let edge = 0
    let missed = 0
    let other = 0
    let late = 0
    for (let i = 0; i < count; i++) {
      const column = x[i] as number
      const row = y[i] as number
      const bank = bankOf[polarity[i] === 0 ? 0 : 1] as number
      if (column >= width || row >= height) {
        outside++
        continue
      }
      if (!core.setTime(timeMicros[i] as number)) late++
      if (bank < 0) {
        other++
        continue
      }
      const at = row * width + column
      core.stamp(bank, at)
      if (column < radius || row < radius || column >= width - radius || row >= height - radius) {
        edge++
        continue
      }
      const winner = find(bank, at)
      if (winner < 0) missed++
      features[i] = winner < 0 ? MISSED : bank * featureCount + winner
    }
    ledger.eventsIn += count
    ledger.eventsOut += count - outside - edge - missed - other
    tally(ledger.droppedEvents, 'outOfBounds', outside)
    tally(ledger.droppedEvents, 'edge', edge)
    tally(ledger.droppedEvents, 'missed', missed)
    tally(ledger.droppedEvents, 'otherPolarity', other)
    tally(ledger.faults, 'nonMonotonic', late)
    return features
  }

  return {
    settings,
    banks: core.banks,
    ledger,
    learn: (batch) => run(batch, core.learn),
    infer: (batch) => run(batch, core.infer),
    clearSurface: core.clearSurface,
    surface: core.surface,
  }
}
