// FEAST on WebAssembly: after 100,000 events the bytes of the TypeScript learner, whatever the options, and across engines in the middle of a
// recording; and features.wasm is what its sources make.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { batchOf, sliceBatch } from '#src/events/index.js'
import { createFastFeast, createFeast, type FeastOptions, restoreFastFeast, restoreFeast, saveFeast } from '#src/features/index.js'
import { describeWith } from '../../helpers/tools.js'
import { SENSOR, sweepingEdge } from './fixtures.js'

const root = resolve(import.meta.dirname, '../../..')
const BASE = { geometry: SENSOR, arithmetic: 'fixed' } as const

const OPTIONS: readonly Partial<FeastOptions>[] = [
  {},
  { decay: 'binary' },
  { decay: 'linear', polarity: 'merged', featureCount: 7, radius: 2 },
  { polarity: 'on', featureCount: 1, radius: 1, learningRate: 0.5 },
  { polarity: 'off', featureCount: 5, radius: 5, learningRate: 2 ** -15, closeStep: 1, openStep: 1 },
  { radius: 15, featureCount: 3, tauMicros: 1000, initialThreshold: 0.5, closeStep: 0 },
]

describe('FEAST on WebAssembly', () => {
  test('has the bytes of the TypeScript learner after 100,000 events', async () => {
    const events = sweepingEdge(100_000)
    const [plain, fast] = [createFeast(BASE), await createFastFeast(BASE)]
    expect(fast.learn(events)).toEqual(plain.learn(events))
    expect(saveFeast(fast)).toEqual(saveFeast(plain))
    expect(fast.ledger).toEqual(plain.ledger)
    expect(fast.infer(events)).toEqual(plain.infer(events))
  })

  test.each(OPTIONS)('has the same bytes with %j', async (options) => {
    const events = sweepingEdge(6000)
    const [plain, fast] = [createFeast({ ...BASE, ...options }), await createFastFeast({ ...BASE, ...options })]
    expect(fast.learn(events)).toEqual(plain.learn(events))
    expect(saveFeast(fast)).toEqual(saveFeast(plain))
    plain.clearSurface()
    fast.clearSurface()
    expect(saveFeast(fast)).toEqual(saveFeast(plain))
    expect(fast.infer(events)).toEqual(plain.infer(events))
    expect(fast.ledger).toEqual(plain.ledger)
  })

  test('goes on from the bytes of the other engine in the middle of a recording', async () => {
    const events = sweepingEdge(6000)
    const whole = createFeast(BASE)
    whole.learn(events)
    const first = createFeast(BASE)
    first.learn(sliceBatch(events, 0, 1501))
    const second = await restoreFastFeast(saveFeast(first))
    second.learn(sliceBatch(events, 1501, 3999))
    const third = restoreFeast(saveFeast(second))
    third.learn(sliceBatch(events, 3999, 6000))
    expect(saveFeast(third)).toEqual(saveFeast(whole))
  })

  test('agrees on times that are negative, go back or lie hours apart, and on events outside the sensor', async () => {
    const hour = 3_600_000_000
    const events = batchOf([
      [-5000, 9, 9, 1],
      [-4000, 10, 9, 1],
      [-4500, 11, 9, 0],
      [2 * hour, 12, 12, 1],
      [2 * hour + 7, 40, 12, 1],
      [2 * hour + 9, 12, 13, 1],
      [hour, 13, 13, 1],
      [2 ** 52, 14, 14, 0],
      [2 ** 52 + 300, 15, 14, 0],
    ])
    const [plain, fast] = [createFeast(BASE), await createFastFeast(BASE)]
    expect(fast.learn(events)).toEqual(plain.learn(events))
    expect(saveFeast(fast)).toEqual(saveFeast(plain))
    expect(fast.ledger).toEqual(plain.ledger)
  })

  test('agrees on weights far longer and shorter than 1', async () => {
    const events = sweepingEdge(3000)
    for (const weight of [32767, 20000, 3, 0]) {
      const made = createFeast(BASE)
      for (const bank of made.banks) {
        bank.weights.fill(weight)
        bank.thresholds.fill(0)
      }
      const bytes = saveFeast(made)
      const [plain, fast] = [restoreFeast(bytes), await restoreFastFeast(bytes)]
      expect(fast.learn(events)).toEqual(plain.learn(events))
      expect(saveFeast(fast)).toEqual(saveFeast(plain))
    }
  })
})

describeWith(['clang', 'lld'], 'features.wasm', () => {
  it('is what scripts/build-features.sh makes of the sources, byte for byte', () => {
    const folder = mkdtempSync(join(tmpdir(), 'spikeport-features-'))
    try {
      const output = join(folder, 'features.wasm')
      execFileSync(join(root, 'scripts/build-features.sh'), [output], { stdio: 'pipe' })
      expect(readFileSync(output).equals(readFileSync(join(root, 'runtimes/wasm/features.wasm')))).toBe(true)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
