// SPIF over UDP: 32-bit little-endian words of an event each, with or without a 32-bit time after it. No datagram carries a number, so
// lost ones cannot be counted. See docs/events.md, "SPIF".

import { appendEvent, reserve } from '../batch.js'
import { type DecoderOptions, decoderOf, type EventDecoder, type Parser, type ParserState } from '../decoder.js'
import { type EncoderOptions, type EncodingSteps, type EventEncoder, encoderOf } from '../encoder.js'
import { u32le } from '../formats/words.js'
import { tally } from '../ledger.js'

/** Bit 31: no time follows; x in bits 30..16, ON in bit 15, y in bits 14..0. */
const NO_TIME = 0x80000000
const LOOP_MICROS = 2 ** 32

interface SpifState extends ParserState {
  /** raw time of the last event, -1 before the first, and the microseconds of completed loops */
  lastTime: number
  loopMicros: number
}

const parser: Parser<SpifState> = {
  bounds: { width: 32768, height: 32768 },
  create: (options) => ({ geometry: options.geometry ?? null, lastTime: -1, loopMicros: 0 }),
  parse: (state, bytes, start, end, sink) => {
    let at = start
    let untimed = 0
    const now = sink.nowMicros()
    reserve(sink.columns, (end - at) >> 2)
    while (end - at >= 4) {
      const word = u32le(bytes, at)
      const length = word >= NO_TIME ? 4 : 8
      if (end - at < length) break
      let time = now
      if (length === 4) untimed++
      else {
        const raw = u32le(bytes, at + 4)
        if (raw < state.lastTime - LOOP_MICROS / 2) {
          state.loopMicros += LOOP_MICROS
          tally(sink.ledger.faults, 'timeWrap')
        }
        state.lastTime = raw
        time = state.loopMicros + raw
      }
      appendEvent(sink.columns, time, (word >>> 16) & 0x7fff, word & 0x7fff, (word >>> 15) & 1)
      at += length
    }
    tally(sink.ledger.faults, 'hostTime', untimed)
    sink.ledger.eventBytes += at - start
    return at
  },
}

export const createSpifDecoder = (options: DecoderOptions = {}): EventDecoder => decoderOf(parser, options)

const steps = (): EncodingSteps => {
  let last = -1
  return {
    maxX: 32767,
    maxY: 32767,
    maxLoops: { periodMicros: (LOOP_MICROS - 1) / 65536 },
    begin: () => {},
    events: ({ timeMicros, x, y, polarity }, from, to, out, drop) => {
      for (let i = from; i < to; i++) {
        const time = timeMicros[i] as number
        if (last >= 0 && Math.abs(time - last) > LOOP_MICROS / 2) {
          drop('timeGap')
          continue
        }
        if (Math.floor(time / LOOP_MICROS) < Math.floor(last / LOOP_MICROS)) {
          drop('nonMonotonic')
          continue
        }
        last = time
        out.u32(((x[i] as number) << 16) | ((polarity[i] as number) << 15) | (y[i] as number))
        out.u32(time % LOOP_MICROS)
      }
    },
  }
}

/** Writes every event with its time, eight bytes each. */
export const createSpifEncoder = (options: EncoderOptions): EventEncoder => encoderOf(steps(), options)
