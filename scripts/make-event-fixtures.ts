// Makes test/fixtures/events: small recordings of every format, assembled byte by byte from the format descriptions (not by the
// encoders), and expected.json, which states what a decoder must find in each. Run: npx tsx scripts/make-event-fixtures.ts

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

type Row = readonly [number, number, number, number]

/** What a decoder must find; names as in the ledger. Parts left out are empty. */
interface Expected {
  readonly format: string
  readonly geometry: readonly [number, number] | null
  /** [time in microseconds, x, y, polarity] under the fault policy "count" */
  readonly events: readonly Row[]
  readonly triggers?: readonly (readonly [number, number, number])[]
  readonly exposures?: readonly Row[]
  readonly rgb?: readonly number[]
  readonly records?: Readonly<Record<string, number>>
  readonly droppedEvents?: Readonly<Record<string, number>>
  readonly droppedBytes?: Readonly<Record<string, number>>
  readonly otherBytes: Readonly<Record<string, number>>
  readonly eventBytes: number
  readonly faults?: Readonly<Record<string, number>>
}

type Bytes = readonly number[]

const text = (value: string): Bytes => [...value].map((character) => character.charCodeAt(0))
const le = (value: number | bigint, byteCount: number): Bytes =>
  Array.from({ length: byteCount }, (_, i) => Number((BigInt.asUintN(64, BigInt(value)) >> BigInt(8 * i)) & 255n))
const be = (value: number | bigint, byteCount: number): Bytes => [...le(value, byteCount)].reverse()
const repeat = (bytes: Bytes, count: number): Bytes => Array.from({ length: count }, () => bytes).flat()

const root = join(dirname(fileURLToPath(import.meta.url)), '../test/fixtures/events')
const expectations: Record<string, Expected> = {}

const fixture = (name: string, parts: readonly Bytes[], expected: Expected): void => {
  writeFileSync(join(root, name), Uint8Array.from(parts.flat()))
  expectations[name] = expected
}

mkdirSync(root, { recursive: true })

// ---- EVT2: type in bits 31..28, low time 27..22, x 21..11, y 10..0; TIME_HIGH (8) carries time bits 33..6 ----

const evt2Cd = (on: number, low: number, x: number, y: number): Bytes => le((on << 28) | (low << 22) | (x << 11) | y, 4)
const evt2High = (high: number): Bytes => le((8n << 28n) | BigInt(high), 4)
const evt2Header = text('% Date 2024-01-02 03:04:05\n% evt 2.0\n% format EVT2;height=480;width=640\n% geometry 640x480\n% end\n')

fixture(
  'evt2.raw',
  [
    evt2Header,
    evt2Cd(1, 7, 3, 4), // before the first TIME_HIGH
    le((0xan << 28n) | (7n << 22n) | 1n, 4), // a trigger before it
    evt2High(2), // 128 us
    evt2Cd(0, 0, 0, 0),
    evt2Cd(1, 63, 639, 479),
    evt2Cd(1, 63, 640, 0), // outside
    le((0xan << 28n) | (63n << 22n) | (5n << 8n) | 1n, 4), // trigger, channel 5, rising
    le((0xen << 28n) | (63n << 22n) | (1n << 16n) | 0x14n, 4), // OTHERS
    le((0xfn << 28n) | 1234n, 4), // CONTINUED
    le(0xdn << 28n, 4), // IMU
    le(0x5n << 28n, 4), // no such type
    evt2High(3), // 192 us
    evt2Cd(0, 5, 10, 20),
    evt2High(2), // a step back that is no loop
    evt2Cd(0, 1, 11, 21), // 129 us
    evt2High(0xfffffff), // 2^34 - 64 us
    evt2Cd(1, 1, 12, 22),
    evt2High(0), // loop
    evt2Cd(0, 2, 13, 23), // 2^34 + 2 us
    [0x25, 0x20], // half a word
  ],
  {
    format: 'evt2',
    geometry: [640, 480],
    events: [
      [128, 0, 0, 0],
      [191, 639, 479, 1],
      [197, 10, 20, 0],
      [129, 11, 21, 0],
      [17179869121, 12, 22, 1],
      [17179869186, 13, 23, 0],
    ],
    triggers: [[191, 5, 1]],
    records: { trigger: 1, triggerBeforeTimeBase: 1, others: 1, continued: 1, imu: 1 },
    droppedEvents: { beforeTimeBase: 1, outOfBounds: 1 },
    droppedBytes: { unknownWord: 4, truncated: 2 },
    otherBytes: { header: evt2Header.length, time: 20, trigger: 8, others: 4, continued: 4, imu: 4 },
    eventBytes: 32,
    faults: { nonMonotonic: 1, timeWrap: 1 },
  },
)

const evt2OldHeader = text('% Date 2020-09-14 09:03:25\n% plugin_name hal_plugin_gen3_fx3\n% evt 2.0\n')
fixture(
  'evt2-old.raw',
  [
    evt2OldHeader, // no end mark: the first data byte is '%', the next a space
    le(0x80002025, 4), // TIME_HIGH 0x2025
    evt2Cd(1, 1, 5, 6),
  ],
  {
    format: 'evt2',
    geometry: [640, 480],
    events: [[0x2025 * 64 + 1, 5, 6, 1]],
    otherBytes: { header: evt2OldHeader.length, time: 4 },
    eventBytes: 4,
  },
)

// ---- EVT2.1: 64-bit words; type, low time, x (multiple of 32), y as in EVT2 in the upper half, a mask in the lower ----

