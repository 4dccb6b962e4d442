// Background-activity filter: an event passes if enough neighbouring pixels had an event of any polarity shortly before. Every
// event, kept or not, leaves its stamp; the pixel itself does not count as its own neighbour. Integer arithmetic only.

import type { Geometry } from '../batch.js'
import { tally } from '../ledger.js'
import { checkedDuration, checkedInteger, createPixelStamps, isOutOfTicks, type Select, type SelectingFilter, selectingFilter, tickOf } from './filter.js'

export interface BackgroundActivityOptions {
  readonly geometry: Geometry
  /** a neighbour's event supports for this long, 1..2^28 */
  readonly durationMicros: number
  /** "block" = the 8 around (default), "cross" = the 4 beside, above and below */
  readonly neighbourhood?: 'block' | 'cross'
  /** neighbours needed, default 1 */
  readonly supporters?: number
}

/**
 * An event at tick t is supported by a neighbour stamped s where t - s <= durationMicros; neighbours stamped later (time that
 * went back) support it too. Sum of sign bits: (t - s - duration - 1) is negative exactly then.
 */
export const createBackgroundActivityFilter = (options: BackgroundActivityOptions): SelectingFilter => {
  const { geometry, neighbourhood = 'block' } = options
  const isBlock = neighbourhood === 'block'
  const limit = checkedDuration('durationMicros', options.durationMicros) + 1
  const supporters = checkedInteger('supporters', options.supporters ?? 1, 1, isBlock ? 8 : 4)
  const memory = createPixelStamps(geometry)
  const { stamps, stride } = memory
  const { width, height } = geometry
  const select: Select = (batch, kept, ledger) => {
    const { timeMicros, x, y, count } = batch
    let n = 0
    let outside = 0
    for (let i = 0; i < count; i++) {
      const column = x[i] as number
      const row = y[i] as number
      if (column >= width || row >= height) {
        outside++
        continue
      }
      const time = timeMicros[i] as number
      if (isOutOfTicks(memory, time)) tickOf(memory, time, ledger)
      const tick = (time - memory.epochMicros) | 0
      const oldest = (tick - limit) | 0
      const at = (row + 1) * stride + column + 1
      const above = at - stride
      const below = at + stride
      let support =
        ((oldest - (stamps[above] as number)) >>> 31) +
        ((oldest - (stamps[at - 1] as number)) >>> 31) +
        ((oldest - (stamps[at + 1] as number)) >>> 31) +
        ((oldest - (stamps[below] as number)) >>> 31)
      if (isBlock) {
        support +=
          ((oldest - (stamps[above - 1] as number)) >>> 31) +
          ((oldest - (stamps[above + 1] as number)) >>> 31) +
          ((oldest - (stamps[below - 1] as number)) >>> 31) +
          ((oldest - (stamps[below + 1] as number)) >>> 31)
      }
      stamps[at] = tick
      if (support >= supporters) kept[n++] = i
    }
    tally(ledger.droppedEvents, 'unsupported', count - n - outside)
    tally(ledger.droppedEvents, 'outOfBounds', outside)
    return n
  }
  return selectingFilter('background activity', select)
}
