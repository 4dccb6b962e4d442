// AEDAT 4 (DV): a magic line, a FlatBuffer header with an XML description of the streams, then packets of compressed FlatBuffers.
// Without the magic line it is DV's network stream. See docs/events.md, "AEDAT 4".

import { decompress as decompressZstd } from 'fzstd'
import { type Geometry, reserve } from '../batch.js'
import { type DecoderOptions, decoderOf, type EventDecoder, type OtherRecord, type Parser, type ParserState, type Sink } from '../decoder.js'
import { type ByteWriter, createByteWriter, type EncoderOptions, type EncodingSteps, type EventEncoder, encoderOf } from '../encoder.js'
import { tally } from '../ledger.js'
import { buildVectorBuffer, readI8, readI16, readI32, readI64, readString, readTables, readVector, rootTable, type Table } from './flatbuffer.js'
import { compressLz4Frame, decompressLz4Frame, LZ4_MAGIC } from './lz4.js'
import { ascii, BLOCK_BYTES, hasMarker, i32le, loadWords, textOf, u32le, words32 } from './words.js'

type Compression = 'none' | 'lz4' | 'zstd'

/** A stream of the header: its id, its FlatBuffer identifier and, for events and frames, its size. */
interface Stream {
  id: number
  type: string
  geometry: Geometry | null
}

interface Aedat4State extends ParserState {
  isHeaderDone: boolean
  isMagicDone: boolean
  compression: Compression
  /** byte offset of the table of packets at the end of the file, -1 where the writer left none */
  tablePosition: number
  /** bytes of the recording consumed so far */
  offset: number
  streams: Stream[]
  /** the event stream to deliver, null until known */
  streamId: number | null
}

const MAGIC = ascii('#!AER-DAT4.0\r\n')
const ZSTD_MAGIC = 0xfd2fb528 | 0
const LARGEST_HEADER_BYTES = 2 ** 24
const LARGEST_PACKET_BYTES = 2 ** 28
const EVENT_BYTES = 16

export const isAedat4 = (head: Uint8Array): boolean => hasMarker(head, 0, MAGIC)

// ---- header ----

const attribute = (xml: string, key: string): string | null => xml.match(new RegExp(`<attr key="${key}"[^>]*>([^<]*)</attr>`))?.[1] ?? null

const geometryOf = (xml: string): Geometry | null => {
  const width = Number(attribute(xml, 'sizeX'))
  const height = Number(attribute(xml, 'sizeY'))
  return Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0 && width <= 65536 && height <= 65536 ? { width, height } : null
}

/** The streams of the XML description: nodes whose path ends in outInfo/<id>/. */
const readStreams = (xml: string): Stream[] =>
  xml
    .split(/<node name="\d+" path="[^"]*\/outInfo\//)
    .slice(1)
    .map((part) => ({ id: Number.parseInt(part, 10), type: attribute(part, 'typeIdentifier') ?? '', geometry: geometryOf(part) }))

const COMPRESSIONS: readonly Compression[] = ['none', 'lz4', 'lz4', 'zstd', 'zstd']

/** Takes the header FlatBuffer; a damaged one leaves the defaults, packets are then read by their own marks. */
const takeHeader = (state: Aedat4State, bytes: Uint8Array): void => {
  const table = rootTable(bytes, 'IOHE')
  if (table === null) return
  state.compression = COMPRESSIONS[readI32(table, 0)] ?? 'none'
  state.tablePosition = readI64(table, 1, -1)
  state.streams = readStreams(readString(table, 2) ?? '')
  const events = state.streams.find((stream) => (state.streamId === null ? stream.type === 'EVTS' : stream.id === state.streamId))
  state.streamId ??= events?.id ?? null
  state.geometry ??= events?.geometry ?? null
}

/** Reads the magic line and the header; returns the start of what is not complete. */
const readHead = (state: Aedat4State, bytes: Uint8Array, start: number, end: number, sink: Sink): number => {
  let at = start
  if (!state.isMagicDone) {
    if (end - at < MAGIC.length) return at
    state.isMagicDone = true
    if (hasMarker(bytes, at, MAGIC)) at += MAGIC.length
  }
  const length = end - at >= 4 ? u32le(bytes, at) : 0
  if (length > LARGEST_HEADER_BYTES) state.isHeaderDone = true
  else if (end - at >= 4 && end - at >= 4 + length) {
    takeHeader(state, bytes.subarray(at + 4, at + 4 + length))
    state.isHeaderDone = true
    at += 4 + length
  }
  tally(sink.ledger.otherBytes, 'header', at - start)
  return at
}