const evt21Words: readonly (readonly [number, number])[] = [
  [(1 << 28) | (1 << 22) | (64 << 11) | 9, 0b101], // two events before the first TIME_HIGH
  [0x80000000 | 16, 0], // 1,024 us
  [(1 << 28) | (1 << 22) | (64 << 11) | 9, 0x80000005 | 0],
  [(0 << 28) | (2 << 22) | (0 << 11) | 719, 0xffffffff | 0],
  [(1 << 28) | (3 << 22) | (1248 << 11) | 8, 0x80000000 | 0],
  [(0xa << 28) | (3 << 22) | (2 << 8) | 1, 0], // trigger, channel 2, rising
  [(0xe << 28) | (3 << 22) | 0x14, 7], // OTHERS
  [0xf << 28, 8], // CONTINUED
  [0x9 << 28, 0], // no such type
  [0x80000000 | 17, 0],
  [(0 << 28) | (0 << 22) | (32 << 11) | 1, 1],
]
const evt21Expected = (header: Bytes): Expected => ({
  format: 'evt21',
  geometry: [1280, 720],
  events: [
    [1025, 64, 9, 1],
    [1025, 66, 9, 1],
    [1025, 95, 9, 1],
    ...Array.from({ length: 32 }, (_, i): Row => [1026, i, 719, 0]),
    [1027, 1279, 8, 1],
    [1088, 32, 1, 0],
  ],
  triggers: [[1027, 2, 1]],
  records: { trigger: 1, others: 1, continued: 1 },
  droppedEvents: { beforeTimeBase: 2 },
  droppedBytes: { unknownWord: 8, truncated: 3 },
  otherBytes: { header: header.length, time: 16, trigger: 8, others: 8, continued: 8 },
  eventBytes: 40,
})
const evt21Little = (words: typeof evt21Words): Bytes => words.flatMap(([half, mask]) => [...le(mask, 4), ...le(half, 4)])
// Legacy order sends 0x0102030405060708 as 04 03 02 01 08 07 06 05: the type half first.
const evt21Legacy = (words: typeof evt21Words): Bytes => words.flatMap(([half, mask]) => [...le(half, 4), ...le(mask, 4)])
const evt21Header = (extra: string): Bytes => text(`% evt 2.1\n% format EVT21;height=720;width=1280${extra}\n% end\n`)

fixture('evt21-little.raw', [evt21Header(';endianness=little'), evt21Little(evt21Words), [1, 2, 3]], evt21Expected(evt21Header(';endianness=little')))
fixture('evt21-legacy.raw', [evt21Header(';endianness=legacy'), evt21Legacy(evt21Words), [1, 2, 3]], evt21Expected(evt21Header(';endianness=legacy')))
fixture('evt21-legacy-unnamed.raw', [evt21Header(''), evt21Legacy(evt21Words), [1, 2, 3]], evt21Expected(evt21Header('')))
fixture('evt21-little-unnamed.raw', [evt21Header(''), evt21Little(evt21Words), [1, 2, 3]], evt21Expected(evt21Header('')))

// ---- EVT3: 16-bit words, type in bits 15..12 ----

const evt3 = (type: number, value: number): Bytes => le((type << 12) | value, 2)
const evt3Header = text('% evt 3.0\n% format EVT3;height=720;width=1280\n% geometry 1280x720\n% end\n')

fixture(
  'evt3.raw',
  [
    evt3Header,
    evt3(0, 100), // row 100
    evt3(2, 50), // an event before the first TIME_HIGH
    evt3(8, 1), // 4,096 us
    evt3(4, 0b11), // a vector before any base
    evt3(6, 10), // 4,106 us
    evt3(2, 0x800 | 60), // ON at 60
    evt3(0, 719 | 0x800), // row 719, second camera of a pair
    evt3(3, 0x800 | 32), // vector base 32, ON
    evt3(4, 0b100000000001), // 32, 43
    evt3(4, 0b000000000010), // 45
    evt3(5, 0b10000001), // 56, 63
    evt3(2, 1280), // outside
    evt3(0xa, (3 << 8) | 1), // trigger, channel 3, rising
    evt3(0xe, 0x14),
    evt3(7, 5), // CONTINUED_4
    evt3(0xf, 6), // CONTINUED_12
    evt3(0xd, 0), // IMU
    evt3(0xb, 0), // no such type
    evt3(8, 2), // 8,192 us: low bits become 0
    evt3(2, 61),
    evt3(6, 4095), // 12,287 us
    evt3(2, 62),
    evt3(8, 2), // unchanged: low bits stay
    evt3(2, 63),
    evt3(8, 4095), // 16,773,120 us
    evt3(2, 64),
    evt3(8, 4094), // a step back that is no wrap
    evt3(2, 65),
    evt3(8, 0), // wrap
    evt3(6, 1),
    evt3(2, 66), // 2^24 + 1 us
    evt3(3, 2040), // base at the last columns
    evt3(4, 0b100000000001), // 2040 is outside the sensor, 2051 outside the format
    evt3(4, 0b1), // 2052
    [0x25],
  ],
  {
    format: 'evt3',
    geometry: [1280, 720],
    events: [
      [4106, 60, 100, 1],
      [4106, 32, 719, 1],
      [4106, 43, 719, 1],
      [4106, 45, 719, 1],
      [4106, 56, 719, 1],
      [4106, 63, 719, 1],
      [8192, 61, 719, 0],
      [12287, 62, 719, 0],
      [12287, 63, 719, 0],
      [16773120, 64, 719, 0],
      [16769024, 65, 719, 0],
      [16777217, 66, 719, 0],
    ],
    triggers: [[4106, 3, 1]],
    records: { trigger: 1, others: 1, continued: 2, imu: 1 },
    droppedEvents: { beforeTimeBase: 1, beforeVectorBase: 2, outOfBounds: 4 },
    droppedBytes: { unknownWord: 2, truncated: 1 },
    otherBytes: { header: evt3Header.length, time: 18, row: 4, vectorBase: 4, trigger: 2, others: 2, continued: 4, imu: 2 },
    eventBytes: 30,
    faults: { nonMonotonic: 1, timeWrap: 1 },
  },
)

// ---- DAT: u32 time, u32 address ----

const datV2 = (time: number, x: number, y: number, p: number): Bytes => [...le(time, 4), ...le(((p << 28) | (y << 14) | x) >>> 0, 4)]
const datHeader = text('% Data file containing Event2D events.\n% Version 2\n% Width 304\n% Height 240\n')
fixture(
  'dat-v2.dat',
  [
    datHeader,
    [0x0c, 0x08],
    datV2(10, 0, 0, 0),
    datV2(10, 303, 239, 1),
    datV2(9, 1, 2, 1), // a step back
    datV2(11, 304, 0, 1), // outside
    datV2(0xfffffff0, 5, 6, 0),
    datV2(3, 7, 8, 1), // loop
    [1, 2, 3, 4, 5],
  ],
  {
    format: 'dat',
    geometry: [304, 240],
    events: [
      [10, 0, 0, 0],
      [10, 303, 239, 1],
      [9, 1, 2, 1],
      [4294967280, 5, 6, 0],
      [4294967299, 7, 8, 1],
    ],
    droppedEvents: { outOfBounds: 1 },
    droppedBytes: { truncated: 5 },
    otherBytes: { header: datHeader.length + 2 },
    eventBytes: 48,
    faults: { nonMonotonic: 1, timeWrap: 1 },
  },
)

