import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeCobs, encodeCobs, maxEncodedBytes } from '#src/protocol/cobs.js'
import { MESSAGES, STATUS_TEXTS, STATUSES } from '#src/protocol/codes.js'
import { crc16 } from '#src/protocol/crc16.js'
import { decodeFrame, encodeFrame, type Frame, frameReader, wireBytes } from '#src/protocol/frame.js'
import { helloRequest, loadChunkRequest, PROTOCOL_VERSION, readHello, readInfo, readRun, runRequest } from '#src/protocol/messages.js'
// @ts-expect-error a script without types
import { generate } from '../../../scripts/generate-messages.mjs'

/** Bytes rich in zeros and in runs around 254. */
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 600 }),
  fc.array(fc.constantFrom(0, 1, 255), { maxLength: 600 }).map((values) => Uint8Array.from(values)),
  fc
    .tuple(fc.integer({ min: 250, max: 258 }), fc.constantFrom(0, 7))
    .map(([length, end]) => Uint8Array.from({ length: length + 1 }, (_, i) => (i < length ? 9 : end))),
)
const anyFrame: fc.Arbitrary<Frame> = fc.record({
  message: fc.integer({ min: 0, max: 255 }),
  status: fc.integer({ min: 0, max: 255 }),
  sequence: fc.integer({ min: 0, max: 65535 }),
  payload: anyBytes,
})

describe('COBS', () => {
  test('encoding holds no zero and decodes to the same bytes', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const encoded = encodeCobs(bytes)
        expect(encoded.includes(0)).toBe(false)
        expect(encoded.length).toBeGreaterThan(0)
        expect(encoded.length).toBeLessThanOrEqual(maxEncodedBytes(bytes.length))
        expect(decodeCobs(encoded)).toEqual(bytes)
      }),
    )
  })

  test('known encodings', () => {
    expect([...encodeCobs(Uint8Array.of())]).toEqual([1])
    expect([...encodeCobs(Uint8Array.of(0))]).toEqual([1, 1])
    expect([...encodeCobs(Uint8Array.of(0, 0))]).toEqual([1, 1, 1])
    expect([...encodeCobs(Uint8Array.of(0x11, 0x22, 0, 0x33))]).toEqual([3, 0x11, 0x22, 2, 0x33])
    const run = Uint8Array.from({ length: 254 }, (_, i) => i + 1)
    expect([...encodeCobs(run)]).toEqual([255, ...run])
  })

  test('damaged encodings are refused or decode to something, and never throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void decodeCobs(bytes)))
  })
})

test('CRC-16 is CCITT-FALSE', () => {
  expect(crc16(new TextEncoder().encode('123456789'))).toBe(0x29b1)
  expect(crc16(Uint8Array.of())).toBe(0xffff)
})

describe('frames', () => {
  test('encode and decode are inverse', () => {
    fc.assert(
      fc.property(anyFrame, (frame) => {
        const wire = encodeFrame(frame)
        expect([wire[0], wire.at(-1)]).toEqual([0, 0])
        expect(wire.length).toBeLessThanOrEqual(wireBytes(frame.payload.length))
        expect(decodeFrame(wire.subarray(1, -1))).toEqual(frame)
      }),
    )
  })

  test('any one damaged byte is noticed', () => {
    fc.assert(
      fc.property(anyFrame, fc.nat(), fc.integer({ min: 1, max: 255 }), (frame, at, change) => {
        const encoded = encodeFrame(frame).slice(1, -1)
        const index = at % encoded.length
        const damaged = (encoded[index] as number) ^ change
        fc.pre(damaged !== 0)
        encoded[index] = damaged
        expect(decodeFrame(encoded)).toBeNull()
      }),
    )
  })

  test('a lost byte is noticed wherever it is lost, whatever the checksum', () => {
    for (let sequence = 0; sequence < 2000; sequence++) {
      const encoded = encodeFrame({ message: 0x91, status: 0, sequence, payload: Uint8Array.of(0xf0, 3, 0, 0) }).slice(1, -1)
      for (let lost = 0; lost < encoded.length; lost++) {
        const damaged = Uint8Array.from([...encoded.subarray(0, lost), ...encoded.subarray(lost + 1)])
        expect(decodeFrame(damaged), `byte ${lost} of sequence ${sequence}`).toBeNull()
      }
    }
  })

  test('a reader finds frames however the bytes are cut, and skips noise between them', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 5 }), fc.infiniteStream(fc.integer({ min: 1, max: 50 })), (frames, sizes) => {
        const wire = Uint8Array.from(frames.flatMap((frame) => [...encodeFrame(frame)]))
        const reader = frameReader()
        const found: (Frame | null)[] = []
        for (let at = 0; at < wire.length; ) {
          const size = sizes.next().value
          found.push(...reader.take(wire.subarray(at, at + size)))
          at += size
        }
        expect(found).toEqual(frames)
      }),
    )
  })

  test('a line without delimiters is given up, not collected', () => {
    const reader = frameReader()
    const results = Array.from({ length: 40 }, () => reader.take(new Uint8Array(4096).fill(85))).flat()
    expect(results).toEqual([null])
  })
})

describe('messages', () => {
  test('codes.ts is current', () => {
    expect(readFileSync(resolve(import.meta.dirname, '../../../src/protocol/codes.ts'), 'utf8')).toBe(generate())
  })

  test('every status has a text, and no code is used twice', () => {
    for (const code of Object.values(STATUSES)) expect(STATUS_TEXTS[code]).toBeTruthy()
    for (const codes of [Object.values(MESSAGES), Object.values(STATUSES)]) expect(new Set(codes).size).toBe(codes.length)
  })

  test('requests have the bytes of docs/protocol.md', () => {
    expect([...helloRequest()]).toEqual([PROTOCOL_VERSION, 0])
    expect([...loadChunkRequest(0x01020304, Uint8Array.of(9))]).toEqual([4, 3, 2, 1, 9])
    expect([...runRequest(300)]).toEqual([44, 1])
  })

  test('a greeting of another version is read up to the version', () => {
    expect(readHello(Uint8Array.of(7, 0))).toEqual({ protocolVersion: 7 })
  })

  test('short answers are refused', () => {
    expect(() => readInfo(new Uint8Array(5))).toThrowError(expect.objectContaining({ code: 'DEVICE_ANSWER_MALFORMED' }))
    expect(() => readRun(new Uint8Array(11))).toThrowError(/answered "run" with 11 bytes/)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          readHello(bytes)
        } catch (error) {
          expect(error).toMatchObject({ code: 'DEVICE_ANSWER_MALFORMED' })
        }
      }),
    )
  })
})
