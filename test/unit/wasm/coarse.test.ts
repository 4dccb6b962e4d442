// Levels, signs and thresholds in the wasm core: both kernel sets give the bytes of the definition, for every operator and for stacks.

import { describe, expect, test } from 'vitest'
import { referenceSession } from '#runtimes/reference/index.js'
import { wasmSession } from '#runtimes/wasm/index.js'
import { testInputs } from '#src/check/inputs.js'
import type { ElementArray, Network } from '#src/network/types.js'
import { COARSE_OPERATORS, coarseNetwork, coarseStack } from '../../helpers/coarse-networks.js'

const SEEDS = 40
const bytesOf = (data: ElementArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

const expectEqual = async (network: Network<'integer'>, kernels: 'simd' | 'plain'): Promise<void> => {
  const batch = testInputs(network, 6, 3)
  const session = await wasmSession(network, { kernels })
  const [expected, outputs] = [await referenceSession(network).run(batch), await session.run(batch)]
  outputs.forEach((output, i) => {
    expect(bytesOf(output), network.name).toEqual(bytesOf(expected[i] as ElementArray))
  })
}

describe.each(['simd', 'plain'] as const)('%s kernels', (kernels) => {
  test.each(COARSE_OPERATORS)('%s: 0 bytes differ', async (kind) => {
    for (let seed = 1; seed <= SEEDS; seed++) await expectEqual(coarseNetwork(kind, seed), kernels)
  })

  test('stacks behind an int8 stem: 0 bytes differ', async () => {
    for (let seed = 1; seed <= SEEDS; seed++) await expectEqual(coarseStack(seed), kernels)
  })
})