const datV1 = (time: number, x: number, y: number, p: number): Bytes => [...le(time, 4), ...le((p << 17) | (y << 9) | x, 4)]
const datV1Header = text('% Data file containing Event2D events.\n% Date 2015-01-01 00:00:00\n')
fixture('dat-v1.dat', [datV1Header, [0x00, 0x08], datV1(1, 0, 0, 0), datV1(2, 303, 239, 1), datV1(3, 511, 255, 1)], {
  format: 'dat',
  geometry: null,
  events: [
    [1, 0, 0, 0],
    [2, 303, 239, 1],
    [3, 511, 255, 1],
  ],
  otherBytes: { header: datV1Header.length + 2 },
  eventBytes: 24,
})

const datTriggerHeader = text('% Data file containing ExtTrigger events.\n% Version 2\n')
fixture('dat-trigger.dat', [datTriggerHeader, [0x0e, 0x08], le(100, 4), le((6 << 8) | 1, 4), le(200, 4), le(6 << 8, 4)], {
  format: 'dat',
  geometry: null,
  events: [],
  triggers: [
    [100, 6, 1],
    [200, 6, 0],
  ],
  records: { trigger: 2 },
  otherBytes: { header: datTriggerHeader.length + 2, trigger: 16 },
  eventBytes: 0,
})

// ---- AEDAT 1 and 2: big-endian address and signed time; DVS128 rows count from the bottom, columns from the right ----

const dvs128 = (x: number, y: number, on: number): number => ((127 - y) << 8) | ((127 - x) << 1) | (1 - on)
const aedat2Header = text('#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128\r\n')
const aedat2 = (address: number, time: number): Bytes => [...be(BigInt.asUintN(32, BigInt(address)), 4), ...be(BigInt.asUintN(32, BigInt(time)), 4)]
fixture(
  'aedat2-dvs128.aedat',
  [
    aedat2Header,
    aedat2(dvs128(0, 0, 1), 100),
    aedat2(dvs128(127, 0, 0), 200),
    aedat2(dvs128(0, 127, 1), 300),
    aedat2(dvs128(3, 5, 0), 299), // a step back
    aedat2(0x8000, 400), // sync
    aedat2(0x10000, 400), // no such address
    aedat2(dvs128(1, 2, 1), 0x7fffffff),
    aedat2(dvs128(1, 3, 1), -0x7ffffffe), // the signed stamp wrapped
    [1, 2, 3],
  ],
  {
    format: 'aedat2',
    geometry: [128, 128],
    events: [
      [100, 0, 0, 1],
      [200, 127, 0, 0],
      [300, 0, 127, 1],
      [299, 3, 5, 0],
      [2147483647, 1, 2, 1],
      [2147483650, 1, 3, 1],
    ],
    triggers: [[400, 0, 1]],
    records: { trigger: 1 },
    droppedBytes: { unknownAddress: 8, truncated: 3 },
    otherBytes: { header: aedat2Header.length, trigger: 8 },
    eventBytes: 48,
    faults: { nonMonotonic: 1, timeWrap: 1 },
  },
)

const davis = (x: number, y: number, on: number): number => ((259 - y) << 22) | ((345 - x) << 12) | (on << 11)
const aedat2DavisHeader = text('#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.Davis346red\r\n#End Of ASCII Header\r\n')
fixture(
  'aedat2-davis346.aedat',
  [
    aedat2DavisHeader,
    aedat2(0x23000000 | (0x159 << 12), 0), // the first data byte is '#': y raw 140, x raw 345
    aedat2(davis(0, 0, 1), 1),
    aedat2(davis(345, 259, 0), 2),
    aedat2(0x80000000, 3), // frame sample
    aedat2(0x400, 4), // external input
    aedat2(346 << 12, 5), // outside
  ],
  {
    format: 'aedat2',
    geometry: [346, 260],
    events: [
      [0, 0, 119, 0],
      [1, 0, 0, 1],
      [2, 345, 259, 0],
    ],
    triggers: [[4, 0, 1]],
    records: { trigger: 1, frameOrImu: 1 },
    droppedEvents: { outOfBounds: 1 },
    otherBytes: { header: aedat2DavisHeader.length, frameOrImu: 8, trigger: 8 },
    eventBytes: 32,
  },
)

const aedat1Header = text('#!AER-DAT1.0\r\n# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128\r\n')
fixture('aedat1.aedat', [aedat1Header, be(dvs128(9, 8, 1), 2), be(7, 4), be(dvs128(10, 11, 0), 2), be(8, 4)], {
  format: 'aedat2',
  geometry: [128, 128],
  events: [
    [7, 9, 8, 1],
    [8, 10, 11, 0],
  ],
  otherBytes: { header: aedat1Header.length },
  eventBytes: 12,
})

// ---- AEDAT 3: 28-byte packet head, polarity records of 8 bytes ----

