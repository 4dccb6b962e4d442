// compareEngines must see what differs: an engine with one wrong byte is counted and located, a softmax reading is not compared.

import { describe, expect, it } from 'vitest'
import { referenceSession } from '#runtimes/reference/index.js'
import { compareEngines, type Engine } from '#src/check/index.js'
import { testInputs } from '#src/check/inputs.js'
import type { Session } from '#src/contracts/runtime.js'
import { exactOutputs, typeOf } from '#src/network/graph.js'
import { arrayLength, type ElementArray, type Network } from '#src/network/types.js'
import { mlpNetwork } from '../../helpers/networks.js'

const COUNT = 5
const network = mlpNetwork(1)
const batch = testInputs(network, COUNT, 1)
const length = arrayLength(typeOf(network, network.outputs[0] as number))
const reference: Engine = { name: 'reference', session: referenceSession(network) }

const flipped = (array: ElementArray, index: number): ElementArray => {
  const copy = array.slice()
  copy[index] = (copy[index] as number) ^ 1
  return copy
}

/** The reference with one element of an output of a batch changed; its trace is the reference's or, with `value`, one element of that value changed too. */
const wrongEngine = (sample: number, element: number, value?: number): Engine => {
  const { session } = reference
  const trace: Session['trace'] = async (inputs) => {
    const values = await session.trace?.(inputs)
    return (values ?? []).map((array, i) => (i === value && array !== null ? flipped(array, 1) : array))
  }
  return {
    name: 'wrong',
    session: {
      run: async (samples) => (await session.run(samples)).map((array, i) => (i === 0 ? flipped(array, sample * length + element) : array)),
      ...(value === undefined ? {} : { trace }),
      close: async () => {},
    },
  }
}

const compare = async (engine: Engine, compared: Network<'integer'> = network) => (await compareEngines(compared, [reference, engine], batch))[1]

describe('compareEngines', () => {
  it('finds nothing between equal engines, and says how many bytes it compared', async () => {
    const bytes = exactOutputs(network).reduce((sum, i) => sum + arrayLength(typeOf(network, network.outputs[i] as number)) * COUNT, 0)
    expect(await compare({ name: 'same', session: referenceSession(network) })).toEqual({ engine: 'same', bytes, differing: 0, first: null })
  })

  it('counts one wrong byte and names its sample, channel and element', async () => {
    const result = await compare(wrongEngine(3, 2))
    expect(result?.differing).toBe(1)
    expect(result?.first).toMatchObject({ engine: 'wrong', sample: 3, channel: 2, element: 2, value: network.values[network.outputs[0] as number]?.name })
    expect(result?.first?.actual).not.toBe(result?.first?.expected)
  })

  it('names the first layer that differs where the engine can show it', async () => {
    const node = network.nodes.find(({ kind }) => kind === 'dense')
    const result = await compare(wrongEngine(4, 0, node?.output))
    expect(result?.first).toMatchObject({ sample: 4, node: node?.name, element: 1, channel: 1 })
  })
})
