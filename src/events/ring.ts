// A bounded buffer of events between a live source and a slower reader: it asks the source to wait, or drops whole batches and counts
// them. Memory is the capacity plus one batch, whatever the source does.

import { type EventBatch, sliceBatch } from './batch.js'
import { createLedger, type Ledger, tally } from './ledger.js'

export interface EventRingOptions {
  /** events held at most; default 2^20 */
  readonly capacityEvents?: number
  /** called with true when three quarters are taken, with false when half is free again */
  readonly onPressure?: (isHigh: boolean) => void
}

export interface EventRing {
  /** eventsIn = eventsOut + droppedEvents.ringFull + heldEvents */
  readonly ledger: Readonly<Ledger>
  /** Takes a batch; what does not fit is dropped and counted as ringFull. */
  push(batch: EventBatch): void
  /** No more comes: readers end after what is held, with the error where one is given. */
  end(error?: unknown): void
  /** The batches, for one reader. */
  readonly batches: AsyncIterable<EventBatch>
}

/** @example for await (const batch of ring.batches) ... */
export const createEventRing = ({ capacityEvents = 2 ** 20, onPressure = () => {} }: EventRingOptions = {}): EventRing => {
  const ledger = createLedger()
  const held: EventBatch[] = []
  let isHigh = false
  let ending: { readonly error: unknown } | null = null
  let wake = (): void => {}

  const report = (): void => {
    const next = isHigh ? ledger.heldEvents * 2 > capacityEvents : ledger.heldEvents * 4 >= capacityEvents * 3
    if (next === isHigh) return
    isHigh = next
    onPressure(isHigh)
  }
  const take = (): EventBatch | undefined => {
    const batch = held.shift()
    if (batch === undefined) return undefined
    ledger.heldEvents -= batch.count
    ledger.eventsOut += batch.count
    report()
    return batch
  }
  async function* read(): AsyncGenerator<EventBatch> {
    for (;;) {
      const batch = take()
      if (batch !== undefined) yield batch
      else if (ending !== null) {
        if (ending.error !== undefined) throw ending.error
        return
      } else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  }
  return {
    ledger,
    batches: { [Symbol.asyncIterator]: read },
    push: (batch) => {
      ledger.eventsIn += batch.count
      const fits = ending === null ? Math.min(batch.count, capacityEvents - ledger.heldEvents) : 0
      tally(ledger.droppedEvents, ending === null ? 'ringFull' : 'afterEnd', batch.count - fits)
      if (fits > 0) held.push(fits === batch.count ? batch : sliceBatch(batch, 0, fits))
      ledger.heldEvents += fits
      report()
      wake()
    },
    end: (error) => {
      ending ??= { error }
      wake()
    },
  }
}