const aedat3Head = (type: number, eventBytes: number, timeOffset: number, overflow: number, capacity: number, number_: number, valid: number): Bytes => [
  ...le(type, 2),
  ...le(1, 2),
  ...[eventBytes, timeOffset, overflow, capacity, number_, valid].flatMap((word) => le(word, 4)),
]
const polarity31 = (valid: number, on: number, x: number, y: number, time: number): Bytes => [
  ...le(((x << 17) | (y << 2) | (on << 1) | valid) >>> 0, 4),
  ...le(time, 4),
]
const aedat3Header = text('#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#Start-Time: 2016-01-01 00:00:00 (TZ+0100)\r\n#!END-HEADER\r\n')
fixture(
  'aedat3.aedat',
  [
    aedat3Header,
    aedat3Head(1, 8, 4, 0, 4, 3, 2),
    polarity31(1, 1, 5, 6, 100),
    polarity31(0, 1, 7, 8, 101), // invalid
    polarity31(1, 0, 32767, 0, 102),
    polarity31(1, 1, 1, 1, 1), // capacity that is not used
    aedat3Head(0, 8, 4, 0, 3, 3, 3), // special
    ...[2, 3, 1].flatMap((type, i) => [le((type << 1) | 1, 4), le(110 + i, 4)]), // rising, falling, time stamp reset
    aedat3Head(3, 36, 4, 0, 1, 1, 1), // IMU6
    le(1, 4),
    le(120, 4),
    repeat([0], 28),
    repeat([0xff], 5), // bytes that begin no packet
    aedat3Head(1, 8, 4, 1, 1, 1, 1), // after one overflow of 2^31 us
    polarity31(1, 1, 2, 3, 5),
    aedat3Head(1, 8, 4, 1, 2, 2, 2),
    polarity31(1, 0, 3, 4, 6),
    [1, 2, 3], // the second record is cut off
  ],
  {
    format: 'aedat3',
    geometry: null,
    events: [
      [100, 5, 6, 1],
      [102, 32767, 0, 0],
      [2147483653, 2, 3, 1],
      [2147483654, 3, 4, 0],
    ],
    triggers: [
      [110, 0, 1],
      [111, 0, 0],
    ],
    records: { trigger: 2, special: 1, imu: 1 },
    droppedEvents: { invalid: 1 },
    droppedBytes: { unsynchronised: 5, truncated: 3 },
    otherBytes: { header: aedat3Header.length, packetHead: 140, padding: 8, special: 24, imu: 36 },
    eventBytes: 40,
  },
)

const aedat30Header = text('#!AER-DAT3.0\r\n#!END-HEADER\r\n')
fixture('aedat30.aedat', [aedat30Header, aedat3Head(1, 8, 4, 0, 1, 1, 1), le(((9 << 18) | (10 << 4) | 0b11) >>> 0, 4), le(77, 4)], {
  format: 'aedat3',
  geometry: null,
  events: [[77, 9, 10, 1]],
  otherBytes: { header: aedat30Header.length, packetHead: 28 },
  eventBytes: 8,
})

// ---- AEDAT 4: FlatBuffers in packets of i32 stream, u32 size ----

/** A buffer with one vector in its root table: root offset, identifier, vtable at 8, table at 16, count at 28, elements at 32. */
const vectorBuffer = (identifier: string, count: number, elements: Bytes): Bytes => {
  const body = [
    ...le(16, 4),
    ...text(identifier),
    ...le(6, 2),
    ...le(8, 2),
    ...le(4, 2),
    ...le(0, 2),
    ...le(8, 4),
    ...le(8, 4),
    ...le(0, 4),
    ...le(count, 4),
    ...elements,
  ]
  return [...le(body.length, 4), ...body]
}
const aedat4Event = (time: number, x: number, y: number, on: number): Bytes => [...le(time, 8), ...le(x, 2), ...le(y, 2), on, 0, 0, 0]
/** A vector of one table {i64 time, i8 source}: offset, vtable of two fields, table. */
const triggerElements = (time: number, source: number): Bytes => [
  ...le(12, 4),
  ...[8, 16, 8, 4].flatMap((entry) => le(entry, 2)),
  ...le(8, 4),
  ...le(source, 4),
  ...le(time, 8),
]
/** A frame table: fields 0 (time), 5 (format), 6 (width), 7 (height), 10 (pixels); vtable at 8, table at 36, pixels after it. */
const frameBuffer = (time: number, format: number, width: number, height: number, pixels: Bytes): Bytes => {
  const vtable = [26, 24, 8, 0, 0, 0, 0, 16, 18, 20, 0, 0, 4].flatMap((entry) => le(entry, 2))
  const body = [
    ...le(36, 4),
    ...text('FRME'),
    ...vtable,
    ...le(0, 2),
    ...le(28, 4), // to the vtable
    ...le(20, 4), // to the pixels, from here
    ...le(time, 8),
    format,
    0,
    ...le(width, 2),
    ...le(height, 2),
    ...le(0, 2),
    ...le(pixels.length, 4),
    ...pixels,
  ]
  return [...le(body.length, 4), ...body]
}
const ioHeader = (compression: number, xml: string): Bytes => {
  const body = [
    ...le(24, 4),
    ...text('IOHE'),
    ...le(0, 6),
    ...[10, 20, 4, 8, 16].flatMap((entry) => le(entry, 2)),
    ...le(10, 4), // table at 24, vtable at 14
    ...le(compression, 4),
    ...le(-1, 8),
    ...le(4, 4),
    ...le(xml.length, 4),
    ...text(xml),
    0,
  ]
  return [...text('#!AER-DAT4.0\r\n'), ...le(body.length, 4), ...body]
}
const aedat4Xml = `<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/">${[
  ['0', 'EVTS'],
  ['1', 'FRME'],
  ['2', 'IMUS'],
  ['3', 'TRIG'],
  ['4', 'EVTS'],
]
  .map(
    ([id, type]) =>
      `<node name="${id}" path="/mainloop/Recorder/outInfo/${id}/"><attr key="typeIdentifier" type="string">${type}</attr><node name="info" path="/x/"><attr key="sizeX" type="int">346</attr><attr key="sizeY" type="int">260</attr></node></node>`,
  )
  .join('')}</node></dv>`
const packet = (stream: number, payload: Bytes): Bytes => [...le(stream, 4), ...le(payload.length, 4), ...payload]

const epoch = 1605537493718345
const twice = [
  [1, 2, 1],
  [3, 4, 0],
  [345, 259, 1],
  [0, 0, 0],
] as const
const repeated: readonly Row[] = [...twice, ...twice].map(([x, y, on]): Row => [epoch, x, y, on])
const repeatedBuffer = vectorBuffer(
  'EVTS',
  8,
  repeated.flatMap((row) => aedat4Event(...row)),
)
const frame = frameBuffer(epoch + 5, 0, 3, 2, [1, 2, 3, 4, 5, 6])
const imu = vectorBuffer('IMUS', 1, triggerElements(epoch + 6, 0))
const trigger = vectorBuffer('TRIG', 1, triggerElements(epoch + 7, 2))
const otherStream = vectorBuffer('EVTS', 1, aedat4Event(epoch, 1, 1, 1))
const aedat4Tail: readonly Row[] = [[epoch + 9, 7, 8, 1]]

