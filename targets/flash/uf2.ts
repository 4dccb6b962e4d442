// UF2 files: 512-byte blocks of 256 payload bytes each, what boards in boot mode take by drag and drop.

import { malformedFile } from '#src/errors.js'

/** Family of the RP2040. */
export const RP2040_FAMILY = 0xe48bff56

const BLOCK_BYTES = 512
const PAYLOAD_BYTES = 256
const PAYLOAD_OFFSET = 32
const START = [0x0a324655, 0x9e5d5157] as const
const END = 0x0ab16f30
const HAS_FAMILY = 0x2000

const writeBlock = (view: DataView, words: readonly number[], payload: Uint8Array): void => {
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true)
  new Uint8Array(view.buffer, view.byteOffset + PAYLOAD_OFFSET).set(payload)
  view.setUint32(BLOCK_BYTES - 4, END, true)
}

/** A UF2 file of an image that belongs at `address`, a multiple of 256. */
export const encodeUf2 = (image: Uint8Array, address: number, familyId: number): Uint8Array => {
  const blocks = Math.ceil(image.length / PAYLOAD_BYTES)
  const file = new Uint8Array(blocks * BLOCK_BYTES)
  for (let block = 0; block < blocks; block++) {
    const words = [...START, HAS_FAMILY, address + block * PAYLOAD_BYTES, PAYLOAD_BYTES, block, blocks, familyId]
    writeBlock(new DataView(file.buffer, block * BLOCK_BYTES, BLOCK_BYTES), words, image.subarray(block * PAYLOAD_BYTES, (block + 1) * PAYLOAD_BYTES))
  }
  return file
}

/** The image in a UF2 file whose blocks follow each other, and where it belongs. @throws FILE_MALFORMED */
export const decodeUf2 = (file: Uint8Array, path: string): { readonly address: number; readonly image: Uint8Array } => {
  const blocks = file.length / BLOCK_BYTES
  if (blocks === 0 || !Number.isInteger(blocks)) throw malformedFile(path, null, `a UF2 file has a multiple of ${BLOCK_BYTES} bytes, this one ${file.length}`)
  const image = new Uint8Array(blocks * PAYLOAD_BYTES)
  const word = (block: number, index: number): number => new DataView(file.buffer, file.byteOffset + block * BLOCK_BYTES).getUint32(index, true)
  const address = word(0, 12)
  for (let block = 0; block < blocks; block++) {
    const isBlock = word(block, 0) === START[0] && word(block, 4) === START[1] && word(block, BLOCK_BYTES - 4) === END
    if (!isBlock) throw malformedFile(path, block * BLOCK_BYTES, 'not a UF2 block')
    if (word(block, 12) !== address + block * PAYLOAD_BYTES || word(block, 16) !== PAYLOAD_BYTES)
      throw malformedFile(path, block * BLOCK_BYTES, 'a UF2 block out of order')
    image.set(file.subarray(block * BLOCK_BYTES + PAYLOAD_OFFSET, block * BLOCK_BYTES + PAYLOAD_OFFSET + PAYLOAD_BYTES), block * PAYLOAD_BYTES)
  }
  return { address, image }
}
