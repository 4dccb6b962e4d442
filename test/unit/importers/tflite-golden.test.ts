// The public .tflite models give the bytes of TensorFlow Lite Micro: every output and every layer's CRC-32 of the golden pairs that lie beside the
// repository (shared/data), in the reference and in wasm with both kinds of kernels.

import { describe, expect, it, test } from 'vitest'
import { referenceSession } from '#runtimes/reference/index.js'
import { wasmSession } from '#runtimes/wasm/index.js'
import type { Session } from '#src/contracts/runtime.js'
import { crc32 } from '#src/crc32.js'
import { eventnetBytes } from '#src/eventnet/index.js'
import { arrayLength, type ElementArray, type Network, type Value } from '#src/network/types.js'
import { planArena } from '#src/plan/arena.js'
import { bytesOf } from '../../helpers/engines.js'
import { GOLDEN_NAMES, type Golden, type GoldenName, readGolden } from '../../helpers/tflite-networks.js'

const PAIRS: Readonly<Record<GoldenName, number>> = { hello_world_int8: 256, micro_speech_quantized: 32, kws: 65, ic: 33 }

/** Each operator's output; a flatten in front of a dense layer is our own node. */
const layersOf = (network: Network, values: readonly (ElementArray | null)[]): ElementArray[] =>
  network.nodes.filter(({ name }) => !name.endsWith('/flatten')).map(({ output }) => values[output] as ElementArray)

const checkLayers = async ({ network, inputs, layers }: Golden, session: Session): Promise<number> => {
  const length = arrayLength((network.values[network.inputs[0] as number] as Value).type)
  let compared = 0
  for (const [item, expected] of layers.entries()) {
    if (expected === null) continue
    const values = (await session.trace?.([inputs.subarray(item * length, (item + 1) * length)])) ?? []
    const crcs = layersOf(network, values).map((elements) => crc32(bytesOf(elements)))
    expect(crcs, `item ${item}`).toEqual(expected)
    compared += expected.length
  }
  return compared
}

const ENGINES: Readonly<Record<string, (network: Network<'integer'>) => Promise<Session>>> = {
  reference: async (network) => referenceSession(network),
  'wasm with SIMD kernels': (network) => wasmSession(network),
  'wasm with plain kernels': (network) => wasmSession(network, { kernels: 'plain' }),
}

test('the golden pairs are 386', () => expect(GOLDEN_NAMES.reduce((sum, name) => sum + readGolden(name).count, 0)).toBe(386))

describe.each(GOLDEN_NAMES)('%s', (name) => {
  const golden = readGolden(name)

  it.each(Object.entries(ENGINES))(
    'gives every byte in %s',
    async (_, load) => {
      const session = await load(golden.network)
      const { count, inputs, outputs } = golden
      const [actual] = await session.run({ count, inputs: [inputs] })
      expect(count).toBe(PAIRS[name])
      expect(bytesOf(actual as ElementArray)).toEqual(bytesOf(outputs))
      const first = (await session.trace?.([inputs.slice(0, inputs.length / count)])) ?? []
      expect(layersOf(golden.network, first)).toEqual(golden.firstLayers)
      expect(await checkLayers(golden, session)).toBe(golden.layers.reduce((sum, layers) => sum + (layers?.length ?? 0), 0))
    },
    30_000,
  )
})

describe('memory of the public models', () => {
  it('keyword spotting takes at most 16,000 bytes of arena and 29,500 of flash with its self-test and names', () => {
    const { network } = readGolden('kws')
    const arena = planArena(network)
    expect(arena.arenaBytes).toBeLessThanOrEqual(16_000)
    expect(eventnetBytes(network, arena, { selfTest: true }).length).toBeLessThanOrEqual(29_500)
  })

  it('ResNet-8 takes at most 49,152 bytes of arena', () => expect(planArena(readGolden('ic').network).arenaBytes).toBeLessThanOrEqual(49_152))
})