const aedat4Fixture = (name: string, compression: number, pack: (buffer: Bytes) => Bytes): void => {
  const header = ioHeader(compression, aedat4Xml)
  const sizes = [repeatedBuffer, frame, imu, trigger, otherStream].map((buffer) => 8 + pack(buffer).length)
  const tail = vectorBuffer('EVTS', 3, [...aedat4Event(epoch + 9, 7, 8, 1), ...aedat4Event(epoch + 9, -1, 8, 1), ...aedat4Event(epoch + 9, 346, 8, 1)])
  const damaged = packet(0, [...pack(repeatedBuffer).slice(0, 12), ...repeat([0xff], 20)])
  fixture(
    name,
    [
      header,
      packet(0, pack(repeatedBuffer)),
      packet(1, pack(frame)),
      packet(2, pack(imu)),
      packet(3, pack(trigger)),
      packet(4, pack(otherStream)),
      repeat([0xff], 3), // bytes that begin no packet
      damaged,
      packet(0, pack(tail)),
      packet(0, pack(repeatedBuffer)).slice(0, 30), // cut off
    ],
    {
      format: 'aedat4',
      geometry: [346, 260],
      events: [...repeated, ...aedat4Tail],
      triggers: [[epoch + 7, 0, 0]],
      records: { trigger: 1, frame: 1, imu: 1 },
      droppedEvents: { otherStream: 1, outOfBounds: 2 },
      droppedBytes: { unsynchronised: 3, corruptPacket: damaged.length, truncated: 30 },
      otherBytes: { header: header.length, frame: sizes[1] as number, imu: sizes[2] as number, trigger: sizes[3] as number },
      eventBytes: (sizes[0] as number) + (sizes[4] as number) + 8 + pack(tail).length,
    },
  )
}

// Without compression a damaged packet must still hold its own size, so it is made of a buffer without a table.
const lz4Literals = (bytes: Bytes): Bytes => {
  if (bytes.length < 15) return [bytes.length << 4, ...bytes]
  const rest = bytes.length - 15
  return [0xf0, ...repeat([255], Math.floor(rest / 255)), rest % 255, ...bytes]
}
const lz4Block = (bytes: Bytes): Bytes => [...le(bytes.length, 4), ...bytes]
/** A frame as DV writes it: flags 0x40 (linked blocks), 64 kB blocks, no sizes, no checksums. */
const lz4Frame = (...blocks: readonly Bytes[]): Bytes => [0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0, ...blocks.flatMap(lz4Block), 0, 0, 0, 0]
/** The events of `repeatedBuffer` repeat after 64 bytes: the second block copies 48 of them from the first, then 16 literals. */
const lz4 = (buffer: Bytes): Bytes => {
  if (buffer !== repeatedBuffer) return lz4Frame(lz4Literals(buffer))
  const half = buffer.length - 64
  return lz4Frame(lz4Literals(buffer.slice(0, half)), [0x0f, 64, 0, 48 - 4 - 15, ...lz4Literals(buffer.slice(-16))])
}
aedat4Fixture('aedat4-lz4.aedat4', 1, lz4)

/** A zstd frame of one raw block: magic, single segment with a content size of two bytes (less 256), block head, bytes. */
const zstdRaw = (bytes: Bytes): Bytes =>
  bytes.length < 256
    ? [0x28, 0xb5, 0x2f, 0xfd, 0x20, bytes.length, ...le((bytes.length << 3) | 1, 3), ...bytes]
    : [0x28, 0xb5, 0x2f, 0xfd, 0x60, ...le(bytes.length - 256, 2), ...le((bytes.length << 3) | 1, 3), ...bytes]
aedat4Fixture('aedat4-zstd.aedat4', 3, zstdRaw)
// ZSTD_PACKED: `repeatedBuffer` as the zstd command line tool packs it (level 19, no checksum), a compressed block.
const ZSTD_PACKED =
  '28b52ffd20a4fd010022030b15d0670c0000630205b041e6d57b415cb94d446e9902ffdfe1a5cff106df81916dcaac7fae8b3da8fce35f0106003004a441d4206a33e3bf8ee5de3b'
const hex = (digits: string): Bytes => Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
const zstdHeader = ioHeader(4, aedat4Xml)
fixture('aedat4-zstd-packed.aedat4', [zstdHeader, packet(0, hex(ZSTD_PACKED))], {
  format: 'aedat4',
  geometry: [346, 260],
  events: repeated,
  otherBytes: { header: zstdHeader.length },
  eventBytes: 8 + ZSTD_PACKED.length / 2,
})

const plainHeader = ioHeader(0, aedat4Xml)
fixture('aedat4-none.aedat4', [plainHeader, packet(0, repeatedBuffer), packet(3, trigger), [0xff], packet(0, repeatedBuffer).slice(0, 30)], {
  format: 'aedat4',
  geometry: [346, 260],
  events: repeated,
  triggers: [[epoch + 7, 0, 0]],
  records: { trigger: 1 },
  droppedBytes: { unsynchronised: 1, truncated: 30 },
  otherBytes: { header: plainHeader.length, trigger: 8 + trigger.length },
  eventBytes: 8 + repeatedBuffer.length,
})

// ---- N-MNIST: x, y, then big-endian p (1 bit) and t (23 bits); y = 240 adds 8,192 us ----

const nmnist = (x: number, y: number, on: number, time: number): Bytes => [x, y, ...be((on << 23) | time, 3)]
fixture(
  'nmnist.bin',
  [
    ...Array.from({ length: 8 }, (_, i) => nmnist(i, 33 - i, i & 1, 100 * i)),
    nmnist(0, 240, 0, 0),
    nmnist(5, 6, 1, 700), // 8,892 us
    nmnist(7, 8, 0, 0x1fffff),
    [1, 2],
  ],
  {
    format: 'nmnist',
    geometry: null,
    events: [...Array.from({ length: 8 }, (_, i): Row => [100 * i, i, 33 - i, i & 1]), [8892, 5, 6, 1], [0x1fffff + 8192, 7, 8, 0]],
    droppedBytes: { truncated: 2 },
    otherBytes: { time: 5 },
    eventBytes: 50,
  },
)

// ---- Event Stream ----

