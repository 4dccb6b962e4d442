// AEDAT 1.0 and 2.0 (jAER): "#" header lines, then big-endian address and signed time stamp. Coordinates are turned to count from
// the top left: the address counts rows from the bottom and columns from the right. See docs/events.md, "AEDAT 2".

import { appendEvent, type Geometry, reserve } from '../batch.js'
import { type DecoderOptions, decoderOf, type EventDecoder, type Parser, type ParserState, type Sink } from '../decoder.js'
import { type EncoderOptions, type EncodingSteps, type EventEncoder, encoderOf } from '../encoder.js'
import { tally } from '../ledger.js'
import { type HeaderState, readHeader } from './header-lines.js'

type Sensor = 'dvs128' | 'davis240' | 'davis346'

const GEOMETRIES: Readonly<Record<Sensor, Geometry>> = {
  dvs128: { width: 128, height: 128 },
  davis240: { width: 240, height: 180 },
  davis346: { width: 346, height: 260 },
}

interface Aedat2State extends ParserState, HeaderState {
  sensor: Sensor | null
  /** bytes of the address: 2 in AEDAT 1.0 and headerless files, 4 in AEDAT 2.0 */
  addressBytes: 2 | 4
  /** last raw (signed) time, null before the first, and the microseconds of completed loops of 2^32 us */
  lastTime: number | null
  loopMicros: number
}

const LOOP_MICROS = 2 ** 32

const SENSOR_MARKS: readonly (readonly [RegExp, Sensor])[] = [
  [/AEChip:.*DVS128|HardwareInterface:.*DVS128/i, 'dvs128'],
  [/AEChip:.*DAVIS240/i, 'davis240'],
  [/AEChip:.*DAVIS346/i, 'davis346'],
]

/** Takes one header line (without "#"); true where it ends the header. */
const takeHeaderText = (state: Aedat2State, text: string): boolean => {
  if (state.headerLines === 1) state.addressBytes = text.startsWith('!AER-DAT2') ? 4 : 2
  state.sensor ??= SENSOR_MARKS.find(([pattern]) => pattern.test(text))?.[1] ?? null
  return text.trim() === 'End Of ASCII Header'
}

const unwrap = (state: Aedat2State, time: number, sink: Sink): number => {
  if (state.lastTime !== null && time < state.lastTime - LOOP_MICROS / 2) {
    state.loopMicros += LOOP_MICROS
    tally(sink.ledger.faults, 'timeWrap')
  }
  state.lastTime = time
  return state.loopMicros + time
}

/** DVS128: bit 0 clear = ON, column from the right in bits 7..1, row from the bottom in bits 14..8, bit 15 = special (sync). */
const takeDvs128 = (address: number, timeMicros: number, recordBytes: number, sink: Sink): void => {
  if ((address & 0xffff0000) !== 0) {
    tally(sink.ledger.droppedBytes, 'unknownAddress', recordBytes)
    return
  }
  if ((address & 0x8000) !== 0) {
    takeSpecial(timeMicros, recordBytes, sink)
    return
  }
  sink.ledger.eventBytes += recordBytes
  appendEvent(sink.columns, timeMicros, 127 - ((address >>> 1) & 127), 127 - ((address >>> 8) & 127), (address & 1) ^ 1)
}

/** DAVIS: bit 31 = frame or IMU sample, bit 10 = external input; row from the bottom in bits 30..22, column from the right in 21..12, bit 11 = ON. */
const takeDavis = (address: number, timeMicros: number, recordBytes: number, { width, height }: Geometry, sink: Sink): void => {
  if (address < 0) {
    tally(sink.ledger.otherBytes, 'frameOrImu', recordBytes)
    tally(sink.ledger.records, 'frameOrImu')
    return
  }
  if ((address & 0x400) !== 0) {
    takeSpecial(timeMicros, recordBytes, sink)
    return
  }
  sink.ledger.eventBytes += recordBytes
  const x = width - 1 - ((address >>> 12) & 0x3ff)
  const y = height - 1 - ((address >>> 22) & 0x1ff)
  if (x < 0 || y < 0) {
    tally(sink.ledger.droppedEvents, 'outOfBounds')
    return
  }
  appendEvent(sink.columns, timeMicros, x, y, (address >>> 11) & 1)
}

/** An edge of the external input; the format does not tell which. */
const takeSpecial = (timeMicros: number, recordBytes: number, sink: Sink): void => {
  tally(sink.ledger.otherBytes, 'trigger', recordBytes)
  sink.triggers.push([timeMicros, 0, 1])
}

