// Sensors that are not cameras: .wav files built byte by byte, text, and the two level-crossing encoders.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  concatBatches,
  createCsvReader,
  createSensorEncoder,
  createWavReader,
  ledgerImbalance,
  regularBlock,
  rowsOf,
  type SampleBlock,
  type SampleReader,
  type SensorMethod,
} from '#src/events/index.js'

const text = (content: string): Uint8Array => new TextEncoder().encode(content)
const u16 = (value: number): number[] => [value & 255, (value >> 8) & 255]
const u32 = (value: number): number[] => [...u16(value), ...u16(value >>> 16)]
const chunk = (id: string, body: readonly number[]): number[] => [...text(id), ...u32(body.length), ...body, ...(body.length % 2 === 1 ? [0] : [])]
const wav = (...chunks: number[][]): Uint8Array => Uint8Array.from([...text('RIFF'), ...u32(4 + chunks.flat().length), ...text('WAVE'), ...chunks.flat()])
const format = (kind: number, channels: number, rate: number, bits: number): number[] =>
  chunk('fmt ', [...u16(kind), ...u16(channels), ...u32(rate), ...u32((rate * channels * bits) / 8), ...u16((channels * bits) / 8), ...u16(bits)])
const floats = (...values: number[]): number[] => [...new Uint8Array(Float32Array.from(values).buffer)]

/** All samples of bytes given in chunks of a size. */
const readAll = (reader: SampleReader, bytes: Uint8Array, size = bytes.length): { values: number[]; times: number[]; channels: number } => {
  const blocks: SampleBlock[] = []
  for (let at = 0; at < bytes.length; at += size) {
    blocks.push(reader.push(bytes.subarray(at, at + size)))
    expect(ledgerImbalance(reader.ledger)).toBeNull()
  }
  blocks.push(reader.end())
  expect(ledgerImbalance(reader.ledger)).toBeNull()
  expect(reader.ledger.pendingBytes).toBe(0)
  return {
    values: blocks.flatMap(({ values }) => [...values]),
    times: blocks.flatMap(({ timeMicros }) => [...timeMicros]),
    channels: reader.channels as number,
  }
}

describe('.wav', () => {
  const full = 2 ** 23
  test.each([
    ['8 bits', 1, 8, [0, 128, 255, 64], [-full + 1, 0, 127 * 65536, -64 * 65536]],
    ['16 bits', 1, 16, [0, 128, 255, 127, 1, 0, 255, 255], [-full + 1, 32767 * 256, 256, -256]],
    ['24 bits', 1, 24, [255, 255, 255, 1, 0, 0, 255, 255, 127, 0, 0, 128], [-1, 1, full - 1, -full + 1]],
    ['32 bits', 1, 32, [...u32(0x7fffffff), ...u32(256), ...u32(-256), ...u32(0)], [full - 1, 1, -1, 0]],
    ['float', 3, 32, floats(0.5, -0.25, 2, 2 ** -23), [full / 2, -full / 4, full - 1, 1]],
  ] as const)('%s, two channels, in chunks of any size', (_, kind, bits, data, expected) => {
    const bytes = wav(chunk('LIST', [1, 2, 3]), format(kind, 2, 8000, bits), chunk('data', [...data]), chunk('tail', [9]))
    for (const size of [1, 3, bytes.length]) {
      const reader = createWavReader()
      expect(readAll(reader, bytes, size)).toEqual({ values: [...expected], times: [0, 125], channels: 2 })
      expect(reader.ledger.faults).toEqual(kind === 3 ? { clipped: 1 } : {})
    }
  })

  test('extensible formats name their kind in the subformat', () => {
    const body = [
      ...u16(0xfffe),
      ...u16(1),
      ...u32(1000),
      ...u32(2000),
      ...u16(2),
      ...u16(16),
      ...u16(22),
      ...u16(16),
      ...u32(4),
      ...u16(1),
      ...Array(14).fill(0),
    ]
    expect(readAll(createWavReader(), wav(chunk('fmt ', body), chunk('data', [1, 0]))).values).toEqual([256])
  })

  test('every truncation is refused', () => {
    const bytes = wav(format(1, 1, 8000, 16), chunk('data', [1, 0, 2, 0, 3, 0]))
    for (let length = 0; length < bytes.length; length++) expect(() => readAll(createWavReader(), bytes.subarray(0, length)), `${length}`).toThrow(/wav/)
    expect(readAll(createWavReader(), bytes).values).toEqual([256, 512, 768])
  })

  test('mutated files are read or refused, never misread past their end', () => {
    const bytes = wav(format(1, 2, 8000, 16), chunk('data', [1, 0, 2, 0, 3, 0, 4, 0]))
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const mutated = bytes.slice()
        mutated[at] = value
        try {
          const { values, channels } = readAll(createWavReader(), mutated)
          expect(values.length % channels).toBe(0)
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/^(FILE_MALFORMED|UNSUPPORTED|USAGE)$/)
        }
      }),
      { numRuns: 3000 },
    )
  })

  test.each([
    ['compressed samples', wav(format(85, 1, 8000, 16), chunk('data', [1, 0])), 'samples of kind 85 with 16 bits are not read'],
    ['half a sample', wav(format(1, 2, 8000, 16), chunk('data', [1, 0])), '2 bytes of data are no whole number of samples of 4 bytes'],
    ['NaN', wav(format(3, 1, 8000, 32), chunk('data', floats(0, Number.NaN))), 'channel 1 is not a number'],
    ['no samples', wav(format(1, 1, 8000, 16)), 'the file holds no samples'],
  ])('%s is refused by name', (_, bytes, message) => expect(() => readAll(createWavReader(), bytes)).toThrow(message))
})

