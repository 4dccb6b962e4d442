// .dvsd recordings of the eDVS viewer: {version, width, height, time stamp width} and records of eight bytes. Polarity 0 is ON.
// See docs/events.md, "dvsd".

import { appendEvent, reserve } from '../batch.js'
import { type DecoderOptions, decoderOf, type EventDecoder, type Parser, type ParserState, type Sink } from '../decoder.js'
import { type EncoderOptions, type EncodingSteps, type EventEncoder, encoderOf } from '../encoder.js'
import { tally } from '../ledger.js'
import { u32le } from './words.js'

interface DvsdState extends ParserState {
  hasHeader: boolean
  /** range of the stamps in microseconds: 2^16, 2^24 or 2^32 */
  rangeMicros: number
  /** last raw time, -1 before the first, and the microseconds of completed loops */
  lastTime: number
  loopMicros: number
}

const HEADER_BYTES = 4
const RECORD_BYTES = 8
/** Range of the stamps by the header's last byte: 1 = 16 bits, 2 = 24, 3 = 32 (edvsd_viewer); 0 (none) is read as 32. */
const RANGES: readonly number[] = [2 ** 32, 2 ** 16, 2 ** 24, 2 ** 32]

const takeHeader = (state: DvsdState, bytes: Uint8Array, start: number, sink: Sink): number => {
  const [, width = 0, height = 0, stamps = 0] = bytes.subarray(start, start + HEADER_BYTES)
  if (width > 0 && height > 0) state.geometry ??= { width, height }
  state.rangeMicros = RANGES[stamps] ?? 2 ** 32
  state.hasHeader = true
  tally(sink.ledger.otherBytes, 'header', HEADER_BYTES)
  return start + HEADER_BYTES
}

const parser: Parser<DvsdState> = {
  create: (options) => ({ geometry: options.geometry ?? null, hasHeader: false, rangeMicros: 2 ** 32, lastTime: -1, loopMicros: 0 }),
  parse: (state, bytes, start, end, sink) => {
    let at = start
    if (!state.hasHeader) {
      if (end - at < HEADER_BYTES) return at
      at = takeHeader(state, bytes, at, sink)
    }
    const first = at
    reserve(sink.columns, (end - at) >> 3)
    for (; end - at >= RECORD_BYTES; at += RECORD_BYTES) {
      const time = u32le(bytes, at + 4)
      if (time < state.lastTime - state.rangeMicros / 2) {
        state.loopMicros += state.rangeMicros
        tally(sink.ledger.faults, 'timeWrap')
      }
      state.lastTime = time
      appendEvent(sink.columns, state.loopMicros + time, bytes[at] as number, bytes[at + 1] as number, bytes[at + 2] === 0 ? 1 : 0)
    }
    sink.ledger.eventBytes += at - first
    return at
  },
}

export const createDvsdDecoder = (options: DecoderOptions = {}): EventDecoder => decoderOf(parser, options)

const LOOP_MICROS = 2 ** 32

const steps = (options: EncoderOptions): EncodingSteps => {
  let last = -1
  return {
    maxX: 255,
    maxY: 255,
    maxLoops: { periodMicros: LOOP_MICROS / 65536 },
    begin: (out) => {
      for (const byte of [1, Math.min(options.geometry.width, 255), Math.min(options.geometry.height, 255), 3]) out.u8(byte)
    },
    events: ({ timeMicros, x, y, polarity }, from, to, out, drop) => {
      for (let i = from; i < to; i++) {
        const time = timeMicros[i] as number
        const isSameLoop = Math.floor(time / LOOP_MICROS) === Math.floor(last / LOOP_MICROS)
        if (last >= 0 && (time - last > LOOP_MICROS / 2 || (time < last && !(isSameLoop && last - time <= LOOP_MICROS / 2)))) {
          drop(time < last ? 'nonMonotonic' : 'timeGap')
          continue
        }
        last = time
        out.u8(x[i] as number)
        out.u8(y[i] as number)
        out.u16(polarity[i] === 1 ? 0 : 1)
        out.u32(time % LOOP_MICROS)
      }
    },
  }
}

export const createDvsdEncoder = (options: EncoderOptions): EventEncoder => encoderOf(steps(options), options)
