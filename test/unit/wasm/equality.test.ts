// The wasm engine gives the reference's bytes: every operator with random attributes, random graphs, well-known shapes, and the edges of
// the arithmetic, with SIMD kernels and with plain ones.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { referenceSession } from '#runtimes/reference/index.js'
import { type WasmOptions, wasmSession } from '#runtimes/wasm/index.js'
import type { ElementArray, Network } from '#src/network/types.js'
import { bytesOf, differingBytes, expectedOutputs } from '../../helpers/engines.js'
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

const KERNELS = ['simd', 'plain'] as const

const difference = async (network: Network<'integer'>, inputs: readonly ElementArray[], count: number, options: WasmOptions): Promise<number> => {
  const session = await wasmSession(network, options)
  return differingBytes(await expectedOutputs(network, { count, inputs }), session.runNow({ count, inputs }))
}

/** Differing bytes of both kernels over `count` random samples. */
const differences = async (network: Network<'integer'>, seed: number, count: number): Promise<number> => {
  const inputs = randomInputs(network, seed, count)
  let sum = 0
  for (const kernels of KERNELS) sum += await difference(network, inputs, count, { kernels })
  return sum
}

describe('0 bytes differ from the reference', () => {
  it.each(INTEGER_OPERATORS)('for %s with random attributes', async (kind) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        expect(await differences(operatorNetwork(kind, seed), seed, 2)).toBe(0)
      }),
      { numRuns: 120 },
    )
  })

  it('for random graphs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        expect(await differences(randomNetwork(seed), seed, 3)).toBe(0)
      }),
      { numRuns: 80 },
    )
  })

  it.each([mlpNetwork, cnnNetwork, kwsNetwork, resnet8Network])('for %o', async (build) => {
    expect(await differences(build(3), 7, 2)).toBe(0)
  })

  it('for batches of every size around the rows that a dense layer takes together', async () => {
    const network = mlpNetwork(2)
    for (const count of [1, 2, 7, 8, 9, 17]) expect(await differences(network, count, count)).toBe(0)
  })

  it('for a batch larger than the staging area', async () => {
    const b = networkBuilder('n', 5)
    expect(await differences(b.build([b.dense(b.input([9]), 4)]), 1, 700)).toBe(0)
  })
})

/** A 3x3 convolution whose every input and weight is extreme. */
const extremeConvolution = (channels: number, zeroPoint: number, largestWeight: number): Network<'integer'> => {
  const b = networkBuilder('extreme', 11)
  const x = b.input([9, 10, channels], { zeroPoint })
  return b.build([b.conv2d(x, 16, { kernel: [3, 3], largestWeight }), b.conv2d(x, 16, { kernel: [3, 3], emission: 'none' })])
}

const constantInput = (network: Network<'integer'>, code: (i: number) => number): ElementArray[] =>
  network.inputs.map((value) => Int8Array.from({ length: network.values[value]?.type.shape.reduce((a, b) => a * b, 1) ?? 0 }, (_, i) => code(i)))

describe('the edges of the arithmetic', () => {
  const patterns: readonly (readonly [string, (i: number) => number])[] = [
    ['all -128', () => -128],
    ['all 127', () => 127],
    ['alternating', (i) => (i % 2 === 0 ? -128 : 127)],
  ]

  it.each(patterns)('convolutions of 8 to 64 channels agree for inputs that are %s', async (_, code) => {
    for (const channels of [8, 24, 64]) {
      for (const zeroPoint of [-128, 127]) {
        const network = extremeConvolution(channels, zeroPoint, 127)
        expect(await difference(network, constantInput(network, code), 1, {})).toBe(0)
      }
    }
  })

  it('a convolution whose sums exceed 2^25 agrees', async () => {
    const b = networkBuilder('n', 3)
    const x = b.input([6, 6, 136], { zeroPoint: -128 })
    const node = b.conv2d(x, 8, { kernel: [3, 3] })
    const network = b.build([node])
    const heavy = {
      ...network,
      nodes: network.nodes.map((n) => (n.kind === 'conv2d' ? { ...n, weights: { ...n.weights, data: (n.weights.data as Int8Array).map(() => 127) } } : n)),
    }
    expect(
      await difference(
        heavy,
        constantInput(network, () => 127),
        1,
        {},
      ),
    ).toBe(0)
  })

  it('a factor so large that products leave 2^22 agrees', async () => {
    for (const build of [
      (b: ReturnType<typeof networkBuilder>) => b.dense(b.input([40]), 24, { quantization: { scale: 1e-9, zeroPoint: 3 } }),
      (b: ReturnType<typeof networkBuilder>) => b.conv2d(b.input([6, 7, 8]), 16, { kernel: [3, 3], quantization: { scale: 1e-9, zeroPoint: 3 } }),
      (b: ReturnType<typeof networkBuilder>) => b.depthwise(b.input([6, 7, 8]), 1, { kernel: [3, 3], quantization: { scale: 1e-9, zeroPoint: 3 } }),
      (b: ReturnType<typeof networkBuilder>) => b.add(b.input([40]), b.input([40]), { quantization: { scale: 1e-12, zeroPoint: 3 } }),
    ]) {
      const b = networkBuilder('n', 4)
      expect(await differences(b.build([build(b)]), 1, 3)).toBe(0)
    }
  })

  it('weights of -128 agree', async () => {
    const b = networkBuilder('n', 4)
    const network = b.build([
      b.depthwise(b.input([6, 7, 8], { zeroPoint: -128 }), 1, { kernel: [3, 3] }),
      b.conv2d(b.input([6, 7, 16], { zeroPoint: -128 }), 8, { kernel: [3, 3] }),
    ])
    const negative = {
      ...network,
      nodes: network.nodes.map((n) => ('weights' in n ? { ...n, weights: { ...n.weights, data: (n.weights.data as Int8Array).map(() => -128) } } : n)),
    } as Network<'integer'>
    expect(
      await difference(
        negative,
        constantInput(network, () => 127),
        1,
        {},
      ),
    ).toBe(0)
  })

  it('softmax of int32 scores far apart agrees to the bit', async () => {
    const b = networkBuilder('n', 4)
    const network = b.build([b.softmax(b.input([8], { kind: 'int32', scale: 0.37 }))])
    const scores = Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 2 ** 31 - 2, 2 ** 31 - 100, 0, 1, -1, 2 ** 31 - 230)
    expect(await difference(network, [scores], 1, {})).toBe(0)
  })
})

describe('a trace', () => {
  it('holds every value of the reference', async () => {
    const network = randomNetwork(17)
    const inputs = randomInputs(network, 3)
    const session = await wasmSession(network)
    const [expected, values] = [await referenceSession(network).trace?.(inputs), await session.trace(inputs)]
    expect(values.length).toBe(network.values.length)
    for (const [i, value] of values.entries()) {
      expect(bytesOf(value as ElementArray), network.values[i]?.name ?? '').toEqual(bytesOf(expected?.[i] as ElementArray))
    }
  })
})
