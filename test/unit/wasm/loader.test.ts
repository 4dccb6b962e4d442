// The core's loader: any bytes are refused with a reason or run without a trap; every status has its cause here.

import { describe, expect, it } from 'vitest'
import { wasmSession, wasmSessionFromBytes } from '#runtimes/wasm/index.js'
import { SpikeportError } from '#src/errors.js'
import { eventnetBytes, eventnetDocument } from '#src/eventnet/index.js'
import { STATUS_TEXTS } from '#src/formats/eventnet/codes.js'
import { type EventnetDocument, encodeEventnet, type FieldValue, sealEventnet } from '#src/formats/eventnet/index.js'
import { evaluate } from '#src/network/evaluate.js'
import type { ElementArray, Network } from '#src/network/types.js'
import { planArena } from '#src/plan/arena.js'
import { bytesOf } from '../../helpers/engines.js'
import { fuzzMutations, fuzzTruncations } from '../../helpers/fuzz.js'
import { networkBuilder, randomInputs } from '../../helpers/networks.js'
import { asTflite } from '../../helpers/tflite-networks.js'

const smallNetwork = (): Network<'integer'> => {
  const b = networkBuilder('small', 1)
  const x = b.input([4, 4, 2])
  const y = b.depthwise(x, 1, { kernel: [3, 3], quantization: b.quantizationOf(x) })
  const z = b.maxPool(b.concat([b.relu(y), b.add(x, y)].slice(0, 1).concat(b.relu(x)), 2), { kernel: [2, 2] })
  const pooled = b.averagePool(b.conv2d(z, 3, { kernel: [3, 3], relu: true }), { kernel: [2, 2] })
  return b.build([b.softmax(b.dense(b.flatten(pooled), 4))])
}

const documentOf = (network: Network<'integer'> = smallNetwork()): EventnetDocument =>
  eventnetDocument(network, planArena(network), { selfTest: true, names: false })

const smallBytes = (): Uint8Array => encodeEventnet(documentOf())

/** Loads bytes and runs one random sample. */
const loadAndRun = async (bytes: Uint8Array, network = smallNetwork()): Promise<void> => {
  const session = await wasmSessionFromBytes(bytes, 'x.evn')
  session.selfTest()
  try {
    session.runNow({ count: 1, inputs: randomInputs(network, 1) })
  } catch (error) {
    if (!(error instanceof SpikeportError)) throw error
  }
}

describe('the loader never traps', () => {
  it('on any truncation, with the length and checksum as they are or put right', async () => {
    const bytes = smallBytes()
    const repair = (damaged: Uint8Array): Uint8Array => {
      if (damaged.length < 160) return damaged
      new DataView(damaged.buffer).setUint32(8, damaged.length, true)
      sealEventnet(damaged)
      return damaged
    }
    expect(bytes.length).toBeLessThanOrEqual(4096)
    expect((await fuzzTruncations((damaged) => loadAndRun(damaged), bytes)).accepted).toBe(0)
    expect((await fuzzTruncations((damaged) => loadAndRun(damaged), bytes, { repair })).accepted).toBe(0)
  })

  it('on 10,000 random mutations, half of them with the length and checksum put right', async () => {
    const repair = (damaged: Uint8Array): Uint8Array => {
      if (damaged.length < 160) return damaged
      new DataView(damaged.buffer, damaged.byteOffset).setUint32(8, damaged.length, true)
      sealEventnet(damaged)
      return damaged
    }
    const network = smallNetwork()
    const memoryBytes = 2 ** 31
    await fuzzMutations((damaged) => loadAndRun(damaged, network), smallBytes(), { seed: 3, mutations: 5000, memoryBytes })
    const report = await fuzzMutations((damaged) => loadAndRun(damaged, network), smallBytes(), { seed: 4, mutations: 5000, repair, memoryBytes })
    expect(Object.keys(report.refused).sort()).toEqual(expect.arrayContaining(['FILE_MALFORMED']))
    expect(report.accepted).toBeGreaterThan(0)
  })

  it('on 3,000 random mutations under rounding tflite, with the length and checksum put right', async () => {
    const network = asTflite(smallNetwork()) as Network<'integer'>
    const repair = (damaged: Uint8Array): Uint8Array => {
      if (damaged.length < 160) return damaged
      new DataView(damaged.buffer, damaged.byteOffset).setUint32(8, damaged.length, true)
      sealEventnet(damaged)
      return damaged
    }
    const bytes = encodeEventnet(documentOf(network))
    const report = await fuzzMutations((damaged) => loadAndRun(damaged, network), bytes, { seed: 5, mutations: 3000, repair, memoryBytes: 2 ** 31 })
    expect(report.accepted).toBeGreaterThan(0)
  })
})

