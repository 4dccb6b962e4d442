// The formats on the wire: bytes assembled by hand, round trips, any chunking, damage of every kind with a balanced ledger, and the
// eDVS decoder's way back after lost and changed bytes.

import { describe, expect, test } from 'vitest'
import {
  batchOf,
  type DecoderOptions,
  type EdvsFormat,
  type EventBatch,
  type EventDecoder,
  edvsWrapMicros,
  ledgerImbalance,
  rowsOf,
  WIRE_FORMAT_NAMES,
  WIRE_FORMATS,
  type WireFormatName,
} from '#src/events/index.js'
import { mutate, seededIntegers } from '../../helpers/fuzz.js'
import { isLong } from './fixtures.js'

type Row = [number, number, number, number]

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(hex.split(' '), (byte) => Number.parseInt(byte, 16))

/** A busy scene: steps of 0 to `largestStep` microseconds. */
const scene = (count: number, seed: number, largestStep = 100): Row[] => {
  const random = seededIntegers(seed)
  let time = 1000
  return Array.from({ length: count }, () => {
    time += random(largestStep + 1)
    return [time, random(128), random(128), random(2)]
  })
}

const GEOMETRY = { width: 128, height: 128 }
const encode = (name: WireFormatName, rows: readonly Row[]): Uint8Array => {
  const encoder = WIRE_FORMATS[name].createEncoder({ geometry: GEOMETRY })
  const bytes = Buffer.concat([encoder.push(batchOf(rows)), encoder.end()])
  expect(encoder.ledger).toMatchObject({ eventsIn: rows.length, eventsOut: rows.length, bytesOut: bytes.length })
  return new Uint8Array(bytes)
}

const decodeIn = (decoder: EventDecoder, bytes: Uint8Array, sizes: readonly number[]): EventBatch[] => {
  const batches: EventBatch[] = []
  for (let at = 0, k = 0; at < bytes.length; k++) {
    const size = sizes[k % sizes.length] as number
    batches.push(decoder.push(bytes.subarray(at, at + size)))
    expect(ledgerImbalance(decoder.ledger)).toBeNull()
    at += size
  }
  batches.push(decoder.end())
  expect(ledgerImbalance(decoder.ledger)).toBeNull()
  expect(decoder.ledger.pendingBytes).toBe(0)
  return batches
}

const decode = (name: WireFormatName, bytes: Uint8Array, options: DecoderOptions = {}) => {
  const decoder = WIRE_FORMATS[name].createDecoder(options)
  return { rows: decodeIn(decoder, bytes, [bytes.length || 1]).flatMap(rowsOf), ledger: decoder.ledger }
}

/** Untimed formats give every event the host's time. */
const timed = (name: WireFormatName, rows: readonly Row[]): Row[] => (name === 'edvs-e0' ? rows.map(([, ...rest]) => [0, ...rest]) : [...rows])

describe.each(WIRE_FORMAT_NAMES)('%s', (name) => {
  const rows = scene(60, 7)
  const bytes = encode(name, rows)

  test('gives back what was encoded', () => {
    const { rows: read, ledger } = decode(name, bytes)
    expect(read).toEqual(timed(name, rows))
    expect(ledger.droppedBytes).toEqual({})
  })

  test('gives the same events in chunks of any size', () => {
    if (WIRE_FORMATS[name].isDatagrams) return
    for (const sizes of [[1], [2], [3], [5], [1, 2, 3, 4, 5, 6, 7], [64, 1]])
      expect(decodeIn(WIRE_FORMATS[name].createDecoder(), bytes, sizes).flatMap(rowsOf)).toEqual(timed(name, rows))
  })

  test('survives every truncation', () => {
    for (let length = 0; length < bytes.length; length++) expect(decode(name, bytes.subarray(0, length)).ledger.bytesIn).toBe(length)
  })

  const mutations = isLong ? 100_000 : 2_000
  test(`survives ${mutations} mutations, and without datagrams gives the same in any chunks`, () => {
    for (let n = 0; n < mutations; n++) {
      const damaged = mutate(bytes, 3, n)
      const whole = decode(name, damaged)
      expect(whole.ledger.bytesIn).toBe(damaged.length)
      if (WIRE_FORMATS[name].isDatagrams || n % 8 !== 0) continue
      expect(decodeIn(WIRE_FORMATS[name].createDecoder(), damaged, [1, 5, 2, 17]).flatMap(rowsOf), `mutation ${n}`).toEqual(whole.rows)
    }
  })
})

