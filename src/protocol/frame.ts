// Frames of the wire protocol over any byte stream: a four-byte head, a payload, CRC-16, COBS (docs/protocol.md, "Frames").

import { decodeCobs, encodeCobs, maxEncodedBytes } from './cobs.js'
import { crc16 } from './crc16.js'

export interface Frame {
  /** code of MESSAGES, with RESPONSE_BIT in a response */
  readonly message: number
  /** code of STATUSES; 0 in a request */
  readonly status: number
  /** 0..65535 */
  readonly sequence: number
  readonly payload: Uint8Array
}

export const RESPONSE_BIT = 0x80
/** Bytes of a frame beside its payload: head and checksum. */
export const FRAME_EXTRA_BYTES = 6
const HEAD_BYTES = 4
/** No frame is longer; a line that sends more without a delimiter carries something else. */
export const MAX_FRAME_BYTES = 2 ** 17

/** The most bytes on the line that a frame with so long a payload takes. */
export const wireBytes = (payloadBytes: number): number => maxEncodedBytes(payloadBytes + FRAME_EXTRA_BYTES) + 2

/** The bytes of a frame on the line, a delimiter before and after. */
export const encodeFrame = (frame: Frame): Uint8Array => {
  const body = new Uint8Array(frame.payload.length + FRAME_EXTRA_BYTES)
  body.set([frame.message, frame.status, frame.sequence & 255, frame.sequence >> 8])
  body.set(frame.payload, HEAD_BYTES)
  const crc = crc16(body.subarray(0, -2))
  body.set([crc & 255, crc >> 8], body.length - 2)
  const encoded = encodeCobs(body)
  const wire = new Uint8Array(encoded.length + 2)
  wire.set(encoded, 1)
  return wire
}

/** The frame between two delimiters, or null where it is damaged. */
export const decodeFrame = (encoded: Uint8Array): Frame | null => {
  const body = decodeCobs(encoded)
  if (body === null || body.length < FRAME_EXTRA_BYTES) return null
  const [crcLow, crcHigh] = body.subarray(-2) as unknown as [number, number]
  if (crc16(body.subarray(0, -2)) !== (crcLow | (crcHigh << 8))) return null
  const [message, status, low, high] = body as unknown as [number, number, number, number]
  return { message, status, sequence: low | (high << 8), payload: new Uint8Array(body.subarray(HEAD_BYTES, -2)) }
}

/** Cuts a byte stream into frames. */
export interface FrameReader {
  /** Takes bytes as they come; gives the frames they complete, null for each damaged one. */
  readonly take: (bytes: Uint8Array) => readonly (Frame | null)[]
}

export const frameReader = (): FrameReader => {
  let rest: Uint8Array = new Uint8Array(0)
  const take = (bytes: Uint8Array): (Frame | null)[] => {
    const frames: (Frame | null)[] = []
    let from = 0
    for (let zero = bytes.indexOf(0); zero >= 0; zero = bytes.indexOf(0, from)) {
      const encoded = join(rest, bytes.subarray(from, zero))
      if (encoded.length > 0) frames.push(decodeFrame(encoded))
      rest = new Uint8Array(0)
      from = zero + 1
    }
    rest = join(rest, bytes.subarray(from))
    if (rest.length > MAX_FRAME_BYTES) {
      rest = new Uint8Array(0)
      frames.push(null)
    }
    return frames
  }
  return { take }
}

const join = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  if (a.length === 0) return b.slice()
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}
