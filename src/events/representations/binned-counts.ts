// Binned counts: how many events of each polarity fell on each pixel in each time step, [steps, height, width, 2]: a recording as a network over
// time reads it.

import { usage } from '../../errors.js'
import type { EventBatch, Geometry } from '../batch.js'

export interface BinnedCountsOptions {
  readonly geometry: Geometry
  /** number of bins, at least 1 */
  readonly steps: number
  /** length of a bin in microseconds, above 0 */
  readonly stepMicros: number
  /** time of the first bin's start in microseconds; default the first event's */
  readonly startMicros?: number
  /** the most that a bin holds, 1 to 255: 1 says only whether there was an event; default 255 */
  readonly most?: number
}

export interface BinnedCounts {
  /** counts, saturated at `most` */
  readonly counts: Uint8Array // [steps, height, width, 2], channel 1 for polarity 1
  /** events before the first bin, behind the last one, or outside of the geometry */
  readonly outside: number
  /** events that found their bin full */
  readonly saturated: number
}

/** Counts a batch into bins; every event is in `counts`, `outside` or `saturated`. @throws USAGE for options out of range */
export const binnedCounts = (events: EventBatch, options: BinnedCountsOptions): BinnedCounts => {
  const { geometry, steps, stepMicros, most = 255 } = options
  if (!(Number.isInteger(steps) && steps >= 1 && stepMicros > 0 && Number.isInteger(most) && most >= 1 && most <= 255))
    throw usage(`${steps} bins of ${stepMicros} us of at most ${most} events.`, 'Give at least one bin, a length above 0 and 1 to 255 events.')
  const start = options.startMicros ?? events.timeMicros[0] ?? 0
  const counts = new Uint8Array(steps * geometry.height * geometry.width * 2)
  let outside = 0
  let saturated = 0
  for (let i = 0; i < events.count; i++) {
    const bin = Math.floor(((events.timeMicros[i] as number) - start) / stepMicros)
    const [x, y] = [events.x[i] as number, events.y[i] as number]
    if (bin < 0 || bin >= steps || x >= geometry.width || y >= geometry.height) {
      outside++
      continue
    }
    const at = ((bin * geometry.height + y) * geometry.width + x) * 2 + (events.polarity[i] as number)
    if (counts[at] === most) saturated++
    else counts[at] = (counts[at] as number) + 1
  }
  return { counts, outside, saturated }
}
