import h5wasm from 'h5wasm'
import { describe, expect, it } from 'vitest'
import { rowsOf } from '#src/events/batch.js'
import { decompressBlosc } from '#src/events/formats/blosc.js'
import { decodeEcf } from '#src/events/formats/ecf.js'
import { readHdf5Events } from '#src/events/formats/hdf5.js'
import { findRawDataset } from '#src/events/formats/hdf5-chunks.js'
import { ledgerImbalance } from '#src/events/ledger.js'
import { decodeRecording } from '#src/events/read.js'
import { fixture, isLong } from './fixtures.js'

const ECF_ROWS = [
  [1000, 100, 7, 1],
  [1000, 101, 7, 1],
  [1023, 105, 9, 0],
  [1023, 200, 9, 0],
  [1023, 300, 9, 0],
  [1024, 302, 9, 0],
  [2000, 1, 11, 1],
  [2000, 2, 11, 0],
  [2000, 1279, 11, 1],
  [2000, 4, 11, 0],
  [2000, 5, 11, 1],
  [3000, 1279, 719, 1],
  [3000, 0, 0, 0],
  [3000, 6, 5, 1],
]

const DSEC_ROWS = [
  [49599300533, 1, 479, 1],
  [49599300543, 2, 5, 0],
  [49599300543, 3, 6, 1],
  [49599300553, 4, 7, 0],
  [49599370523, 639, 8, 1],
]

describe('HDF5 recordings', () => {
  it('Prophesee files with the ECF codec decode in its three packings; a damaged chunk is counted', async () => {
    const recording = await readHdf5Events(fixture('prophesee-ecf.h5'))
    expect(recording.layout).toBe('prophesee')
    expect(recording.geometry).toEqual({ width: 1280, height: 720 })
    expect(rowsOf(recording.events)).toEqual(ECF_ROWS)
    expect([...recording.triggers.timeMicros, ...recording.triggers.channel, ...recording.triggers.value]).toEqual([1500, 2500, 3, 3, 1, 0])
    expect(recording.ledger).toMatchObject({ droppedBytes: { corruptChunk: 14 }, droppedEvents: { corruptChunk: 2 }, eventsOut: 14 })
    expect(ledgerImbalance(recording.ledger)).toBeNull()
  })

  it('Prophesee files without a codec decode', async () => {
    const recording = await readHdf5Events(fixture('prophesee-plain.h5'))
    expect(rowsOf(recording.events)).toEqual([
      [2 ** 40, 5, 6, 1],
      [2 ** 40 + 1, 639, 479, 0],
    ])
    expect(recording.geometry).toEqual({ width: 640, height: 480 })
  })

  it('are told from streaming formats', () => {
    expect(() => decodeRecording(fixture('dsec-blosc.h5'), { name: 'd.h5' })).toThrow('d.h5 is an HDF5 file, which is not read as a stream.')
  })

  it('DSEC files packed by Blosc decode, with their time offset', async () => {
    const recording = await readHdf5Events(fixture('dsec-blosc.h5'))
    expect(recording.layout).toBe('dsec')
    expect(rowsOf(recording.events)).toEqual(DSEC_ROWS)
    expect(ledgerImbalance(recording.ledger)).toBeNull()
  })

  it('DSEC files as the HDF5 library writes them, plain and with gzip, decode', async () => {
    const { FS } = await h5wasm.ready
    const file = new h5wasm.File('/dsec.h5', 'w')
    file.create_group('events')
    const group = file.get('events') as InstanceType<typeof h5wasm.Group>
    group.create_dataset({ name: 't', data: Uint32Array.from([10, 20, 20, 30, 70000]), chunks: [2], compression: 4 })
    group.create_dataset({ name: 'x', data: Uint16Array.from([1, 2, 3, 4, 639]) })
    group.create_dataset({ name: 'y', data: Uint16Array.from([479, 5, 6, 7, 8]), chunks: [5], compression: 9 })
    group.create_dataset({ name: 'p', data: Uint8Array.from([1, 0, 1, 0, 1]) })
    file.create_dataset({ name: 't_offset', data: BigInt64Array.from([49599300523n]) })
    file.close()
    expect(rowsOf((await readHdf5Events(FS.readFile('/dsec.h5') as Uint8Array)).events)).toEqual(DSEC_ROWS)
  })

  it('refuses what is no HDF5 recording', async () => {
    await expect(readHdf5Events(new Uint8Array(100), { name: 'a.h5' })).rejects.toThrow('a.h5 at byte 0: it does not begin as an HDF5 file does.')
    const { FS } = await h5wasm.ready
    const file = new h5wasm.File('/other.h5', 'w')
    file.create_dataset({ name: 'a', data: Uint8Array.of(1) })
    file.close()
    await expect(readHdf5Events(FS.readFile('/other.h5') as Uint8Array, { name: 'b.h5' })).rejects.toThrow('b.h5 holds neither /CD/events nor /events/t.')
  })
})

/** A small generator of its own (xorshift32). */
const randomFrom = (seed: number): (() => number) => {
  let state = (seed * 2654435761) | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

const mutated = (bytes: Uint8Array, random: () => number): Uint8Array => {
  const copy = bytes.slice()
  for (let k = 0; k <= random() % 4; k++) copy[random() % copy.length] = random() & 255
  return random() % 3 === 0 ? copy.subarray(0, random() % copy.length) : copy
}

describe('damaged HDF5', () => {
  const file = fixture('prophesee-ecf.h5')
  const chunks = findRawDataset(file, 'CD/events', 'ecf').chunks.map((chunk) => file.slice(chunk.at, chunk.at + chunk.byteCount))
  const dsec = fixture('dsec-blosc.h5')
  const buffers = ['t', 'x', 'y', 'p'].flatMap((column) =>
    findRawDataset(dsec, `events/${column}`, 'dsec').chunks.map((chunk) => dsec.slice(chunk.at, chunk.at + chunk.byteCount)),
  )
  const mutations = isLong ? 100_000 : 5_000

  it(`ECF chunks and Blosc buffers survive ${mutations} mutations`, () => {
    for (let seed = 1; seed <= mutations; seed++) {
      const random = randomFrom(seed)
      const chunk = mutated(chunks[seed % chunks.length] as Uint8Array, random)
      const events = decodeEcf(chunk, 0, chunk.length)
      expect(events === null || events.timeMicros.length === events.count).toBe(true)
      const buffer = mutated(buffers[seed % buffers.length] as Uint8Array, random)
      decompressBlosc(buffer)
    }
  })

  it('a contiguous dataset that points outside the file is told', () => {
    const bytes = file.slice()
    const layout = bytes.findIndex((byte, i) => byte === 8 && bytes[i + 1] === 0 && bytes[i + 8] === 3 && bytes[i + 9] === 2 && bytes[i + 10] === 2)
    bytes[layout + 9] = 1
    expect(() => findRawDataset(bytes, 'CD/events', 'ecf')).toThrow('the HDF5 structure points outside the file of 5912 bytes')
  })

  it(`the structure survives ${mutations} mutations: chunks are found or the damage is told`, () => {
    for (let seed = 1; seed <= mutations; seed++) {
      const bytes = mutated(file, randomFrom(seed))
      try {
        for (const chunk of findRawDataset(bytes, 'CD/events', 'ecf').chunks) expect(chunk.at + chunk.byteCount).toBeLessThanOrEqual(bytes.length)
      } catch (error) {
        expect((error as { code?: string }).code ?? String(error)).toMatch(/^(FILE_MALFORMED|UNSUPPORTED)$/)
      }
    }
  })
})
