// Networks over time in the wasm core: both kernel sets give the bytes of the definition, in batches, one by one and node by node.

import { describe, expect, test } from 'vitest'
import { referenceSession } from '#runtimes/reference/index.js'
import { wasmSession } from '#runtimes/wasm/index.js'
import { testInputs } from '#src/check/inputs.js'
import { loadNetwork, saveNetwork } from '#src/network/net-file.js'
import { arrayLength, type ElementArray, type Network } from '#src/network/types.js'
import { bytesOf } from '../../helpers/engines.js'
import { SPIKING_MAKERS } from '../../helpers/spiking-networks.js'

const SEEDS = 60
const SAMPLES = 6

const expectEqual = async (network: Network<'integer'>, kernels: 'simd' | 'plain'): Promise<number> => {
  const batch = testInputs(network, SAMPLES, 3)
  const session = await wasmSession(network, { kernels })
  const [expected, outputs] = [await referenceSession(network).run(batch), await session.run(batch)]
  outputs.forEach((output, i) => {
    expect(bytesOf(output), network.name).toEqual(bytesOf(expected[i] as ElementArray))
  })
  const inputs = network.inputs.map((value, i) => (batch.inputs[i] as ElementArray).slice(-arrayLength(network.values[value]?.type as never)))
  const [truth, traced] = [await referenceSession(network).trace?.(inputs), await session.trace(inputs)]
  network.values.forEach(({ name }, value) => {
    expect(bytesOf(traced[value] as ElementArray), `${network.name} ${name}`).toEqual(bytesOf(truth?.[value] as ElementArray))
  })
  return Array.from(expected[0] as ArrayLike<number>).filter((x) => x !== 0).length
}

describe.each(['simd', 'plain'] as const)('%s kernels', (kernels) => {
  test.each(Object.entries(SPIKING_MAKERS))('%s: 0 bytes differ, of values and states too', async (_, make) => {
    let active = 0
    for (let seed = 1; seed <= SEEDS; seed++) active += await expectEqual(make(seed), kernels)
    expect(active).toBeGreaterThan(SEEDS) // networks that stay silent would prove nothing
  })
})

test('a network over time survives its file', () => {
  for (const make of Object.values(SPIKING_MAKERS)) {
    const network = make(5)
    expect(loadNetwork(saveNetwork(network), 'x.net')).toEqual(network)
  }
})
