// AEDAT 3.1 and 3.0 (cAER): "#" header lines, then packets of one event type with a 28-byte little-endian head. Packets are read
// record by record, so memory does not grow with their size. See docs/events.md, "AEDAT 3.1".

import { appendEvent, type Geometry, reserve } from '../batch.js'
import { type DecoderOptions, decoderOf, type EventDecoder, type Parser, type ParserState, type Sink } from '../decoder.js'
import { type EncoderOptions, type EncodingSteps, type EventEncoder, encoderOf } from '../encoder.js'
import { tally } from '../ledger.js'
import { type HeaderState, readHeader } from './header-lines.js'
import { i32le, u16le } from './words.js'

/** The rest of the packet being read. */
interface Packet {
  type: number
  eventBytes: number
  timeOffset: number
  overflow: number
  /** records left, then bytes of unused capacity left */
  records: number
  paddingBytes: number
}

interface Aedat3State extends ParserState, HeaderState {
  isVersion30: boolean
  isDatagrams: boolean
  packet: Packet | null
}

const HEAD_BYTES = 28
const SPECIAL = 0
const POLARITY = 1
const FRAME = 2
const LARGEST_RECORD_BYTES = 2 ** 26
const LARGEST_PACKET_BYTES = 2 ** 28

const takeHeaderText = (state: Aedat3State, text: string): boolean => {
  if (text.startsWith('!AER-DAT3.0')) state.isVersion30 = true
  return text.trim() === '!END-HEADER'
}

/** Reads a packet head; null where it cannot be one. */
const readHead = (bytes: Uint8Array, at: number): Packet | null => {
  const type = u16le(bytes, at)
  const eventBytes = i32le(bytes, at + 4)
  const timeOffset = i32le(bytes, at + 8)
  const overflow = i32le(bytes, at + 12)
  const capacity = i32le(bytes, at + 16)
  const records = i32le(bytes, at + 20)
  const valid = i32le(bytes, at + 24)
  const isPossible =
    type < 256 &&
    eventBytes >= 8 &&
    eventBytes <= LARGEST_RECORD_BYTES &&
    timeOffset >= 0 &&
    timeOffset <= eventBytes - 4 &&
    overflow >= 0 &&
    capacity > 0 &&
    records >= 0 &&
    records <= capacity &&
    valid >= 0 &&
    valid <= records &&
    capacity * eventBytes <= LARGEST_PACKET_BYTES
  return isPossible ? { type, eventBytes, timeOffset, overflow, records, paddingBytes: (capacity - records) * eventBytes } : null
}

/** Skips bytes until a packet head is possible; returns its position, or where too few bytes are left. */
const findHead = (state: Aedat3State, bytes: Uint8Array, start: number, end: number, sink: Sink): number => {
  let at = start
  while (end - at >= HEAD_BYTES && state.packet === null) {
    state.packet = readHead(bytes, at)
    if (state.packet === null) at++
  }
  tally(sink.ledger.droppedBytes, 'unsynchronised', at - start)
  if (state.packet === null) return at
  tally(sink.ledger.otherBytes, 'packetHead', HEAD_BYTES)
  return at + HEAD_BYTES
}

const timeAt = (packet: Packet, bytes: Uint8Array, at: number): number => packet.overflow * 2147483648 + i32le(bytes, at)

/** Polarity records: bit 0 valid, bit 1 ON; 3.1: y in bits 16..2, x in 31..17; 3.0: y in 17..4, x in 31..18. */
const takePolarities = (state: Aedat3State, packet: Packet, bytes: Uint8Array, start: number, count: number, sink: Sink): void => {
  const [yShift, yMask, xShift] = state.isVersion30 ? [4, 0x3fff, 18] : [2, 0x7fff, 17]
  let invalid = 0
  reserve(sink.columns, count)
  for (let i = 0; i < count; i++) {
    const at = start + 8 * i
    const word = i32le(bytes, at)
    if ((word & 1) === 0) invalid++
    else appendEvent(sink.columns, timeAt(packet, bytes, at + 4), word >>> xShift, (word >>> yShift) & yMask, (word >>> 1) & 1)
  }
  sink.ledger.eventBytes += 8 * count
  tally(sink.ledger.droppedEvents, 'invalid', invalid)
}

/** Special records: bit 0 valid, type in bits 7..1; types 2, 3, 4 are edges and pulses of the external input. */
const takeSpecial = (packet: Packet, bytes: Uint8Array, at: number, sink: Sink): void => {
  tally(sink.ledger.otherBytes, 'special', packet.eventBytes)
  const word = i32le(bytes, at)
  const type = (word >>> 1) & 127
  if ((word & 1) === 1 && type >= 2 && type <= 4) sink.triggers.push([timeAt(packet, bytes, at + packet.timeOffset), 0, type === 3 ? 0 : 1])
  else tally(sink.ledger.records, 'special')
}

const kindOf = (type: number): 'frame' | 'imu' | 'other' => {
  if (type === FRAME) return 'frame'
  return type === 3 || type === 4 ? 'imu' : 'other'
}