describe('eDVS', () => {
  const BYTES: Readonly<Record<string, string>> = {
    'edvs-e0': '85 03 ff 81',
    'edvs-e1': '85 03 81 ff 81 02 90',
    'edvs-e2': '85 03 00 01 ff 81 01 11',
    'edvs-e3': '85 03 00 00 01 ff 81 00 01 11',
    'edvs-e4': '85 03 00 00 00 01 ff 81 00 00 01 11',
  }
  test.each(Object.entries(BYTES))('%s as the camera sends it', (name, hex) => {
    const expected = timed(name as WireFormatName, [
      [1, 3, 5, 1],
      [1 + 272, 1, 127, 0],
    ])
    const { rows, ledger } = decode(name as WireFormatName, bytesOf(hex))
    expect(rows).toEqual(expected)
    expect(ledger.faults).toEqual(name === 'edvs-e0' ? { hostTime: 2 } : {})
  })

  test('E0 events get the time of the host clock', () => {
    expect(decode('edvs-e0', bytesOf('85 03'), { clock: () => 77 }).rows).toEqual([[77, 3, 5, 1]])
  })

  test('text between events is kept apart', () => {
    const messages: string[] = []
    const rows = scene(20, 3)
    const text = new TextEncoder().encode('-E+\r\n')
    const at = 4 * 11
    const bytes = encode('edvs-e2', rows)
    const mixed = Uint8Array.from([...text, ...bytes.subarray(0, at), ...text, ...bytes.subarray(at), ...text])
    const { rows: read, ledger } = decode('edvs-e2', mixed, { onRecord: (record) => messages.push(String.fromCharCode(...record.bytes)) })
    expect(read).toEqual(rows)
    expect(messages).toEqual(['-E+\r\n', '-E+\r\n', '-E+\r\n'])
    expect(ledger.otherBytes).toEqual({ text: 15 })
  })

  test.each([
    ['edvs-e2', 65536],
    ['edvs-e3', 2 ** 24],
    ['edvs-e4', 2 ** 32],
  ] as const)('%s follows the wrap of its clock, and silence up to 3/4 of it', (name, wrap) => {
    const rows: Row[] = [10, wrap * 0.7, wrap + 5, wrap * 1.7, 2 * wrap + 70].flatMap((start) =>
      Array.from({ length: 6 }, (_, i): Row => [Math.floor(start) + i, i, i, 1]),
    )
    const { rows: read, ledger } = decode(name, encode(name, rows))
    expect(read).toEqual(rows)
    expect(ledger.faults['timeWrap']).toBe(2)
  })

  test('an encoder refuses what a reader would misread', () => {
    const encoder = WIRE_FORMATS['edvs-e2'].createEncoder({ geometry: GEOMETRY })
    encoder.push(
      batchOf([
        [10, 1, 1, 1],
        [70_000, 1, 1, 1],
        [20, 128, 1, 1],
        [20, 2, 2, 0],
        [15, 2, 2, 0],
      ]),
    )
    expect(encoder.ledger.droppedEvents).toEqual({ timeGap: 1, outOfBounds: 1, nonMonotonic: 1 })
  })

  test.each(['edvs-e2', 'edvs-e3', 'edvs-e4'] as const)('%s: a lost byte costs a few events, and every byte is accounted for', (name) => {
    const rows = scene(4000, 11)
    const bytes = encode(name, rows)
    // a damaged stamp may cost a whole turn of the clock: times count within it
    const wrap = edvsWrapMicros(`E${name.at(-1)}` as EdvsFormat) as number
    const key = ([time, ...rest]: Row): string => String([time % wrap, ...rest])
    const keys = new Set(rows.map(key))
    const random = seededIntegers(5)
    for (let n = 0; n < 60; n++) {
      const at = random(bytes.length - 400)
      const { rows: read, ledger } = decode(name, Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1)]))
      const right = read.filter((row) => keys.has(key(row))).length
      expect(rows.length - right, `byte ${at}`).toBeLessThanOrEqual(12)
      expect(read.length - right, `byte ${at}`).toBeLessThanOrEqual(8)
      expect(ledgerImbalance(ledger)).toBeNull()
    }
  })

  test.each(['edvs-e0', 'edvs-e1', 'edvs-e2', 'edvs-e3', 'edvs-e4'] as const)(
    '%s: bit errors of one in ten thousand lose under one event in a hundred',
    (name) => {
      const rows = scene(20_000, 13)
      const bytes = encode(name, rows).slice()
      const random = seededIntegers(17)
      const errors = Math.round((bytes.length * 8) / 10_000)
      for (let n = 0; n < errors; n++) {
        const bit = random(bytes.length * 8)
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
      }
      const { rows: read, ledger } = decode(name, bytes)
      expect(read.length).toBeGreaterThan(rows.length * 0.99)
      expect(read.length).toBeLessThanOrEqual(rows.length * 1.001)
      expect(ledger.droppedBytes['unsynchronised']).toBeGreaterThan(0)
      expect(ledgerImbalance(ledger)).toBeNull()
      // absolute times heal, those of E1 are sums
      if (['edvs-e2', 'edvs-e3', 'edvs-e4'].includes(name)) expect(read.at(-1)?.[0]).toBe(rows.at(-1)?.[0])
    },
  )
})

