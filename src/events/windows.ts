// Windows over an event stream, by time and by count. State is one window's events, whatever the length of the recording.

import { usage } from '../errors.js'
import { appendEvent, type Columns, createColumns, type EventBatch, takeBatch } from './batch.js'
import { createLedger, type Ledger, tally } from './ledger.js'

/** Events with startMicros <= time < endMicros; by count, from the first event to 1 us after the last. */
export interface EventWindow {
  readonly startMicros: number
  readonly endMicros: number
  readonly events: EventBatch
}

/** A windower: push() returns the windows that closed, end() the last one. */
export interface Windower {
  readonly ledger: Readonly<Ledger>
  push(batch: EventBatch): EventWindow[]
  end(): EventWindow[]
}

export interface TimeWindowOptions {
  /** length of a window, at least 1 */
  readonly durationMicros: number
  /** start of the first window; default: the first event's time */
  readonly startMicros?: number
  /** events older than the open window: "drop" (default) counts them as dropped, "include" puts them into the open window */
  readonly onLate?: 'drop' | 'include'
  /** windows without events that are given out in one gap, default 1,000; a longer gap is skipped and counted as skippedWindows */
  readonly maxEmptyWindows?: number
}

const copyEvent = (columns: Columns, batch: EventBatch, i: number): void => {
  appendEvent(columns, batch.timeMicros[i] as number, batch.x[i] as number, batch.y[i] as number, batch.polarity[i] as number)
  if (columns.rgb !== null && batch.rgb !== undefined) columns.rgb.set(batch.rgb.subarray(3 * i, 3 * i + 3), 3 * (columns.count - 1))
}

interface Gathering {
  columns: Columns
  ledger: Ledger
}

const startGathering = (): Gathering => ({ columns: createColumns(), ledger: createLedger() })

const gather = (state: Gathering, batch: EventBatch, i: number): void => {
  if (state.columns.count === 0 && batch.rgb !== undefined && state.columns.rgb === null) state.columns = createColumns(true)
  copyEvent(state.columns, batch, i)
}

const giveOut = (state: Gathering): EventBatch => {
  const events = takeBatch(state.columns)
  state.ledger.eventsOut += events.count
  return events
}

/** Consecutive windows of equal duration. */
export const createTimeWindows = (options: TimeWindowOptions): Windower => {
  const { durationMicros, onLate = 'drop', maxEmptyWindows = 1000 } = options
  if (!(Number.isInteger(durationMicros) && durationMicros >= 1)) {
    throw usage(`a window of ${durationMicros} us makes no sense.`, 'durationMicros is an integer of at least 1.')
  }
  const state = startGathering()
  const { ledger } = state
  let startMicros: number | null = options.startMicros ?? null

  const close = (start: number): EventWindow => ({ startMicros: start, endMicros: start + durationMicros, events: giveOut(state) })

  const moveTo = (time: number, windows: EventWindow[]): void => {
    let start = startMicros as number
    windows.push(close(start))
    start += durationMicros
    const empty = Math.floor((time - start) / durationMicros)
    const given = Math.min(empty, maxEmptyWindows)
    for (let k = 0; k < given; k++) windows.push(close(start + k * durationMicros))
    tally(ledger.faults, 'skippedWindows', empty - given)
    startMicros = start + empty * durationMicros
  }

  return {
    ledger,
    push: (batch) => {
      const windows: EventWindow[] = []
      ledger.eventsIn += batch.count
      for (let i = 0; i < batch.count; i++) {
        const time = batch.timeMicros[i] as number
        startMicros ??= time
        if (time < startMicros && onLate === 'drop') {
          tally(ledger.droppedEvents, 'late')
          continue
        }
        if (time >= startMicros + durationMicros) moveTo(time, windows)
        gather(state, batch, i)
      }
      ledger.heldEvents = state.columns.count
      return windows
    },
    end: () => {
      const windows = startMicros === null ? [] : [close(startMicros)]
      ledger.heldEvents = 0
      startMicros = null
      return windows
    },
  }
}

/** Consecutive windows of `eventCount` events; the last one may hold fewer. */
export const createCountWindows = ({ eventCount }: { readonly eventCount: number }): Windower => {
  if (!(Number.isInteger(eventCount) && eventCount >= 1)) {
    throw usage(`a window of ${eventCount} events makes no sense.`, 'eventCount is an integer of at least 1.')
  }
  const state = startGathering()
  const { ledger } = state
  const close = (): EventWindow => {
    const events = giveOut(state)
    return { startMicros: events.timeMicros[0] as number, endMicros: (events.timeMicros[events.count - 1] as number) + 1, events }
  }
  return {
    ledger,
    push: (batch) => {
      const windows: EventWindow[] = []
      ledger.eventsIn += batch.count
      for (let i = 0; i < batch.count; i++) {
        gather(state, batch, i)
        if (state.columns.count === eventCount) windows.push(close())
      }
      ledger.heldEvents = state.columns.count
      return windows
    },
    end: () => {
      const windows = state.columns.count > 0 ? [close()] : []
      ledger.heldEvents = 0
      return windows
    },
  }
}

/**
 * The windows of a stream of batches.
 *
 *     for await (const { startMicros, events } of windowsOf(batches, createTimeWindows({ durationMicros: 10_000 }))) ...
 */
export async function* windowsOf(batches: AsyncIterable<EventBatch> | Iterable<EventBatch>, windower: Windower): AsyncGenerator<EventWindow> {
  for await (const batch of batches) yield* windower.push(batch)
  yield* windower.end()
}
