// Scheme spiking: how well the integer network agrees with the float one, and what it refuses.

import { describe, expect, test } from 'vitest'
import { referenceSession } from '#runtimes/reference/index.js'
import { SpikeportError } from '#src/errors.js'
import type { NodeOf } from '#src/network/operators/index.js'
import type { ElementArray, Network, QuantizedType } from '#src/network/types.js'
import { quantizeInput, quantizeSimplified } from '#src/quantize/index.js'
import { testRandom } from '../../helpers/random.js'
import { floatSpiking } from '../../helpers/spiking-networks.js'

const SAMPLES = 40
const WIDTH = 30

const inputsOf = (seed: number): Float32Array => {
  const random = testRandom(seed)
  return Float32Array.from({ length: SAMPLES * WIDTH }, () => random.uniform())
}

const countsOf = async (network: Network, inputs: ElementArray): Promise<readonly number[]> =>
  Array.from((await referenceSession(network).run({ count: SAMPLES, inputs: [inputs] }))[0] as ArrayLike<number>)

describe('the integer network over time', () => {
  test.each([1, 2, 3, 4])('spikes about as often as the float one (network %i)', async (seed) => {
    const float = floatSpiking(seed)
    const reals = inputsOf(seed)
    const integer = quantizeSimplified(float, { scheme: 'spiking', calibration: { count: SAMPLES, inputs: [reals] } })
    const [expected, got] = [await countsOf(float, reals), await countsOf(integer, quantizeInput(integer, 0, reals))]
    const total = expected.reduce((a, b) => a + b, 0)
    const apart = expected.reduce((sum, count, i) => sum + Math.abs(count - (got[i] as number)), 0)
    expect(total).toBeGreaterThan(SAMPLES * 10)
    expect(apart / total).toBeLessThan(0.03)
  })

  test('has thresholds that are exact in steps of its membranes', () => {
    const float = floatSpiking(1)
    const integer = quantizeSimplified(float, { scheme: 'spiking', calibration: { count: SAMPLES, inputs: [inputsOf(1)] } })
    const lif = integer.nodes.find((node) => node.kind === 'lif')
    const dense = integer.nodes.find((node) => node.kind === 'dense')
    const inputScale = (integer.values[0] as { type: QuantizedType }).type.scales[0] as number
    const { scales } = (dense as NodeOf<'dense'>).weights.type as QuantizedType
    scales.forEach((scale, c) => {
      const threshold = (lif?.threshold.data[c % (lif?.threshold.data.length ?? 1)] as number) * inputScale * scale * 2 ** (lif?.shift ?? 0)
      expect(threshold).toBeCloseTo(1, 2)
    })
  })

  test('refuses a network without units, and a layer that something else reads', () => {
    const float = floatSpiking(1)
    const quantize = (network: Network<'float'>) => () =>
      quantizeSimplified(network, { scheme: 'spiking', calibration: { count: SAMPLES, inputs: [inputsOf(1)] } })
    const first = float.nodes.find(({ name }) => name === 'first')
    expect(quantize({ ...float, outputs: [...float.outputs, first?.output as number] })).toThrow(SpikeportError)
    const { time: _, ...rest } = float
    expect(
      quantize({
        ...rest,
        nodes: float.nodes.slice(0, 1),
        values: [0, 1].map((i) => float.values[[float.inputs[0], first?.output][i] as number] as never),
        inputs: [0],
        outputs: [1],
      } as never),
    ).toThrow()
  })
})
