// .npy files against files that NumPy 2.4 wrote, and damaged ones.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readNpy, writeNpy } from '#src/formats/npy.js'
import { NUMERIC_ARRAYS, type NumericArray } from '#src/formats/numeric-array.js'
import { fuzzMutations, fuzzTruncations } from '../../helpers/fuzz.js'

const SPACES = 'ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC'
/** header of shape (2, 3) or the like, as NumPy pads it, then the elements */
const numpy = (head: string, elements: string): Uint8Array => Uint8Array.from(Buffer.from(head + SPACES + elements, 'base64'))

const F4 = numpy('k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9', 'AgIAoAAAAAAACAPgAAAD8AAEA/AACAPwAAoD8=')

const FILES: readonly (readonly [name: string, bytes: Uint8Array, shape: readonly number[], data: NumericArray])[] = [
  ['float32', F4, [2, 3], Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25)],
  [
    'float32, columns first',
    numpy('k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0g', 'AgIAoAAAAAAABAQAAAgD8AAIBAAAAAQAAAoEA='),
    [2, 3],
    Float32Array.of(0, 1, 2, 3, 4, 5),
  ],
  [
    'int16, big-endian',
    numpy('k05VTVBZAQB2AHsnZGVzY3InOiAnPmkyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9', 'AgIAr//f/+//8AAAABAAI='),
    [2, 3],
    Int16Array.of(-3, -2, -1, 0, 1, 2),
  ],
  [
    'int64',
    numpy(
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9',
      'AgIAr9//////////7///////////////////8AAAAAAAAAAAEAAAAAAAAAAgAAAAAAAAA=',
    ),
    [2, 3],
    Int32Array.of(-3, -2, -1, 0, 1, 2),
  ],
  [
    'float16',
    numpy('k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9', 'AgIAoAAAAwADQANgA4ADk='),
    [2, 3],
    Float32Array.of(0, 0.125, 0.25, 0.375, 0.5, 0.625),
  ],
  [
    'bool',
    numpy('k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9', 'AgIAoAAQABAAE='),
    [2, 3],
    Uint8Array.of(0, 1, 0, 1, 0, 1),
  ],
  [
    'a scalar',
    numpy('k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAg', 'AgIAoAAAAAAAAEQA=='),
    [],
    Float64Array.of(2.5),
  ],
  [
    'one dimension',
    numpy('k05VTVBZAQB2AHsnZGVzY3InOiAnfHUxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDYsKSwgfSAg', 'AgIAoAAQIDBAU='),
    [6],
    Uint8Array.of(0, 1, 2, 3, 4, 5),
  ],
  ['version 2', Uint8Array.from([...F4.subarray(0, 6), 2, 0, 118, 0, 0, 0, ...F4.subarray(10)]), [2, 3], Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25)],
]