const esHead = (type: number): Bytes => [...text('Event Stream'), 2, 0, 0, type]
const xy = (x: number, y: number): Bytes => [...le(x, 2), ...le(y, 2)]
const esDvs = (dt: number, on: number, x: number, y: number): Bytes => [(dt << 1) | on, ...xy(x, y)]
fixture(
  'es-dvs.es',
  [esHead(1), xy(640, 480), esDvs(0, 1, 0, 0), esDvs(126, 0, 639, 479), [0xff, 0xff, 0xfe], esDvs(1, 1, 5, 6), esDvs(0, 1, 640, 0), [0x02, 1]],
  {
    format: 'es',
    geometry: [640, 480],
    events: [
      [0, 0, 0, 1],
      [126, 639, 479, 0],
      [381, 5, 6, 1],
    ],
    records: { reset: 1 },
    droppedEvents: { outOfBounds: 1 },
    droppedBytes: { truncated: 2 },
    otherBytes: { header: 20, time: 2, reset: 1 },
    eventBytes: 20,
  },
)
fixture(
  'es-generic.es',
  [esHead(0), [5, 3 << 1, 1, 2, 3], [0xff, 0xfe, 253, 0], [1, ((200 & 127) << 1) | 1, (200 >> 7) << 1, ...repeat([9], 200)], [2, 8, 1]],
  {
    format: 'es',
    geometry: null,
    events: [],
    records: { message: 3, reset: 1 },
    droppedBytes: { truncated: 3 },
    otherBytes: { header: 16, time: 1, reset: 1, message: 5 + 2 + 203 },
    eventBytes: 0,
  },
)
const esAtis = (dt: number, kind: number, x: number, y: number): Bytes => [(dt << 2) | kind, ...xy(x, y)]
fixture(
  'es-atis.es',
  [
    esHead(2),
    xy(304, 240),
    esAtis(1, 0, 1, 2), // off
    esAtis(2, 1, 3, 4), // exposure start
    [0xff], // + 189 us
    [0xfd], // + 63 us
    [0xfc], // reset
    esAtis(62, 2, 303, 239), // on
    esAtis(0, 3, 3, 4), // exposure end
  ],
  {
    format: 'es-atis',
    geometry: [304, 240],
    events: [
      [1, 1, 2, 0],
      [317, 303, 239, 1],
    ],
    exposures: [
      [3, 3, 4, 0],
      [317, 3, 4, 1],
    ],
    records: { reset: 1, exposure: 2 },
    otherBytes: { header: 20, time: 2, reset: 1, exposure: 10 },
    eventBytes: 10,
  },
)
fixture('es-colour.es', [esHead(3), xy(320, 240), [7, ...xy(1, 2), 10, 20, 30], [0xff], [253, ...xy(319, 239), 255, 0, 1]], {
  format: 'es-colour',
  geometry: [320, 240],
  events: [
    [7, 1, 2, 1],
    [514, 319, 239, 1],
  ],
  rgb: [10, 20, 30, 255, 0, 1],
  otherBytes: { header: 20, time: 1 },
  eventBytes: 16,
})

// ---- dvsd: {version, width, height, stamp bits}, records {x, y, p (0 = ON), pad, u32 time} ----

const dvsd = (x: number, y: number, p: number, time: number): Bytes => [x, y, p, 0, ...le(time, 4)]
fixture('balls.dvsd', [[1, 128, 128, 2], dvsd(16, 56, 1, 5), dvsd(127, 0, 0, 0xfffffe), dvsd(3, 4, 0, 1), [1]], {
  format: 'dvsd',
  geometry: [128, 128],
  events: [
    [5, 16, 56, 0],
    [0xfffffe, 127, 0, 1],
    [0x1000001, 3, 4, 1],
  ],
  droppedBytes: { truncated: 1 },
  otherBytes: { header: 4 },
  eventBytes: 24,
  faults: { timeWrap: 1 },
})

// ---- text ----

const rpg = '0.003811000 96 133 0\n0.003820001 127 171 1\n\n# note\n1 2 3 1\n1.0000005 4 5 0\nx y z\n1.5e-5 6 7 1\n'
fixture('rpg.txt', [text(rpg)], {
  format: 'text',
  geometry: null,
  events: [
    [3811, 96, 133, 0],
    [3820, 127, 171, 1],
    [1000000, 2, 3, 1],
    [1000001, 4, 5, 0],
    [15, 6, 7, 1],
  ],
  droppedBytes: { malformedLine: 6 },
  otherBytes: { blank: 1, comment: 7 },
  eventBytes: rpg.length - 14,
  faults: { nonMonotonic: 1 },
})
const csv = 'x,y,polarity,timestamp\r\n1,2,1,1605537493718345\r\n3,4,-1,1605537493718346\r\n70000,4,1,1605537493718346\r\n5,6,0,1605537493718347'
fixture('columns.csv', [text(csv)], {
  format: 'text',
  geometry: null,
  events: [
    [1605537493718345, 1, 2, 1],
    [1605537493718346, 3, 4, 0],
    [1605537493718347, 5, 6, 0],
  ],
  droppedBytes: { malformedLine: 28 },
  otherBytes: { names: 24 },
  eventBytes: csv.length - 52,
})
const millis = 't_ms;x;y;p\n0.5;1;2;True\n12;3;4;False\n'
fixture('millis.csv', [text(millis)], {
  format: 'text',
  geometry: null,
  events: [
    [500, 1, 2, 1],
    [12000, 3, 4, 0],
  ],
  otherBytes: { names: 11 },
  eventBytes: millis.length - 11,
})

// ---- HDF5: superblock 0, symbol-table groups, version 1 object headers and B-trees; not in expected.json, see hdf5.test.ts ----

const UNDEFINED = repeat([0xff], 8)
const padded = (bytes: Bytes): Bytes => [...bytes, ...repeat([0], (8 - (bytes.length % 8)) % 8)]
const named = (name: string): Bytes => padded([...text(name), 0])

/** A file image that grows; `place` appends at a multiple of 8 and returns the address. */
const createImage = () => {
  const image: number[] = [...repeat([0], 96)]
  const place = (bytes: Bytes): number => {
    image.push(...repeat([0], (8 - (image.length % 8)) % 8))
    const address = image.length
    image.push(...bytes)
    return address
  }
  return { image, place }
}
type Place = (bytes: Bytes) => number