const takeOther = (packet: Packet, bytes: Uint8Array, at: number, sink: Sink): void => {
  if (packet.type === SPECIAL) {
    takeSpecial(packet, bytes, at, sink)
    return
  }
  const kind = kindOf(packet.type)
  tally(sink.ledger.otherBytes, kind, packet.eventBytes)
  tally(sink.ledger.records, kind)
  if (!sink.wantsRecords) return
  sink.records.push({ kind, timeMicros: timeAt(packet, bytes, at + packet.timeOffset), bytes: new Uint8Array(bytes.subarray(at, at + packet.eventBytes)) })
}

/** Reads as many whole records of the packet as are there. */
const takeRecords = (state: Aedat3State, packet: Packet, bytes: Uint8Array, start: number, end: number, sink: Sink): number => {
  const { eventBytes } = packet
  const count = Math.min(packet.records, Math.floor((end - start) / eventBytes))
  packet.records -= count
  if (packet.type === POLARITY && eventBytes === 8) takePolarities(state, packet, bytes, start, count, sink)
  else for (let i = 0; i < count; i++) takeOther(packet, bytes, start + i * eventBytes, sink)
  return start + count * eventBytes
}

const takePadding = (packet: Packet, start: number, end: number, sink: Sink): number => {
  const length = Math.min(packet.paddingBytes, end - start)
  packet.paddingBytes -= length
  tally(sink.ledger.otherBytes, 'padding', length)
  return start + length
}

const parser: Parser<Aedat3State> = {
  create: (options) => ({
    geometry: options.geometry ?? null,
    isHeaderDone: options.isHeaderless === true,
    headerLines: 0,
    isVersion30: false,
    isDatagrams: options.isDatagrams === true,
    packet: null,
  }),
  parse: (state, bytes, start, end, sink) => {
    let at = state.isHeaderDone ? start : readHeader(state, bytes, start, end, sink, '#', (text) => takeHeaderText(state, text))
    // a datagram starts anew, whatever the one before left open
    if (state.isDatagrams) state.packet = null
    if (!state.isHeaderDone) return at
    for (;;) {
      if (state.packet === null) at = findHead(state, bytes, at, end, sink)
      const { packet } = state
      if (packet === null) return at
      at = takeRecords(state, packet, bytes, at, end, sink)
      if (packet.records > 0) return at
      at = takePadding(packet, at, end, sink)
      if (packet.paddingBytes > 0) return at
      state.packet = null
    }
  },
}

export const createAedat3Decoder = (options: DecoderOptions = {}): EventDecoder => decoderOf(parser, options)

/** Events of one packet: one overflow count, at most this many. */
const PACKET_EVENTS = 4096
const OVERFLOW_MICROS = 2 ** 31

const headerText = ({ width, height }: Geometry): string =>
  `#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 0: DVS ${width}x${height}\r\n#Start-Time: 1970-01-01 00:00:00 (TZ+0000)\r\n#!END-HEADER\r\n`

const stepsWith = (header: string): EncodingSteps => ({
  maxX: 0x7fff,
  maxY: 0x7fff,
  begin: (out) => out.text(header),
  events: ({ timeMicros, x, y, polarity }, from, to, out, drop) => {
    for (let i = from; i < to; ) {
      const overflow = Math.floor((timeMicros[i] as number) / OVERFLOW_MICROS)
      let end = i
      while (end < to && end - i < PACKET_EVENTS && Math.floor((timeMicros[end] as number) / OVERFLOW_MICROS) === overflow) end++
      if (overflow > 0x7fffffff) for (let k = i; k < end; k++) drop('timeOutOfRange')
      else {
        out.u16(POLARITY)
        out.u16(0)
        for (const word of [8, 4, overflow, end - i, end - i, end - i]) out.u32(word)
        for (let k = i; k < end; k++) {
          out.u32(((x[k] as number) << 17) | ((y[k] as number) << 2) | ((polarity[k] as number) << 1) | 1)
          out.u32((timeMicros[k] as number) - overflow * OVERFLOW_MICROS)
        }
      }
      i = end
    }
  },
  trigger: (timeMicros, channel, value, out) => {
    const overflow = Math.floor(timeMicros / OVERFLOW_MICROS)
    if (channel !== 0 || overflow > 0x7fffffff) return false
    out.u16(SPECIAL)
    out.u16(0)
    for (const word of [8, 4, overflow, 1, 1, 1]) out.u32(word)
    out.u32(((value === 1 ? 2 : 3) << 1) | 1)
    out.u32(timeMicros - overflow * OVERFLOW_MICROS)
    return true
  },
})

export const createAedat3Encoder = (options: EncoderOptions): EventEncoder => encoderOf(stepsWith(headerText(options.geometry)), options)

/** Packets without the header of a file, as they go over a network. */
export const createAedat3PacketEncoder = (options: EncoderOptions): EventEncoder => encoderOf(stepsWith(''), options)