describe('readNpy', () => {
  it.each(FILES)('%s', (_, bytes, shape, data) => {
    expect(readNpy(bytes, 'x.npy')).toEqual({ shape, data })
  })

  it('puts three axes in row-major order', () => {
    const rows = Float32Array.from({ length: 24 }, (_, i) => i)
    const columns = Float32Array.from({ length: 24 }, (_, i) => (i % 2) * 12 + (Math.floor(i / 2) % 3) * 4 + Math.floor(i / 6))
    const bytes = writeNpy([2, 3, 4], columns)
    bytes.set(new TextEncoder().encode('True, '), new TextDecoder('latin1').decode(bytes).indexOf('False,'))
    expect(readNpy(bytes, 'x.npy').data).toEqual(rows)
  })

  const withHeader = (text: string, data: number[]): Uint8Array =>
    Uint8Array.from([...F4.subarray(0, 8), text.length, 0, ...new TextEncoder().encode(text), ...data])
  const header = (descr: string, shape: string): string => `{'descr': ${descr}, 'fortran_order': False, 'shape': (${shape}), }`

  it.each([
    ['another magic', Uint8Array.of(1, 2, 3), 'x.npy at byte 0: not a .npy file (the magic "\\x93NUMPY" is missing).'],
    ['another version', Uint8Array.from([...F4.subarray(0, 6), 4, ...F4.subarray(7)]), 'x.npy at byte 6: .npy version 4, versions 1 to 3 are known.'],
    ['a header beyond the end', F4.subarray(0, 100), 'x.npy at byte 8: a header of 118 bytes does not fit the file.'],
    ['a version 2 header cut off', Uint8Array.from([...F4.subarray(0, 6), 2, 0, 0, 0]), 'x.npy at byte 8: the header is cut off.'],
    ['no dictionary', withHeader('{}', []), 'x.npy at byte 10: the header lacks descr, fortran_order or shape.'],
    ['a shape that is no number', withHeader(header("'<f4'", '2, a'), []), 'x.npy at byte 10: the header\'s shape "(2, a)" does not parse.'],
    ['too few elements', withHeader(header("'<f4'", '2, 3'), [0, 0, 0, 0]), 'x.npy at byte 69: [2,3] of <f4 takes 24 bytes, the file holds 4.'],
    ['too many elements', withHeader(header("'|u1'", '2,'), [0, 0, 0]), 'x.npy at byte 67: [2] of |u1 takes 2 bytes, the file holds 3.'],
    ['an int64 beyond int32', withHeader(header("'<i8'", '1,'), [0, 0, 0, 0, 1, 0, 0, 0]), 'x.npy at byte 67: element 0 is 4294967296, beyond int32.'],
    ['a uint64 beyond int32', withHeader(header("'<u8'", '1,'), [0, 0, 0, 128, 0, 0, 0, 0]), 'x.npy at byte 67: element 0 is 2147483648, beyond int32.'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readNpy(bytes, 'x.npy')).toThrow(expect.objectContaining({ code: 'FILE_MALFORMED', message }))
  })

  it.each([
    ["'<U3'", 'x.npy: elements of type "<U3" are not read.', 'Save numbers: array.astype("float32") or another float, integer or bool type.'],
    ["'|O'", 'x.npy: elements of type "|O" are not read.', 'Save numbers: array.astype("float32") or another float, integer or bool type.'],
    ["[('a', '<f4')]", 'x.npy: holds records of several fields.', 'Save one plain array: numpy.save(path, array["field"]).'],
  ])('refuses elements %s', (descr, message, note) => {
    expect(() => readNpy(withHeader(header(descr, '1,'), [0]), 'x.npy')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', message, note }))
  })
})

describe('writeNpy', () => {
  it("gives NumPy's bytes", () => {
    expect(writeNpy([2, 3], Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25))).toEqual(F4)
  })

  it('then readNpy is the identity, for every element type and shape', () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 })
    fc.assert(
      fc.property(shapes, fc.constantFrom(...Object.values(NUMERIC_ARRAYS)), fc.integer(), (shape, Elements, seed) => {
        const count = shape.reduce((a, b) => a * b, 1)
        const data = new Elements(Array.from({ length: count }, (_, i) => Math.imul(seed, i + 7) % 127)) as NumericArray
        expect(readNpy(writeNpy(shape, data), 'x')).toEqual({ shape, data })
      }),
    )
  })

  it('aligns elements to 64 bytes', () => {
    for (let rank = 0; rank < 20; rank++) expect((writeNpy(new Array<number>(rank).fill(1), Uint8Array.of(1)).length - 1) % 64).toBe(0)
  })
})

describe('damaged .npy files', () => {
  it('cut anywhere are refused', async () => {
    expect(await fuzzTruncations((bytes) => readNpy(bytes, 'x'), F4)).toEqual({ accepted: 0, refused: { FILE_MALFORMED: F4.length } })
  })

  it.each(FILES.slice(0, 4))('10,000 mutations of %s', async (_, bytes) => {
    expect((await fuzzMutations((x) => readNpy(x, 'x'), bytes)).accepted).toBeGreaterThan(0)
  })
})
