// Network -> flash document: what is stored, what is refused by name, and the exporter's options.

import { describe, expect, it } from 'vitest'
import { eventnetExporter } from '#exporters/eventnet/index.js'
import { SpikeportError } from '#src/errors.js'
import { eventnetDocument } from '#src/eventnet/index.js'
import { type ConstantAt, type EventnetNode, FOREVER, readEventnet } from '#src/formats/eventnet/index.js'
import { averageScale } from '#src/network/arithmetic.js'
import { type Network, perTensor } from '#src/network/types.js'
import { planArena } from '#src/plan/arena.js'
import { networkBuilder } from '../../helpers/networks.js'

const documentOf = (network: Network<'integer'>) => eventnetDocument(network, planArena(network))

const messageOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof SpikeportError) return `${error.code}: ${error.message}`
    throw error
  }
  return 'nothing was thrown'
}

describe('lowering to the flash format', () => {
  it('turns flatten, global pools and conv1d into reshape, pool and conv2d', () => {
    const b = networkBuilder('n', 1)
    const signal = b.conv1d(b.input([12, 3]), 8, { kernel: [1, 3] })
    const image = b.conv2d(b.reshape(signal, [4, 3, 8]), 8, { kernel: [1, 1] })
    const { nodes } = documentOf(b.build([b.globalAveragePool(image), b.globalMaxPool(image), b.flatten(image)]))
    expect(nodes.map(({ operator }) => operator)).toEqual(['conv2d', 'reshape', 'conv2d', 'averagePool', 'maxPool', 'reshape'])
    expect(nodes[0]?.fields).toMatchObject({ inputHeight: 1, kernelHeight: 1, inputWidth: 12, kernelWidth: 3 })
    expect(nodes[3]?.fields).toMatchObject({ kernelHeight: 4, kernelWidth: 3, outputHeight: 1, outputWidth: 1 })
  })

  it('stores a factor for each number of valid taps of an average', () => {
    const b = networkBuilder('n', 1)
    const quantization = { scale: 0.37, zeroPoint: 5 }
    const network = b.build([b.averagePool(b.input([4, 4, 1], { scale: 0.25 }), { kernel: [2, 3], padding: 'same', quantization })])
    const { nodes, constants } = documentOf(network)
    const { scales, scaleCount, firstCount } = (nodes[0] as EventnetNode).emission.fields as unknown as {
      scales: ConstantAt
      scaleCount: number
      firstCount: number
    }
    const factors = new Float32Array(constants.slice(scales.offset, scales.offset + 4 * scaleCount).buffer)
    expect(firstCount).toBe(2)
    expect([...factors]).toEqual([2, 3, 4, 5, 6].map((count) => averageScale(0.25, Math.fround(0.37), count)))
  })

  it('stores one factor for a layer quantized per tensor', () => {
    const b = networkBuilder('n', 1)
    const { nodes } = documentOf(b.build([b.dense(b.input([6]), 5, { perChannel: false })]))
    expect(nodes[0]?.emission.fields['scaleCount']).toBe(1)
  })

  it('stores when each value lives', () => {
    const b = networkBuilder('n', 1)
    const x = b.input([4, 4, 2])
    const y = b.relu(x)
    const { values } = documentOf(b.build([b.dense(b.flatten(b.add(x, y)), 3)]))
    expect(values.map(({ first, last }) => [first, last])).toEqual([
      [0, 2],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, FOREVER],
    ])
  })

  it('refuses an average over more taps than an int32 can sum', () => {
    const network = {
      stage: 'integer',
      name: 'wide',
      rounding: 'single',
      values: [
        { name: 'x', type: perTensor('int8', [4096, 4096, 1], 1, 0) },
        { name: 'y', type: perTensor('int8', [1], 1, 0) },
      ],
      inputs: [0],
      outputs: [1],
      nodes: [{ kind: 'globalAveragePool', name: 'pool', inputs: [0], output: 1 }],
      labels: [],
      metadata: {},
    } as const
    expect(messageOf(() => documentOf(network as unknown as Network<'integer'>))).toBe('UNSUPPORTED: globalAveragePool "pool": a window of 16777216 taps.')
  })

  it('refuses kinds of values that the core does not run', () => {
    const b = networkBuilder('n', 1)
    const network = b.build([b.flatten(b.input([2, 3]))])
    const spiking = { ...network, values: network.values.map((value) => ({ ...value, type: { kind: 'uint8', shape: value.type.shape } })) }
    expect(messageOf(() => documentOf(spiking as unknown as Network<'integer'>))).toBe(
      'UNSUPPORTED: value "input_0" is uint8, which the core does not run yet.',
    )
  })
})

describe('the eventnet exporter', () => {
  const network = (() => {
    const b = networkBuilder('n', 1)
    return b.build([b.dense(b.input([6]), 5)], ['a', 'b', 'c', 'd', 'e'])
  })()

  it('stores names, labels and the self-test unless told otherwise', () => {
    const document = readEventnet(eventnetExporter.export(network), 'n.evn')
    expect(document.names).toEqual({ network: 'n', values: ['input_0', 'dense_1'], nodes: ['dense_0'], labels: ['a', 'b', 'c', 'd', 'e'] })
    expect(document.selfTest?.outputs[0]?.length).toBe(5)
    const bare = readEventnet(eventnetExporter.export(network, { names: 'off', selfTest: 'off', tunable: 'all' }), 'n.evn')
    expect([bare.names, bare.selfTest, bare.tunable.length > 0]).toEqual([null, null, true])
  })

  it('refuses options that it does not know', () => {
    expect(messageOf(() => eventnetExporter.export(network, { color: 'red' }))).toBe('USAGE: the eventnet format has no option color.')
    expect(messageOf(() => eventnetExporter.export(network, { tunable: 'some' }))).toBe('USAGE: option tunable is "some".')
  })
})
