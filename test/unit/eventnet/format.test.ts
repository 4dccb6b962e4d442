// The .evn format: bytes <-> document, the layout that docs/eventnet.md fixes, and every refusal of the reader.

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MalformedFileError } from '#src/errors.js'
import { eventnetBytes, eventnetDocument } from '#src/eventnet/index.js'
import { encodeEventnet, readEventnet, sealEventnet } from '#src/formats/eventnet/index.js'
import { planArena } from '#src/plan/arena.js'
import { generateCodes } from '../../../scripts/generate-codes.mjs'
import { fuzzMutations, fuzzTruncations } from '../../helpers/fuzz.js'
import { INTEGER_OPERATORS, networkBuilder, operatorNetwork, randomNetwork } from '../../helpers/networks.js'

const smallNetwork = () => {
  const b = networkBuilder('small', 1)
  const x = b.conv2d(b.input([4, 4, 2]), 3, { kernel: [3, 3], relu: true })
  return b.build([b.softmax(b.dense(b.flatten(b.averagePool(x, { kernel: [2, 2] })), 4))], ['a', 'b', 'c', 'd'])
}

const smallBytes = (): Uint8Array => {
  const network = smallNetwork()
  return eventnetBytes(network, planArena(network), { selfTest: true })
}

const withBytes = (change: (view: DataView, bytes: Uint8Array) => void, isSealed = true): Uint8Array => {
  const bytes = smallBytes()
  change(new DataView(bytes.buffer), bytes)
  if (isSealed) sealEventnet(bytes)
  return bytes
}

const refusal = (bytes: Uint8Array): MalformedFileError => {
  try {
    readEventnet(bytes, 'x.evn')
  } catch (error) {
    if (error instanceof MalformedFileError) return error
    throw error
  }
  throw new Error('was read')
}

describe('an .evn file', () => {
  it('reads back as the document it was written from, for every operator', () => {
    fc.assert(
      fc.property(fc.constantFrom(...INTEGER_OPERATORS), fc.nat(), fc.constantFrom('none', 'last', 'all'), fc.boolean(), (kind, seed, tunable, hasExtras) => {
        const network = operatorNetwork(kind, seed)
        const document = eventnetDocument(network, planArena(network), { tunable: tunable as 'none', names: hasExtras, selfTest: hasExtras })
        expect(readEventnet(encodeEventnet(document), 'x.evn')).toEqual(document)
      }),
      { numRuns: 150, examples: [['dense', 512905623, 'none', false]] }, // its zero point rounds to -0
    )
  })

  it('is written to the same bytes again after reading', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const network = randomNetwork(seed)
        const bytes = eventnetBytes(network, planArena(network), { tunable: 'last', selfTest: true })
        expect(encodeEventnet(readEventnet(bytes, 'x.evn'))).toEqual(bytes)
      }),
      { numRuns: 30 },
    )
  })

  it('starts with the magic, the version, the mark and its length', () => {
    const bytes = smallBytes()
    expect([...bytes.subarray(0, 8)]).toEqual([0x89, 0x45, 0x56, 0x4e, 1, 0, 0xff, 0xfe])
    expect(new DataView(bytes.buffer).getUint32(8, true)).toBe(bytes.length)
    expect(bytes.length % 16).toBe(0)
  })

  it('keeps weights that may be tuned in a section of their own', () => {
    const network = smallNetwork()
    const sizes = (['none', 'last', 'all'] as const).map((tunable) => eventnetDocument(network, planArena(network), { tunable }).tunable.length)
    expect(sizes[0]).toBe(0)
    expect(sizes[2]).toBeGreaterThan(sizes[1] as number)
    const { nodes } = eventnetDocument(network, planArena(network), { tunable: 'last' })
    const sections = nodes.map(({ fields }) => (fields['weights'] as { section: string } | undefined)?.section)
    expect(sections).toEqual(['constants', undefined, undefined, 'tunable', undefined])
  })

  it('writes what a name shares with the one before, and nodes named as their outputs not at all', () => {
    const document = eventnetDocument(smallNetwork(), planArena(smallNetwork()), {})
    const names = { network: 'né', values: document.values.map((_, i) => `né${i}`), nodes: document.nodes.map(({ output }) => `né${output}`), labels: ['nê'] }
    const bytes = encodeEventnet({ ...document, names })
    expect(readEventnet(bytes, 'x.evn').names).toEqual(names)
    const view = new DataView(bytes.buffer)
    const at = view.getUint32(48 + 16 * 5 + 4, true)
    const [n, e9, ea] = [0x6e, [0xc3, 0xa9], [0xc3, 0xaa]] as const
    expect([...bytes.subarray(at, at + 4)]).toEqual([1, 0, 1, 0])
    expect([...bytes.subarray(at + 4, at + 14)]).toEqual([0, 3, 0, n, ...e9, 3, 1, 0, 0x30])
    const end = at + view.getUint32(48 + 16 * 5 + 8, true)
    expect([...bytes.subarray(end - 4, end)]).toEqual([2, 1, 0, ea[1]]) // half a character is shared
    const other = { ...names, nodes: names.nodes.map((name) => `${name}!`) }
    expect(readEventnet(encodeEventnet({ ...document, names: other }), 'x.evn').names).toEqual(other)
  })

  it('stores a self-test input only where it is not the one that every reader makes', () => {
    const document = eventnetDocument(smallNetwork(), planArena(smallNetwork()), { selfTest: true })
    const selfTest = document.selfTest as NonNullable<typeof document.selfTest>
    expect([...new Int8Array((selfTest.inputs[0] as Uint8Array).buffer).subarray(0, 8)]).toEqual([-117, -80, -43, -6, 31, 68, 105, -114])
    const bytesOfSection = (bytes: Uint8Array): number => new DataView(bytes.buffer).getUint32(48 + 16 * 6 + 8, true)
    const made = encodeEventnet(document)
    expect(bytesOfSection(made)).toBe(16) // four float32 probabilities
    const changed = { ...document, selfTest: { ...selfTest, inputs: [new Uint8Array(32)] } }
    const stored = encodeEventnet(changed)
    expect(bytesOfSection(stored)).toBe(32 + 16)
    expect([readEventnet(made, 'x.evn'), readEventnet(stored, 'x.evn')]).toEqual([document, changed])
  })

  it('refuses names that share too much, and unknown flags of names', () => {
    const at = new DataView(smallBytes().buffer).getUint32(48 + 16 * 5 + 4, true)
    expect(refusal(withBytes((view) => view.setUint8(at + 4, 1))).message).toContain('a name shares 1 bytes with one of 0')
    expect(refusal(withBytes((view) => view.setUint16(at + 2, 2, true))).message).toContain('the names have the flags 2')
  })

  it('is smaller without names', () => {
    const network = smallNetwork()
    const [full, stripped] = [true, false].map((names) => eventnetBytes(network, planArena(network), { names })) as [Uint8Array, Uint8Array]
    expect(readEventnet(stripped, 'x.evn').names).toBeNull()
    expect(stripped.length).toBeLessThan(full.length)
  })
})

