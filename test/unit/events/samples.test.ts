import { describe, expect, it } from 'vitest'
import { batchOf, concatBatches, type EventBatch, type Geometry, rowsOf } from '#src/events/batch.js'
import type { EncoderOptions } from '#src/events/encoder.js'
import { createByteWriter } from '#src/events/encoder.js'
import { encodeEsMessages } from '#src/events/formats/es.js'
import { createEvt2Decoder, createPlainEvt2Decoder } from '#src/events/formats/evt2.js'
import { createEvt3Decoder, createPlainEvt3Decoder } from '#src/events/formats/evt3.js'
import { FORMATS, type FormatName } from '#src/events/formats/index.js'
import { ledgerImbalance } from '#src/events/ledger.js'
import { decodeRecording, decodeStream, openDecoder, type Recording } from '#src/events/read.js'
import { sharedFile } from './fixtures.js'

/** Counts, time ranges and ON events of the shared recordings, as docs/events.md lists them. */
const SAMPLES: readonly (readonly [string, FormatName, number, number | null, number | null, number | null, Geometry | null])[] = [
  ['expelliarmus_evt2_sample.raw', 'evt2', 539481, 1317888, 1367888, null, { width: 640, height: 480 }],
  ['expelliarmus_evt3_sample.raw', 'evt3', 219596, 11718656, 11727457, null, { width: 1280, height: 720 }],
  ['pyfeast_ev.es', 'es', 127559, null, null, null, { width: 1280, height: 720 }],
  ['nmnist.bin', 'nmnist', 4325, 654, 311175, 2145, null],
  ['tonic_sample_ncars.dat', 'dat', 2009, null, null, null, null],
  ['dvs128_alex_walking_again.aedat', 'aedat2', 19182, null, null, null, { width: 128, height: 128 }],
  ['edvsd_balls.dvsd', 'dvsd', 45307, null, null, null, { width: 128, height: 128 }],
  ['faery_generic.es', 'es', 0, null, null, null, null],
  ['tonic_sample.aedat4', 'aedat4', 111954, 1605537493718345, 1605537494308262, null, { width: 320, height: 240 }],
  ['tonic_sample_aedat_header.aedat', 'aedat2', 0, null, null, null, null],
  ['aestream_sample.csv', 'text', 100, 0, 99, 0, null],
]

const read = (name: string): Recording => decodeRecording(sharedFile(`events/${name}`), { name })

describe.each(SAMPLES)('%s', (name, format, count, first, last, on, geometry) => {
  it('decodes to the documented counts and times, nothing lost', () => {
    const { events, ledger, ...recording } = read(name)
    expect(recording.format).toBe(format)
    expect(events.count).toBe(count)
    expect(recording.geometry).toEqual(geometry)
    if (first !== null) expect(events.timeMicros.reduce((a, b) => Math.min(a, b))).toBe(first)
    if (last !== null) expect(events.timeMicros.reduce((a, b) => Math.max(a, b))).toBe(last)
    if (on !== null) expect(events.polarity.reduce((sum, polarity) => sum + polarity, 0)).toBe(on)
    expect(ledger).toMatchObject({ droppedBytes: {}, droppedEvents: {}, faults: {}, eventsOut: count })
    expect(ledgerImbalance(ledger)).toBeNull()
  })

  it('decodes the same in odd chunks, found by its content', async () => {
    const bytes = sharedFile(`events/${name}`)
    const chunks = function* (): Generator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += 4097) yield bytes.subarray(at, at + 4097)
    }
    const decoder = openDecoder({ name })
    const batches: EventBatch[] = []
    for await (const batch of decodeStream(chunks(), decoder)) batches.push(batch)
    expect(decoder.format).toBe(format)
    const whole = read(name)
    const events = concatBatches(batches)
    expect(events.count).toBe(count)
    expect(Buffer.compare(Buffer.from(events.timeMicros.slice().buffer), Buffer.from(whole.events.timeMicros.slice().buffer))).toBe(0)
    expect(decoder.ledger).toEqual(whole.ledger)
  })
})

