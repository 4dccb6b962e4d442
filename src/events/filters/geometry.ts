// Filters that need no past: crop, mask, down-sample, polarity, time span; and the rate limit, which needs one counter.

import { usage } from '../../errors.js'
import type { EventBatch, Geometry } from '../batch.js'
import { tally } from '../ledger.js'
import { checkedDuration, checkedInteger, type EventFilter, mappingFilter, type SelectingFilter, selectingFilter } from './filter.js'

const selectWhere = (name: string, reason: string, keep: (batch: EventBatch, i: number) => boolean): SelectingFilter =>
  selectingFilter(name, (batch, kept, ledger) => {
    let n = 0
    for (let i = 0; i < batch.count; i++) if (keep(batch, i)) kept[n++] = i
    tally(ledger.droppedEvents, reason, batch.count - n)
    return n
  })

/** A rectangle of the sensor; with isMoved (default true) its corner becomes 0, 0. */
export interface CropOptions {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly isMoved?: boolean
}

/** Keeps the events of a rectangle. */
export const createCropFilter = ({ x, y, width, height, isMoved = true }: CropOptions): EventFilter => {
  const inside = selectWhere('crop', 'cropped', (batch, i) => {
    const column = batch.x[i] as number
    const row = batch.y[i] as number
    return column >= x && row >= y && column < x + width && row < y + height
  })
  return mappingFilter('crop', (batch, ledger) => {
    const cropped = inside.apply(batch)
    tally(ledger.droppedEvents, 'cropped', batch.count - cropped.count)
    return isMoved ? { ...cropped, x: cropped.x.map((column) => column - x), y: cropped.y.map((row) => row - y) } : cropped
  })
}

/** Keeps the events of pixels whose mask is not 0; mask is [height, width], pixels outside are dropped. @throws USAGE */
export const createMaskFilter = (geometry: Geometry, mask: Uint8Array): SelectingFilter => {
  const { width, height } = geometry
  if (mask.length !== width * height)
    throw usage(`the mask has ${mask.length} pixels, the sensor ${width * height}.`, 'A mask is [height, width], one byte a pixel.')
  return selectWhere('mask', 'masked', (batch, i) => {
    const x = batch.x[i] as number
    const y = batch.y[i] as number
    return x < width && y < height && mask[y * width + x] !== 0
  })
}

/** Divides coordinates by integer factors; every event and both polarities stay. The geometry becomes the quotient rounded up. */
export const createDownSampleFilter = ({ factorX, factorY }: { readonly factorX: number; readonly factorY: number }): EventFilter => {
  checkedInteger('factorX', factorX, 1, 65536)
  checkedInteger('factorY', factorY, 1, 65536)
  return mappingFilter('down-sample', (batch) => ({
    ...batch,
    x: batch.x.map((column) => Math.floor(column / factorX)),
    y: batch.y.map((row) => Math.floor(row / factorY)),
  }))
}

/** "on" and "off" keep one polarity, "flip" exchanges them, "merge" makes every event ON. */
export const createPolarityFilter = (mode: 'on' | 'off' | 'flip' | 'merge'): EventFilter => {
  if (mode === 'on') return selectWhere('polarity (on)', 'off', (batch, i) => batch.polarity[i] === 1)
  if (mode === 'off') return selectWhere('polarity (off)', 'on', (batch, i) => batch.polarity[i] === 0)
  return mappingFilter(`polarity (${mode})`, (batch) => ({ ...batch, polarity: batch.polarity.map((polarity) => (mode === 'merge' ? 1 : 1 - polarity)) }))
}

/** Keeps events with fromMicros <= time < toMicros. */
export const createTimeFilter = ({ fromMicros, toMicros }: { readonly fromMicros: number; readonly toMicros: number }): SelectingFilter =>
  selectWhere('time', 'outOfTime', (batch, i) => (batch.timeMicros[i] as number) >= fromMicros && (batch.timeMicros[i] as number) < toMicros)

export interface RateLimitOptions {
  /** length of the periods, which start at multiples of it, 1..2^28 */
  readonly periodMicros: number
  /** events that pass in one period, the first ones; at least 1 */
  readonly eventsPerPeriod: number
}

/** Passes the first events of every period, as the event-rate controller of a sensor does. */
export const createRateLimitFilter = ({ periodMicros, eventsPerPeriod }: RateLimitOptions): SelectingFilter => {
  checkedDuration('periodMicros', periodMicros)
  checkedInteger('eventsPerPeriod', eventsPerPeriod, 1, 2 ** 31 - 1)
  let period = Number.NaN
  let passed = 0
  return selectWhere('rate limit', 'overRate', (batch, i) => {
    const current = Math.floor((batch.timeMicros[i] as number) / periodMicros)
    if (current !== period) passed = 0
    period = current
    return ++passed <= eventsPerPeriod
  })
}