const message = (type: number, data: Bytes): Bytes => [...le(type, 2), ...le(padded(data).length, 2), 0, 0, 0, 0, ...padded(data)]
const objectHeader = (messages: readonly Bytes[]): Bytes => {
  const body = messages.flat()
  return [1, 0, ...le(messages.length, 2), ...le(1, 4), ...le(body.length, 4), 0, 0, 0, 0, ...body]
}
const integerType = (byteCount: number, isSigned: boolean): Bytes => [0x10, isSigned ? 8 : 0, 0, 0, ...le(byteCount, 4), ...le(0, 2), ...le(8 * byteCount, 2)]
const compoundType = (size: number, members: readonly (readonly [string, number, Bytes])[]): Bytes => [
  0x16,
  ...le(members.length, 2),
  0,
  ...le(size, 4),
  ...members.flatMap(([name, offset, type]) => [...named(name), ...le(offset, 4), ...repeat([0], 28), ...type]),
]
const dataspace = (count: number): Bytes => [1, 1, 0, 0, 0, 0, 0, 0, ...le(count, 8)]
const FILL = message(0x05, [2, 3, 0, 0])
const filterMessage = (id: number, values: Bytes): Bytes =>
  message(0x0b, [
    1,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    ...le(id, 2),
    ...le(8, 2),
    ...le(0, 2),
    ...le(values.length, 2),
    ...named('filter'),
    ...values.flatMap((value) => le(value, 4)),
    ...repeat([0], values.length % 2 === 1 ? 4 : 0),
  ])

/** A one-dimensional chunked dataset behind one B-tree node; chunks are [first element, stored bytes]. */
const chunkedDataset = (
  place: Place,
  type: Bytes,
  elementBytes: number,
  count: number,
  chunkElements: number,
  chunks: readonly (readonly [number, Bytes])[],
  filter: Bytes,
): number => {
  const keys = chunks.map(([first, bytes]) => [...le(bytes.length, 4), ...le(0, 4), ...le(first, 8), ...le(0, 8), ...le(place(bytes), 8)])
  const node = [...text('TREE'), 1, 0, ...le(chunks.length, 2), ...UNDEFINED, ...UNDEFINED, ...keys.flat(), ...le(0, 8), ...le(count, 8), ...le(0, 8)]
  const tree = place([...node, ...repeat([0], 24 + 65 * 24 + 64 * 8 - node.length)])
  const layout = message(0x08, [3, 2, 2, ...le(tree, 8), ...le(chunkElements, 4), ...le(elementBytes, 4)])
  return place(objectHeader([message(0x01, dataspace(count)), message(0x03, type), FILL, filter, layout]))
}
const contiguousDataset = (place: Place, type: Bytes, count: number, data: Bytes): number => {
  const layout = message(0x08, [3, 1, ...le(place(data), 8), ...le(data.length, 8)])
  return place(objectHeader([message(0x01, dataspace(count)), message(0x03, type), FILL, layout]))
}
/** A group of named object headers: local heap, symbol node, B-tree, header. */
const group = (place: Place, members: Readonly<Record<string, number>>, attributes: readonly Bytes[] = []): { header: number; tree: number; heap: number } => {
  const names = Object.keys(members).sort()
  const offsets: number[] = []
  const heapData: number[] = [...repeat([0], 8)]
  for (const name of names) {
    offsets.push(heapData.length)
    heapData.push(...named(name))
  }
  const heap = place([...text('HEAP'), 0, 0, 0, 0, ...le(heapData.length, 8), ...le(1, 8), ...le(place(heapData), 8)])
  const entries = names.flatMap((name, i) => [...le(offsets[i] as number, 8), ...le(members[name] as number, 8), ...repeat([0], 24)])
  const symbols = place([...text('SNOD'), 1, 0, ...le(names.length, 2), ...entries, ...repeat([0], 320 - entries.length)])
  const node = [...text('TREE'), 0, 0, ...le(1, 2), ...UNDEFINED, ...UNDEFINED, ...le(0, 8), ...le(symbols, 8), ...le(offsets.at(-1) as number, 8)]
  const tree = place([...node, ...repeat([0], 544 - node.length)])
  return { header: place(objectHeader([message(0x11, [...le(tree, 8), ...le(heap, 8)]), ...attributes])), tree, heap }
}
const finishHdf5 = (image: number[], rootGroup: { header: number; tree: number; heap: number }): Uint8Array => {
  const superblock = [
    0x89,
    ...text('HDF\r\n'),
    0x1a,
    0x0a,
    0,
    0,
    0,
    0,
    0,
    8,
    8,
    0,
    ...le(4, 2),
    ...le(16, 2),
    ...le(0, 4),
    ...le(0, 8),
    ...UNDEFINED,
    ...le(image.length, 8),
    ...UNDEFINED,
    ...le(0, 8),
    ...le(rootGroup.header, 8),
    ...le(1, 4),
    ...le(0, 4),
    ...le(rootGroup.tree, 8),
    ...le(rootGroup.heap, 8),
  ]
  return Uint8Array.from([...superblock, ...image.slice(96)])
}
/** A fixed-length string attribute. */
const stringAttribute = (name: string, value: string): Bytes => {
  const type = [0x13, 0, 0, 0, ...le(value.length, 4)]
  const space = [1, 0, 0, 0, 0, 0, 0, 0]
  return message(0x0c, [
    1,
    0,
    ...le(name.length + 1, 2),
    ...le(type.length, 2),
    ...le(space.length, 2),
    ...named(name),
    ...padded(type),
    ...padded(space),
    ...text(value),
  ])
}

const cdType = compoundType(16, [
  ['x', 0, integerType(2, false)],
  ['y', 2, integerType(2, false)],
  ['p', 4, integerType(2, true)],
  ['t', 8, integerType(8, true)],
])
const triggerType = compoundType(24, [
  ['p', 0, integerType(2, true)],
  ['t', 8, integerType(8, true)],
  ['id', 16, integerType(2, true)],
])

