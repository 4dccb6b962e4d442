// Damaged .tflite files: the reader and the importer answer with a network or a SpikeportError, never with anything else.

import { describe, expect, it } from 'vitest'
import { readTflite } from '#src/formats/tflite.js'
import { importTfliteBytes } from '#src/importers/tflite/index.js'
import { fuzzMutations, fuzzTruncations } from '../../helpers/fuzz.js'
import { CODES, tfliteBytes } from './tflite-models.js'

const tensor = (name: string, shape: readonly number[]) => ({ name, shape, scales: [0.5], zeroPoints: [0] })

/** PAD, CONV_2D, AVERAGE_POOL_2D, RESHAPE, FULLY_CONNECTED, SOFTMAX. */
const bytes = tfliteBytes({
  tensors: [
    tensor('x', [1, 4, 4, 1]),
    tensor('p', [1, 6, 6, 1]),
    { name: 'pads', shape: [4, 2], type: 'int32', data: Int32Array.of(0, 0, 1, 1, 1, 1, 0, 0) },
    tensor('c', [1, 4, 4, 2]),
    { name: 'w', shape: [2, 3, 3, 1], scales: [0.1, 0.2], zeroPoints: [0, 0], data: Int8Array.from({ length: 18 }, (_, i) => i - 9) },
    { name: 'b', shape: [2], type: 'int32', scales: [0.05, 0.1], zeroPoints: [0, 0], data: Int32Array.of(7, -7) },
    tensor('a', [1, 2, 2, 2]),
    tensor('f', [1, 8]),
    tensor('s', [1, 3]),
    { name: 'v', shape: [3, 8], scales: [0.1], data: Int8Array.from({ length: 24 }, (_, i) => i * 5 - 60) },
    { name: 'o', shape: [1, 3], scales: [1 / 256], zeroPoints: [-128] },
  ],
  inputs: [0],
  outputs: [10],
  operators: [
    { code: CODES.pad, inputs: [0, 2], outputs: [1] },
    { code: CODES.conv2d, inputs: [1, 4, 5], outputs: [3], options: { 0: ['i8', 1], 1: ['i32', 1], 2: ['i32', 1], 3: ['i8', 1] } },
    { code: CODES.averagePool, inputs: [3], outputs: [6], options: { 0: ['i8', 1], 1: ['i32', 2], 2: ['i32', 2], 3: ['i32', 2], 4: ['i32', 2] } },
    { code: CODES.reshape, inputs: [6], outputs: [7] },
    { code: CODES.fullyConnected, inputs: [7, 9, -1], outputs: [8] },
    { code: CODES.softmax, inputs: [8], outputs: [10], options: { 0: ['f32', 1] } },
  ],
})

describe.each([
  ['the reader', (damaged: Uint8Array) => readTflite(damaged, 'damaged.tflite')],
  ['the importer', (damaged: Uint8Array) => importTfliteBytes(damaged, 'damaged.tflite')],
] as const)('%s', (_, read) => {
  it('reads the undamaged file', () => expect(() => read(bytes)).not.toThrow())

  it('survives every truncation', async () => {
    const { accepted, refused } = await fuzzTruncations(read, bytes)
    expect(accepted + Object.values(refused).reduce((a, b) => a + b, 0)).toBe(bytes.length)
  })

  it('survives 10,000 mutations', async () => {
    const { refused } = await fuzzMutations(read, bytes, { seed: 5 })
    expect(refused['FILE_MALFORMED']).toBeGreaterThan(1000)
  }, 60_000)
})
