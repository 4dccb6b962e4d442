// simplify(): batch norms and relus disappear into their neighbours, outputs stay.

import { describe, expect, test } from 'vitest'
import { createBuilder } from '#src/network/builder.js'
import { LINEAR } from '#src/network/emission.js'
import { evaluate } from '#src/network/evaluate.js'
import type { Network } from '#src/network/types.js'
import { simplify } from '#src/simplify/index.js'
import { normalizedNetwork, randomReals, randomTensor } from '../../helpers/float-networks.js'
import { testRandom } from '../../helpers/random.js'

const outputOf = (network: Network, input: Float32Array): Float32Array => evaluate(network, [input])[network.outputs[0] as number] as Float32Array
const kinds = (network: Network): string[] => network.nodes.map(({ kind }) => kind)

describe('simplify', () => {
  test('outputs keep within 1e-5 of their largest magnitude', () => {
    for (let seed = 0; seed < 30; seed++) {
      const network = normalizedNetwork(seed)
      const simple = simplify(network)
      const input = randomReals(network, seed + 1000, 1)
      const [a, b] = [outputOf(network, input), outputOf(simple, input)]
      const largest = Math.max(...a.map(Math.abs))
      for (const [i, x] of a.entries()) expect(Math.abs(x - (b[i] as number))).toBeLessThanOrEqual(1e-5 * largest)
    }
  })

  test('batch norms fold backward, forward, or become a 1x1 depthwise layer; relus become bounds', () => {
    const simple = simplify(normalizedNetwork(1))
    expect(kinds(simple)).toEqual(['conv2d', 'conv2d', 'depthwiseConv2d', 'depthwiseConv2d', 'globalAveragePool', 'dense', 'softmax'])
    expect(simple.nodes.map((node) => ('emission' in node ? node.emission : null))).toEqual([
      { kind: 'clamp', min: 0, max: null },
      { kind: 'clamp', min: 0, max: 6 },
      LINEAR,
      { kind: 'clamp', min: 0, max: 6 },
      null,
      LINEAR,
      null,
    ])
  })

  test('a relu whose input is read elsewhere stays', () => {
    const b = createBuilder<'float'>('float')
    const x = b.input('x', [4])
    const d = b.add({ kind: 'dense', name: 'd', inputs: [x], weights: randomTensor([4, 4], testRandom(1)), bias: null, emission: LINEAR })
    const r = b.add({ kind: 'relu', name: 'r', inputs: [d], max: null })
    const s = b.add({ kind: 'add', name: 's', inputs: [d, r], emission: LINEAR })
    const network = b.build({ name: 'shared', outputs: [s] })
    expect(kinds(simplify(network))).toEqual(['dense', 'relu', 'add'])
  })

  test('nodes that nothing reads are dropped, names of the rest stay', () => {
    const b = createBuilder<'float'>('float')
    const x = b.input('x', [4])
    const a = b.add({ kind: 'relu', name: 'kept', inputs: [x], max: null })
    b.add({ kind: 'relu', name: 'dead', inputs: [a], max: null })
    const simple = simplify(b.build({ name: 'dead end', outputs: [a] }))
    expect(simple.nodes.map(({ name }) => name)).toEqual(['kept'])
    expect(simple.values.map(({ name }) => name)).toEqual(['x', 'kept'])
  })

  test('a simplified network is left alone', () => {
    const simple = simplify(normalizedNetwork(3))
    expect(simplify(simple)).toEqual(simple)
  })

  test('a batch norm over a vector without a layer beside it is refused by name', () => {
    const b = createBuilder<'float'>('float')
    const x = b.input('x', [3])
    const one = { type: { kind: 'float32', shape: [3] }, data: Float32Array.of(1, 1, 1) } as const
    const n = b.add({ kind: 'batchNorm', name: 'norm', inputs: [x], gamma: one, beta: one, mean: one, variance: one, epsilon: 0 })
    expect(() => simplify(b.build({ name: 'n', outputs: [n] }))).toThrow(
      'batch normalization "norm" over [3] has no dense or convolution layer beside it to fold into.',
    )
  })

  test('its argument is not changed', () => {
    const network = normalizedNetwork(2)
    const copy = structuredClone(network)
    simplify(network)
    expect(network).toEqual(copy)
  })
})