const u16be = (bytes: Uint8Array, at: number): number => ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
const i32be = (bytes: Uint8Array, at: number): number => (u16be(bytes, at) << 16) | u16be(bytes, at + 2)

const takeRecords = (state: Aedat2State, bytes: Uint8Array, start: number, end: number, sink: Sink): number => {
  const { addressBytes } = state
  const recordBytes = addressBytes + 4
  const sensor = state.sensor ?? 'dvs128'
  const geometry = GEOMETRIES[sensor]
  reserve(sink.columns, Math.floor((end - start) / recordBytes))
  let at = start
  for (; end - at >= recordBytes; at += recordBytes) {
    const address = addressBytes === 4 ? i32be(bytes, at) : u16be(bytes, at)
    const timeMicros = unwrap(state, i32be(bytes, at + addressBytes), sink)
    if (sensor === 'dvs128') takeDvs128(address, timeMicros, recordBytes, sink)
    else takeDavis(address, timeMicros, recordBytes, geometry, sink)
  }
  return at
}

const parser: Parser<Aedat2State> = {
  create: (options) => ({
    geometry: options.geometry ?? null,
    isHeaderDone: false,
    headerLines: 0,
    sensor: options.sensor ?? null,
    addressBytes: 2,
    lastTime: null,
    loopMicros: 0,
  }),
  parse: (state, bytes, start, end, sink) => {
    const at = readHeader(state, bytes, start, end, sink, '#', (text) => takeHeaderText(state, text))
    if (!state.isHeaderDone) return at
    state.geometry ??= GEOMETRIES[state.sensor ?? 'dvs128']
    return takeRecords(state, bytes, at, end, sink)
  },
}

export const createAedat2Decoder = (options: DecoderOptions = {}): EventDecoder => decoderOf(parser, options)

const sensorFor = (options: EncoderOptions): Sensor => {
  if (options.sensor !== undefined) return options.sensor
  const { width, height } = options.geometry
  if (width <= 128 && height <= 128) return 'dvs128'
  return width <= 240 && height <= 180 ? 'davis240' : 'davis346'
}

const CHIPS: Readonly<Record<Sensor, string>> = {
  dvs128: 'ch.unizh.ini.jaer.chip.retina.DVS128',
  davis240: 'eu.seebetter.ini.chips.davis.DAVIS240C',
  davis346: 'eu.seebetter.ini.chips.davis.Davis346blue',
}

const addressOf = (sensor: Sensor, x: number, y: number, on: number): number => {
  if (sensor === 'dvs128') return ((127 - y) << 8) | ((127 - x) << 1) | (on ^ 1)
  const { width, height } = GEOMETRIES[sensor]
  return ((height - 1 - y) << 22) | ((width - 1 - x) << 12) | (on << 11)
}

const loopOf = (micros: number): number => Math.floor((micros + LOOP_MICROS / 2) / LOOP_MICROS)

/** True where a reader of signed 32-bit stamps unwraps the step right: less than half the range, steps back within one loop. */
const isReadable = (last: number, time: number): boolean =>
  time >= last ? time - last < LOOP_MICROS / 2 : loopOf(time) === loopOf(last) && last - time <= LOOP_MICROS / 2

/** A word with its bytes in reverse order. */
const swapped = (word: number): number => (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)

const steps = (options: EncoderOptions): EncodingSteps => {
  const sensor = sensorFor(options)
  const { width, height } = GEOMETRIES[sensor]
  let last: number | null = null
  return {
    maxX: width - 1,
    maxY: height - 1,
    maxLoops: { periodMicros: 2 ** 31 / 65536 },
    begin: (out) =>
      out.text(
        `#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n# Data format is int32 address, int32 timestamp (8 bytes total), repeated for each event\r\n# Timestamps tick is 1 us\r\n# AEChip: ${CHIPS[sensor]}\r\n#End Of ASCII Header\r\n`,
      ),
    events: ({ timeMicros, x, y, polarity }, from, to, out, drop) => {
      for (let i = from; i < to; i++) {
        const time = timeMicros[i] as number
        if (last !== null && !isReadable(last, time)) {
          drop(time < last ? 'nonMonotonic' : 'timeGap')
          continue
        }
        last = time
        const address = addressOf(sensor, x[i] as number, y[i] as number, polarity[i] as number)
        out.u32(swapped(address))
        out.u32(swapped(time | 0))
      }
    },
  }
}

export const createAedat2Encoder = (options: EncoderOptions): EventEncoder => encoderOf(steps(options), options)
