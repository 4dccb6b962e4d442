import { describe, expect, it } from 'vitest'
import { concatBatches, type EventBatch, rowsOf, type TriggerBatch } from '#src/events/batch.js'
import type { DecoderOptions } from '#src/events/decoder.js'
import { detectFormat, FORMATS, type FormatName } from '#src/events/formats/index.js'
import { ledgerImbalance, tallied } from '#src/events/ledger.js'
import { decodeRecording } from '#src/events/read.js'
import { expectations, fixture, fixtureNames, isLong } from './fixtures.js'

interface Run {
  readonly events: EventBatch
  readonly triggers: [number, number, number][]
  readonly ledger: unknown
}

/** Decodes in chunks of the given sizes, in turn; every push leaves a balanced ledger. */
const decodeChunked = (format: FormatName, bytes: Uint8Array, sizes: readonly number[], options: DecoderOptions = {}): Run => {
  const triggers: [number, number, number][] = []
  const onTriggers = (batch: TriggerBatch): void => {
    for (let i = 0; i < batch.count; i++) triggers.push([batch.timeMicros[i] as number, batch.channel[i] as number, batch.value[i] as number])
  }
  const decoder = FORMATS[format].createDecoder({ ...options, onTriggers })
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
  return { events: concatBatches(batches.filter((batch) => batch.count > 0)), triggers, ledger: structuredClone(decoder.ledger) }
}

describe.each(fixtureNames)('%s', (name) => {
  const expected = expectations[name] as (typeof expectations)[string]
  const bytes = fixture(name)

  it('is recognised by its content', () => {
    expect(detectFormat(bytes, name)).toBe(expected.format)
  })

  it('decodes to what was assembled, with a balanced ledger', () => {
    const recording = decodeRecording(bytes, { name, format: expected.format })
    const { ledger } = recording
    expect(rowsOf(recording.events)).toEqual(expected.events)
    expect(recording.geometry).toEqual(expected.geometry === null ? null : { width: expected.geometry[0], height: expected.geometry[1] })
    expect(Array.from(recording.triggers.timeMicros, (time, i) => [time, recording.triggers.channel[i], recording.triggers.value[i]])).toEqual(
      expected.triggers ?? [],
    )
    expect(rowsOf(recording.exposures)).toEqual(expected.exposures ?? [])
    if (expected.rgb !== undefined) expect([...(recording.events.rgb ?? [])]).toEqual(expected.rgb)
    expect(ledger).toMatchObject({
      bytesIn: bytes.length,
      eventBytes: expected.eventBytes,
      otherBytes: expected.otherBytes,
      droppedBytes: expected.droppedBytes ?? {},
      eventsIn: expected.events.length + tallied(expected.droppedEvents ?? {}),
      eventsOut: expected.events.length,
      droppedEvents: expected.droppedEvents ?? {},
      records: expected.records ?? {},
      faults: expected.faults ?? {},
    })
    expect(ledgerImbalance(ledger)).toBeNull()
  })

  it('decodes the same in chunks of any size', () => {
    const whole = decodeChunked(expected.format, bytes, [bytes.length])
    for (const sizes of [[1], [2], [3], [5], [7], [16], [1, 2, 3, 4, 5, 6, 7], [64, 1]]) {
      expect(decodeChunked(expected.format, bytes, sizes)).toEqual(whole)
    }
  })

  it('goes on from a snapshot at any place', () => {
    const decode = (sizes: readonly number[]): EventBatch => decodeChunked(expected.format, bytes, sizes).events
    const whole = rowsOf(decode([bytes.length]))
    for (let cut = 0; cut <= bytes.length; cut += bytes.length > 500 ? 13 : 1) {
      const first = FORMATS[expected.format].createDecoder()
      const before = first.push(bytes.subarray(0, cut))
      const snapshot = JSON.parse(JSON.stringify(first.snapshot()))
      const second = FORMATS[expected.format].createDecoder({ resume: snapshot })
      const after = [second.push(bytes.subarray(snapshot.byteOffset)), second.end()]
      expect([before, ...after].flatMap(rowsOf)).toEqual(whole)
    }
  })

  it('survives every truncation with a balanced ledger', () => {
    for (let length = 0; length < bytes.length; length++) {
      const decoder = FORMATS[expected.format].createDecoder()
      decoder.push(bytes.subarray(0, length))
      decoder.end()
      expect(ledgerImbalance(decoder.ledger)).toBeNull()
      expect(decoder.ledger.bytesIn).toBe(length)
    }
  })
})

/** A small generator of its own (xorshift32), so that a failing seed can be run again. */
const randomFrom = (seed: number): (() => number) => {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

const mutate = (bytes: Uint8Array, random: () => number): Uint8Array => {
  const mutated = bytes.slice()
  const changes = 1 + (random() % 8)
  for (let k = 0; k < changes; k++) mutated[random() % mutated.length] = random() & 255
  const cut = random() % 4 === 0 ? random() % mutated.length : mutated.length
  return mutated.subarray(0, cut)
}

const formatsWithFixtures = [...new Set(fixtureNames.map((name) => (expectations[name] as { format: FormatName }).format))]

describe.each(formatsWithFixtures)('damaged %s', (format) => {
  const names = fixtureNames.filter((name) => expectations[name]?.format === format)
  const mutations = isLong ? 100_000 : 5_000

  it(`survives ${mutations} mutations with a balanced ledger`, () => {
    for (let seed = 1; seed <= mutations; seed++) {
      const random = randomFrom(seed * 2654435761)
      const bytes = mutate(fixtureBytes(names[seed % names.length] as string), random)
      const policy = (['count', 'clamp', 'count'] as const)[seed % 3] as 'count' | 'clamp'
      const decoder = FORMATS[format].createDecoder({ onFault: policy, onRecord: () => {} })
      const cut = random() % (bytes.length + 1)
      const batches = [decoder.push(bytes.subarray(0, cut)), decoder.push(bytes.subarray(cut)), decoder.end()]
      const count = batches.reduce((sum, batch) => sum + batch.count, 0)
      const problem = ledgerImbalance(decoder.ledger)
      if (problem !== null || decoder.ledger.bytesIn !== bytes.length || decoder.ledger.eventsOut !== count) {
        throw new Error(`seed ${seed} of ${format}: ${problem ?? 'events or bytes miscounted'}`)
      }
      if (policy === 'clamp') expectMonotonic(batches, seed)
    }
  })
})

const cache = new Map<string, Uint8Array>()
const fixtureBytes = (name: string): Uint8Array => {
  const bytes = cache.get(name) ?? fixture(name)
  cache.set(name, bytes)
  return bytes
}

const expectMonotonic = (batches: readonly EventBatch[], seed: number): void => {
  let last = Number.NEGATIVE_INFINITY
  for (const batch of batches) {
    for (const time of batch.timeMicros) {
      if (time < last) throw new Error(`seed ${seed}: time goes back under the policy "clamp"`)
      last = time
    }
  }
}
