// Both MLPerf Tiny models under rounding 'single': reference, wasm and ONNX Runtime give the same bytes at the logits for every golden input.

import { describe, expect, it } from 'vitest'
import { onnxRuntime } from '#runtimes/onnx/index.js'
import { referenceSession } from '#runtimes/reference/index.js'
import { wasmSession } from '#runtimes/wasm/index.js'
import type { Outputs } from '#src/contracts/runtime.js'
import type { SpikeportError } from '#src/errors.js'
import { exactOutputs, producerOf, typeOf } from '#src/network/graph.js'
import { loadNetwork, saveNetwork } from '#src/network/net-file.js'
import type { ElementArray, Network } from '#src/network/types.js'
import { toSingleRounding, withRounding } from '#src/quantize/rounding.js'
import { bytesOf } from '../../helpers/engines.js'
import { networkBuilder } from '../../helpers/networks.js'
import { readGolden } from '../../helpers/tflite-networks.js'

const exact = (network: Network<'integer'>, outputs: Outputs): readonly Uint8Array[] =>
  exactOutputs(network).map((position) => bytesOf(outputs[position] as ElementArray))

describe.each(['kws', 'ic'] as const)('%s', (name) => {
  const { network: origin, count, inputs } = readGolden(name)
  const network = toSingleRounding(origin)

  it('has its logits as first output and float32 probabilities behind', () => {
    expect(network.rounding).toBe('single')
    expect(network.outputs.map((output) => typeOf(network, output).kind)).toEqual(['int8', 'float32'])
    expect(producerOf(network, network.outputs[0] as number)?.kind).toBe('dense')
    expect(loadNetwork(saveNetwork(network), 'single.net')).toEqual(network)
  })

  it('gives the same logits in reference, wasm and ONNX Runtime for every golden input', async () => {
    const batch = { count, inputs: [inputs] }
    const expected = exact(network, await referenceSession(network).run(batch))
    const wasm = await wasmSession(network)
    const plain = await wasmSession(network, { kernels: 'plain' })
    const onnx = await onnxRuntime.load(network)
    try {
      expect(exact(network, await wasm.run(batch))).toEqual(expected)
      expect(exact(network, await plain.run(batch))).toEqual(expected)
      expect(exact(network, await onnx.run(batch))).toEqual(expected)
      expect(expected[0]?.length).toBe(count * (name === 'kws' ? 12 : 10))
      expect(new Set(expected[0]).size).toBeGreaterThan(20)
    } finally {
      await onnx.close()
    }
  }, 60_000)
})

describe('rounding by name', () => {
  const { network: origin } = readGolden('kws')
  const b = networkBuilder('once', 1)
  const once = b.build([b.dense(b.input([3]), 2)])

  it('leaves a network alone that has it, or where none is named', () => {
    expect(withRounding(origin, undefined)).toBe(origin)
    expect(withRounding(origin, 'tflite')).toBe(origin)
    expect(withRounding(once, 'single')).toBe(once)
  })

  it('refuses other names, and rounding tflite for what rounds once', () => {
    expect(() => withRounding(origin, 'double')).toThrow('rounding "double" does not exist.')
    expect(() => withRounding(once, 'tflite')).toThrow('network "once" rounds once, it cannot get rounding tflite.')
  })

  it('refuses a softmax that a node reads', () => {
    const [softmax] = origin.nodes.filter(({ kind }) => kind === 'softmax')
    const { output } = softmax as { output: number }
    const relu = { kind: 'relu', name: 'behind', inputs: [output], output: origin.values.length, max: null } as const
    const values = [...origin.values, { name: 'behind', type: typeOf(origin, output) }]
    const inside: Network<'integer'> = { ...origin, values, nodes: [...origin.nodes, relu], outputs: [relu.output] }
    let thrown: unknown
    try {
      toSingleRounding(inside)
    } catch (error) {
      thrown = error
    }
    expect((thrown as SpikeportError).code).toBe('UNSUPPORTED')
    expect((thrown as SpikeportError).message).toContain('is read by other nodes')
  })
})