type Change = (document: EventnetDocument) => EventnetDocument

const value =
  (index: number, fields: object): Change =>
  (d) => ({ ...d, values: d.values.map((v, i) => (i === index ? { ...v, ...fields } : v)) })
const node =
  (operator: string, fields: Readonly<Record<string, FieldValue>>): Change =>
  (d) => ({
    ...d,
    nodes: d.nodes.map((n) => (n.operator === operator ? { ...n, fields: { ...n.fields, ...fields } } : n)),
  })
const emission =
  (operator: string, fields: Readonly<Record<string, FieldValue>>): Change =>
  (d) => ({
    ...d,
    nodes: d.nodes.map((n) => (n.operator === operator ? { ...n, emission: { ...n.emission, fields: { ...n.emission.fields, ...fields } } } : n)),
  })
const inputsOf =
  (operator: string, inputs: readonly number[]): Change =>
  (d) => ({ ...d, nodes: d.nodes.map((n) => (n.operator === operator ? { ...n, inputs } : n)) })

const chain = (): EventnetDocument => {
  const b = networkBuilder('chain', 2)
  const x = b.input([6, 6, 4])
  const y = b.conv2d(x, 4, { kernel: [3, 3], quantization: b.quantizationOf(x) })
  const pooled = b.averagePool(b.add(b.relu(y), b.input([6, 6, 4])), { kernel: [2, 2], padding: 'same' })
  const joined = b.concat([b.maxPool(pooled, { kernel: [2, 2] }), pooled], 2)
  return documentOf(b.build([b.softmax(b.dense(b.flatten(joined), 5))]))
}

const document = chain()
const last = document.values.length - 1
const float = new Float32Array(1)
const floatOf = (bits: number): number => {
  new Uint32Array(float.buffer)[0] = bits
  return float[0] as number
}

const STATUS = Object.fromEntries(Object.entries(STATUS_TEXTS).map(([code, text]) => [text, Number(code)]))

describe('the loader refuses', () => {
  const cases: readonly (readonly [string, Change, string])[] = [
    ['another rounding', (d) => ({ ...d, rounding: 2 }), 'a rounding that this core does not have'],
    ['a shape whose product is not its size', value(1, { shape: [6, 6, 5] }), "a value's kind, shape, scale or zero point is not valid"],
    ['a scale of infinity', value(1, { scale: Number.POSITIVE_INFINITY }), "a value's kind, shape, scale or zero point is not valid"],
    ['a negative scale', value(1, { scale: -1 }), "a value's kind, shape, scale or zero point is not valid"],
    ['a zero point outside int8', value(1, { zeroPoint: 128 }), "a value's kind, shape, scale or zero point is not valid"],
    ['a kind that does not run', value(1, { kind: 'uint8' }), "a value's kind, shape, scale or zero point is not valid"],
    ['a value outside the arena', value(1, { offset: document.arenaBytes }), 'a value lies outside the arena or is not aligned'],
    ['a value that is not aligned', value(last, { offset: 2 }), 'a value lies outside the arena or is not aligned'],
    ['a value that outlives the network', value(1, { last: document.nodes.length + 1 }), 'a value is read before it is written, or its lifetime is wrong'],
    ['a value read after its last use', value(0, { last: 0 }), 'a value is read before it is written, or its lifetime is wrong'],
    ['a value read before it is written', inputsOf('conv2d', [4]), 'a value is read before it is written, or its lifetime is wrong'],
    ['inputs that overlap', value(3, { offset: document.values[0]?.offset }), 'two values that live at one time overlap in the arena'],
    [
      'an output over an input that is still read',
      (d) => value(5, { offset: d.values[4]?.offset ?? 0 })(d),
      'two values that live at one time overlap in the arena',
    ],
    ['a convolution with another height', node('conv2d', { outputHeight: 5 }), 'a window or a shape does not fit its input and output'],
    ['padding as large as the window', node('conv2d', { padTop: 3 }), 'a window or a shape does not fit its input and output'],
    ['no stride', node('conv2d', { strideX: 0 }), 'a window or a shape does not fit its input and output'],
    [
      'weights outside the constants',
      node('dense', { weights: { section: 'constants', offset: document.constants.length - 1 } }),
      'a constant lies outside its section or is not aligned',
    ],
    ['a bias that is not aligned', node('dense', { bias: { section: 'constants', offset: 1 } }), 'a constant lies outside its section or is not aligned'],
    ["a zero point that is not the value's", node('dense', { inputZeroPoint: 9 }), "a node's inputs or output do not exist or are of the wrong kind or size"],
    ['more units than the output has', node('dense', { units: 6 }), "a node's inputs or output do not exist or are of the wrong kind or size"],
    ['two inputs where one is expected', inputsOf('relu', [1, 1]), "a node's inputs or output do not exist or are of the wrong kind or size"],
    ['bounds outside int8', emission('conv2d', { low: -129 }), 'an emission is unknown or its fields are not valid'],
    ['bounds the wrong way round', emission('add', { low: 5, high: 4 }), 'an emission is unknown or its fields are not valid'],
    ['a wrong number of factors', emission('conv2d', { scaleCount: 3 }), 'an emission is unknown or its fields are not valid'],
    ['an average without a factor for some count', emission('averagePool', { firstCount: 2 }), 'an emission is unknown or its fields are not valid'],
    ['factors of an add that are not numbers', node('add', { scaleA: floatOf(0x7fc00000) }), 'an emission is unknown or its fields are not valid'],
    ['a softmax over rows that do not fit', node('softmax', { rows: 2 }), "a node's inputs or output do not exist or are of the wrong kind or size"],
    ['a relu over another number of elements', node('relu', { count: 3 }), "a node's inputs or output do not exist or are of the wrong kind or size"],
    ['chunks that do not add up', node('concat', { chunkBytes: 9 }), 'a window or a shape does not fit its input and output'],
  ]
  it.each(cases)('%s', async (_, change, text) => {
    expect(STATUS[text], text).toBeDefined()
    await expect(wasmSessionFromBytes(encodeEventnet(change(document)), 'x.evn')).rejects.toThrow(`x.evn: ${text}.`)
  })

  it('sums that can leave int32', async () => {
    const b = networkBuilder('n', 1)
    const d = documentOf(b.build([b.dense(b.input([4]), 1)]))
    const bias = d.nodes[0]?.fields['bias'] as { offset: number }
    new DataView(d.constants.buffer).setInt32(bias.offset, -(2 ** 31), true)
    await expect(wasmSessionFromBytes(encodeEventnet(d), 'x.evn')).rejects.toThrow("x.evn: a layer's sum can leave int32.")
  })
})

