// Plays a pass at a speed: gives out the events whose time has come and asks for more only when its short queue has room. Whoever is slow slows
// the pass down; nothing is lost here. The clock is handed in.

import { type EventBatch, sliceBatch } from '../events/index.js'

/** Events that wait at most before the pass is asked for more. */
const QUEUE_EVENTS = 2 ** 18
const SLICE_EVENTS = 4096

export interface Player {
  /** true once the pass has ended and everything was given out */
  readonly isDone: boolean
  /** why the pass broke off, null where it did not */
  readonly failure: unknown
  /** time in the recording, microseconds; null before the first event */
  readonly nowMicros: number | null
  /**
   * Moves on by `elapsedMicros` of real time at `speed` (recorded over real time; Infinity: all there is) and gives events to `use` in slices until
   * it says that it has had enough for now.
   */
  advance(elapsedMicros: number, speed: number, use: (events: EventBatch) => boolean): void
  /** stops the pass */
  stop(): void
}

const countUntil = ({ count, timeMicros }: EventBatch, from: number, micros: number): number => {
  let end = from
  while (end < count && end - from < SLICE_EVENTS && (timeMicros[end] as number) <= micros) end++
  return end
}

/** A player of batches in time order. */
export const createPlayer = (batches: AsyncIterable<EventBatch>): Player => {
  const iterator = batches[Symbol.asyncIterator]()
  const queue: EventBatch[] = []
  let queued = 0
  let at = 0
  let now: number | null = null
  let isEnded = false
  let isAsking = false
  let failure: unknown = null

  const fill = async (): Promise<void> => {
    if (isAsking || isEnded) return
    isAsking = true
    try {
      while (queued < QUEUE_EVENTS && !isEnded) {
        const next = await iterator.next()
        if (next.done === true) isEnded = true
        else if (next.value.count > 0) {
          queue.push(next.value)
          queued += next.value.count
        }
      }
    } catch (error) {
      failure = error
      isEnded = true
    } finally {
      isAsking = false
    }
  }
  void fill()

  return {
    get isDone() {
      return isEnded && queue.length === 0
    },
    get failure() {
      return failure
    },
    get nowMicros() {
      return now
    },
    advance: (elapsedMicros, speed, use) => {
      now ??= queue[0]?.timeMicros[0] ?? null
      if (now === null) return void fill()
      const target = speed === Number.POSITIVE_INFINITY ? speed : now + elapsedMicros * speed
      let goesOn = true
      while (goesOn) {
        const batch = queue[0]
        if (batch === undefined) break
        const end = countUntil(batch, at, target)
        if (end === at) break
        goesOn = use(sliceBatch(batch, at, end))
        now = Math.max(now, batch.timeMicros[end - 1] as number)
        queued -= end - at
        at = end
        if (at === batch.count) {
          queue.shift()
          at = 0
        }
      }
      if (goesOn && queue.length > 0 && Number.isFinite(target)) now = Math.max(now, target)
      void fill()
    },
    stop: () => {
      isEnded = true
      queue.length = 0
      queued = 0
      void iterator.return?.(undefined)
    },
  }
}
