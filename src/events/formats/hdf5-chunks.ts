// Where the raw chunks of an HDF5 dataset lie: the little of the file format that is needed to reach chunks whose filter the HDF5
// library does not have. Reads superblocks 0 to 3, object headers 1 and 2, symbol-table groups and compact links, contiguous data and
// chunks behind a version 1 B-tree (the library's default), nothing newer. Format: "HDF5 File Format Specification", version 3.

import { malformedFile, unsupported } from '../../errors.js'
import { ascii, hasMarker, i64le, textOf, u16le, u32le } from './words.js'

/** A filter of the pipeline, in the order of writing. */
export interface RawFilter {
  readonly id: number
  readonly values: readonly number[]
}

/** One stored chunk of a one-dimensional dataset. */
export interface RawChunk {
  readonly firstElement: number
  readonly at: number
  readonly byteCount: number
}

export interface RawDataset {
  readonly elementCount: number
  readonly elementBytes: number
  readonly chunkElements: number
  readonly filters: readonly RawFilter[]
  /** by rising first element */
  readonly chunks: readonly RawChunk[]
}

const UNDEFINED = 2 ** 64
const MOST_NODES = 1_000_000

/** The file with its name for messages. */
interface File {
  readonly bytes: Uint8Array
  readonly name: string
}

/** Throws where [at, at + size) is not in the file; returns `at`. */
const within = (file: File, at: number, size: number): number => {
  if (at >= 0 && at + size <= file.bytes.length) return at
  throw malformedFile(file.name, Math.min(at, file.bytes.length), `the HDF5 structure points outside the file of ${file.bytes.length} bytes`)
}

const readU16 = (file: File, at: number): number => u16le(file.bytes, within(file, at, 2))
const readU32 = (file: File, at: number): number => u32le(file.bytes, within(file, at, 4))
const readAddress = (file: File, at: number): number => {
  const address = i64le(file.bytes, within(file, at, 8))
  return address < 0 ? UNDEFINED : address
}
const readU8 = (file: File, at: number): number => file.bytes[within(file, at, 1)] as number

const expectMarker = (file: File, at: number, marker: string): void => {
  within(file, at, marker.length)
  if (!hasMarker(file.bytes, at, ascii(marker))) throw malformedFile(file.name, at, `an HDF5 "${marker}" structure was expected`)
}

const notRead = (file: File, what: string): Error =>
  unsupported(
    `${file.name} uses ${what}, which is not read for datasets with special filters.`,
    'Copy the file with h5repack and its default options, which writes the older structures.',
  )

/** Address of the root group's object header. */
const rootAddress = (file: File): number => {
  expectMarker(file, 0, '\x89HDF')
  const version = readU8(file, 8)
  const [offsetBytes, lengthBytes] = version < 2 ? [readU8(file, 13), readU8(file, 14)] : [readU8(file, 9), readU8(file, 10)]
  if (offsetBytes !== 8 || lengthBytes !== 8) throw notRead(file, `addresses of ${offsetBytes} bytes`)
  if (version > 3) throw notRead(file, `superblock version ${version}`)
  if (version >= 2) return readAddress(file, 36)
  return readAddress(file, (version === 1 ? 60 : 56) + 8)
}

/** A header message: type and place of its data. */
interface Message {
  readonly type: number
  readonly at: number
  readonly size: number
}

const CONTINUATION = 0x10

/** Messages of a version 1 header: 8-byte message heads, everything aligned to 8. */
const readMessages1 = (file: File, address: number): Message[] => {
  const messages: Message[] = []
  const blocks = [{ at: address + 16, size: readU32(file, address + 8) }]
  for (let k = 0; k < blocks.length && k < 64; k++) {
    const { at: start, size } = blocks[k] as { at: number; size: number }
    for (let at = start; at + 8 <= start + size; ) {
      const message = { type: readU16(file, at), at: at + 8, size: readU16(file, at + 2) }
      if (message.type === CONTINUATION) blocks.push({ at: readAddress(file, message.at), size: readAddress(file, message.at + 8) })
      else messages.push(message)
      at += 8 + message.size
      if (messages.length > MOST_NODES) break
    }
  }
  return messages
}