// ---- packets ----

/** Bytes of a packet's head (stream id, size) and of the marks looked at to recognise one. */
const HEAD_BYTES = 8
const MARK_BYTES = 12

/** True where a packet may begin: a known stream, a possible size and the right mark of its compression. */
const isPacketHead = (state: Aedat4State, bytes: Uint8Array, at: number): boolean => {
  const id = i32le(bytes, at)
  const size = u32le(bytes, at + 4)
  const isKnown = state.streams.length > 0 ? state.streams.some((stream) => stream.id === id) : id >= 0 && id < 1024
  if (!isKnown || size < 8 || size > LARGEST_PACKET_BYTES) return false
  const mark = i32le(bytes, at + 8)
  if (state.compression === 'lz4') return mark === LZ4_MAGIC
  return state.compression === 'zstd' ? mark === ZSTD_MAGIC : mark === size - 4
}

/** The content size a zstd frame states is not trusted beyond the packet limit. */
const zstdOrNull = (bytes: Uint8Array): Uint8Array | null => {
  try {
    const flags = bytes[4] as number
    const sizeAt = 5 + (flags & 32 ? 0 : 1) + ([0, 1, 2, 4][flags & 3] as number)
    if (flags >>> 6 >= 2 && sizeAt + 4 <= bytes.length && u32le(bytes, sizeAt) > LARGEST_PACKET_BYTES) return null
    if (flags >>> 6 === 3 && sizeAt + 8 <= bytes.length && u32le(bytes, sizeAt + 4) !== 0) return null
    if ((flags & 32) === 0 && (bytes[5] as number) >>> 3 > 18) return null
    return decompressZstd(bytes)
  } catch {
    return null
  }
}

const DECOMPRESS: Readonly<Record<Compression, (bytes: Uint8Array) => Uint8Array | null>> = {
  none: (bytes) => bytes,
  lz4: decompressLz4Frame,
  zstd: zstdOrNull,
}

/** Events as structs of i64 time, i16 x, i16 y, u8 on, 3 unused; a negative coordinate is out of bounds. */
const takeEvents = (bytes: Uint8Array, start: number, count: number, sink: Sink): void => {
  reserve(sink.columns, count)
  const { timeMicros, x, y, polarity } = sink.columns
  let n = sink.columns.count
  const perBlock = BLOCK_BYTES / EVENT_BYTES
  for (let done = 0; done < count; done += perBlock) {
    const block = Math.min(perBlock, count - done)
    loadWords(bytes, start + done * EVENT_BYTES, block * EVENT_BYTES, 4)
    for (let i = 0; i < block; i++) {
      const position = words32[4 * i + 2] as number
      timeMicros[n] = (words32[4 * i + 1] as number) * 4294967296 + ((words32[4 * i] as number) >>> 0)
      x[n] = position & 0xffff
      y[n] = position >>> 16
      polarity[n] = ((words32[4 * i + 3] as number) & 255) === 0 ? 0 : 1
      n++
    }
  }
  sink.columns.count = n
}

const takeEventPacket = (state: Aedat4State, id: number, table: Table, size: number, sink: Sink): boolean => {
  const vector = readVector(table, 0, EVENT_BYTES)
  if (vector === null) return false
  sink.ledger.eventBytes += size
  state.streamId ??= id
  if (id === state.streamId) takeEvents(table.bytes, vector.at, vector.count, sink)
  else tally(sink.ledger.droppedEvents, 'otherStream', vector.count)
  return true
}

/** Channels of a frame's format code. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 16: 3, 24: 4 }

const frameRecord = (table: Table): OtherRecord | null => {
  const pixels = readVector(table, 10, 1)
  const channels = CHANNELS[readI8(table, 5)]
  if (pixels === null || channels === undefined) return null
  const frame = { width: readI16(table, 6), height: readI16(table, 7), channels }
  return { kind: 'frame', timeMicros: readI64(table, 0), bytes: table.bytes.slice(pixels.at, pixels.at + pixels.count), frame }
}

const takeFramePacket = (table: Table, size: number, sink: Sink): boolean => {
  const record = frameRecord(table)
  if (record === null) return false
  tally(sink.ledger.otherBytes, 'frame', size)
  tally(sink.ledger.records, 'frame')
  if (sink.wantsRecords) sink.records.push(record)
  return true
}

/** Sources 1, 2, 3: rising, falling, pulse of the external input; 4, 5: rising, falling of the generator (channel 1). */
const EDGES: Readonly<Record<number, readonly [number, number]>> = { 1: [0, 1], 2: [0, 0], 3: [0, 1], 4: [1, 1], 5: [1, 0] }

