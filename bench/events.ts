// Speed of the event decoders, encoders and filters on real recordings, one thread. Recordings come from ../shared/data; formats
// without a sample are made from the EVT2 one. The baselines are expelliarmus' published figures (a C library, its author's machine).

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { concatBatches, type EventBatch, type Geometry } from '#src/events/batch.js'
import { createBackgroundActivityFilter, createRefractoryFilter, createSpatioTemporalFilter, type EventFilter } from '#src/events/filters/index.js'
import { FORMATS, type FormatName } from '#src/events/formats/index.js'
import type { Bench } from './bench.js'

const CHUNK_BYTES = 1 << 20

const sample = (name: string): Uint8Array => {
  const path = fileURLToPath(new URL(`../../shared/data/events/${name}`, import.meta.url))
  if (!existsSync(path)) throw new Error(`${path} is missing: the bench needs the reference data beside the repository, in ../shared/data.`)
  return new Uint8Array(readFileSync(path))
}

/** Decodes in chunks and throws the batches away; returns how many events there were. */
const decodeCount = (format: FormatName, bytes: Uint8Array): number => {
  const decoder = FORMATS[format].createDecoder()
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) decoder.push(bytes.subarray(at, at + CHUNK_BYTES))
  decoder.end()
  return decoder.ledger.eventsOut
}

/** Best rate of several runs in millions a second of processor time (helper threads included), which other load disturbs little. */
const bestRate = (seconds: number, work: () => number): number => {
  const runs = 5
  let best = 0
  for (let run = 0; run <= runs; run++) {
    const start = performance.now()
    const before = process.cpuUsage()
    let events = 0
    while (performance.now() - start < (1000 * seconds) / runs) events += work()
    const { user, system } = process.cpuUsage(before)
    if (run > 0) best = Math.max(best, events / (user + system))
  }
  return best
}

const decode = (format: FormatName, bytes: Uint8Array): EventBatch => {
  const decoder = FORMATS[format].createDecoder()
  const batches: EventBatch[] = []
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) batches.push(decoder.push(bytes.subarray(at, at + CHUNK_BYTES)))
  batches.push(decoder.end())
  return concatBatches(batches.filter((batch) => batch.count > 0))
}

const encode = (format: FormatName, events: EventBatch, geometry: Geometry): Uint8Array => {
  const encoder = FORMATS[format].createEncoder({ geometry })
  return Uint8Array.from(Buffer.concat([encoder.push(events), encoder.end()]))
}

/** Encodes and throws the bytes away; returns how many events there were. */
const encodeCount = (format: FormatName, events: EventBatch, geometry: Geometry): number => {
  const encoder = FORMATS[format].createEncoder({ geometry })
  encoder.push(events)
  encoder.end()
  return encoder.ledger.eventsIn
}

const GOALS: Partial<Record<FormatName, { goal: number; published: number }>> = {
  evt2: { goal: 100, published: 139 },
  evt3: { goal: 80, published: 57 },
  dat: { goal: 100, published: 97 },
}

const FORMATS_MEASURED: readonly FormatName[] = ['evt2', 'evt21', 'evt3', 'dat', 'aedat2', 'aedat3', 'aedat4', 'es', 'text']

/** Makes the same recording later by `shiftMicros`, so that a filter's memory keeps working. */
const later = (events: EventBatch, shiftMicros: number): EventBatch => ({ ...events, timeMicros: events.timeMicros.map((time) => time + shiftMicros) })

const filterRate = (seconds: number, events: EventBatch, filter: EventFilter): number => {
  const spanMicros = (events.timeMicros[events.count - 1] as number) - (events.timeMicros[0] as number) + 1
  const batches = Array.from({ length: 8 }, (_, i) => later(events, i * spanMicros))
  return bestRate(seconds, () => batches.reduce((sum, batch) => sum + filter.apply(batch).count * 0 + batch.count, 0))
}

export const bench: Bench = {
  name: 'events',
  description: 'decode, encode and filter event recordings, one thread',
  run: async (report, options) => {
    const seconds = options.seconds ?? 1
    const evt2 = sample('expelliarmus_evt2_sample.raw')
    const events = decode('evt2', evt2)
    const geometry = { width: 640, height: 480 }
    const recordings: Partial<Record<FormatName, Uint8Array>> = { evt2, evt3: sample('expelliarmus_evt3_sample.raw'), es: sample('pyfeast_ev.es') }
    for (const format of FORMATS_MEASURED) {
      const bytes = recordings[format] ?? encode(format, events, format === 'aedat2' ? { width: 346, height: 260 } : geometry)
      const goal = GOALS[format]
      report({
        case: `decode ${format}`,
        metric: 'rate, processor time',
        value: bestRate(seconds, () => decodeCount(format, bytes)),
        unit: 'Mev/s',
        ...(goal === undefined ? {} : { goal: goal.goal, baseline: { name: 'expelliarmus (published)', value: goal.published } }),
      })
    }
    for (const format of FORMATS_MEASURED) {
      report({
        case: `encode ${format}`,
        metric: 'rate, processor time',
        value: bestRate(seconds, () => encodeCount(format, events, geometry)),
        unit: 'Mev/s',
      })
    }
    const filters: readonly (readonly [string, EventFilter, number?])[] = [
      ['background activity, block', createBackgroundActivityFilter({ geometry, durationMicros: 2000 }), 30],
      ['background activity, cross', createBackgroundActivityFilter({ geometry, durationMicros: 2000, neighbourhood: 'cross' }), 30],
      ['background activity, block, k = 2, 100 us', createBackgroundActivityFilter({ geometry, durationMicros: 100, supporters: 2 }), 30],
      ['refractory, 1 ms', createRefractoryFilter({ geometry, durationMicros: 1000 })],
      ['spatio-temporal correlation, 1 ms', createSpatioTemporalFilter({ geometry, durationMicros: 1000 })],
    ]
    for (const [name, filter, goal] of filters) {
      report({ case: name, metric: 'rate, processor time', value: filterRate(seconds, events, filter), unit: 'Mev/s', ...(goal === undefined ? {} : { goal }) })
    }
  },
}
