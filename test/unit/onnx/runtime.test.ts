// runtimes/onnx against runtimes/reference: no byte differs in the qlinear form, whatever the operator, the weights' storage or the optimizer.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createOnnxRuntime, type OnnxRuntimeOptions, onnxRuntime, onnxRuntimeVersion } from '#runtimes/onnx/index.js'
import { referenceRuntime } from '#runtimes/reference/index.js'
import type { Outputs } from '#src/contracts/runtime.js'
import { engineUnavailable, SpikeportError } from '#src/errors.js'
import { evaluate } from '#src/network/evaluate.js'
import { typeOf } from '#src/network/graph.js'
import type { ElementArray, Network } from '#src/network/types.js'
import {
  cnnNetwork,
  INTEGER_OPERATORS,
  kwsNetwork,
  mlpNetwork,
  networkBuilder,
  operatorNetwork,
  randomInputs,
  randomNetwork,
  resnet8Network,
} from '../../helpers/networks.js'

const FORMS: readonly OnnxRuntimeOptions[] = [{ weights: 'int8' }, { weights: 'uint8' }, { dense: 'qgemm' }]

const runOn = async (network: Network<'integer'>, inputs: readonly ElementArray[], count: number, options: OnnxRuntimeOptions): Promise<Outputs> => {
  const session = await createOnnxRuntime({ threads: 1, ...options }).load(network)
  try {
    return await session.run({ count, inputs })
  } finally {
    await session.close()
  }
}

const largestDifference = (a: ElementArray, b: ElementArray): number =>
  Array.from(a as ArrayLike<number>).reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] as number))), 0)

/** Exact outputs are equal; float32 readings (softmax) within 1e-6. */
const expectEqual = async (network: Network<'integer'>, inputs: readonly ElementArray[], count: number, options: OnnxRuntimeOptions = {}): Promise<void> => {
  const expected = await (await referenceRuntime.load(network)).run({ count, inputs })
  const actual = await runOn(network, inputs, count, options)
  network.outputs.forEach((value, i) => {
    const [want, got] = [expected[i] as ElementArray, actual[i] as ElementArray]
    if (typeOf(network, value).kind === 'float32') expect(largestDifference(want, got), network.name).toBeLessThan(1e-6)
    else expect(got, `${network.name} ${JSON.stringify(options)}`).toEqual(want)
  })
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 })

describe('ONNX Runtime gives the bytes of the reference', () => {
  it.each(INTEGER_OPERATORS)('for %s with random attributes, sizes, zero points and ties', async (kind) => {
    const property = fc.asyncProperty(seeds, async (seed) => {
      const network = operatorNetwork(kind, seed)
      await expectEqual(network, randomInputs(network, seed, 3), 3, FORMS[seed % FORMS.length])
    })
    await fc.assert(property, { numRuns: 40 })
  })

  it('for random graphs', async () => {
    const property = fc.asyncProperty(seeds, async (seed) => {
      const network = randomNetwork(seed)
      await expectEqual(network, randomInputs(network, seed, 2), 2, FORMS[seed % FORMS.length])
    })
    await fc.assert(property, { numRuns: 60 })
  })

  it.each([mlpNetwork(1), cnnNetwork(1), kwsNetwork(1), resnet8Network(1)])('for $name in every form and at every optimization level', async (network) => {
    const inputs = randomInputs(network, 2, 3)
    for (const form of FORMS) await expectEqual(network, inputs, 3, form)
    for (const graphOptimization of ['disabled', 'basic', 'extended'] as const) await expectEqual(network, inputs, 3, { graphOptimization })
  })

  it('for averages over so large an image that float32 cannot hold the sum', async () => {
    const b = networkBuilder('large', 1)
    const pool = b.globalAveragePool(b.input([260, 257, 1], { zeroPoint: -128 }), { scale: 1 / 131, zeroPoint: -128 })
    await expectEqual(b.build([pool]), [new Int8Array(260 * 257).fill(127).map((x, i) => x - (i % 3))], 1)
  })

  it('for ReLU bounds inside the range of the type', async () => {
    const b = networkBuilder('bounds', 5)
    const x = b.input([6, 5, 3], { zeroPoint: 17 })
    const y = b.conv2d(x, 4, { kernel: [3, 3], relu: true, quantization: { scale: 0.02, zeroPoint: -31 } })
    const network = b.build([
      b.add(y, y, { relu: true, quantization: { scale: 0.03, zeroPoint: 5 } }),
      b.dense(b.flatten(y), 9, { relu: true, quantization: { scale: 0.05, zeroPoint: 90 } }),
    ])
    for (const form of FORMS) await expectEqual(network, randomInputs(network, 5, 4), 4, form)
  })

  it('for sums as scores, for a value that is input and output, and for an intermediate output', async () => {
    const b = networkBuilder('outputs', 5)
    const x = b.input([6, 5, 3], { zeroPoint: 17 })
    const y = b.conv2d(x, 4, { kernel: [3, 3], emission: 'none' })
    const z = b.conv2d(x, 4, { kernel: [3, 3] })
    await expectEqual(b.build([b.softmax(b.flatten(y)), y, z, x]), randomInputs(b.build([y, z]), 5, 4), 4)
  })

  it('in chunks of any size', async () => {
    const network = cnnNetwork(3)
    for (const samplesPerRun of [1, 4, 100]) await expectEqual(network, randomInputs(network, 9, 7), 7, { samplesPerRun })
  })
})

describe('sessions', () => {
  it('trace every value as the reference has it', async () => {
    for (const network of [cnnNetwork(2), resnet8Network(2), randomNetwork(4), randomNetwork(11)]) {
      const inputs = randomInputs(network, 6)
      const session = await onnxRuntime.load(network)
      const traced = (await session.trace?.(inputs)) ?? []
      const expected = evaluate(network, inputs)
      await session.close()
      network.values.forEach((value, i) => {
        if (value.type.kind !== 'float32') expect(traced[i], value.name).toEqual(expected[i])
      })
    }
  })

  it('trace a flattened value in the network order', async () => {
    const b = networkBuilder('flat', 3)
    const flat = b.flatten(b.conv2d(b.input([5, 4, 3]), 6, { kernel: [3, 3] }))
    const network = b.build([b.dense(flat, 7)])
    const inputs = randomInputs(network, 1)
    const session = await onnxRuntime.load(network)
    expect((await session.trace?.(inputs))?.[flat]).toEqual(evaluate(network, inputs)[flat])
    await session.close()
  })

  it('refuse data that does not fit', async () => {
    const session = await onnxRuntime.load(mlpNetwork(1))
    await expect(session.run({ count: 1, inputs: [new Int8Array(783)] })).rejects.toMatchObject({ code: 'INPUT_MISMATCH' })
    await session.close()
  })
})

describe('the engine', () => {
  it('states its version', async () => {
    expect(await onnxRuntimeVersion()).toMatch(/^\d+\.\d+\.\d+$/)
  })

  it('has a clear error where the library does not load', () => {
    const error = engineUnavailable('onnx', 'onnxruntime-node', new Error('libonnxruntime.so.1: cannot open shared object file'))
    expect(error).toBeInstanceOf(SpikeportError)
    expect(error.message).toBe('the onnx engine does not start, onnxruntime-node does not load: libonnxruntime.so.1: cannot open shared object file.')
    expect(error.note).toBe('Run npm install onnxruntime-node, or leave the engine out, for example --on reference,wasm.')
  })
})