const takeTriggerPacket = (table: Table, size: number, sink: Sink): boolean => {
  const triggers = readTables(table, 0)
  if (triggers === null) return false
  tally(sink.ledger.otherBytes, 'trigger', size)
  for (const trigger of triggers) {
    const edge = EDGES[readI8(trigger, 1)]
    if (edge === undefined) tally(sink.ledger.records, 'special')
    else sink.triggers.push([readI64(trigger, 0), ...edge])
  }
  return true
}

const takeImuPacket = (table: Table, size: number, sink: Sink): boolean => {
  const samples = readTables(table, 0)
  if (samples === null) return false
  tally(sink.ledger.otherBytes, 'imu', size)
  tally(sink.ledger.records, 'imu', samples.length)
  const [first] = samples
  if (sink.wantsRecords && first !== undefined) sink.records.push({ kind: 'imu', timeMicros: readI64(first, 0), bytes: table.bytes.slice() })
  return true
}

/** Takes a decompressed payload (size-prefixed); false where it is damaged. */
const takePayload = (state: Aedat4State, id: number, payload: Uint8Array, size: number, sink: Sink): boolean => {
  const bytes = payload.subarray(4)
  if (bytes.length < 8) return false
  const type = textOf(bytes, 4, 8)
  const table = rootTable(bytes, type)
  if (table === null) return false
  if (type === 'EVTS') return takeEventPacket(state, id, table, size, sink)
  if (type === 'FRME') return takeFramePacket(table, size, sink)
  if (type === 'TRIG') return takeTriggerPacket(table, size, sink)
  if (type === 'IMUS') return takeImuPacket(table, size, sink)
  tally(sink.ledger.otherBytes, 'otherPacket', size)
  tally(sink.ledger.records, 'other')
  return true
}

/** Consumes packets while they are whole; bytes that cannot begin a packet are dropped one at a time. */
const takePackets = (state: Aedat4State, bytes: Uint8Array, start: number, end: number, sink: Sink): number => {
  let at = start
  const isBeforeTable = (): boolean => state.tablePosition < 0 || state.offset + (at - start) < state.tablePosition
  while (end - at >= MARK_BYTES && isBeforeTable()) {
    if (!isPacketHead(state, bytes, at)) {
      tally(sink.ledger.droppedBytes, 'unsynchronised')
      at++
      continue
    }
    const size = HEAD_BYTES + u32le(bytes, at + 4)
    if (end - at < size) break
    const payload = DECOMPRESS[state.compression](bytes.subarray(at + HEAD_BYTES, at + size))
    const isTaken = payload !== null && takePayload(state, i32le(bytes, at), payload, size, sink)
    if (!isTaken) tally(sink.ledger.droppedBytes, 'corruptPacket', size)
    at += size
  }
  if (!isBeforeTable()) {
    tally(sink.ledger.otherBytes, 'table', end - at)
    return end
  }
  return at
}

const parser: Parser<Aedat4State> = {
  // Coordinates are signed in the file: a negative one reads as 32768 or more.
  bounds: { width: 32768, height: 32768 },
  create: (options) => ({
    geometry: options.geometry ?? null,
    isHeaderDone: false,
    isMagicDone: false,
    compression: 'lz4',
    tablePosition: -1,
    offset: 0,
    streams: [],
    streamId: options.streamId ?? null,
  }),
  parse: (state, bytes, start, end, sink) => {
    let at = start
    if (!state.isHeaderDone) {
      at = readHead(state, bytes, start, end, sink)
      state.offset += at - start
      if (!state.isHeaderDone) return at
    }
    const next = takePackets(state, bytes, at, end, sink)
    state.offset += next - at
    return next
  },
}

export const createAedat4Decoder = (options: DecoderOptions = {}): EventDecoder => decoderOf(parser, options)

// ---- writing ----