/** Messages of a version 2 header ("OHDR", continued in "OCHK"); checksums are not verified. */
const readMessages2 = (file: File, address: number): Message[] => {
  expectMarker(file, address, 'OHDR')
  const flags = readU8(file, address + 5)
  const sizeAt = address + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0)
  const sizeBytes = 1 << (flags & 3)
  const first = sizeBytes === 1 ? readU8(file, sizeAt) : sizeBytes === 2 ? readU16(file, sizeAt) : readU32(file, sizeAt)
  const headBytes = flags & 4 ? 6 : 4
  const messages: Message[] = []
  const blocks = [{ at: sizeAt + sizeBytes, size: first }]
  for (let k = 0; k < blocks.length && k < 64; k++) {
    const { at: start, size } = blocks[k] as { at: number; size: number }
    for (let at = start; at + headBytes <= start + size; ) {
      const message = { type: readU8(file, at), at: at + headBytes, size: readU16(file, at + 1) }
      if (message.type === CONTINUATION) {
        const next = readAddress(file, message.at)
        expectMarker(file, next, 'OCHK')
        blocks.push({ at: next + 4, size: readAddress(file, message.at + 8) - 8 })
      } else messages.push(message)
      at += headBytes + message.size
      if (messages.length > MOST_NODES) break
    }
  }
  return messages
}

const readMessages = (file: File, address: number): Message[] => (readU8(file, address) === 1 ? readMessages1(file, address) : readMessages2(file, address))

/** Visits the leaves of a version 1 B-tree, left to right, with the place of each child's key. */
const visitTree = (file: File, address: number, type: number, keyBytes: number, visit: (keyAt: number, child: number) => void): void => {
  const stack = [{ address, level: 256 }]
  for (let visited = 0; stack.length > 0; visited++) {
    const node = stack.pop() as { address: number; level: number }
    expectMarker(file, node.address, 'TREE')
    const level = readU8(file, node.address + 5)
    if (readU8(file, node.address + 4) !== type || level >= node.level || visited > MOST_NODES)
      throw malformedFile(file.name, node.address, 'an HDF5 B-tree is damaged')
    const count = readU16(file, node.address + 6)
    const children: { address: number; level: number }[] = []
    for (let i = 0; i < count; i++) {
      const keyAt = node.address + 24 + i * (keyBytes + 8)
      const child = readAddress(file, keyAt + keyBytes)
      if (level === 0) visit(keyAt, child)
      else children.push({ address: child, level })
    }
    stack.push(...children.reverse())
  }
}

const nameAt = (file: File, at: number): string => {
  const end = file.bytes.indexOf(0, within(file, at, 1))
  return textOf(file.bytes, at, end < 0 ? file.bytes.length : Math.min(end, at + 1024))
}

/** Address of a member of a symbol-table group, or null. */
const memberOfTable = (file: File, message: Message, name: string): number | null => {
  const heap = readAddress(file, message.at + 8)
  expectMarker(file, heap, 'HEAP')
  const names = readAddress(file, heap + 24)
  let found: number | null = null
  visitTree(file, readAddress(file, message.at), 0, 8, (_keyAt, child) => {
    expectMarker(file, child, 'SNOD')
    const count = readU16(file, child + 6)
    for (let i = 0; i < count; i++) {
      const entry = child + 8 + 40 * i
      if (nameAt(file, names + readAddress(file, entry)) === name) found = readAddress(file, entry + 8)
    }
  })
  return found
}

/** Address a hard link message names, or null where it is another link. */
const memberOfLink = (file: File, message: Message, name: string): number | null => {
  const flags = readU8(file, message.at + 1)
  const isHard = (flags & 8) === 0 || readU8(file, message.at + 2) === 0
  const lengthAt = message.at + 2 + (flags & 8 ? 1 : 0) + (flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0)
  const lengthBytes = 1 << (flags & 3)
  const length = lengthBytes === 1 ? readU8(file, lengthAt) : readU16(file, lengthAt)
  const start = lengthAt + lengthBytes
  within(file, start, length)
  return isHard && textOf(file.bytes, start, start + length) === name ? readAddress(file, start + length) : null
}

const SYMBOL_TABLE = 0x11
const LINK = 0x06

const memberOf = (file: File, group: number, name: string): number | null => {
  for (const message of readMessages(file, group)) {
    const member = message.type === SYMBOL_TABLE ? memberOfTable(file, message, name) : message.type === LINK ? memberOfLink(file, message, name) : null
    if (member !== null) return member
  }
  return null
}

