// N-MNIST and N-Caltech101 .bin (also slayer's .bs2): five bytes an event, no header, and a row of 240 that moves the clock.
// See docs/events.md, "N-MNIST".

import { appendEvent, reserve } from '../batch.js'
import { type DecoderOptions, decoderOf, type EventDecoder, type Parser, type ParserState } from '../decoder.js'
import { type EncoderOptions, type EncodingSteps, type EventEncoder, encoderOf } from '../encoder.js'
import { tally } from '../ledger.js'

interface NmnistState extends ParserState {
  /** microseconds that overflow records added */
  addedMicros: number
}

const RECORD_BYTES = 5
/** A record with this row is no event: it adds OVERFLOW_MICROS to its own and every later time. */
const OVERFLOW_ROW = 240
const OVERFLOW_MICROS = 8192
const TIME_LIMIT = 2 ** 23

const parser: Parser<NmnistState> = {
  create: (options) => ({ geometry: options.geometry ?? null, addedMicros: 0 }),
  parse: (state, bytes, start, end, sink) => {
    let at = start
    let overflows = 0
    reserve(sink.columns, Math.floor((end - start) / RECORD_BYTES))
    const first = sink.columns.count
    for (; end - at >= RECORD_BYTES; at += RECORD_BYTES) {
      const row = bytes[at + 1] as number
      if (row === OVERFLOW_ROW) {
        state.addedMicros += OVERFLOW_MICROS
        overflows++
        continue
      }
      const high = bytes[at + 2] as number
      const time = ((high & 0x7f) << 16) | ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number)
      appendEvent(sink.columns, state.addedMicros + time, bytes[at] as number, row, high >>> 7)
    }
    sink.ledger.eventBytes += RECORD_BYTES * (sink.columns.count - first)
    tally(sink.ledger.otherBytes, 'time', RECORD_BYTES * overflows)
    return at
  },
}

export const createNmnistDecoder = (options: DecoderOptions = {}): EventDecoder => decoderOf(parser, options)

const steps = (): EncodingSteps => {
  let added = 0
  return {
    maxX: 255,
    maxY: OVERFLOW_ROW - 1,
    maxLoops: { periodMicros: OVERFLOW_MICROS },
    begin: () => {},
    events: ({ timeMicros, x, y, polarity }, from, to, out, drop) => {
      const put = (column: number, row: number, on: number, time: number): void => {
        out.u8(column)
        out.u8(row)
        out.u8((on << 7) | (time >>> 16))
        out.u8((time >>> 8) & 255)
        out.u8(time & 255)
      }
      for (let i = from; i < to; i++) {
        const time = timeMicros[i] as number
        if (time < added) {
          drop('nonMonotonic')
          continue
        }
        for (; time - added >= TIME_LIMIT; added += OVERFLOW_MICROS) put(0, OVERFLOW_ROW, 0, 0)
        put(x[i] as number, y[i] as number, polarity[i] as number, time - added)
      }
    },
  }
}

export const createNmnistEncoder = (options: EncoderOptions): EventEncoder => encoderOf(steps(), options)

/** A longer pause between two of the first events speaks against the format. */
const LONGEST_PAUSE_MICROS = 2 ** 21

/** True where whole records of the first bytes look like N-MNIST: time never falls by much and every row is at most 240. */
export const looksLikeNmnist = (head: Uint8Array): boolean => {
  const count = Math.min(Math.floor(head.length / RECORD_BYTES), 64)
  let last = 0
  let falls = 0
  for (let i = 0; i < count; i++) {
    const at = i * RECORD_BYTES
    const time = (((head[at + 2] as number) & 0x7f) << 16) | ((head[at + 3] as number) << 8) | (head[at + 4] as number)
    if (head[at + 1] === OVERFLOW_ROW) continue
    if ((head[at + 1] as number) > OVERFLOW_ROW || time - last > LONGEST_PAUSE_MICROS) return false
    if (time < last) falls++
    last = time
  }
  return count >= 8 && falls * 16 <= count
}
