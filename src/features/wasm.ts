// FEAST in fixed point on WebAssembly: the C learner of firmware-stubs/features with SIMD128, one instance a learner, the same bits as fixed.ts. Node
// reads features.wasm from beside the engines, a browser fetches it. Nothing of Node is imported at the top.

import { createDecayTable, createLedger, type EventBatch, tally } from '../events/index.js'
import { wasmModule } from '../wasm-module.js'
import type { FeastBank } from './bank.js'
import { createFeast, type Feast, type FeastState, resumeFeast } from './feast.js'
import { readFeastState } from './feast-file.js'
import { bankCount, type FeastOptions, type FeastSettings, fixedSteps, type PolarityMode, windowLength } from './settings.js'

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  readonly __heap_base: { readonly value: number }
  readonly bytes: (settings: number) => number
  readonly init: (settings: number, table: number, memory: number, bytes: number) => number
  readonly prepare: () => number
  readonly weights: (bank: number) => number
  readonly thresholds: (bank: number) => number
  readonly counts: (bank: number) => number
  readonly learn: Run
  readonly infer: Run
  readonly clearSurface: () => void
  readonly latest: () => number
  readonly setClock: (latest: number) => void
  readonly ages: (bank: number, ages: number) => void
  readonly setAges: (bank: number, ages: number) => void
}
type Run = (events: number, features: number, counts: number) => void

const newInstance = wasmModule(new URL('../../runtimes/wasm/features.wasm', import.meta.url), 'runtimes/wasm/features.wasm')

const PAGE = 65536
/** Events of a call; a batch is cut into so many. */
const CALL_EVENTS = 4096
/** Times of a call lie this close to its first, so that they fit 32 bits. */
const CALL_MICROS = 2 ** 31 - 1
const TABLE_BYTES = 256
const BANKS: Readonly<Record<PolarityMode, readonly [number, number]>> = { split: [0, 1], merged: [0, 0], on: [-1, 0], off: [0, -1] }

const align = (address: number): number => (address + 15) & ~15

/** Addresses behind __heap_base: settings, table, the columns of a call, its header and its counts; then the learner. */
const layOut = (base: number) => {
  let at = align(base)
  const take = (bytes: number): number => {
    const start = at
    at = align(at + bytes)
    return start
  }
  const columns = { time: take(4 * CALL_EVENTS), x: take(2 * CALL_EVENTS), y: take(2 * CALL_EVENTS), polarity: take(CALL_EVENTS) }
  return { settings: take(40), table: take(TABLE_BYTES), ...columns, features: take(2 * CALL_EVENTS), events: take(32), counts: take(20), learner: at }
}

const settingsWords = (settings: FeastSettings, tickShift: number): number[] => {
  const { geometry, featureCount, radius, polarity } = settings
  const { shift, close, open } = fixedSteps(settings)
  return [geometry.width, geometry.height, featureCount, radius, tickShift, shift, close, open, ...BANKS[polarity]]
}

const grow = ({ memory }: Exports, bytes: number): boolean => {
  const pages = Math.ceil((bytes - memory.buffer.byteLength) / PAGE)
  try {
    return pages <= 0 || memory.grow(pages) >= 0
  } catch {
    return false
  }
}