describe('the samples in detail', () => {
  it('the generic .es sample holds 70 messages, the first one "Lorem"', () => {
    const { records } = read('faery_generic.es')
    expect(records.length).toBe(70)
    expect(new TextDecoder().decode(records[0]?.bytes)).toBe('Lorem')
  })

  it('the .es sample is 77 % overflow bytes', () => {
    expect(read('pyfeast_ev.es').ledger.otherBytes).toEqual({ header: 20, time: 406331 })
  })

  it('the AEDAT 4 sample has 118 packets, of which 59 hold events and 59 IMU samples', () => {
    const { ledger, records } = read('tonic_sample.aedat4')
    expect(records.filter((record) => record.kind === 'imu').length).toBe(59)
    expect(ledger.records).toEqual({ imu: 475 })
  })
})

describe('block decoders', () => {
  it('the fast EVT2 decoder agrees with the plain definition', () => {
    const bytes = sharedFile('events/expelliarmus_evt2_sample.raw')
    expectSame(createEvt2Decoder().push(bytes), createPlainEvt2Decoder().push(bytes))
  })

  it('the fast EVT3 decoder agrees with the plain definition', () => {
    const bytes = sharedFile('events/expelliarmus_evt3_sample.raw')
    const fast = createEvt3Decoder()
    const plain = createPlainEvt3Decoder()
    expectSame(fast.push(bytes), plain.push(bytes))
    expect(fast.ledger).toEqual(plain.ledger)
  })
})

const expectSame = (a: EventBatch, b: EventBatch): void => {
  expect(a.count).toBe(b.count)
  for (const column of ['timeMicros', 'x', 'y', 'polarity'] as const) {
    const left = a[column]
    const right = b[column]
    for (let i = 0; i < a.count; i++) if (left[i] !== right[i]) throw new Error(`${column} of event ${i}: ${left[i]} and ${right[i]}`)
  }
}

const encode = (format: FormatName, events: EventBatch, options: EncoderOptions, pieces = 1): Uint8Array => {
  const encoder = FORMATS[format].createEncoder(options)
  const parts: Uint8Array[] = []
  const step = Math.ceil(events.count / pieces)
  for (let from = 0; from < events.count; from += step) {
    const to = Math.min(from + step, events.count)
    const cut = <T extends Float64Array | Uint16Array | Uint8Array>(array: T): T => array.subarray(from, to) as T
    parts.push(encoder.push({ count: to - from, timeMicros: cut(events.timeMicros), x: cut(events.x), y: cut(events.y), polarity: cut(events.polarity) }))
  }
  parts.push(encoder.end())
  const { ledger } = encoder
  expect(ledgerImbalance(ledger)).toBeNull()
  expect(ledger.eventsOut).toBe(events.count)
  expect(parts.reduce((sum, part) => sum + part.length, 0)).toBe(ledger.bytesOut)
  return Uint8Array.from(Buffer.concat(parts))
}

describe('files written again', () => {
  it('an .es recording comes out byte for byte', () => {
    const { events } = read('pyfeast_ev.es')
    const bytes = encode('es', events, { geometry: { width: 1280, height: 720 } }, 3)
    expect(Buffer.compare(bytes, sharedFile('events/pyfeast_ev.es'))).toBe(0)
  })

  it('messages of a generic .es recording come out byte for byte', () => {
    const out = createByteWriter()
    encodeEsMessages(
      read('faery_generic.es').records.map(({ timeMicros, bytes }) => ({ timeMicros: timeMicros as number, bytes })),
      out,
    )
    expect(Buffer.compare(out.take(), sharedFile('events/faery_generic.es'))).toBe(0)
  })

  it('an N-MNIST recording comes out byte for byte', () => {
    const bytes = encode('nmnist', read('nmnist.bin').events, { geometry: { width: 34, height: 34 } }, 5)
    expect(Buffer.compare(bytes, sharedFile('events/nmnist.bin'))).toBe(0)
  })

  it('the records of DAT, AEDAT 2 and dvsd recordings come out byte for byte', () => {
    const records = (bytes: Uint8Array, name: string): Uint8Array => bytes.subarray(decodeRecording(bytes, { name }).ledger.otherBytes['header'] ?? 0)
    for (const [name, format, geometry] of [
      ['tonic_sample_ncars.dat', 'dat', { width: 304, height: 240 }],
      ['dvs128_alex_walking_again.aedat', 'aedat2', { width: 128, height: 128 }],
      ['edvsd_balls.dvsd', 'dvsd', { width: 128, height: 128 }],
    ] as const) {
      const bytes = encode(format, read(name).events, { geometry }, 4)
      expect(Buffer.compare(records(bytes, name), records(sharedFile(`events/${name}`), name)), name).toBe(0)
    }
  })
})