// Three chunks, one a packing. Head = count << 2 | yxp packed << 1 | xp packed, then the first time and the times' runs.
const ecfMasked: Bytes = [
  ...le((6 << 2) | 0, 4),
  ...le(1000, 8),
  0x02, // + 0 us, two events: 1,000
  0xf4,
  0xf1,
  0x33, // 0x14 us in two low-first nibbles, then + 3 us, three events: 1,023
  0x11, // + 1 us, one event: 1,024
  ...le((7 << 5) | 2, 2),
  ...le((9 << 5) | 4, 2), // rows 7, 7, 9, 9, 9, 9
  ...le((100 << 5) | 0b10001, 2), // columns 100, 101, 105
  ...le((200 << 5) | 0b00000, 2),
  ...le((300 << 5) | 0b01000, 2), // 300, 302
  (1 << 7) | 2,
  (0 << 7) | 4,
]
const packXp = (x: number, p: number): number => (x << 1) | p
/** Four 12-bit values in three u16, four 24-bit values in three u32. */
const pack12 = ([a, b, c, d]: readonly [number, number, number, number]): Bytes =>
  [(a << 4) | (b & 15), ((b >> 4) << 8) | (c & 255), ((c >> 8) << 12) | d].flatMap((word) => le(word, 2))
const pack24 = ([a, b, c, d]: readonly [number, number, number, number]): Bytes =>
  [(a << 8) | (b & 255), ((b >> 8) << 16) | (c & 65535), ((c >> 16) << 24) | d].flatMap((word) => le(word >>> 0, 4))
const ecfPackedColumns: Bytes = [
  ...le((5 << 2) | 1, 4),
  ...le(2000, 8),
  0x0f,
  ...le(5, 2), // five events, the run behind an escape
  ...le((11 << 5) | 31, 2),
  ...le(5, 2), // row 11 five times, the run behind an escape
  ...pack12([packXp(1, 1), packXp(2, 0), packXp(1279, 1), packXp(4, 0)]),
  ...pack12([packXp(5, 1), 0, 0, 0]),
]
const packYxp = (y: number, x: number, p: number): number => (y << 12) | (x << 1) | p
const ecfPacked: Bytes = [...le((3 << 2) | 2, 4), ...le(3000, 8), 0x03, ...pack24([packYxp(719, 1279, 1), packYxp(0, 0, 0), packYxp(5, 6, 1), 0])]

{
  const { image, place } = createImage()
  const events = chunkedDataset(
    place,
    cdType,
    16,
    20,
    6,
    [
      [0, ecfMasked],
      [6, ecfPackedColumns],
      [12, ecfPacked],
      [18, ecfMasked.slice(0, 14)],
    ],
    filterMessage(36559, []),
  )
  const triggers = contiguousDataset(place, triggerType, 2, [
    ...le(1, 2),
    ...repeat([0], 6),
    ...le(1500, 8),
    ...le(3, 2),
    ...repeat([0], 6),
    ...le(0, 2),
    ...repeat([0], 6),
    ...le(2500, 8),
    ...le(3, 2),
    ...repeat([0], 6),
  ])
  const rootGroup = group(place, { CD: group(place, { events }).header, EXT_TRIGGER: group(place, { events: triggers }).header }, [
    stringAttribute('geometry', '1280x720'),
  ])
  writeFileSync(join(root, 'prophesee-ecf.h5'), finishHdf5(image, rootGroup))
}

{
  const { image, place } = createImage()
  const events = contiguousDataset(place, cdType, 2, [
    ...[5, 6, 1].flatMap((value) => le(value, 2)),
    0,
    0,
    ...le(2 ** 40, 8),
    ...[639, 479, 0].flatMap((value) => le(value, 2)),
    0,
    0,
    ...le(2 ** 40 + 1, 8),
  ])
  writeFileSync(
    join(root, 'prophesee-plain.h5'),
    finishHdf5(image, group(place, { CD: group(place, { events }).header }, [stringAttribute('geometry', '640x480')])),
  )
}

/** A Blosc buffer: head, block starts, and blocks of streams behind their packed sizes. */
const blosc = (flags: number, elementBytes: number, length: number, blockBytes: number, blocks: readonly (readonly Bytes[])[]): Bytes => {
  const bodies = blocks.map((streams) => streams.flatMap((stream) => [...le(stream.length, 4), ...stream]))
  const starts = bodies.map((_, i) => 16 + 4 * blocks.length + bodies.slice(0, i).reduce((sum, body) => sum + body.length, 0))
  const body = [...starts.flatMap((start) => le(start, 4)), ...bodies.flat()]
  return [2, 1, flags, elementBytes, ...le(length, 4), ...le(blockBytes, 4), ...le(16 + body.length, 4), ...body]
}
const shuffled = (bytes: Bytes, elementBytes: number): Bytes =>
  Array.from({ length: elementBytes }, (_, k) => bytes.filter((_byte, i) => i % elementBytes === k)).flat()

{
  const { image, place } = createImage()
  const count = 5
  const times = [10, 20, 20, 30, 70000].flatMap((time) => le(time, 4))
  const xs = [1, 2, 3, 4, 639].flatMap((x) => le(x, 2))
  const ys = [479, 5, 6, 7, 8].flatMap((y) => le(y, 2))
  const ps = [1, 0, 1, 0, 1]
  const column = (type: Bytes, elementBytes: number, stored: Bytes): number =>
    chunkedDataset(place, type, elementBytes, count, count, [[0, stored]], filterMessage(32001, [2, 2, elementBytes, count * elementBytes, 5, 1, 5]))
  const packedZstd = zstdRaw(shuffled(times, 4))
  const members = {
    t: column(integerType(4, false), 4, blosc(0x90 | 1, 4, 20, 20, [[packedZstd]])), // ZSTD, shuffled, not split
    x: column(integerType(2, false), 2, blosc(0x30 | 1, 2, 10, 10, [[lz4Literals(shuffled(xs, 2))]])), // LZ4, shuffled
    y: column(integerType(2, false), 2, [2, 1, 2, 2, ...le(10, 4), ...le(10, 4), ...le(26, 4), ...ys]), // a plain copy
    p: column(integerType(1, false), 1, blosc(0x30, 1, 5, 3, [[ps.slice(0, 3)], [ps.slice(3)]])), // two blocks, streams stored plainly
  }
  const offset = contiguousDataset(place, integerType(8, true), 1, le(49599300523, 8))
  const rootGroup = group(place, { events: group(place, members).header, t_offset: offset })
  writeFileSync(join(root, 'dsec-blosc.h5'), finishHdf5(image, rootGroup))
}

writeFileSync(join(root, 'expected.json'), `${JSON.stringify(expectations)}\n`)
