// .net files: saving then loading gives the same network; every truncation and mutation, also with a repaired checksum, gives a
// network that passes verify() or a SpikeportError.

import { describe, expect, it } from 'vitest'
import { crc32 } from '#src/crc32.js'
import { createBuilder } from '#src/network/builder.js'
import { evaluate } from '#src/network/evaluate.js'
import { networkMacs } from '#src/network/graph.js'
import { loadNetwork, saveNetwork } from '#src/network/net-file.js'
import { allocate, elementCount, type Network, perTensor, type Value } from '#src/network/types.js'
import { fuzzMutations, fuzzTruncations } from '../../helpers/fuzz.js'
import { INTEGER_OPERATORS, mlpNetwork, operatorNetwork } from '../../helpers/networks.js'

/** Puts the right length and CRC in, so that damage reaches the header and the data. */
const repair = (bytes: Uint8Array): Uint8Array => {
  if (bytes.length < 20) return bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  view.setUint32(8, bytes.length, true)
  view.setUint32(12, crc32(bytes.subarray(16)), true)
  return bytes
}

const floatNetwork = (): Network => {
  const n = createBuilder('float')
  const f = (shape: readonly number[]) =>
    ({ type: { kind: 'float32', shape }, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i / 7 + 0.1) }) as const
  const x = n.input('bild', [4, 4, 1])
  const conv = n.add({
    kind: 'conv2d',
    name: 'faltung',
    inputs: [x],
    stride: [1, 1],
    dilation: [1, 1],
    padding: [1, 1, 1, 1],
    weights: f([2, 3, 3, 1]),
    bias: f([2]),
    emission: { kind: 'clamp', min: 0, max: null },
  })
  const norm = n.add({ kind: 'batchNorm', name: 'norm', inputs: [conv], gamma: f([2]), beta: f([2]), mean: f([2]), variance: f([2]), epsilon: 0.001 })
  const pool = n.add({ kind: 'globalAveragePool', name: 'pool', inputs: [norm] })
  return n.build({
    name: 'größe',
    outputs: [n.add({ kind: 'softmax', name: 'p', inputs: [pool] })],
    labels: ['α', 'β'],
    metadata: { type: 'free text', offset: '1', data: 'x', kind: '' },
  })
}

/** A network of at most 4 kB with constants of several types. */
const integerNetwork = (): Network => {
  const n = createBuilder('integer')
  const x = n.input('x', perTensor('int8', [3], 0.5, 1))
  const weights = { type: { ...perTensor('int8', [2, 3], 1, 0), scales: [0.5, 0.25], channelAxis: 0 }, data: Int8Array.of(1, -2, 3, -4, 5, -6) }
  const bias = { type: perTensor('int32', [2], 1, 0), data: Int32Array.of(100, -100) }
  const dense = n.add(
    { kind: 'dense', name: 'd', inputs: [x], weights, bias, emission: { kind: 'requantize', min: -128, max: 127 } },
    perTensor('int8', [2], 0.5, 0),
  )
  return n.build({ name: 'small', outputs: [dense] })
}

describe('save then load', () => {
  it.each([
    ['a float network with free text', floatNetwork],
    ['an integer network', integerNetwork],
    ['an MLP', () => mlpNetwork(1)],
    ...INTEGER_OPERATORS.map((kind) => [`a random ${kind}`, () => operatorNetwork(kind, 5)] as const),
  ] as const)('is the identity: %s', (_, build) => {
    const network = build()
    const bytes = saveNetwork(network)
    const loaded = loadNetwork(bytes, 'x.net')
    expect(loaded).toEqual(network)
    expect(saveNetwork(loaded)).toEqual(bytes)
  })

  it('loads bytes that lie anywhere in a buffer, and shares nothing with them', () => {
    const bytes = saveNetwork(integerNetwork())
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    const loaded = loadNetwork(shifted.subarray(3), 'x.net')
    shifted.fill(0)
    expect(loaded).toEqual(integerNetwork())
  })

  it('elements are 8-byte aligned', () => {
    expect(saveNetwork(floatNetwork()).length % 8).toBe(0)
  })
})