const DATASPACE = 0x01
const DATATYPE = 0x03
const LAYOUT = 0x08
const PIPELINE = 0x0b

const readElementCount = (file: File, message: Message): number => {
  const version = readU8(file, message.at)
  if (readU8(file, message.at + 1) !== 1) throw notRead(file, 'a dataset of more than one dimension')
  return readAddress(file, message.at + (version === 1 ? 8 : 4))
}

/** Filter descriptions; version 1 pads names and odd value counts, version 2 leaves out names of the library's own filters. */
const readFilters = (file: File, message: Message): RawFilter[] => {
  const version = readU8(file, message.at)
  const count = readU8(file, message.at + 1)
  const filters: RawFilter[] = []
  let at = message.at + (version === 1 ? 8 : 2)
  for (let i = 0; i < count; i++) {
    const id = readU16(file, at)
    const hasName = version === 1 || id >= 256
    const nameBytes = hasName ? readU16(file, at + 2) : 0
    const valuesAt = at + (hasName ? 4 : 2)
    const values = readU16(file, valuesAt + 2)
    const start = valuesAt + 4 + (version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes)
    filters.push({ id, values: Array.from({ length: values }, (_, k) => readU32(file, start + 4 * k)) })
    at = start + 4 * (version === 1 ? values + (values & 1) : values)
  }
  return filters
}

const CONTIGUOUS = 1
const CHUNKED = 2

/** Reads the layout (version 3): one contiguous piece, or the chunks of the B-tree. */
const readLayout = (file: File, message: Message, elementCount: number, elementBytes: number): Pick<RawDataset, 'chunkElements' | 'chunks'> => {
  const version = readU8(file, message.at)
  const kind = readU8(file, message.at + 1)
  if (version !== 3 && !(version === 4 && kind === CONTIGUOUS)) throw notRead(file, `data layout version ${version}`)
  if (kind === CONTIGUOUS) {
    const at = readAddress(file, message.at + 2)
    const byteCount = elementCount * elementBytes
    if (at !== UNDEFINED) within(file, at, byteCount)
    return { chunkElements: elementCount, chunks: at === UNDEFINED ? [] : [{ firstElement: 0, at, byteCount }] }
  }
  if (kind !== CHUNKED) throw notRead(file, 'a compact dataset')
  const dimensions = readU8(file, message.at + 2)
  const tree = readAddress(file, message.at + 3)
  const chunks: RawChunk[] = []
  if (tree !== UNDEFINED) {
    visitTree(file, tree, 1, 8 + 8 * dimensions, (keyAt, child) => {
      const chunk = { firstElement: readAddress(file, keyAt + 8), at: child, byteCount: readU32(file, keyAt) }
      within(file, chunk.at, chunk.byteCount)
      chunks.push(chunk)
    })
  }
  return { chunkElements: readU32(file, message.at + 11), chunks: chunks.sort((a, b) => a.firstElement - b.firstElement) }
}

/**
 * The raw chunks of the dataset at `path` ("CD/events").
 * @throws FILE_MALFORMED where the structure is damaged, UNSUPPORTED where it is newer than what is read
 */
export const findRawDataset = (bytes: Uint8Array, path: string, name: string): RawDataset => {
  const file: File = { bytes, name }
  let address: number | null = rootAddress(file)
  for (const part of path.split('/')) address = address === null ? null : memberOf(file, address, part)
  if (address === null) throw malformedFile(name, null, `there is no dataset "${path}"`)
  const messages = readMessages(file, address)
  const message = (type: number): Message => {
    const found = messages.find((candidate) => candidate.type === type)
    if (found === undefined) throw malformedFile(name, address, `the header of the dataset "${path}" is incomplete`)
    return found
  }
  const elementCount = readElementCount(file, message(DATASPACE))
  const elementBytes = readU32(file, message(DATATYPE).at + 4)
  const pipeline = messages.find((candidate) => candidate.type === PIPELINE)
  return {
    elementCount,
    elementBytes,
    filters: pipeline === undefined ? [] : readFilters(file, pipeline),
    ...readLayout(file, message(LAYOUT), elementCount, elementBytes),
  }
}
