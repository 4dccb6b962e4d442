// The builder: names, inferred types, and questions that passes ask of the network it gives.

import { describe, expect, it } from 'vitest'
import { createBuilder } from '#src/network/builder.js'
import { compact, consumersOf, exactOutputs, networkMacs, producerOf } from '#src/network/graph.js'
import { printNetwork } from '#src/network/print.js'
import { describeType, perChannel, perTensor } from '#src/network/types.js'

const build = () => {
  const n = createBuilder('integer')
  const x = n.input('x', perTensor('int8', [3], 0.5, 0))
  const weights = { type: perChannel('int8', [2, 3], [1, 0.5], 0), data: new Int8Array(6) }
  const scores = n.add({ kind: 'dense', name: 'scores', inputs: [x], weights, bias: null, emission: { kind: 'none' } }, perTensor('int32', [2], 0.5, 0))
  const p = n.add({ kind: 'softmax', name: 'p', inputs: [scores] })
  return n.build({ name: 'net', outputs: [scores, p], labels: ['a', 'b'], metadata: { from: 'a test' } })
}

describe('createBuilder', () => {
  it('names values after nodes and infers float32', () => {
    const network = build()
    expect(network.values.map(({ name, type }) => `${name} ${describeType(type)}`)).toEqual([
      'x int8[3] scale 0.5 zero point 0',
      'scores int32[2] scale 0.5 zero point 0',
      'p float32[2]',
    ])
    expect(network).toMatchObject({ stage: 'integer', rounding: 'single', inputs: [0], outputs: [1, 2], labels: ['a', 'b'], metadata: { from: 'a test' } })
  })

  it('refuses a node whose inputs do not fit, at once', () => {
    const n = createBuilder('float')
    const x = n.input('x', [3])
    expect(() => n.add({ kind: 'reshape', name: 'r', inputs: [x], shape: [4] })).toThrow(
      expect.objectContaining({ code: 'NETWORK_INVALID', message: 'reshape "r": [3] cannot become [4]: the number of elements differs.' }),
    )
  })

  it('gives networks that do not change when it goes on', () => {
    const n = createBuilder('float')
    const x = n.input('x', [3])
    const first = n.build({ name: 'a', outputs: [n.add({ kind: 'relu', name: 'r', inputs: [x], max: null })] })
    n.add({ kind: 'flatten', name: 'f', inputs: [x] })
    expect(first.nodes).toHaveLength(1)
    expect(first.values).toHaveLength(2)
  })
})

describe('questions to a network', () => {
  it('who computes, who reads, what it costs, what must be equal', () => {
    const network = build()
    expect(producerOf(network, 1)?.name).toBe('scores')
    expect(producerOf(network, 0)).toBeUndefined()
    expect(consumersOf(network, 1).map(({ name }) => name)).toEqual(['p'])
    expect(networkMacs(network)).toBe(6)
    expect(exactOutputs(network)).toEqual([0])
  })

  it('compact drops what nothing refers to', () => {
    const network = build()
    const padded = { ...network, values: [{ name: 'unused', type: perTensor('int8', [1], 1, 0) }, ...network.values] }
    const shifted = {
      ...padded,
      inputs: [1],
      outputs: [2, 3],
      nodes: network.nodes.map((node) => ({ ...node, inputs: node.inputs.map((i) => i + 1), output: node.output + 1 })),
    }
    expect(compact(shifted)).toEqual(network)
  })

  it('prints one line a node', () => {
    expect(printNetwork(build())).toBe(
      [
        'network "net", integer, rounding single',
        '  inputs  x int8[3] scale 0.5 zero point 0',
        '  scores = dense "scores" (x)  int32[2] scale 0.5 zero point 0, 6 MACs',
        '      weights int8[2,3] 2 scales on axis 0',
        '      bias null',
        '      emission none',
        '  p = softmax "p" (scores)  float32[2]',
        '  outputs scores int32[2] scale 0.5 zero point 0; p float32[2]',
        '  labels  a, b',
        '  from: a test',
        '',
      ].join('\n'),
    )
  })
})