const xmlOf = ({ width, height }: Geometry, compression: string): string => `<dv version="2.0">
    <node name="outInfo" path="/mainloop/Recorder/outInfo/">
        <node name="0" path="/mainloop/Recorder/outInfo/0/">
            <attr key="compression" type="string">${compression}</attr>
            <attr key="originalModuleName" type="string">spikeport</attr>
            <attr key="originalOutputName" type="string">events</attr>
            <attr key="typeDescription" type="string">Array of events (polarity ON/OFF).</attr>
            <attr key="typeIdentifier" type="string">EVTS</attr>
            <node name="info" path="/mainloop/Recorder/outInfo/0/info/">
                <attr key="sizeX" type="int">${width}</attr>
                <attr key="sizeY" type="int">${height}</attr>
                <attr key="source" type="string">spikeport</attr>
                <attr key="tsOffset" type="long">0</attr>
            </node>
        </node>
        <node name="1" path="/mainloop/Recorder/outInfo/1/">
            <attr key="compression" type="string">${compression}</attr>
            <attr key="originalModuleName" type="string">spikeport</attr>
            <attr key="originalOutputName" type="string">triggers</attr>
            <attr key="typeDescription" type="string">Array of special triggers.</attr>
            <attr key="typeIdentifier" type="string">TRIG</attr>
            <node name="info" path="/mainloop/Recorder/outInfo/1/info/">
                <attr key="source" type="string">spikeport</attr>
            </node>
        </node>
    </node>
</dv>
`

/** The header buffer: a table of compression, table position (-1: a stream cannot know it) and the description. */
const headerBuffer = (xml: string, compression: number): Uint8Array => {
  const text = ascii(xml)
  const bytes = new Uint8Array(48 + Math.ceil((text.length + 5) / 4) * 4)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 24, true)
  bytes.set(ascii('IOHE'), 4)
  for (const [i, value] of [10, 20, 4, 8, 16].entries()) view.setUint16(14 + 2 * i, value, true)
  view.setInt32(24, 10, true)
  view.setInt32(28, compression, true)
  view.setBigInt64(32, -1n, true)
  view.setUint32(40, 4, true)
  view.setUint32(44, text.length, true)
  bytes.set(text, 48)
  return bytes
}

const putPacket = (id: number, buffer: Uint8Array, compression: 'none' | 'lz4', out: ByteWriter): void => {
  const prefixed = createByteWriter(buffer.length + 4)
  prefixed.u32(buffer.length)
  prefixed.bytes(buffer)
  const payload = compression === 'lz4' ? compressLz4Frame(prefixed.take()) : prefixed.take()
  out.u32(id)
  out.u32(payload.length)
  out.bytes(payload)
}

const putI64 = (value: number, out: ByteWriter): void => {
  out.u32(value >>> 0)
  out.u32(Math.floor(value / 4294967296))
}

/** A vector of one trigger table {time, source}. */
const triggerBuffer = (timeMicros: number, source: number): Uint8Array => {
  const element = createByteWriter(64)
  // offset to the table | vtable (8 bytes: sizes and two fields) | table: offset to the vtable, source, time
  element.u32(12)
  for (const value of [8, 16, 8, 4]) element.u16(value)
  element.u32(8)
  element.u32(source)
  putI64(timeMicros, element)
  return buildVectorBuffer('TRIG', element.take(), 1)
}

const PACKET_EVENTS = 4096

const stepsWith = (magic: Uint8Array, options: EncoderOptions): EncodingSteps => {
  const compression = options.compression ?? 'lz4'
  return {
    maxX: 32767,
    maxY: 32767,
    begin: (out) => {
      const header = headerBuffer(xmlOf(options.geometry, compression.toUpperCase()), compression === 'lz4' ? 1 : 0)
      out.bytes(magic)
      out.u32(header.length)
      out.bytes(header)
    },
    events: ({ timeMicros, x, y, polarity }, from, to, out) => {
      for (let start = from; start < to; start += PACKET_EVENTS) {
        const end = Math.min(start + PACKET_EVENTS, to)
        const elements = createByteWriter(EVENT_BYTES * (end - start))
        for (let i = start; i < end; i++) {
          putI64(timeMicros[i] as number, elements)
          elements.u16(x[i] as number)
          elements.u16(y[i] as number)
          elements.u32(polarity[i] as number)
        }
        putPacket(0, buildVectorBuffer('EVTS', elements.take(), end - start), compression, out)
      }
    },
    trigger: (timeMicros, channel, value, out) => {
      if (channel > 1) return false
      putPacket(1, triggerBuffer(timeMicros, channel === 0 ? 2 - value : 5 - value), compression, out)
      return true
    },
  }
}

export const createAedat4Encoder = (options: EncoderOptions): EventEncoder => encoderOf(stepsWith(MAGIC, options), options)

/** DV's network stream: the same without the magic line. */
export const createDvNetworkEncoder = (options: EncoderOptions): EventEncoder => encoderOf(stepsWith(new Uint8Array(0), options), options)
