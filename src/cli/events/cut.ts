// spikeport events cut: a stretch of a recording, by time since its first event or by the numbers of its events.

import { usage } from '../../errors.js'
import {
  createLedger,
  type EventBatch,
  type FormatName,
  type Geometry,
  gatherEvents,
  type Ledger,
  type TriggerBatch,
  tally,
  triggersOf,
} from '../../events/index.js'
import { processIo } from '../io.js'
import type { Place } from './durations.js'
import type { Part } from './source.js'
import { type Stage, type TranscodeOptions, transcode } from './transcode.js'

interface Options extends Omit<TranscodeOptions, 'to'> {
  readonly from?: Place
  readonly to?: Place
  /** the format to write */
  readonly as?: FormatName
  readonly json?: boolean
}

const isFrom = (place: Place | undefined, micros: number, event: number): boolean =>
  place === undefined || ('micros' in place ? micros >= place.micros : event >= place.event)

/** Keeps what lies from `from` (included) to `to` (excluded); triggers count as the event that follows them. */
export const createCut = (from: Place | undefined, to: Place | undefined): { readonly change: (part: Part) => Part; readonly ledger: Ledger } => {
  const ledger = createLedger()
  let firstMicros: number | null = null
  let before = 0
  const isKept = (timeMicros: number, event: number): boolean => {
    const micros = timeMicros - (firstMicros ?? timeMicros)
    return isFrom(from, micros, event) && (to === undefined || !isFrom(to, micros, event))
  }
  const cutEvents = (batch: EventBatch): EventBatch => {
    const kept = new Uint32Array(batch.count)
    let n = 0
    for (let i = 0; i < batch.count; i++) if (isKept(batch.timeMicros[i] as number, before + i)) kept[n++] = i
    ledger.eventsIn += batch.count
    ledger.eventsOut += n
    tally(ledger.droppedEvents, 'cut', batch.count - n)
    return gatherEvents(batch, kept, n)
  }
  const cutTriggers = ({ count, timeMicros, channel, value }: TriggerBatch, batch: EventBatch): TriggerBatch => {
    const rows: [number, number, number][] = []
    for (let k = 0, i = 0; k < count; k++) {
      const time = timeMicros[k] as number
      while (i < batch.count && (batch.timeMicros[i] as number) < time) i++
      if (isKept(time, before + i)) rows.push([time, channel[k] as number, value[k] as number])
    }
    tally(ledger.records, 'triggerCut', count - rows.length)
    return triggersOf(rows)
  }
  const change = ({ events, extras }: Part): Part => {
    firstMicros ??= events.timeMicros[0] ?? null
    const { triggers, exposures } = extras
    const part = {
      events: cutEvents(events),
      extras: {
        ...(triggers && { triggers: cutTriggers(triggers, events) }),
        ...(exposures && { exposures: cutExposures(exposures) }),
      },
    }
    before += events.count
    return part
  }
  const cutExposures = (batch: EventBatch): EventBatch => {
    const kept = Uint32Array.from({ length: batch.count }, (_, i) => i).filter((i) => isKept(batch.timeMicros[i] as number, before))
    tally(ledger.records, 'exposureCut', batch.count - kept.length)
    return gatherEvents(batch, kept, kept.length)
  }
  return { change, ledger }
}

/** Runs the command. */
export const runCut = async (path: string, { json, from, to, as, ...options }: Options): Promise<void> => {
  if (from === undefined && to === undefined)
    throw usage('there is nothing to cut.', 'Pass --from, --to or both: a duration such as 10ms, or a number of events.')
  const { change, ledger } = createCut(from, to)
  const stageOf = ({ geometry }: { readonly geometry: Geometry }): Stage => ({ geometry, change, ledgers: [['cut', ledger]] })
  await transcode(processIo(json === true), path, { ...options, ...(as && { to: as }) }, stageOf)
}