describe('text', () => {
  const columns = 't,x,y\n0.001,1,-2\n# pause\n0.0025,1.5,"3e-1"\r\n\n0.003,-.5,0'
  test('names, chosen columns, times, in chunks of any size', () => {
    for (const size of [1, 7, 100]) {
      const reader = createCsvReader({ resolution: 0.1, timeColumn: 't' })
      expect(readAll(reader, text(columns), size)).toEqual({ values: [10, -20, 15, 3, -5, 0], times: [1000, 2500, 3000], channels: 2 })
    }
    expect(readAll(createCsvReader({ resolution: 0.1, timeColumn: '1', columns: ['y'] }), text(columns)).values).toEqual([-20, 3, 0])
  })

  test.each(['1;2\n3;4\n', '1\t2\n3\t4\n', '1 2\n3  4\n', '1, 2\n3,4'])('without names: %j', (content) =>
    expect(readAll(createCsvReader({ resolution: 1, rateHz: 1000 }), text(content))).toEqual({ values: [1, 2, 3, 4], times: [0, 1000], channels: 2 }),
  )

  test.each([
    ['NaN', 'x,y\n1,2\n3,NaN\n', 'signal.csv: line 3, column 2 ("y"): "NaN" is no finite number'],
    ['NaN in the first line', '1,nan\n', 'line 1, column 2: "nan" is no finite number'],
    ['an empty field', '1,2\n,3\n', 'line 2, column 1: "" is no finite number'],
    ['infinity', '1,2\n1,1e999\n', 'line 2, column 2: "1e999" is no finite number'],
    ['a missing column', '1,2\n3\n', 'line 2, column 2 is missing, the line has 1 columns'],
    ['a value beyond 24 bits', '1,8388608\n', 'line 1, column 2: 8388608 is beyond 8388607 steps of 1'],
    ['no samples', 'x,y\n', 'the file holds no samples'],
  ])('%s is refused with its place', (_, content, message) =>
    expect(() => readAll(createCsvReader({ resolution: 1, rateHz: 10 }), text(content))).toThrow(message),
  )

  test('times that go back, unknown columns and missing rates are refused', () => {
    expect(() => readAll(createCsvReader({ resolution: 1, timeColumn: '1' }), text('2,1\n1,1\n'))).toThrow('line 2, column 1: the time goes back')
    expect(() => readAll(createCsvReader({ resolution: 1, rateHz: 1, columns: ['z'] }), text('x,y\n1,1\n'))).toThrow('no column "z"')
    expect(() => createCsvReader({ resolution: 1 })).toThrow('has no times')
  })
})

