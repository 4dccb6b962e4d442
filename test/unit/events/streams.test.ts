import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchOf, emptyBatch, rowsOf, triggersOf } from '#src/events/batch.js'
import { FORMATS, type FormatName } from '#src/events/formats/index.js'
import { compressLz4Frame, decompressLz4Frame } from '#src/events/formats/lz4.js'
import { createLedger, ledgerImbalance, ledgerLines } from '#src/events/ledger.js'
import { decodeRecording, openDecoder } from '#src/events/read.js'
import { type ByteSource, indexRecording, readEventSpan, readTimeSpan, sourceOfBytes } from '#src/events/recording-index.js'
import { createCountWindows, createTimeWindows, windowsOf } from '#src/events/windows.js'
import { fixture, sharedFile } from './fixtures.js'

const geometry = { width: 64, height: 64 }

describe('fault policies', () => {
  it('"count" passes backward times and counts them, "clamp" holds them, "throw" raises', () => {
    const bytes = fixture('dat-v2.dat')
    const times = (onFault: 'count' | 'clamp'): number[] => [...decodeRecording(bytes, { onFault }).events.timeMicros]
    expect(times('count')).toEqual([10, 10, 9, 4294967280, 4294967299])
    expect(times('clamp')).toEqual([10, 10, 10, 4294967280, 4294967299])
    expect(() => decodeRecording(bytes, { onFault: 'throw', name: 'a.dat' })).toThrow('a.dat at byte 131: time goes back from 10 us to 9 us.')
  })

  it('"throw" raises at events before the first time base, and the ledger still balances', () => {
    const decoder = FORMATS.evt2.createDecoder({ onFault: 'throw' })
    expect(() => decoder.push(fixture('evt2.raw'))).toThrow('events stand before the first time base')
    expect(ledgerImbalance(decoder.ledger)).toBeNull()
  })

  it('the time origin "firstBase" makes the first time base 0', () => {
    const bytes = sharedFile('events/expelliarmus_evt3_sample.raw')
    expect(decodeRecording(bytes, { timeOrigin: 'firstBase' }).events.timeMicros[0]).toBe(0)
    expect(decodeRecording(sharedFile('events/expelliarmus_evt2_sample.raw'), { timeOrigin: 'firstBase' }).events.timeMicros[0]).toBe(0)
  })
})

describe('openDecoder', () => {
  it('refuses content of no known format by name', () => {
    expect(() => decodeRecording(Uint8Array.of(0, 255, 3), { name: 'x.bin' })).toThrow('x.bin at byte 0: the content is of no known recording format.')
  })

  it('refuses to go on after end()', () => {
    const decoder = openDecoder({ format: 'text' })
    decoder.end()
    expect(() => decoder.push(new Uint8Array(1))).toThrow('push() or end() was called after end().')
  })
})

