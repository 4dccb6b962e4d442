// Contents longer than a frame, in pieces that shrink on a bad line and grow on a good one.

import { garbledLine } from '#src/errors.js'
import type { MessageName } from '#src/protocol/codes.js'
import type { Connection } from './connection.js'

/**
 * Transfers `total` bytes, at most `most` in a piece; `request` makes the payload for a piece, `take` gets its answer.
 * @throws DeviceError
 */
export const transferPieces = async (
  connection: Connection,
  message: MessageName,
  sizes: { readonly total: number; readonly most: number },
  request: (offset: number, length: number) => Uint8Array,
  take: (answer: Uint8Array, offset: number) => void = () => {},
): Promise<void> => {
  for (let offset = 0; offset < sizes.total; ) {
    const length = Math.min(sizes.total - offset, connection.pieceBytes(sizes.most))
    const answer = await connection.attempt(message, request(offset, length), length)
    connection.note(answer === null ? 'damaged' : 'passed')
    if (answer === null) continue
    take(answer, offset)
    offset += length
  }
}

/** Reads `total` bytes. */
export const readPieces = async (
  connection: Connection,
  message: MessageName,
  sizes: { readonly total: number; readonly most: number },
  request: (offset: number, length: number) => Uint8Array,
): Promise<Uint8Array> => {
  const bytes = new Uint8Array(sizes.total)
  const take = (answer: Uint8Array, offset: number): void => {
    if (answer.length > bytes.length - offset) throw garbledLine(connection.place, answer.length, null)
    bytes.set(answer, offset)
  }
  await transferPieces(connection, message, sizes, request, take)
  return bytes
}
