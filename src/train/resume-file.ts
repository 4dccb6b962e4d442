// The state of an unfinished training, resume.bin: everything the next epoch depends on. Little-endian: magic "SPKT", length of
// the header, header (JSON), float32 values of all tensors in order, CRC-32 of all that.

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from '#src/crc32.js'
import { malformedFile, unwritableFile } from '#src/errors.js'
import { readBytes, writeBytes } from '#src/files.js'
import { decodeElements, encodeElements } from '#src/formats/numeric-array.js'

/** What happened in one epoch. */
export interface EpochRecord {
  /** 1, 2, ... */
  readonly epoch: number
  readonly loss: number
  readonly validationAccuracy: number
}

export interface TrainingState {
  /** what was trained: recipe, seed, schedule and weight shapes; a state of another plan is refused */
  readonly plan: string
  /** optimizer steps taken */
  readonly step: number
  readonly history: readonly EpochRecord[]
  /** the epoch with the best validation accuracy, 1 or more; 0 before the first is complete */
  readonly bestEpoch: number
  /** weights now, best weights, optimizer state: in the order the training put them */
  readonly tensors: readonly Float32Array[]
}

const MAGIC = 0x544b5053
const FILE = 'resume.bin'
const AGAIN = 'Train again without --resume.'

interface Header extends Omit<TrainingState, 'tensors'> {
  readonly version: 1
  readonly sizes: readonly number[]
}

/** Writes the state into a folder. */
export const saveState = (folder: string, { tensors, ...rest }: TrainingState): Promise<void> =>
  writeBytes(join(folder, FILE), encode({ version: 1, ...rest, sizes: tensors.map((tensor) => tensor.length) }, tensors))

/** Reads the state of a folder. */
export const loadState = async (folder: string): Promise<TrainingState> => {
  const path = join(folder, FILE)
  return decode(await readBytes(path, { keepsGzip: true }), path)
}

/** Removes the state of a finished training. */
export const removeState = (folder: string): Promise<void> =>
  rm(join(folder, FILE), { force: true }).catch((cause: unknown) => {
    throw unwritableFile(join(folder, FILE), cause)
  })

const encode = (header: Header, tensors: readonly Float32Array[]): Uint8Array => {
  const text = new TextEncoder().encode(JSON.stringify(header))
  const count = header.sizes.reduce((sum, size) => sum + size, 0)
  const bytes = new Uint8Array(8 + text.length + 4 * count + 4)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, text.length, true)
  bytes.set(text, 8)
  let at = 8 + text.length
  for (const tensor of tensors) {
    bytes.set(encodeElements(tensor), at)
    at += 4 * tensor.length
  }
  view.setUint32(at, crc32(bytes.subarray(0, at)), true)
  return bytes
}

const decode = (bytes: Uint8Array, path: string): TrainingState => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.length - 4
  if (end < 8 || view.getUint32(0, true) !== MAGIC) throw malformedFile(path, 0, 'not the state of a training')
  if (view.getUint32(end, true) !== crc32(bytes.subarray(0, end))) throw malformedFile(path, end, 'the checksum does not match', AGAIN)
  const { version, sizes, ...state } = parseHeader(bytes, path, end)
  if (version !== 1) throw malformedFile(path, 8, `version ${String(version)} of the state is unknown`, AGAIN)
  let at = 8 + view.getUint32(4, true)
  if (!Array.isArray(sizes) || at + 4 * sizes.reduce((sum, size) => sum + size, 0) !== end) throw malformedFile(path, 8, 'the sizes do not add up', AGAIN)
  const tensors = sizes.map((size) => {
    at += 4 * size
    return decodeElements(bytes.subarray(at - 4 * size, at), 'f4', true) as Float32Array
  })
  return { ...state, tensors }
}

const parseHeader = (bytes: Uint8Array, path: string, end: number): Header => {
  const textEnd = 8 + new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4, true)
  try {
    if (textEnd > end) throw new Error('it ends too late')
    return JSON.parse(new TextDecoder().decode(bytes.subarray(8, textEnd))) as Header
  } catch {
    throw malformedFile(path, 8, 'the header does not parse', AGAIN)
  }
}