describe('loadNetwork refuses', () => {
  const good = saveNetwork(integerNetwork())
  const changed = (change: (bytes: Uint8Array, view: DataView) => void, isRepaired = false): Uint8Array => {
    const bytes = good.slice()
    change(bytes, new DataView(bytes.buffer))
    return isRepaired ? repair(bytes) : bytes
  }
  /** Replaces text in the header by text of the same length. */
  const edited = (from: string, to: string): Uint8Array =>
    changed((bytes) => {
      const at = new TextDecoder('latin1').decode(bytes).indexOf(from)
      bytes.set(new TextEncoder().encode(to.padEnd(from.length)), at)
    }, true)

  it.each([
    ['another magic', changed((bytes) => bytes.fill(0, 0, 1)), 'x.net at byte 0: not a .net file (the magic "SPKN" is missing).'],
    ['an empty file', new Uint8Array(), 'x.net at byte 0: not a .net file (the magic "SPKN" is missing).'],
    ['another version', changed((_, view) => view.setUint16(4, 2, true)), 'x.net at byte 4: .net version 2, this spikeport reads version 1.'],
    ['a file cut off', good.subarray(0, -1), `x.net at byte 8: the file has ${good.length - 1} bytes, its header says ${good.length}.`],
    ['a flipped bit', changed((bytes) => bytes.set([(bytes.at(-9) as number) ^ 1], bytes.length - 9)), 'x.net at byte 12: the checksum does not match.'],
    [
      'a header beyond the end',
      changed((_, view) => view.setUint32(16, 2 ** 32 - 1, true), true),
      'x.net at byte 16: a header of 4294967295 bytes does not fit the file.',
    ],
    ['a header that is no object', edited('{"stage"', '1 '), 'x.net at byte 20: the header does not parse ('],
    ['a constant outside the file', edited('"offset":8', '"offset":9'), null],
    ['a constant far outside', edited('"offset":0', '"offset":1e9'), null],
  ] as const)('%s', (_, bytes, message) => {
    expect(() => loadNetwork(bytes, 'x.net')).toThrow(
      expect.objectContaining({ code: 'FILE_MALFORMED', message: expect.stringContaining(message ?? 'x.net') as string }),
    )
  })

  /** A file around a header of its own. */
  const fileOf = (header: unknown, data: number): Uint8Array => {
    const text = new TextEncoder().encode(JSON.stringify(header))
    const bytes = new Uint8Array(Math.ceil((20 + text.length) / 8) * 8 + data)
    bytes.set(good.subarray(0, 8))
    new DataView(bytes.buffer).setUint32(16, text.length, true)
    bytes.set(text, 20)
    return repair(bytes)
  }

  it('constants that share bytes, so that a small file cannot ask for much memory', () => {
    const constant = { type: { kind: 'float32', shape: [100] }, offset: 0 }
    expect(() => loadNetwork(fileOf({ a: constant, b: constant }, 400), 'x.net')).toThrow(expect.objectContaining({ message: 'x.net: constants overlap.' }))
    expect(() => loadNetwork(fileOf({ a: constant }, 396), 'x.net')).toThrow(expect.objectContaining({ message: 'x.net: a constant lies outside the file.' }))
  })

  it('a header without a network', () => {
    expect(() => loadNetwork(fileOf(null, 0), 'x.net')).toThrow(expect.objectContaining({ message: 'x.net at byte 20: the header holds no network.' }))
    expect(() => loadNetwork(fileOf({}, 0), 'x.net')).toThrow(
      expect.objectContaining({ code: 'NETWORK_INVALID', message: 'network: unknown stage undefined.' }),
    )
  })

  it('lists nested beyond the stack', () => {
    const text = new TextEncoder().encode('['.repeat(200_000))
    const bytes = new Uint8Array(24 + text.length)
    bytes.set(good.subarray(0, 8))
    new DataView(bytes.buffer).setUint32(16, text.length, true)
    bytes.set(text, 20)
    expect(() => loadNetwork(repair(bytes), 'x.net')).toThrow(expect.objectContaining({ code: 'FILE_MALFORMED' }))
  })
})

describe.each([
  ['a float network', floatNetwork],
  ['an integer network', integerNetwork],
] as const)('damage to %s', (_, build) => {
  const bytes = saveNetwork(build())
  const load = (x: Uint8Array): unknown => loadNetwork(x, 'x.net')

  it('of at most 4 kB: every truncation is refused, with a repaired checksum too', async () => {
    expect(bytes.length).toBeLessThanOrEqual(4096)
    expect(await fuzzTruncations(load, bytes)).toEqual({ accepted: 0, refused: { FILE_MALFORMED: bytes.length } })
    expect((await fuzzTruncations(load, bytes, { repair })).accepted).toBeLessThanOrEqual(8) // the padding behind the last constant
  })

  it('10,000 mutations are caught by the checksum', async () => {
    const { refused } = await fuzzMutations(load, bytes)
    expect(Object.keys(refused)).toEqual(['FILE_MALFORMED'])
  })

  /** What verify() lets pass can be evaluated; networks that became large are left out, for time. */
  const loadAndEvaluate = (x: Uint8Array): void => {
    const network = loadNetwork(x, 'x.net')
    const elements = network.values.reduce((sum, { type }) => sum + elementCount(type.shape), 0)
    if (elements + networkMacs(network) < 100_000)
      evaluate(
        network,
        network.inputs.map((input) => allocate((network.values[input] as Value).type)),
      )
  }

  it('10,000 mutations with a repaired checksum are refused or can be evaluated', async () => {
    const { accepted, refused } = await fuzzMutations(loadAndEvaluate, bytes, { repair })
    expect(accepted).toBeGreaterThan(0)
    expect(Object.keys(refused)).toContain('NETWORK_INVALID')
  })
})
