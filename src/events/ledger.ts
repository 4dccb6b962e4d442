// The ledger of one stage: every byte and every event that went in is accounted for, by name. Decoders, encoders, filters and
// windows all keep one; `ledgerImbalance` states the law that the tests hold them to. See docs/events.md, "The ledger".

/** Counts by name; names are lowerCamelCase and fixed per stage. */
export type Tally = Record<string, number>

/**
 * What a stage did so far. Fields that a stage has no use for stay 0 or empty.
 * Law: bytesIn = eventBytes + sum(otherBytes) + sum(droppedBytes) + pendingBytes, and
 * eventsIn = eventsOut + sum(droppedEvents) + heldEvents.
 */
export interface Ledger {
  bytesIn: number
  /** bytes of records that carry events, delivered or not */
  eventBytes: number
  /** bytes of well-formed records that are no events: header, time, trigger, frame, ... */
  otherBytes: Tally
  /** bytes that were not understood, by reason: unknownWord, truncated, corruptPacket, ... */
  droppedBytes: Tally
  /** bytes held back because their record is not complete yet; 0 after end() */
  pendingBytes: number
  bytesOut: number
  eventsIn: number
  eventsOut: number
  /** events that were read and not delivered, by reason: beforeTimeBase, outOfBounds, ... */
  droppedEvents: Tally
  /** events taken in and not given out yet (windows); 0 after end() */
  heldEvents: number
  /** records that are no events, by kind: trigger, frame, imu, message, ... */
  records: Tally
  /** oddities that lost nothing: nonMonotonic, clamped, timeWrap, ... */
  faults: Tally
}

export const createLedger = (): Ledger => ({
  bytesIn: 0,
  eventBytes: 0,
  otherBytes: {},
  droppedBytes: {},
  pendingBytes: 0,
  bytesOut: 0,
  eventsIn: 0,
  eventsOut: 0,
  droppedEvents: {},
  heldEvents: 0,
  records: {},
  faults: {},
})

/** Adds `amount` to a name of a tally; adding 0 leaves no trace. */
export const tally = (counts: Tally, name: string, amount = 1): void => {
  if (amount !== 0) counts[name] = (counts[name] ?? 0) + amount
}

/** The sum over all names. */
export const tallied = (counts: Readonly<Tally>): number => Object.values(counts).reduce((sum, count) => sum + count, 0)

/** What does not add up in a ledger, or null where everything does. */
export const ledgerImbalance = (ledger: Readonly<Ledger>): string | null => {
  const bytes = ledger.eventBytes + tallied(ledger.otherBytes) + tallied(ledger.droppedBytes) + ledger.pendingBytes
  if (bytes !== ledger.bytesIn) return `${ledger.bytesIn} bytes in, ${bytes} accounted for`
  const events = ledger.eventsOut + tallied(ledger.droppedEvents) + ledger.heldEvents
  if (events !== ledger.eventsIn) return `${ledger.eventsIn} events in, ${events} accounted for`
  const counts = [ledger.otherBytes, ledger.droppedBytes, ledger.droppedEvents, ledger.records, ledger.faults].flatMap((part) => Object.entries(part))
  const wrong = counts.find(([, count]) => !Number.isInteger(count) || count < 0)
  return wrong === undefined ? null : `the count of "${wrong[0]}" is ${wrong[1]}`
}

const line = (title: string, counts: Readonly<Tally>): string[] =>
  Object.entries(counts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${title} ${name}: ${count}`)

/** A ledger as lines of text, empty parts left out. */
export const ledgerLines = (ledger: Readonly<Ledger>): string[] => [
  ...(ledger.bytesIn > 0 ? [`bytes in: ${ledger.bytesIn}`, `bytes of events: ${ledger.eventBytes}`] : []),
  ...line('bytes of', ledger.otherBytes),
  ...line('bytes dropped,', ledger.droppedBytes),
  ...(ledger.bytesOut > 0 ? [`bytes out: ${ledger.bytesOut}`] : []),
  `events in: ${ledger.eventsIn}`,
  `events out: ${ledger.eventsOut}`,
  ...line('events dropped,', ledger.droppedEvents),
  ...line('records', ledger.records),
  ...line('noticed', ledger.faults),
]
