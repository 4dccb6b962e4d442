// Spike encoders: each code against its definition, the generator of C against that of TypeScript (test/unit/wasm/spiking.test.ts runs both), and the pass.

import { describe, expect, test } from 'vitest'
import { referenceSession } from '#runtimes/reference/index.js'
import { encode } from '#src/encode/index.js'
import { SpikeportError } from '#src/errors.js'
import { createBuilder } from '#src/network/builder.js'
import { evaluate, evaluateStep, startValues } from '#src/network/evaluate.js'
import { latencyStep, rateThreshold } from '#src/network/operators/encode.js'
import type { ElementArray, Network, Tensor } from '#src/network/types.js'
import { quantizeInput, quantizeSimplified } from '#src/quantize/index.js'
import { floatSpiking } from '../helpers/spiking-networks.js'

const one = (x: number): Tensor => ({ type: { kind: 'float32', shape: [1] }, data: Float32Array.of(x) })

/** Counts what comes in over the steps. */
const counter = (width: number): Network<'float'> => {
  const b = createBuilder('float')
  const nothing = { gain: null, drive: null, currentLeak: null, currentGain: null, shift: 0 } as const
  const x = b.input('x', [width])
  return b.build({ name: 'counter', outputs: [b.add({ kind: 'li', name: 'count', inputs: [x], states: [b.state('sum', [width])], leak: one(0), ...nothing })] })
}

const run = (network: Network, inputs: Float32Array): number[] => Array.from(evaluate(network, [inputs])[network.outputs[0] as number] as Float32Array)

describe('rate', () => {
  test('spikes as often as the input says, within four standard deviations, and the same for the same seed', () => {
    const rates = Float32Array.of(0, 0.1, 0.5, 0.9, 1)
    const network = encode(counter(5), { code: 'rate', steps: 4000, seed: 3 })
    const counts = run(network, rates)
    expect([counts[0], counts[4]]).toEqual([0, 4000])
    rates.forEach((p, i) => {
      expect(Math.abs((counts[i] as number) - 4000 * p)).toBeLessThanOrEqual(4 * Math.sqrt(4000 * p * (1 - p)))
    })
    expect(run(network, rates)).toEqual(counts)
    expect(run(encode(counter(5), { code: 'rate', steps: 4000, seed: 4 }), rates)).not.toEqual(counts)
  })

  test('thresholds of words', () => {
    expect([-1, 0, 0.5, 1, 2].map(rateThreshold)).toEqual([0, 0, 2 ** 31, 0xffffffff, 0xffffffff])
  })
})

test('latency: one spike, the earlier the larger, none for 0', () => {
  expect([0, 0.001, 0.5, 1, 3].map((p) => latencyStep(p, 11))).toEqual([-1, 10, 5, 0, 0])
  const network = encode(counter(3), { code: 'latency', steps: 11 })
  const values = startValues(network)
  const at: number[][] = [[], [], []]
  const spikes = network.values.findIndex(({ name }) => name === 'encoded')
  for (let step = 0; step < 11; step++) {
    evaluateStep(network, values, [Float32Array.of(0, 0.5, 1)])
    ;(values[spikes] as ElementArray).forEach((spike: number, i: number) => {
      if (spike === 1) at[i]?.push(step)
    })
  }
  expect(at).toEqual([[], [5], [0]])
})

test('delta: spikes up and down where a recording has moved by the threshold', () => {
  const b = createBuilder('float')
  const signal = [0, 0.05, 0.25, 0.3, 0.3, -0.1, 0]
  const nothing = { gain: null, drive: null, currentLeak: null, currentGain: null, shift: 0 } as const
  const x = b.input('x', [signal.length, 1])
  const slice = b.add({ kind: 'timeSlice', name: 'slice', inputs: [x], states: [b.state('step', [1])] })
  const state = b.state('encoder', [1])
  const encoded = b.add({
    kind: 'encode',
    name: 'e',
    inputs: [slice],
    states: [state],
    code: 'delta',
    seed: 0,
    steps: signal.length,
    threshold: 0.1,
    table: null,
  })
  const count = b.add({ kind: 'li', name: 'count', inputs: [encoded], states: [b.state('sum', [2])], leak: one(0), ...nothing })
  // reference 0, 0, 0.2, 0.3 (float32 of 0.3 is above), 0.3, -0.1 or 0, ...: up in steps 2 and 3, down in step 5
  const [up, down] = run(b.build({ name: 'd', outputs: [count], steps: signal.length }), Float32Array.from(signal)) as [number, number]
  expect(up).toBeGreaterThanOrEqual(1)
  expect(down).toBe(1)
})

describe('the pass', () => {
  test('float and integer networks spike alike', async () => {
    const network = encode(floatSpiking(2), { code: 'rate', steps: 40, seed: 5 })
    const inputs = Float32Array.from({ length: 30 }, (_, i) => i / 29)
    const integer = quantizeSimplified(network, { scheme: 'spiking', calibration: { count: 1, inputs: [inputs] } })
    const got = (await referenceSession(integer).run({ count: 1, inputs: [quantizeInput(integer, 0, inputs)] }))[0] as ElementArray
    const apart = run(network, inputs).reduce((sum, count, i) => sum + Math.abs(count - (got[i] as number)), 0)
    expect(run(network, inputs).reduce((a, b) => a + b, 0)).toBeGreaterThan(5)
    expect(apart).toBeLessThan(8)
  })

  test('refuses a second encoder, delta without a recording, and unknown codes', () => {
    const coded = encode(counter(3), { code: 'rate' })
    expect(() => encode(coded, { code: 'rate' })).toThrow(SpikeportError)
    expect(() => encode(counter(3), { code: 'delta' })).toThrow(/stays the same/)
    expect(() => encode(counter(3), { code: 'morse' as never })).toThrow(/unknown code/)
  })
})
