// The .feast file: a restored learner goes on with the same bits; damaged files are refused, whatever the damage.

import { describe, expect, test } from 'vitest'
import { crc32 } from '#src/crc32.js'
import { sliceBatch } from '#src/events/index.js'
import { createFeast, restoreFeast, saveFeast } from '#src/features/index.js'
import { fuzzMutations, fuzzTruncations } from '../../helpers/fuzz.js'
import { SENSOR, sweepingEdge } from './fixtures.js'

const VARIANTS = [
  { arithmetic: 'float', polarity: 'split' },
  { arithmetic: 'fixed', polarity: 'split' },
  { arithmetic: 'fixed', polarity: 'merged', decay: 'binary' },
  { arithmetic: 'float', polarity: 'on', decay: 'linear' },
] as const

const SMALL = { geometry: { width: 8, height: 8 }, featureCount: 2, radius: 1 }

/** Puts the right checksum in, so that damage gets past it. */
const withChecksum = (bytes: Uint8Array): Uint8Array => {
  if (bytes.length < 4) return bytes
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).setUint32(bytes.length - 4, crc32(bytes.subarray(0, bytes.length - 4)), true)
  return bytes
}

const resized = (bytes: Uint8Array): Uint8Array => {
  const whole = saveFeast(createFeast({ ...SMALL, arithmetic: 'float' })).slice()
  whole.set(bytes.subarray(0, whole.length))
  return withChecksum(whole)
}

describe('the .feast file', () => {
  test.each(VARIANTS)('%j goes on in the middle of a recording with the same bits', (variant) => {
    const batch = sweepingEdge(3000)
    const whole = createFeast({ geometry: SENSOR, ...variant })
    const first = createFeast({ geometry: SENSOR, ...variant })
    const features = [...whole.learn(batch)]
    const before = [...first.learn(sliceBatch(batch, 0, 1234))]
    const second = restoreFeast(saveFeast(first))
    expect([...before, ...second.learn(sliceBatch(batch, 1234, 3000))]).toEqual(features)
    expect(saveFeast(second)).toEqual(saveFeast(whole))
  })

  test.each(VARIANTS)('%j: save, restore, save gives the same bytes, with and without the surface', (variant) => {
    const feast = createFeast({ geometry: SENSOR, ...variant })
    feast.learn(sweepingEdge(500))
    for (const hasSurface of [true, false]) {
      const bytes = saveFeast(feast, { hasSurface })
      expect(saveFeast(restoreFeast(bytes), { hasSurface })).toEqual(bytes)
    }
  })

  test('bytes inside a larger buffer are read where they lie', () => {
    const bytes = saveFeast(createFeast(SMALL))
    const larger = new Uint8Array(bytes.length + 7)
    larger.set(bytes, 7)
    expect(restoreFeast(larger.subarray(7)).settings).toEqual(createFeast(SMALL).settings)
  })

  test.each([
    [0, 0, 'this is not a .feast file'],
    [4, 9, 'version 9 of the .feast format, this spikeport reads 1'],
    [6, 2, 'unknown flags 2'],
    [8, 7, 'an unknown arithmetic, decay or polarity mode'],
    [11, 0, 'radius is 0'],
    [28, 1, 'a reserved field is not 0'],
    [80, 1, 'the checksum does not match'],
  ])('byte %i = %i: %s', (at, value, message) => {
    const bytes = saveFeast(createFeast(SMALL))
    bytes[at] = value
    expect(() => restoreFeast(bytes, 'a.feast')).toThrow(message)
  })

  test('every truncation is refused', async () => {
    for (const variant of VARIANTS) {
      const feast = createFeast({ ...SMALL, ...variant })
      const report = await fuzzTruncations((bytes) => restoreFeast(bytes), saveFeast(feast))
      expect(report.accepted).toBe(0)
      expect(Object.keys(report.refused)).toEqual(['FILE_MALFORMED'])
    }
  })

  test.each(VARIANTS)('%j: mutations are refused or give a learner that works', async (variant) => {
    const feast = createFeast({ ...SMALL, ...variant })
    feast.learn(sweepingEdge(300))
    const batch = sweepingEdge(50, 2)
    const read = (bytes: Uint8Array): void => void restoreFeast(bytes).learn(batch)
    await fuzzMutations(read, saveFeast(feast), { mutations: 2000 })
    const repaired = await fuzzMutations(read, saveFeast(feast), {
      mutations: 4000,
      seed: 2,
      repair: variant.arithmetic === 'float' && variant.polarity === 'split' ? resized : withChecksum,
    })
    expect(repaired.accepted).toBeGreaterThan(0)
  })
})