describe('encoders', () => {
  it.each(['evt2', 'evt21', 'evt3', 'aedat3', 'aedat4'] as const)('%s keeps triggers between the events', (format: FormatName) => {
    const events = batchOf([
      [100, 1, 2, 1],
      [5000, 3, 4, 0],
    ])
    const triggers = triggersOf([
      [50, 0, 1],
      [200, 0, 0],
      [6000, 0, 1],
    ])
    const encoder = FORMATS[format].createEncoder({ geometry })
    const bytes = Buffer.concat([encoder.push(events, { triggers }), encoder.end()])
    const decoded = decodeRecording(Uint8Array.from(bytes), { format })
    expect(rowsOf(decoded.events)).toEqual(rowsOf(events))
    expect(decoded.triggers).toEqual(triggers)
    expect(encoder.ledger.records).toEqual({ trigger: 3 })
  })

  it('count triggers that a format cannot hold', () => {
    const encoder = FORMATS.dvsd.createEncoder({ geometry })
    encoder.push(emptyBatch(), { triggers: triggersOf([[1, 0, 1]]) })
    expect(encoder.ledger.records).toEqual({ triggerNotWritten: 1 })
  })

  it('ATIS keeps exposure measurements', () => {
    const events = batchOf([
      [10, 1, 2, 1],
      [300, 3, 4, 0],
    ])
    const exposures = batchOf([
      [20, 5, 6, 0],
      [300, 5, 6, 1],
    ])
    const encoder = FORMATS['es-atis'].createEncoder({ geometry })
    const decoded = decodeRecording(Uint8Array.from(Buffer.concat([encoder.push(events, { exposures }), encoder.end()])))
    expect(rowsOf(decoded.events)).toEqual(rowsOf(events))
    expect(rowsOf(decoded.exposures)).toEqual(rowsOf(exposures))
  })

  it('count what a format cannot hold beside ATIS exposures: triggers, and measurements that go back in time', () => {
    const encoder = FORMATS['es-atis'].createEncoder({ geometry })
    const exposures = batchOf([
      [20, 5, 6, 0],
      [10, 5, 6, 1],
    ])
    encoder.push(batchOf([[15, 1, 1, 1]]), { exposures, triggers: triggersOf([[16, 0, 1]]) })
    expect(encoder.ledger.records).toEqual({ exposure: 1, exposureNotWritten: 1, triggerNotWritten: 1 })
    expect(ledgerImbalance(encoder.ledger)).toBeNull()
  })

  it('refuse a sensor without pixels', () => {
    expect(() => FORMATS.evt2.createEncoder({ geometry: { width: 0, height: 4 } })).toThrow('a sensor of 0 x 4 pixels does not exist.')
  })

  it('colour survives', () => {
    const events = { ...batchOf([[10, 1, 2, 1]]), rgb: Uint8Array.of(1, 2, 3) }
    const encoder = FORMATS['es-colour'].createEncoder({ geometry })
    expect(decodeRecording(Uint8Array.from(Buffer.concat([encoder.push(events), encoder.end()]))).events).toEqual(events)
  })

  it('drop and count events outside the sensor and steps back that readers would misread', () => {
    const encoder = FORMATS.evt3.createEncoder({ geometry })
    encoder.push(
      batchOf([
        [2e7, 1, 1, 1],
        [2e7, 64, 1, 1],
        [1e7, 2, 2, 1],
      ]),
    )
    expect(encoder.ledger).toMatchObject({ eventsIn: 3, eventsOut: 1, droppedEvents: { outOfBounds: 1, nonMonotonic: 1 } })
    expect(ledgerImbalance(encoder.ledger)).toBeNull()
  })

  it('refuse unix times where every loop would be spelled out, and take an origin', () => {
    const late = batchOf([[1605537493718345, 1, 1, 1]])
    expect(() => FORMATS.evt3.createEncoder({ geometry }).push(late)).toThrow('is too far from 0')
    const encoder = FORMATS.evt3.createEncoder({ geometry, originMicros: 'first' })
    expect(rowsOf(decodeRecording(Uint8Array.from(encoder.push(late))).events)).toEqual([[0, 1, 1, 1]])
  })
})

describe('windows', () => {
  const batches = [
    batchOf([
      [5, 0, 0, 1],
      [14, 1, 0, 1],
    ]),
    batchOf([
      [15, 2, 0, 1],
      [47, 3, 0, 1],
      [20, 4, 0, 1],
    ]),
  ]

  it('by time are consecutive, give empty ones, and count late events', async () => {
    const windower = createTimeWindows({ durationMicros: 10 })
    const windows: [number, number, number[]][] = []
    for await (const window of windowsOf(batches, windower)) windows.push([window.startMicros, window.endMicros, [...window.events.x]])
    expect(windows).toEqual([
      [5, 15, [0, 1]],
      [15, 25, [2]],
      [25, 35, []],
      [35, 45, []],
      [45, 55, [3]],
    ])
    expect(windower.ledger).toMatchObject({ eventsIn: 5, eventsOut: 4, droppedEvents: { late: 1 } })
    expect(ledgerImbalance(windower.ledger)).toBeNull()
  })

  it('by time skip a long gap and say so', () => {
    const windower = createTimeWindows({ durationMicros: 10, maxEmptyWindows: 2 })
    const windows = [
      ...windower.push(
        batchOf([
          [0, 0, 0, 1],
          [1e15, 1, 0, 1],
        ]),
      ),
      ...windower.end(),
    ]
    expect(windows.map((window) => window.startMicros)).toEqual([0, 10, 20, 1e15])
    expect(windower.ledger.faults).toEqual({ skippedWindows: 1e14 - 3 })
  })

  it('by count hold exactly that many events, the last one the rest', async () => {
    const windower = createCountWindows({ eventCount: 2 })
    const counts: number[] = []
    for await (const window of windowsOf(batches, windower)) counts.push(window.events.count)
    expect(counts).toEqual([2, 2, 1])
    expect(ledgerImbalance(windower.ledger)).toBeNull()
  })
})

