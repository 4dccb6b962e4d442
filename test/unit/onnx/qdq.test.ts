// The qdq form for other tools: ONNX Runtime loads it and its outputs stay within one of the reference; and the real-number inputs and
// outputs of both forms.

import ort from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { onnxExporter } from '#exporters/onnx/index.js'
import { createOnnxRuntime } from '#runtimes/onnx/index.js'
import { referenceRuntime } from '#runtimes/reference/index.js'
import { quantizeReal } from '#src/network/arithmetic.js'
import type { ElementArray, Network, QuantizedType } from '#src/network/types.js'
import { cnnNetwork, INTEGER_OPERATORS, mlpNetwork, operatorNetwork, randomInputs } from '../../helpers/networks.js'

const compare = async (network: Network<'integer'>, seed: number): Promise<{ total: number; differing: number; largest: number }> => {
  const inputs = randomInputs(network, seed, 2)
  const [expected] = await (await referenceRuntime.load(network)).run({ count: 2, inputs })
  const session = await createOnnxRuntime({ threads: 1, form: 'qdq', weights: seed % 2 === 0 ? 'int8' : 'uint8' }).load(network)
  const [actual] = await session.run({ count: 2, inputs })
  await session.close()
  const differences = Array.from(expected as Int8Array, (x, i) => Math.abs(x - (actual?.[i] as number)))
  return { total: differences.length, differing: differences.filter((d) => d !== 0).length, largest: Math.max(...differences) }
}

describe('the qdq form', () => {
  it.each(INTEGER_OPERATORS)('%s stays within one of the reference, mostly equal', async (kind) => {
    let [total, differing] = [0, 0]
    for (let seed = 0; seed < 25; seed++) {
      const result = await compare(operatorNetwork(kind, seed), seed)
      expect(result.largest, `seed ${seed}`).toBeLessThanOrEqual(1)
      total += result.total
      if (kind !== 'softmax') differing += result.differing
    }
    expect(differing / total).toBeLessThan(0.05)
  })
})

const realInput = (network: Network<'integer'>, count: number): Float32Array => {
  const type = network.values[0]?.type as QuantizedType
  return Float32Array.from(
    randomInputs(network, 8, count)[0] as ArrayLike<number>,
    (q, i) => (type.scales[0] as number) * (q - type.zeroPoint + ((i % 9) - 4) / 10),
  )
}

describe('real numbers in and out', () => {
  it.each([mlpNetwork(4), cnnNetwork(4)])(
    '$name: a float32 model quantizes its input as the network does and gives scale * (q - zero point)',
    async (network) => {
      const [input, output] = [network.values[0]?.type, network.values[network.outputs[0] as number]?.type] as [QuantizedType, QuantizedType]
      const real = realInput(network, 3)
      const stored = Int8Array.from(real, (x) => quantizeReal(x, input.scales[0] as number, input.zeroPoint, -128, 127))
      const [scores] = await (await referenceRuntime.load(network)).run({ count: 3, inputs: [stored as ElementArray] })
      const session = await ort.InferenceSession.create(onnxExporter.export(network), { logSeverityLevel: 3 })
      const results = await session.run({ [network.values[0]?.name ?? '']: new ort.Tensor('float32', real, [3, ...input.shape]) })
      await session.release()
      const actual = results[network.values[network.outputs[0] as number]?.name ?? '']?.data
      expect(actual).toEqual(Float32Array.from(scores as Int8Array, (q) => Math.fround((output.scales[0] as number) * (q - output.zeroPoint))))
    },
  )
})