/** A learner on an instance of its own that goes on where `state` stood; null where its memory would be too large. */
const onWasm = (exports: Exports, state: FeastState): Feast | null => {
  const { settings } = state
  const banks = bankCount(settings)
  const { table, shift: tickShift } = createDecayTable(settings.decay, settings.tauMicros)
  const places = layOut(exports.__heap_base.value)
  new Int32Array(exports.memory.buffer, places.settings, 10).set(settingsWords(settings, tickShift))
  new Uint8Array(exports.memory.buffer, places.table, TABLE_BYTES).set(table)
  const bytes = exports.bytes(places.settings)
  const pixels = settings.geometry.width * settings.geometry.height
  const agesAt = align(places.learner + bytes)
  if (bytes === 0 || !grow(exports, agesAt + 2 * pixels)) return null
  if (exports.init(places.settings, places.table, places.learner, bytes) !== 0) return null

  const { buffer } = exports.memory
  const counters = Array.from({ length: banks }, (_, b) => new BigUint64Array(buffer, exports.counts(b), settings.featureCount + 2))
  const views = state.banks.map((bank, b): FeastBank => {
    const weights = new Int16Array(buffer, exports.weights(b), settings.featureCount * windowLength(settings))
    const thresholds = new Int32Array(buffer, exports.thresholds(b), settings.featureCount)
    weights.set(bank.weights)
    thresholds.set(bank.thresholds)
    ;(counters[b] as BigUint64Array).set([...bank.wins, bank.missed, bank.saturations].map(BigInt))
    return { weights, thresholds, wins: bank.wins.slice(), missed: bank.missed, saturations: bank.saturations }
  })
  if (exports.prepare() !== 0) return null
  const ages = new Uint16Array(buffer, agesAt, pixels)
  if (state.surface !== null && state.surface.latest !== Number.NEGATIVE_INFINITY) {
    exports.setClock(state.surface.latest)
    for (const [b, stamps] of state.surface.stamps.entries()) {
      ages.set(stamps)
      exports.setAges(b, agesAt)
    }
  }

  const time = new Int32Array(buffer, places.time, CALL_EVENTS)
  const x = new Uint16Array(buffer, places.x, CALL_EVENTS)
  const y = new Uint16Array(buffer, places.y, CALL_EVENTS)
  const polarity = new Uint8Array(buffer, places.polarity, CALL_EVENTS)
  const found = new Int16Array(buffer, places.features, CALL_EVENTS)
  const header = new DataView(buffer, places.events, 32)
  const counts = new Uint32Array(buffer, places.counts, 5)
  const ledger = createLedger()

  /** Copies events from `from` on whose times lie near the first one's; returns how many. */
  const stage = (batch: EventBatch, from: number): number => {
    const base = Math.floor(batch.timeMicros[from] as number)
    const most = Math.min(CALL_EVENTS, batch.count - from)
    let count = 0
    for (; count < most; count++) {
      const offset = Math.floor(batch.timeMicros[from + count] as number) - base
      if (offset > CALL_MICROS || offset < -CALL_MICROS) break
      time[count] = offset
    }
    x.set(batch.x.subarray(from, from + count))
    y.set(batch.y.subarray(from, from + count))
    polarity.set(batch.polarity.subarray(from, from + count))
    header.setUint32(0, count, true)
    header.setBigInt64(8, BigInt(base), true)
    for (const [i, column] of [places.time, places.x, places.y, places.polarity].entries()) header.setUint32(16 + 4 * i, column, true)
    return count
  }

  const takeCounts = (): void => {
    for (const [b, bank] of views.entries()) {
      const counter = counters[b] as BigUint64Array
      for (let n = 0; n < settings.featureCount; n++) bank.wins[n] = Number(counter[n])
      bank.missed = Number(counter[settings.featureCount])
      bank.saturations = Number(counter[settings.featureCount + 1])
    }
  }

  const run = (batch: EventBatch, call: Run): Int16Array => {
    const features = new Int16Array(batch.count)
    counts.fill(0)
    for (let at = 0; at < batch.count; ) {
      const count = stage(batch, at)
      call(places.events, places.features, places.counts)
      features.set(found.subarray(0, count), at)
      at += count
    }
    takeCounts()
    const [outside, edge, missed, other, late] = counts as unknown as [number, number, number, number, number]
    ledger.eventsIn += batch.count
    ledger.eventsOut += batch.count - outside - edge - missed - other
    tally(ledger.droppedEvents, 'outOfBounds', outside)
    tally(ledger.droppedEvents, 'edge', edge)
    tally(ledger.droppedEvents, 'missed', missed)
    tally(ledger.droppedEvents, 'otherPolarity', other)
    tally(ledger.faults, 'nonMonotonic', late)
    return features
  }

  return {
    settings,
    banks: views,
    ledger,
    learn: (batch) => run(batch, exports.learn),
    infer: (batch) => run(batch, exports.infer),
    clearSurface: exports.clearSurface,
    surface: () => {
      const latest = exports.latest()
      const stamps = views.map((_, b) => {
        exports.ages(b, agesAt)
        return ages.slice()
      })
      return { latest: Number.isNaN(latest) ? Number.NEGATIVE_INFINITY : latest, stamps }
    },
  }
}

/**
 * resumeFeast() on WebAssembly: the same bits, faster. Float learners, and sensors too large for 2 GiB of stamps, run in TypeScript.
 * @throws ENGINE_UNAVAILABLE where features.wasm cannot be read or compiled
 */
export const resumeFastFeast = async (state: FeastState): Promise<Feast> => {
  if (state.settings.arithmetic === 'float') return resumeFeast(state)
  return onWasm((await newInstance()) as Exports, state) ?? resumeFeast(state)
}

/** createFeast() on WebAssembly. @throws USAGE for options out of range; ENGINE_UNAVAILABLE */
export const createFastFeast = (options: FeastOptions): Promise<Feast> => {
  const { settings, banks } = createFeast(options)
  return resumeFastFeast({ settings, banks, surface: null })
}

/** restoreFeast() on WebAssembly. @throws FILE_MALFORMED, ENGINE_UNAVAILABLE */
export const restoreFastFeast = async (bytes: Uint8Array, path = 'learner'): Promise<Feast> => resumeFastFeast(readFeastState(bytes, path))