describe('datagrams', () => {
  test('SPIF words as they are on the wire, with and without a time', () => {
    const decoder = WIRE_FORMATS.spif.createDecoder({ clock: () => 9 })
    expect(rowsOf(decoder.push(bytesOf('05 80 03 00 07 00 00 00 06 00 04 80')))).toEqual([
      [7, 3, 5, 1],
      [9, 4, 6, 0],
    ])
    expect(decoder.ledger.faults).toEqual({ hostTime: 1 })
  })

  test('the rest of a cut datagram is counted, and never joined to the next', () => {
    const bytes = encode('spif', scene(4, 1))
    const decoder = WIRE_FORMATS.spif.createDecoder()
    expect(decoder.push(bytes.subarray(0, 13)).count).toBe(1)
    expect(decoder.push(bytes).count).toBe(4)
    expect(decoder.ledger).toMatchObject({ droppedBytes: { truncated: 5 }, pendingBytes: 0 })
    expect(ledgerImbalance(decoder.ledger)).toBeNull()
  })

  test('cAER numbers tell lost, late and restarted datagrams', () => {
    const encoder = WIRE_FORMATS.caer.createEncoder({ geometry: GEOMETRY })
    const datagrams = Array.from({ length: 12 }, (_, i) => encoder.push(batchOf(scene(5, i + 1))))
    const decoder = WIRE_FORMATS.caer.createDecoder({ geometry: GEOMETRY })
    const order = [0, 1, 2, 5, 4, 8, 9]
    const events = order.reduce((sum, i) => sum + decoder.push(datagrams[i] as Uint8Array).count, 0)
    expect(events).toBe(5 * order.length)
    expect(decoder.ledger.records).toMatchObject({ datagram: 7, datagramLost: 3, datagramLate: 1 })
    decoder.push(Uint8Array.of(1, 2, 3))
    expect(decoder.ledger.droppedBytes).toEqual({ unknownMessage: 3 })
    expect(ledgerImbalance(decoder.ledger)).toBeNull()
  })
})