describe('the reader of .evn files refuses', () => {
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['another kind of file', withBytes((v) => v.setUint8(0, 0)), /^x\.evn at byte 0: not an \.evn file/],
    ['a later version', withBytes((v) => v.setUint16(4, 2, true)), /^x\.evn at byte 4: \.evn version 2, this spikeport reads version 1\.$/],
    ['a wrong endianness mark', withBytes((v) => v.setUint16(6, 0xfffe, true)), /^x\.evn at byte 6: the endianness mark is wrong\.$/],
    ['a wrong length', withBytes((v) => v.setUint32(8, 1, true)), /^x\.evn at byte 8: the file has \d+ bytes, its header says 1\.$/],
    ['a wrong checksum', withBytes((v) => v.setUint8(200, 77), false), /^x\.evn at byte 12: the checksum does not match\.$/],
    ['too many nodes', withBytes((v) => v.setUint32(20, 4097, true)), /^x\.evn at byte 20: 4097 nodes, possible are 0 to 4096\.$/],
    ['no value', withBytes((v) => v.setUint32(24, 0, true)), /^x\.evn at byte 24: 0 values, possible are 1 to 8192\.$/],
    ['a huge arena', withBytes((v) => v.setUint32(28, 2 ** 31, true)), /^x\.evn at byte 28: 2147483648 bytes of arena/],
    ['another number of sections', withBytes((v) => v.setUint16(18, 6, true)), /^x\.evn at byte 18: 6 sections, expected 7\.$/],
    ['a section that is misplaced', withBytes((v) => v.setUint32(52, 176, true)), /^x\.evn at byte 48: the graph section is not where it belongs\.$/],
    ['a section beyond the end', withBytes((v) => v.setUint32(56, 1e6, true)), /^x\.evn at byte 48: the graph section lies outside the file\.$/],
    ['an unknown operator', withBytes((v) => v.setUint16(184, 99, true)), /^x\.evn at byte 184: unknown operator 99\.$/],
    ['an unknown emission', withBytes((v) => v.setUint16(186, 99, true)), /^x\.evn at byte 186: unknown emission 99\.$/],
    ['a value that does not exist', withBytes((v) => v.setUint16(192, 99, true)), /^x\.evn at byte 192: value 99 does not exist\.$/],
    [
      'a constant outside its section',
      withBytes((v) => v.setUint32(236, 8, true)),
      /^x\.evn at byte 236: a constant at byte 8 lies in no constants section\.$/,
    ],
  ]
  it.each(cases)('%s', (_, bytes, text) => {
    expect(refusal(bytes).message).toMatch(text)
  })

  it('every truncation', async () => {
    const bytes = smallBytes()
    expect(bytes.length).toBeLessThanOrEqual(4096)
    expect((await fuzzTruncations((damaged) => readEventnet(damaged, 'x.evn'), bytes)).accepted).toBe(0)
  })

  it('or reads 10,000 mutations, half of them with their checksum and length put right', async () => {
    const read = (bytes: Uint8Array) => readEventnet(bytes, 'x.evn')
    await fuzzMutations(read, smallBytes(), { seed: 1, mutations: 5000 })
    const repair = (bytes: Uint8Array): Uint8Array => {
      if (bytes.length < 160) return bytes
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(8, bytes.length, true)
      sealEventnet(bytes)
      return bytes
    }
    const { refused } = await fuzzMutations(read, smallBytes(), { seed: 2, mutations: 5000, repair })
    expect(Object.keys(refused)).toEqual(['FILE_MALFORMED'])
  })
})

describe('the codes of the format', () => {
  it('are those of firmware-stubs/shared', () => {
    const current = readFileSync(new URL('../../../src/formats/eventnet/codes.ts', import.meta.url), 'utf8')
    expect(current, 'run node scripts/generate-codes.mjs').toBe(generateCodes())
  })
})
