// Images as bytes: PNG (by pngjs), PGM and PPM in their binary forms with up to 8 bits a sample. Gives what the file holds,
// without resizing or colour management; 16-bit PNG samples are reduced to 8 bits, palettes become RGB.

import { PNG } from 'pngjs'
import { malformedFile, unsupported } from '../errors.js'

export interface Image {
  /** channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha */
  readonly shape: readonly [height: number, width: number, channels: number]
  readonly data: Uint8Array // [height, width, channels]
}

/** The most pixels an image may have. */
export const MAX_PIXELS = 2 ** 24

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
/** Deflate packs at most 1032 bytes into one. */
const DEFLATE_RATIO = 1032

/** PNG colour type -> samples a pixel in the file, and which of red, green, blue, alpha they are. */
const COLOUR_TYPES: Readonly<Record<number, { readonly samples: number; readonly channels: readonly number[] }>> = {
  0: { samples: 1, channels: [0] },
  2: { samples: 3, channels: [0, 1, 2] },
  3: { samples: 1, channels: [0, 1, 2] },
  4: { samples: 2, channels: [0, 3] },
  6: { samples: 4, channels: [0, 1, 2, 3] },
}

const checkSize = (width: number, height: number, path: string): void => {
  if (width < 1 || height < 1) throw malformedFile(path, null, `an image of ${width}x${height} pixels`)
  if (width * height > MAX_PIXELS) throw unsupported(`${path}: an image of ${width}x${height} pixels, at most ${MAX_PIXELS} are read.`, 'Make it smaller.')
}

/** Reads the PNG header before memory is taken for its pixels. */
const readPngHeader = (bytes: Uint8Array, path: string): { channels: readonly number[] } => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 33 || view.getUint32(8) !== 13 || view.getUint32(12) !== 0x49484452) throw malformedFile(path, 8, 'the PNG header is missing')
  const [width, height, depth] = [view.getUint32(16), view.getUint32(20), view.getUint8(24)]
  const colour = COLOUR_TYPES[view.getUint8(25)]
  if (colour === undefined) throw malformedFile(path, 25, `unknown PNG colour type ${view.getUint8(25)}`)
  checkSize(width, height, path)
  if (Math.ceil((width * colour.samples * depth) / 8) * height > bytes.length * DEFLATE_RATIO)
    throw malformedFile(path, 16, `${width}x${height} pixels cannot lie in ${bytes.length} bytes`)
  return colour
}

/** pngjs' reason; it calls a file that is cut off by the state of its reader. */
const reasonOf = (error: unknown): string => {
  const reason = error instanceof Error ? error.message : String(error)
  return reason.startsWith('There are some read requests') ? 'it is cut off' : reason
}

const readPng = (bytes: Uint8Array, path: string): Image => {
  const { channels } = readPngHeader(bytes, path)
  let png: { width: number; height: number; data: Uint8Array }
  try {
    png = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch (error) {
    throw malformedFile(path, null, `the PNG does not decode (${reasonOf(error)})`)
  }
  const { width, height, data: rgba } = png
  const data = new Uint8Array(width * height * channels.length)
  for (let pixel = 0; pixel < width * height; pixel++) {
    channels.forEach((channel, c) => {
      data[pixel * channels.length + c] = rgba[4 * pixel + channel] as number
    })
  }
  return { shape: [height, width, channels.length], data }
}

/** Reads "P5" or "P6", width, height and largest value as text, then samples. */
const readNetpbm = (bytes: Uint8Array, channels: 1 | 3, path: string): Image => {
  const header = /^P[56]((?:\s+|#[^\n]*\n)+)(\d{1,9})((?:\s+|#[^\n]*\n)+)(\d{1,9})((?:\s+|#[^\n]*\n)+)(\d{1,9})\s/.exec(
    new TextDecoder('latin1').decode(bytes.subarray(0, 4096)),
  )
  if (header === null) throw malformedFile(path, 2, 'the PGM or PPM header does not parse')
  const [width, height, largest] = [Number(header[2]), Number(header[4]), Number(header[6])]
  checkSize(width, height, path)
  if (largest < 1 || largest > 255) throw unsupported(`${path}: samples from 0 to ${largest}, at most 255 is read.`, 'Save it with 8 bits a sample.')
  const samples = bytes.subarray(header[0].length)
  const needed = width * height * channels
  if (samples.length < needed) throw malformedFile(path, header[0].length, `${width}x${height} pixels take ${needed} bytes, the file holds ${samples.length}`)
  return { shape: [height, width, channels], data: samples.slice(0, needed).map((x) => Math.round((Math.min(x, largest) * 255) / largest)) }
}

/**
 * Reads an image's bytes; `path` is for messages.
 * @throws FILE_MALFORMED for damaged or other files, UNSUPPORTED for images too large or of more than 8 bits (PGM, PPM)
 */
export const readImage = (bytes: Uint8Array, path: string): Image => {
  if (PNG_SIGNATURE.every((byte, i) => bytes[i] === byte)) return readPng(bytes, path)
  if (bytes[0] === 0x50 && (bytes[1] === 0x35 || bytes[1] === 0x36)) return readNetpbm(bytes, bytes[1] === 0x35 ? 1 : 3, path)
  throw malformedFile(path, 0, 'not an image that spikeport reads (PNG, PGM or PPM)')
}

/** True for file names that readImage is meant for: .png, .pgm, .ppm. */
export const isImagePath = (path: string): boolean => /\.(png|pgm|ppm)$/i.test(path)