describe('recording index', () => {
  const counted = (bytes: Uint8Array): ByteSource & { bytesRead: number } => {
    const source = sourceOfBytes(bytes)
    const counting = {
      byteLength: source.byteLength,
      bytesRead: 0,
      read: async (byteOffset: number, byteCount: number) => {
        counting.bytesRead += byteCount
        return source.read(byteOffset, byteCount)
      },
    }
    return counting
  }

  it.each(['expelliarmus_evt2_sample.raw', 'expelliarmus_evt3_sample.raw', 'tonic_sample.aedat4', 'pyfeast_ev.es', 'dvs128_alex_walking_again.aedat'])(
    'reads any span of %s as a whole read would, and less of the file',
    async (name) => {
      const bytes = sharedFile(`events/${name}`)
      const { events } = decodeRecording(bytes, { name })
      const source = counted(bytes)
      const index = JSON.parse(JSON.stringify(await indexRecording(source, { name, chunkBytes: 4096, maxEntries: 64 })))
      expect(index.eventCount).toBe(events.count)
      expect(index.entries.length).toBeLessThan(64)
      const { firstMicros: first, lastMicros: last } = index
      for (const [from, to] of [
        [first, last + 1],
        [first + (last - first) * 0.6, first + (last - first) * 0.65],
        [last, last + 1],
        [last + 1, last + 2],
      ] as const) {
        source.bytesRead = 0
        const times: number[] = []
        for await (const batch of readTimeSpan(source, index, from, to, { chunkBytes: 4096 })) times.push(...batch.timeMicros)
        expect(times).toEqual([...events.timeMicros].filter((time) => time >= from && time < to))
        if (to - from < (last - first) / 2) expect(source.bytesRead).toBeLessThan(bytes.length / 2)
      }
      const numbers: number[] = []
      for await (const batch of readEventSpan(source, index, 1234, 2345, { chunkBytes: 4096 })) numbers.push(...batch.x)
      expect(numbers).toEqual([...events.x.subarray(1234, 2345)])
    },
  )
})

describe('text', () => {
  it('the fast path for plain numbers agrees with the general one', () => {
    const bytes = new TextEncoder()
    const line = fc.tuple(
      fc.oneof(
        fc.nat(1e6).map(String),
        fc.tuple(fc.nat(1e7), fc.nat(999999)).map(([a, b]) => `${a}.${b}`),
        fc.constantFrom('0.1234567', '1e3', '-4', 'x', ''),
      ),
      fc.oneof(fc.nat(70000).map(String), fc.constant('3.0')),
      fc.nat(300).map(String),
      fc.constantFrom('0', '1', '-1', '2', '1.0'),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), fc.constantFrom('\n', '\r\n'), (lines, end) => {
        const decode = (separator: string) => {
          const text = lines.map((tokens) => tokens.join(separator) + end).join('')
          const decoder = FORMATS.text.createDecoder()
          const rows = [...rowsOf(decoder.push(bytes.encode(text))), ...rowsOf(decoder.end())]
          return { rows, dropped: Object.keys(decoder.ledger.droppedBytes) }
        }
        // Two separators in a row are nothing for the fast path.
        expect(decode(' ')).toEqual(decode('  '))
      }),
    )
  })
})

describe('lz4', () => {
  it('decompresses what it compressed', () => {
    for (const length of [0, 1, 12, 13, 100, 5000, 65536, 65537, 200000]) {
      for (const modulus of [1, 7, 251]) {
        const bytes = Uint8Array.from({ length }, (_, i) => (Math.imul(i, i >> 3) % modulus) + (i & 3))
        const packed = compressLz4Frame(bytes)
        expect(decompressLz4Frame(packed)).toEqual(bytes)
      }
    }
  })

  it('tells damage', () => {
    const packed = compressLz4Frame(new Uint8Array(100))
    expect(decompressLz4Frame(packed.subarray(0, packed.length - 5))).toBeNull()
    expect(decompressLz4Frame(Uint8Array.of(1, 2, 3))).toBeNull()
  })
})

describe('ledger', () => {
  it('says what does not add up', () => {
    expect(ledgerImbalance({ ...createLedger(), bytesIn: 5, eventBytes: 3 })).toBe('5 bytes in, 3 accounted for')
    expect(ledgerImbalance({ ...createLedger(), eventsIn: 2, eventsOut: 1 })).toBe('2 events in, 1 accounted for')
    expect(ledgerImbalance({ ...createLedger(), records: { frame: -1 } })).toBe('the count of "frame" is -1')
  })

  it('prints its parts by name', () => {
    const { ledger } = decodeRecording(fixture('es-dvs.es'))
    expect(ledgerLines(ledger)).toEqual([
      'bytes in: 45',
      'bytes of events: 20',
      'bytes of header: 20',
      'bytes of reset: 1',
      'bytes of time: 2',
      'bytes dropped, truncated: 2',
      'events in: 4',
      'events out: 3',
      'events dropped, outOfBounds: 1',
      'records reset: 1',
    ])
  })
})
