// A source as the bytes of one HTTP answer: frames are made only as fast as they are taken, so a slow page slows a recording down. A live
// source cannot wait: its viewers have queues of fixed length, and what does not fit is dropped and counted ("viewerBusy").

import { SpikeportError } from '../errors.js'
import { createLedger, type EventBatch, type Ledger, tally } from '../events/index.js'
import { eventFrames, reportFrame } from './frames.js'
import type { Pass, ViewSource } from './source.js'

/** Events that wait for a viewer of a live source at most. */
export const QUEUE_EVENTS = 2 ** 20
/** Events between two reports of the ledger. */
const REPORT_EVENTS = 2 ** 17

const textOf = (error: unknown): string => (error instanceof SpikeportError ? `${error.code}: ${error.message}` : String(error))

/** The frames of a pass, with the ledger every now and then and at the end. */
export async function* answerOf(pass: Pass): AsyncGenerator<Uint8Array> {
  const report = (isEnd: boolean, failure: string | null): Uint8Array => reportFrame({ ledger: pass.ledger, isEnd, failure })
  let sinceReport = 0
  try {
    for await (const batch of pass.batches) {
      yield* eventFrames(batch)
      sinceReport += batch.count
      if (sinceReport < REPORT_EVENTS) continue
      sinceReport = 0
      yield report(false, null)
    }
  } catch (error) {
    yield report(false, textOf(error))
    return
  }
  yield report(true, null)
}

interface Queue {
  readonly batches: EventBatch[]
  events: number
  dropped: number
  wake: () => void
}

/** A live source for any number of viewers. */
export interface Broadcast {
  /** a pass of its own from now on */
  readonly open: () => Pass
  /** reads the source to its end, whether or not someone watches; rejects as the source does */
  readonly run: () => Promise<void>
}

const offer = (queue: Queue, batch: EventBatch, queueEvents: number): void => {
  if (queue.events + batch.count > queueEvents) queue.dropped += batch.count
  else {
    queue.batches.push(batch)
    queue.events += batch.count
  }
  queue.wake()
}

/** Reads a live source once for all who watch. */
export const broadcast = (source: ViewSource, { queueEvents = QUEUE_EVENTS }: { readonly queueEvents?: number } = {}): Broadcast => {
  const queues = new Set<Queue>()
  let ledger: (() => Readonly<Ledger>) | null = null
  let state: { readonly isEnd: boolean; readonly failure: unknown } = { isEnd: false, failure: null }

  const wakeAll = (): void => {
    for (const queue of queues) queue.wake()
  }
  async function* batchesFor(queue: Queue): AsyncGenerator<EventBatch> {
    queues.add(queue)
    try {
      for (;;) {
        const batch = queue.batches.shift()
        if (batch !== undefined) {
          queue.events -= batch.count
          yield batch
        } else if (state.failure !== null) throw state.failure
        else if (state.isEnd) return
        else {
          await new Promise<void>((wake) => {
            queue.wake = wake
          })
        }
      }
    } finally {
      queues.delete(queue)
    }
  }
  const ledgerFor = (queue: Queue): Readonly<Ledger> => {
    const whole = structuredClone(ledger?.() ?? createLedger())
    const droppedEvents = { ...whole.droppedEvents }
    tally(droppedEvents, 'viewerBusy', queue.dropped)
    return { ...whole, droppedEvents, eventsOut: whole.eventsOut - queue.dropped }
  }
  return {
    open: () => {
      const queue: Queue = { batches: [], events: 0, dropped: 0, wake: () => {} }
      return {
        batches: batchesFor(queue),
        get ledger() {
          return ledgerFor(queue)
        },
      }
    },
    run: async () => {
      try {
        const pass = await source.open()
        ledger = () => pass.ledger
        for await (const batch of pass.batches) for (const queue of queues) offer(queue, batch, queueEvents)
        state = { isEnd: true, failure: null }
      } catch (error) {
        state = { isEnd: true, failure: error }
        throw error
      } finally {
        wakeAll()
      }
    },
  }
}