describe('level crossing', () => {
  const signal = fc.array(fc.tuple(fc.integer({ min: -5000, max: 5000 }), fc.integer({ min: -8388607, max: 8388607 })), { minLength: 1, maxLength: 60 })
  const encode = (samples: readonly (readonly number[])[], method: SensorMethod, threshold: number, size = samples.length, most = 65536) => {
    const channels = samples[0]?.length ?? 1
    const encoder = createSensorEncoder({ channels, method, threshold, memoryLog2: 3, maxEventsPerSample: most })
    const batches = []
    for (let at = 0; at < samples.length; at += size) {
      batches.push(encoder.apply(regularBlock(Int32Array.from(samples.slice(at, at + size).flat()), channels, 1000, at)))
      expect(ledgerImbalance(encoder.ledger)).toBeNull()
    }
    return { events: concatBatches(batches), ledger: encoder.ledger }
  }

  test('send-on-delta: what the events rebuild is less than a threshold away from every sample', () => {
    fc.assert(
      fc.property(signal, fc.integer({ min: 1000, max: 9000 }), (samples, threshold) => {
        const { events, ledger } = encode(samples, 'delta', threshold)
        expect(ledger.droppedEvents).toEqual({})
        const level = [...(samples[0] as readonly number[])]
        let next = 0
        for (const [i, sample] of samples.entries()) {
          for (; next < events.count && events.timeMicros[next] === i * 1000; next++) {
            const channel = events.x[next] as number
            level[channel] = (level[channel] as number) + (events.polarity[next] === 1 ? threshold : -threshold)
          }
          for (const [channel, x] of sample.entries()) expect(Math.abs(x - (level[channel] as number))).toBeLessThan(threshold)
        }
        expect(next).toBe(events.count)
      }),
      { numRuns: 100 },
    )
  })

  test.each(['delta', 'adaptive'] as const)('%s: chunks of any size give the same events', (method) => {
    fc.assert(
      fc.property(signal, fc.integer({ min: 1, max: 9 }), (samples, size) => {
        const [whole, cut] = [encode(samples, method, 2000, samples.length, 50), encode(samples, method, 2000, size, 50)]
        expect(rowsOf(cut.events)).toEqual(rowsOf(whole.events))
        expect(cut.ledger).toEqual(whole.ledger)
      }),
      { numRuns: 100 },
    )
  })

  test.each(['delta', 'adaptive'] as const)('%s: silence gives no events', (method) =>
    expect(encode(Array(500).fill([77, -8388607]), method, 1).events.count).toBe(0),
  )

  test('adaptive: the stated formula, worked by hand', () => {
    // mean: 0, then 0 + (64 * 100 - 0) >> 3 = 800, then 800 + (6400 - 800) >> 3 = 1500, then 1500 + (6400 - 1500) >> 3 = 2112
    // threshold before each sample: 10, 10, max(10, (64 * (800 >> 6)) >> 4) = 48, (64 * (1500 >> 6)) >> 4 = 92
    // sample 100: 10 events, reference 100; 200: 2 of 48, reference 196; 300: 104 away, 1 of 92
    expect(rowsOf(encode([[0], [100], [200], [300]], 'adaptive', 10).events).map(([time]) => time)).toEqual([...Array(10).fill(1000), 2000, 2000, 3000])
  })

  test('adaptive: ten times the amplitude gives about as many events, send-on-delta ten times as many', () => {
    const wave = (amplitude: number) => Array.from({ length: 4000 }, (_, i) => [Math.round(amplitude * Math.sin(i / 9))])
    const counts = (method: SensorMethod) => [10_000, 100_000].map((amplitude) => encode(wave(amplitude), method, 200).events.count)
    const [quiet = 0, loud = 0] = counts('adaptive')
    expect(loud / quiet).toBeLessThan(1.3)
    const [few = 0, many = 0] = counts('delta')
    expect(many / few).toBeGreaterThan(9)
  })

  test('extremes fit int32, and crossings beyond the limit are counted', () => {
    const { ledger, events } = encode([[-8388607], [8388607], [-8388607]], 'adaptive', 1, 3, 100)
    expect(events.count).toBe(ledger.eventsOut)
    expect(ledger.droppedEvents['tooManyCrossings']).toBeGreaterThan(1e6)
    // the widest steps with the highest gain: a product that overflowed int32 would give a low threshold and events
    const widest = createSensorEncoder({ channels: 1, method: 'adaptive', threshold: 1, gain16: 127, memoryLog2: 1, maxEventsPerSample: 1 })
    const swings = Int32Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? -8388607 : 8388607))
    expect(widest.apply(regularBlock(swings.slice(0, 2), 1, 1000, 0)).count).toBe(1)
    expect(widest.apply(regularBlock(swings.slice(2), 1, 1000, 2)).count).toBe(0) // the threshold is 3.9 swings or more
    expect(() => createSensorEncoder({ channels: 1, method: 'delta', threshold: 0 })).toThrow('threshold is 0, it must be an integer from 1')
  })
})
