// What every filter is: state that takes batches in time order and gives batches, with a ledger; and the integer time stamps a pixel
// that filters keep, with the same arithmetic a microcontroller uses. See docs/events.md, "Filters".

import { usage } from '../../errors.js'
import { type EventBatch, type Geometry, pickEvents } from '../batch.js'
import { createLedger, type Ledger, tally } from '../ledger.js'

export interface EventFilter {
  readonly name: string
  readonly ledger: Readonly<Ledger>
  apply(batch: EventBatch): EventBatch
}

/** A filter that only drops events: `select` tells the numbers of those it keeps, `apply` hands them out. Call one of the two. */
export interface SelectingFilter extends EventFilter {
  select(batch: EventBatch): Uint32Array
}

/** Writes the numbers of kept events to `kept` and returns how many; books what it drops. */
export type Select = (batch: EventBatch, kept: Uint32Array, ledger: Ledger) => number

export const selectingFilter = (name: string, select: Select): SelectingFilter => {
  const ledger = createLedger()
  let kept = new Uint32Array(0)
  const run = (batch: EventBatch): number => {
    if (kept.length < batch.count) kept = new Uint32Array(batch.count)
    const count = select(batch, kept, ledger)
    ledger.eventsIn += batch.count
    ledger.eventsOut += count
    return count
  }
  return {
    name,
    ledger,
    select: (batch) => {
      const count = run(batch)
      return kept.slice(0, count)
    },
    apply: (batch) => {
      const count = run(batch)
      return pickEvents(batch, kept, count)
    },
  }
}

/** A filter that may change events; it books drops itself. */
export const mappingFilter = (name: string, map: (batch: EventBatch, ledger: Ledger) => EventBatch): EventFilter => {
  const ledger = createLedger()
  return {
    name,
    ledger,
    apply: (batch) => {
      const mapped = map(batch, ledger)
      ledger.eventsIn += batch.count
      ledger.eventsOut += mapped.count
      return mapped
    },
  }
}

/** Filters one after the other; the ledger's drops carry the filter's name. */
export const chainFilters = (filters: readonly EventFilter[]): EventFilter => {
  const ledger = createLedger()
  return {
    name: filters.map((filter) => filter.name).join(', '),
    ledger,
    apply: (batch) => {
      const passed = filters.reduce((current, filter) => {
        const next = filter.apply(current)
        tally(ledger.droppedEvents, filter.name, current.count - next.count)
        return next
      }, batch)
      ledger.eventsIn += batch.count
      ledger.eventsOut += passed.count
      return passed
    },
  }
}

/** A stamp of a pixel without events: older than any duration. */
export const NEVER = -(2 ** 30)
/** Ticks run from LOWEST_TICK to HIGHEST_TICK microseconds around the epoch; beyond, the epoch moves. */
const HIGHEST_TICK = 2 ** 30 - 1
const LOWEST_TICK = -(2 ** 29)
/** Longest duration a filter compares with: all differences then fit a signed 32-bit word. */
export const LONGEST_DURATION_MICROS = 2 ** 28

/**
 * Time stamps of the pixels of one or more planes, int32 microseconds since an epoch, with a border of one pixel that never has
 * events, so that neighbours need no bounds check. [planes, height + 2, width + 2]
 */
export interface PixelStamps {
  readonly geometry: Geometry
  readonly stride: number
  readonly planeLength: number
  readonly stamps: Int32Array
  epochMicros: number
  isStarted: boolean
}

export const createPixelStamps = (geometry: Geometry, planes = 1): PixelStamps => {
  const stride = geometry.width + 2
  const planeLength = stride * (geometry.height + 2)
  return { geometry, stride, planeLength, stamps: new Int32Array(planes * planeLength).fill(NEVER), epochMicros: 0, isStarted: false }
}

/** Moves the epoch to `timeMicros`; stamps older than NEVER, or all of them after a long step back, become NEVER. */
const moveEpoch = (memory: PixelStamps, timeMicros: number, ledger: Ledger): void => {
  const { stamps } = memory
  const shift = timeMicros - memory.epochMicros
  if (memory.isStarted && shift < 0) tally(ledger.faults, 'timeReset')
  if (!memory.isStarted || shift < 0 || shift >= 2 ** 31) stamps.fill(NEVER)
  else for (let i = 0; i < stamps.length; i++) stamps[i] = Math.max((stamps[i] as number) - shift, NEVER)
  memory.epochMicros = timeMicros
  memory.isStarted = true
}

/** True where a time is out of the tick range around the epoch. */
export const isOutOfTicks = (memory: PixelStamps, timeMicros: number): boolean =>
  !memory.isStarted || timeMicros - memory.epochMicros > HIGHEST_TICK || timeMicros - memory.epochMicros < LOWEST_TICK

/** The tick of a time, moving the epoch where needed. Ticks before and after are only comparable through the stamps. */
export const tickOf = (memory: PixelStamps, timeMicros: number, ledger: Ledger): number => {
  if (isOutOfTicks(memory, timeMicros)) moveEpoch(memory, timeMicros, ledger)
  return timeMicros - memory.epochMicros
}

/** Checks a duration option. @throws USAGE */
export const checkedDuration = (name: string, durationMicros: number): number => {
  if (Number.isInteger(durationMicros) && durationMicros >= 1 && durationMicros <= LONGEST_DURATION_MICROS) return durationMicros
  throw usage(`${name} is ${durationMicros}, it must be an integer from 1 to ${LONGEST_DURATION_MICROS} us.`, 'Durations are given in microseconds.')
}

/** Checks a count option. @throws USAGE */
export const checkedInteger = (name: string, value: number, low: number, high: number): number => {
  if (Number.isInteger(value) && value >= low && value <= high) return value
  throw usage(`${name} is ${value}, it must be an integer from ${low} to ${high}.`, 'See the options of the filter in docs/events.md.')
}
