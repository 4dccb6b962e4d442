// Damaged model.json files and shards: the importer answers with a network or a SpikeportError, never with anything else.

import { beforeAll, describe, expect, it } from 'vitest'
import { malformedFile } from '#src/errors.js'
import { importTfjsModel } from '#src/importers/tfjs/model.js'
import { fuzzMutations, fuzzTruncations } from '../../helpers/fuzz.js'
import { type SavedModel, saveToMemory, sequential, tf } from './tfjs-models.js'

const { layers } = tf

/** Parses as importTfjs does. */
const readText = (bytes: Uint8Array, weights: Uint8Array): unknown => {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    throw malformedFile('model.json', null, 'not JSON')
  }
  return importTfjsModel(json, () => weights, 'fuzz')
}

/** Without what the importer never reads, so that mutations hit what it does read. */
const stripped = (x: unknown): unknown =>
  JSON.parse(
    JSON.stringify(x, (key, value) => (/initializer|regularizer|constraint|trainable|momentum|seed|noise_shape/.test(key) ? undefined : (value as unknown))),
  )

const sequentialModel = (): tf.LayersModel =>
  sequential(
    [6, 6, 2],
    layers.zeroPadding2d({ padding: 1, name: 'z' }),
    layers.conv2d({ filters: 2, kernelSize: 3, strides: 2, name: 'c' }),
    layers.batchNormalization({ name: 'b' }),
    layers.reLU({ maxValue: 6, name: 'r' }),
    layers.maxPooling2d({ poolSize: 2, name: 'p' }),
    layers.reshape({ targetShape: [2], name: 's' }),
    layers.dense({ units: 2, activation: 'softmax', name: 'd' }),
  )

const functionalModel = (): tf.LayersModel => {
  const input = tf.input({ shape: [5, 2], name: 'x' })
  const inner = tf.sequential({ name: 'm', layers: [layers.conv1d({ filters: 2, kernelSize: 2, padding: 'same', inputShape: [5, 2], name: 'c' })] })
  const sum = layers.add({ name: 'a' }).apply([input, inner.apply(input)] as tf.SymbolicTensor[])
  const join = layers.concatenate({ name: 'j', axis: 1 }).apply([sum, input] as tf.SymbolicTensor[])
  return tf.model({ inputs: input, outputs: layers.globalAveragePooling1d({ name: 'g' }).apply(join) as tf.SymbolicTensor })
}

describe.each([
  ['a sequential model', sequentialModel],
  ['a functional model', functionalModel],
] as const)('%s', (_, build) => {
  let saved: SavedModel
  let text: Uint8Array
  beforeAll(async () => {
    saved = await saveToMemory(build())
    text = new TextEncoder().encode(JSON.stringify(stripped(saved.json)))
  })

  it('of at most 4 kB is read', () => {
    expect(text.length).toBeLessThanOrEqual(4096)
    expect(readText(text, saved.weights)).toMatchObject({ stage: 'float' })
  })

  it('model.json cut anywhere is refused', async () => {
    expect(await fuzzTruncations((bytes) => readText(bytes, saved.weights), text)).toEqual({ accepted: 0, refused: { FILE_MALFORMED: text.length } })
  })

  it('10,000 mutations of model.json', async () => {
    const { accepted, refused } = await fuzzMutations((bytes) => readText(bytes, saved.weights), text)
    expect(accepted).toBeGreaterThan(0)
    expect(Object.keys(refused)).toEqual(expect.arrayContaining(['FILE_MALFORMED', 'UNSUPPORTED']))
  })

  it('a shard cut anywhere is refused', async () => {
    expect(await fuzzTruncations((bytes) => importTfjsModel(saved.json, () => bytes, 'x'), saved.weights)).toEqual({
      accepted: 0,
      refused: { FILE_MALFORMED: saved.weights.length },
    })
  })

  it('10,000 mutations of a shard', async () => {
    const { accepted } = await fuzzMutations((bytes) => importTfjsModel(saved.json, () => bytes, 'x'), saved.weights)
    expect(accepted).toBeGreaterThan(0)
  })
})
