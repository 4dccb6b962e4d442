// FEAST on real N-MNIST recordings of ../shared/data: accuracy in 5 folds, steady miss rate, and events a second of learning and
// inference in TypeScript, one thread. Baselines: the miss rate that the formula gives, the float form.

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { decodeRecording, type EventBatch } from '#src/events/index.js'
import {
  addFeatures,
  createFeast,
  createHistogram,
  crossValidate,
  expectedMissRate,
  type Feast,
  type FeastOptions,
  histogramVector,
  learnedEvents,
  ridge,
  totalFeatures,
} from '#src/features/index.js'
import type { Bench } from './bench.js'

const GEOMETRY = { width: 34, height: 34 }
const FOLDS = 5
const PENALTY = 0.1
const folder = new URL('../../shared/data/nmnist-small/', import.meta.url)

interface Recording {
  readonly label: number
  readonly events: EventBatch
}

const readList = (list: string): Recording[] => {
  if (!existsSync(folder)) throw new Error(`${fileURLToPath(folder)} is missing: the bench needs the reference data beside the repository, in ../shared/data.`)
  const rows = readFileSync(new URL(list, folder), 'utf8').trim().split('\n').slice(1)
  return rows.map((row) => {
    const [number, label] = row.trim().split(/\s+/)
    const bytes = new Uint8Array(readFileSync(new URL(`${number}.bs2`, folder)))
    return { label: Number(label), events: decodeRecording(bytes, { format: 'nmnist', geometry: GEOMETRY }).events }
  })
}

/** Millions of events a second of processor time. */
const rateOf = (work: () => number): number => {
  const before = process.cpuUsage()
  const events = work()
  const { user, system } = process.cpuUsage(before)
  return events / (user + system)
}

const learnAll = (feast: Feast, recordings: readonly Recording[]): number => {
  for (const { events } of recordings) {
    feast.clearSurface()
    feast.learn(events)
  }
  return recordings.reduce((sum, { events }) => sum + events.count, 0)
}

const vectorOf = (feast: Feast, events: EventBatch): Float64Array => {
  const histogram = createHistogram({ geometry: GEOMETRY, featureCount: totalFeatures(feast.settings) })
  feast.clearSurface()
  addFeatures(histogram, events, feast.infer(events))
  return histogramVector(histogram)
}

const missRate = ({ banks }: Feast): number => banks.reduce((sum, bank) => sum + bank.missed / learnedEvents(bank), 0) / banks.length

/** name -> options */
const CASES: readonly (readonly [string, Partial<FeastOptions>])[] = [
  ['float', {}],
  ['fixed', { arithmetic: 'fixed' }],
  ['fixed 1-bit', { arithmetic: 'fixed', decay: 'binary' }],
]
/** Percent, with N = 16; the other forms may lie 0.5 points below float. */
const FLOAT_GOAL = 96
const ALLOWED_LOSS = 0.5
const LEARN_GOAL = 2
const INFER_GOAL = 3

export const bench: Bench = {
  name: 'feast',
  description: 'FEAST, 16 features a polarity, r = 3, on 1,100 N-MNIST recordings (features from the 1,000 training ones, without labels)',
  run: async (report, { seed = 1 }) => {
    const training = readList('train1K.txt')
    const recordings = [...training, ...readList('test100.txt')]
    const labels = recordings.map(({ label }) => label)
    let floatAccuracy: number | null = null
    for (const [name, options] of CASES) {
      const feast = createFeast({ geometry: GEOMETRY, seed, ...options })
      report({ case: name, metric: 'learning', value: rateOf(() => learnAll(feast, training)), unit: 'Mev/s', goal: LEARN_GOAL })
      report({ case: name, metric: 'miss rate', value: missRate(feast), unit: '', baseline: { name: 'formula', value: expectedMissRate(feast.settings) } })
      let vectors: Float64Array[] = []
      const inference = rateOf(() => {
        vectors = recordings.map(({ events }) => vectorOf(feast, events))
        return recordings.reduce((sum, { events }) => sum + events.count, 0)
      })
      report({ case: name, metric: 'inference', value: inference, unit: 'Mev/s', goal: INFER_GOAL })
      const accuracy = 100 * crossValidate({ vectors, labels, classes: 10 }, ridge(PENALTY), FOLDS, seed)
      report({
        case: name,
        metric: '5-fold accuracy',
        value: accuracy,
        unit: '%',
        goal: floatAccuracy === null ? FLOAT_GOAL : floatAccuracy - ALLOWED_LOSS,
        ...(floatAccuracy !== null && { baseline: { name: 'float', value: floatAccuracy } }),
      })
      floatAccuracy ??= accuracy
    }
  },
}