/** Formats that hold every event of the EVT2 sample's first part. */
const ROUND_TRIPS: readonly (readonly [FormatName, EncoderOptions])[] = (
  [
    ['evt2', {}],
    ['evt21', {}],
    ['evt21', { byteOrder: 'legacy' }],
    ['evt3', {}],
    ['dat', {}],
    ['aedat3', {}],
    ['aedat4', { compression: 'none' }],
    ['aedat4', { compression: 'lz4' }],
    ['es', {}],
    ['es-atis', {}],
    ['text', {}],
    ['text', { timeUnit: 'seconds' }],
    ['text', { columns: 'xytp' }],
  ] as const
).map(([format, options]) => [format, { geometry: { width: 640, height: 480 }, ...options }])

describe.each(ROUND_TRIPS)('%s %j', (format, options) => {
  const { events: all } = read('expelliarmus_evt2_sample.raw')
  const events: EventBatch = {
    count: 30000,
    timeMicros: all.timeMicros.slice(0, 30000),
    x: all.x.slice(0, 30000),
    y: all.y.slice(0, 30000),
    polarity: all.polarity.slice(0, 30000),
  }

  it('keeps every event of a real recording', () => {
    const decodeOptions = format === 'text' && options.columns !== undefined ? { columns: options.columns } : {}
    const decoded = decodeRecording(encode(format, events, options, 3), { ...decodeOptions, name: 'again' })
    expect(decoded.format).toBe(format)
    expectSame(decoded.events, events)
    expect(decoded.ledger).toMatchObject({ droppedBytes: {}, droppedEvents: {} })
  })

  it('keeps times over hours with long pauses', () => {
    const hours = [0, 3, 65, 4096, 70_000, 9e6, 2e7, 1.7e9, 3e9, 6e9, 1.8e10, 1.8e10 + 1, 2e10]
    const rows = hours.map((time, i) => [time, i, 2 * i, i & 1] as const)
    // The stamps of these formats cannot tell a pause of more than half their range.
    const isLimited = format === 'dat' || format === 'es' || format === 'es-atis'
    const kept = isLimited ? rows.slice(0, 9) : rows
    const decoded = decodeRecording(encode(format, batchOf(kept), options), { format })
    expect(rowsOf(decoded.events)).toEqual(kept)
  })
})

describe('small sensors', () => {
  const { events } = read('edvsd_balls.dvsd')
  it.each([
    ['dvsd', { width: 128, height: 128 }],
    ['aedat2', { width: 128, height: 128 }],
    ['aedat2', { width: 240, height: 180 }],
    ['aedat2', { width: 346, height: 260 }],
    ['nmnist', { width: 128, height: 128 }],
    ['es-colour', { width: 128, height: 128 }],
  ] as const)('%s keeps every event of a real recording on %j', (format, geometry) => {
    const decoded = decodeRecording(encode(format, events, { geometry }, 2), { format })
    expectSame(decoded.events, format === 'es-colour' ? { ...events, polarity: new Uint8Array(events.count).fill(1) } : events)
  })
})
