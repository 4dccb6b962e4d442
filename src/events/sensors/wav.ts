// A streaming reader of .wav files (RIFF/WAVE): PCM of 8, 16, 24 and 32 bits and 32-bit float, plain or WAVE_FORMAT_EXTENSIBLE, any number
// of channels. Samples become 24-bit integers; a file that ends early is refused.

import { malformedFile, unsupported } from '../../errors.js'
import { createLedger, tally } from '../ledger.js'
import { checkedRate, regularBlock, SAMPLE_LIMIT, type SampleBlock, type SampleReader } from './samples.js'

interface Layout {
  readonly channels: number
  readonly rateHz: number
  readonly bits: number
  readonly isFloat: boolean
  /** bytes of one sample of all channels */
  readonly frameBytes: number
}

const PCM = 1
const FLOAT = 3
const EXTENSIBLE = 0xfffe
/** Written as the length of the data by programs that do not know it: the data reaches to the end of the file. */
const UNKNOWN_LENGTH = 0xffffffff
const MAX_FORMAT_BYTES = 4096

const nameAt = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4))

const readLayout = (bytes: Uint8Array, name: string, offset: number): Layout => {
  if (bytes.length < 16) throw malformedFile(name, offset, `a "fmt " chunk of ${bytes.length} bytes, it has at least 16`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tag = view.getUint16(0, true)
  if (tag === EXTENSIBLE && bytes.length < 40) throw malformedFile(name, offset, `an extensible "fmt " chunk of ${bytes.length} bytes, it has 40`)
  const kind = tag === EXTENSIBLE ? view.getUint16(24, true) : tag
  const [channels, rateHz, frameBytes, bits] = [view.getUint16(2, true), view.getUint32(4, true), view.getUint16(12, true), view.getUint16(14, true)]
  const isKnown = kind === PCM ? [8, 16, 24, 32].includes(bits) : kind === FLOAT && bits === 32
  if (!isKnown) {
    throw unsupported(
      `${name}: samples of kind ${kind} with ${bits} bits are not read.`,
      'Convert it to PCM, for example: ffmpeg -i in.wav -c:a pcm_s16le out.wav.',
    )
  }
  if (channels < 1 || frameBytes !== (channels * bits) / 8)
    throw malformedFile(name, offset, `${channels} channels of ${bits} bits do not make samples of ${frameBytes} bytes`)
  return { channels, rateHz: checkedRate(rateHz), bits, isFloat: kind === FLOAT, frameBytes }
}

/** The four widths of PCM as 24-bit integers; 32 bits lose their lowest eight. */
const INTEGERS: Readonly<Record<number, (view: DataView, at: number) => number>> = {
  8: (view, at) => (view.getUint8(at) - 128) * 65536,
  16: (view, at) => view.getInt16(at, true) * 256,
  24: (view, at) => view.getInt8(at + 2) * 65536 + view.getUint16(at, true),
  32: (view, at) => view.getInt32(at, true) >> 8,
}

export interface WavOptions {
  /** in messages; default "signal.wav" */
  readonly name?: string
}

/** A reader of one .wav file. @throws FILE_MALFORMED, UNSUPPORTED (compressed samples, RF64, big-endian RIFX) while it reads */
export const createWavReader = ({ name = 'signal.wav' }: WavOptions = {}): SampleReader => {
  const ledger = createLedger()
  let carry: Uint8Array = new Uint8Array(0)
  let offset = 0 // of carry[0] in the file
  let layout: Layout | null = null
  let state: 'riff' | 'chunk' | 'format' | 'data' | 'skip' = 'riff'
  let left = 0 // bytes of the chunk still to come, with padding
  let padding = 0
  let samples = 0
  let hasData = false

  const readFloat = (view: DataView, at: number, channel: number): number => {
    const value = view.getFloat32(at, true)
    if (Number.isNaN(value)) throw malformedFile(name, offset + at, `sample ${samples}, channel ${channel + 1} is not a number`)
    return Math.round(Math.min(Math.max(value * 2 ** 23, -(2 ** 24)), 2 ** 24))
  }
  const readSamples = (count: number): Int32Array => {
    const { channels, bits, isFloat, frameBytes } = layout as Layout
    const view = new DataView(carry.buffer, carry.byteOffset, count * frameBytes)
    const integer = INTEGERS[bits] as (view: DataView, at: number) => number
    const values = new Int32Array(count * channels)
    for (let k = 0; k < values.length; k++) {
      const at = (k * bits) / 8
      const value = isFloat ? readFloat(view, at, k % channels) : integer(view, at)
      values[k] = Math.min(Math.max(value, -SAMPLE_LIMIT), SAMPLE_LIMIT)
      if (isFloat && Math.abs(value) > SAMPLE_LIMIT + 1) tally(ledger.faults, 'clipped')
    }
    return values
  }
  const take = (count: number, kind: string): void => {
    carry = carry.subarray(count)
    offset += count
    tally(ledger.otherBytes, kind, count)
  }
  const beginChunk = (): void => {
    const id = nameAt(carry, 0)
    const length = new DataView(carry.buffer, carry.byteOffset, 8).getUint32(4, true)
    if (id === 'fmt ' && length > MAX_FORMAT_BYTES) throw malformedFile(name, offset, `a "fmt " chunk of ${length} bytes`)
    if (id === 'data' && layout === null) throw malformedFile(name, offset, 'the samples come before the "fmt " chunk')
    if (id === 'data' && hasData) throw malformedFile(name, offset, 'a second "data" chunk')
    const isOpen = id === 'data' && length === UNKNOWN_LENGTH
    if (id === 'data' && !isOpen && length % (layout as Layout).frameBytes !== 0)
      throw malformedFile(name, offset, `${length} bytes of data are no whole number of samples of ${layout?.frameBytes} bytes`)
    hasData ||= id === 'data'
    state = id === 'fmt ' ? 'format' : id === 'data' ? 'data' : 'skip'
    left = isOpen ? Number.POSITIVE_INFINITY : length
    padding = isOpen ? 0 : length % 2
    take(8, 'header')
  }
  const endChunk = (): void => {
    state = padding > 0 ? 'skip' : 'chunk'
    left = padding
    padding = 0
  }
  /** One step; null where more bytes are needed. */
  const step = (): Int32Array | 'none' | null => {
    if (state === 'riff') {
      if (carry.length < 12) return null
      const [form, type] = [nameAt(carry, 0), nameAt(carry, 8)]
      if (form === 'RIFX' || form === 'RF64')
        throw unsupported(`${name}: ${form} files are not read.`, 'Convert it to a plain .wav file, for example with ffmpeg.')
      if (form !== 'RIFF' || type !== 'WAVE') throw malformedFile(name, 0, 'not a .wav file (it begins without "RIFF" and "WAVE")')
      take(12, 'header')
      state = 'chunk'
      return 'none'
    }
    if (state === 'chunk') {
      if (carry.length < 8) return null
      beginChunk()
      return 'none'
    }
    if (left === 0) {
      endChunk()
      return 'none'
    }
    if (state === 'format') {
      if (carry.length < left) return null
      layout = readLayout(carry.subarray(0, left), name, offset)
      take(left, 'header')
      left = 0
      return 'none'
    }
    if (state === 'skip') {
      if (carry.length === 0) return null
      const count = Math.min(left, carry.length)
      take(count, 'chunk')
      left -= count
      return 'none'
    }
    const { frameBytes } = layout as Layout
    const count = Math.floor(Math.min(left, carry.length) / frameBytes)
    if (count === 0) return null
    const values = readSamples(count)
    take(count * frameBytes, 'samples')
    left -= count * frameBytes
    return values
  }

  const run = (): SampleBlock => {
    const first = samples
    const parts: Int32Array[] = []
    for (let part = step(); part !== null; part = step()) {
      if (part === 'none') continue
      parts.push(part)
      samples += part.length / (layout as Layout).channels
    }
    ledger.pendingBytes = carry.length
    tally(ledger.records, 'sample', samples - first)
    const values = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      values.set(part, at)
      at += part.length
    }
    return regularBlock(values, layout?.channels ?? 1, layout?.rateHz ?? 1, first)
  }

  return {
    get channels() {
      return layout?.channels ?? null
    },
    resolution: 2 ** -23,
    ledger,
    push: (chunk) => {
      ledger.bytesIn += chunk.length
      const joined = new Uint8Array(carry.length + chunk.length)
      joined.set(carry)
      joined.set(chunk, carry.length)
      carry = joined
      return run()
    },
    end: () => {
      const isOpen = left === Number.POSITIVE_INFINITY
      const isPaddingLeftOut = state === 'skip' && left === 1
      if (carry.length > 0 || !(left === 0 || isOpen || isPaddingLeftOut))
        throw malformedFile(name, offset + carry.length, `the file ends early, inside ${state === 'data' ? 'its samples' : 'a chunk'}`)
      if (!hasData) throw malformedFile(name, offset, 'the file holds no samples')
      return run()
    },
  }
}