describe('a session from a file', () => {
  it('runs the self-test that the exporter stored', async () => {
    expect((await wasmSessionFromBytes(encodeEventnet(document))).selfTest()).toBe(true)
    expect((await wasmSessionFromBytes(encodeEventnet({ ...document, selfTest: null }))).selfTest()).toBeNull()
  })

  it('runs a self-test whose input is stored', async () => {
    const network = smallNetwork()
    const document = documentOf(network)
    const input = Int8Array.from({ length: 32 }, (_, i) => i * 7 - 100)
    const values = evaluate(network, [input])
    const outputs = network.outputs.map((value) => bytesOf(values[value] as ElementArray))
    const stored = (x: Uint8Array): Uint8Array => encodeEventnet({ ...document, selfTest: { inputs: [x], outputs } })
    expect((await wasmSessionFromBytes(stored(bytesOf(input)))).selfTest()).toBe(true)
    expect((await wasmSessionFromBytes(stored(bytesOf(Int8Array.from(input, (x) => x + 60))))).selfTest()).toBe(false)
  })

  it('finds a self-test that differs', async () => {
    const outputs = document.selfTest?.outputs.map((output) => output.map((byte) => byte ^ 1)) ?? []
    const changed = { ...document, selfTest: { inputs: document.selfTest?.inputs ?? [], outputs } }
    expect((await wasmSessionFromBytes(encodeEventnet(changed))).selfTest()).toBe(false)
  })

  it('reads tunable weights from their section', async () => {
    const network = smallNetwork()
    const inputs = randomInputs(network, 1)
    const bytes = eventnetBytes(network, planArena(network), { tunable: 'all' })
    const [tunable, fixed] = [await wasmSessionFromBytes(bytes), await wasmSession(network)]
    expect(tunable.runNow({ count: 1, inputs })).toEqual(fixed.runNow({ count: 1, inputs }))
  })

  it('refuses inputs that do not fit', async () => {
    const session = await wasmSession(smallNetwork())
    expect(() => session.runNow({ count: 1, inputs: [] })).toThrow('takes 1 inputs, the batch has 0')
    expect(() => session.runNow({ count: 1, inputs: [new Int8Array(3)] })).toThrow('has 3 elements')
  })

  it('refuses more memory than the engine has', async () => {
    const b = networkBuilder('n', 1)
    const d = documentOf(b.build([b.relu(b.input([4]))]))
    const huge = { ...d, arenaBytes: 2 ** 30 }
    await expect(wasmSessionFromBytes(encodeEventnet(huge), 'huge.evn')).rejects.toThrow(
      /^network needs \d+ bytes of memory in the wasm engine, which has \d+, missing \d+\.$/,
    )
  })
})
