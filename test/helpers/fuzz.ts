// Damaged input for readers: every truncation, and seeded random mutations (bit flips, byte sets, splices, length fields). A reader
// must return or throw a SpikeportError, and must not take much more memory than the bytes it was given justify.

import { SpikeportError } from '#src/errors.js'

export interface FuzzOptions {
  /** default 1; printed in failures */
  readonly seed?: number
  /** number of mutated inputs; default 10,000 */
  readonly mutations?: number
  /** changes an input after its mutation so that it gets past a check, e.g. puts the right checksum in; may return other bytes */
  readonly repair?: (bytes: Uint8Array) => Uint8Array
  /** bytes that typed arrays and buffers may take beyond the start while one input is read; default 64 MiB */
  readonly memoryBytes?: number
}

/** What became of the inputs: how many were read and how many refused, by error code. */
export interface FuzzReport {
  readonly accepted: number
  readonly refused: Readonly<Record<string, number>>
}

/** A small seeded generator (mulberry32): uniform integers below `bound`. */
export const seededIntegers = (seed: number): ((bound: number) => number) => {
  let state = seed >>> 0
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * bound)
  }
}

type Random = (bound: number) => number
type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array

const flipBit: Mutation = (bytes, random) => {
  const at = random(bytes.length)
  bytes[at] = (bytes[at] as number) ^ (1 << random(8))
  return bytes
}

const INTERESTING_BYTES = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x22, 0x2c, 0x2d, 0x30, 0x39, 0x5b, 0x5d, 0x65, 0x7b, 0x7d]

const setByte: Mutation = (bytes, random) => {
  bytes[random(bytes.length)] = random(2) === 0 ? random(256) : (INTERESTING_BYTES[random(INTERESTING_BYTES.length)] as number)
  return bytes
}

/** Copies, moves or removes a piece. */
const splice: Mutation = (bytes, random) => {
  const from = random(bytes.length)
  const piece = bytes.slice(from, from + 1 + random(32))
  const at = random(bytes.length + 1)
  const dropped = random(3) === 0 ? 0 : random(32)
  const kept = random(3) === 0 ? new Uint8Array() : piece
  return Uint8Array.from([...bytes.subarray(0, at), ...kept, ...bytes.subarray(at + dropped)])
}

const INTERESTING_LENGTHS = [0, 1, 2, 255, 256, 65535, 65536, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]

/** Overwrites an aligned 16- or 32-bit field of either byte order with a length that is likely to hurt. */
const setLength: Mutation = (bytes, random) => {
  if (bytes.length < 4) return bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = INTERESTING_LENGTHS[random(INTERESTING_LENGTHS.length)] as number
  const at = random(bytes.length - 3)
  if (random(2) === 0) view.setUint32(at, length, random(2) === 0)
  else view.setUint16(at, length & 0xffff, random(2) === 0)
  return bytes
}

/** Replaces a run of digits by another number, for text formats; a bit flip where there is none. */
const setNumber: Mutation = (bytes, random) => {
  const start = random(bytes.length)
  const isDigit = (i: number): boolean => (bytes[i] as number) >= 0x30 && (bytes[i] as number) <= 0x39
  let at = start
  while (at < bytes.length && !isDigit(at)) at++
  let end = at
  while (end < bytes.length && isDigit(end)) end++
  if (at === end) return flipBit(bytes, random)
  const numbers = ['0', '-1', '1.5', '65535', '65536', '4294967296', '1e308', '1e999', 'null', '"1"', '[]', '9007199254740993']
  const text = new TextEncoder().encode(numbers[random(numbers.length)])
  return Uint8Array.from([...bytes.subarray(0, at), ...text, ...bytes.subarray(end)])
}

const MUTATIONS: readonly Mutation[] = [flipBit, setByte, splice, setLength, setNumber]

/** The n-th damaged copy of bytes: one to four mutations. The same seed and n give the same bytes. */
export const mutate = (bytes: Uint8Array, seed: number, n: number): Uint8Array => {
  const random = seededIntegers(seed * 1000003 + n)
  let damaged: Uint8Array = bytes.slice()
  for (let i = 0; i <= random(4); i++) {
    if (damaged.length > 0) damaged = (MUTATIONS[random(MUTATIONS.length)] as Mutation)(damaged, random)
  }
  return damaged
}

const arrayBytes = (): number => process.memoryUsage().arrayBuffers

type Read = (bytes: Uint8Array) => unknown

const codeOf = async (read: Read, bytes: Uint8Array, label: string): Promise<string | null> => {
  try {
    await read(bytes)
    return null
  } catch (error) {
    if (error instanceof SpikeportError) return error.code
    throw new Error(`${label}: threw ${error instanceof Error ? error.stack : String(error)}`)
  }
}

/** Reads one input; gives the code of the refusal, or null where it was read. @throws where the reader broke its promise */
const readOne = async (read: Read, bytes: Uint8Array, label: string, memoryBytes: number): Promise<string | null> => {
  const before = arrayBytes()
  const code = await codeOf(read, bytes, label)
  const taken = arrayBytes() - before
  if (taken > memoryBytes) throw new Error(`${label}: took ${taken} bytes for an input of ${bytes.length}`)
  return code
}

const readEach = async (read: Read, inputs: Iterable<readonly [string, Uint8Array]>, memoryBytes: number): Promise<FuzzReport> => {
  let accepted = 0
  const refused: Record<string, number> = {}
  for (const [label, bytes] of inputs) {
    const code = await readOne(read, bytes, label, memoryBytes)
    if (code === null) accepted++
    else refused[code] = (refused[code] ?? 0) + 1
  }
  return { accepted, refused }
}

const MEMORY_BYTES = 64 * 2 ** 20

function* truncations(bytes: Uint8Array, repair: (bytes: Uint8Array) => Uint8Array): Generator<readonly [string, Uint8Array]> {
  for (let length = 0; length < bytes.length; length++) yield [`the first ${length} of ${bytes.length} bytes`, repair(bytes.slice(0, length))]
}

function* mutants(bytes: Uint8Array, seed: number, count: number, repair: (bytes: Uint8Array) => Uint8Array): Generator<readonly [string, Uint8Array]> {
  for (let n = 0; n < count; n++) yield [`mutation ${n} of seed ${seed}`, repair(mutate(bytes, seed, n))]
}

/** Reads every truncation of bytes. @throws where the reader throws anything but a SpikeportError */
export const fuzzTruncations = (read: Read, bytes: Uint8Array, { repair = (x) => x, memoryBytes = MEMORY_BYTES }: FuzzOptions = {}): Promise<FuzzReport> =>
  readEach(read, truncations(bytes, repair), memoryBytes)

/** Reads seeded random mutations of bytes. @throws where the reader throws anything but a SpikeportError */
export const fuzzMutations = (
  read: Read,
  bytes: Uint8Array,
  { seed = 1, mutations = 10_000, repair = (x) => x, memoryBytes = MEMORY_BYTES }: FuzzOptions = {},
): Promise<FuzzReport> => readEach(read, mutants(bytes, seed, mutations, repair), memoryBytes)
