// PNG, PGM and PPM images, and damaged ones.

import { PNG } from 'pngjs'
import { describe, expect, it } from 'vitest'
import { crc32 } from '#src/crc32.js'
import { isImagePath, readImage } from '#src/formats/image.js'
import { fuzzMutations, fuzzTruncations } from '../../helpers/fuzz.js'

const WIDTH = 5
const HEIGHT = 4
const COLOUR = { grey: 0, rgb: 2, greyAlpha: 4, rgba: 6 } as const

/** A PNG whose pixel bytes count up. */
const png = (colour: keyof typeof COLOUR, samples: number): { bytes: Uint8Array; samples: Uint8Array } => {
  const type = COLOUR[colour]
  const data = Uint8Array.from({ length: WIDTH * HEIGHT * samples }, (_, i) => (i * 13) & 255)
  const image = new PNG({ width: WIDTH, height: HEIGHT })
  image.data = Buffer.from(data)
  return { bytes: new Uint8Array(PNG.sync.write(image, { colorType: type, inputColorType: type, inputHasAlpha: samples % 2 === 0 })), samples: data }
}

const text = (header: string, samples: readonly number[]): Uint8Array => Uint8Array.from([...new TextEncoder().encode(header), ...samples])

/** Puts the right CRC into every chunk, so that damage gets past the check. */
const repairChunks = (bytes: Uint8Array): Uint8Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at)
    if (at + 12 + length > bytes.length) break
    view.setUint32(at + 8 + length, crc32(bytes.subarray(at + 4, at + 8 + length)))
    at += 12 + length
  }
  return bytes
}

describe('readImage', () => {
  it.each([
    ['rgb', 3],
    ['rgba', 4],
  ] as const)('a PNG of %s', (colour, channels) => {
    const { bytes, samples } = png(colour, channels)
    expect(readImage(bytes, 'x.png')).toEqual({ shape: [HEIGHT, WIDTH, channels], data: samples })
  })

  it('a grey PNG has one channel, with alpha two', () => {
    const image = new PNG({ width: 3, height: 1 })
    image.data = Buffer.from([10, 10, 10, 255, 20, 20, 20, 128, 30, 30, 30, 255])
    const write = (colorType: 0 | 4): Uint8Array => new Uint8Array(PNG.sync.write(image, { colorType, inputColorType: 6 }))
    expect(readImage(write(4), 'x.png')).toEqual({ shape: [1, 3, 2], data: Uint8Array.of(10, 255, 20, 128, 30, 255) })
    expect(readImage(write(0), 'x.png').shape).toEqual([1, 3, 1])
  })

  it('a PGM with a comment, a PPM with a smaller range', () => {
    expect(readImage(text('P5\n# a comment\n2 2\n255\n', [0, 1, 2, 255]), 'x.pgm')).toEqual({ shape: [2, 2, 1], data: Uint8Array.of(0, 1, 2, 255) })
    expect(readImage(text('P6 1 2 15\n', [0, 15, 1, 2, 3, 200]), 'x.ppm')).toEqual({ shape: [2, 1, 3], data: Uint8Array.of(0, 255, 17, 34, 51, 255) })
  })

  it('isImagePath goes by the ending', () => {
    expect(['a.png', 'b.PGM', 'c.ppm', 'd.jpg', 'png'].map(isImagePath)).toEqual([true, true, true, false, false])
  })

  const withSize = (width: number, height: number): Uint8Array => {
    const { bytes } = png('rgb', 3)
    const view = new DataView(bytes.buffer)
    view.setUint32(16, width)
    view.setUint32(20, height)
    return repairChunks(bytes)
  }

  it.each([
    ['another file', Uint8Array.of(1, 2, 3), 'FILE_MALFORMED', 'x at byte 0: not an image that spikeport reads (PNG, PGM or PPM).'],
    ['a PNG cut in its header', png('rgb', 3).bytes.subarray(0, 20), 'FILE_MALFORMED', 'x at byte 8: the PNG header is missing.'],
    ['a PNG cut in its pixels', png('rgb', 3).bytes.subarray(0, 60), 'FILE_MALFORMED', 'x: the PNG does not decode (it is cut off).'],
    ['a PNG without pixels', withSize(0, 5), 'FILE_MALFORMED', 'x: an image of 0x5 pixels.'],
    ['a PNG that claims more than deflate can pack', withSize(1000, 1000), 'FILE_MALFORMED', 'x at byte 16: 1000x1000 pixels cannot lie in 101 bytes.'],
    ['a PNG beyond the limit', withSize(65536, 65536), 'UNSUPPORTED', 'x: an image of 65536x65536 pixels, at most 16777216 are read.'],
    ['a PPM without size', text('P6 x', []), 'FILE_MALFORMED', 'x at byte 2: the PGM or PPM header does not parse.'],
    ['a PPM of 16 bits', text('P6 1 1 65535\n', [0, 0]), 'UNSUPPORTED', 'x: samples from 0 to 65535, at most 255 is read.'],
    ['a PPM cut off', text('P6 2 1 255\n', [0, 0]), 'FILE_MALFORMED', 'x at byte 11: 2x1 pixels take 6 bytes, the file holds 2.'],
  ])('refuses %s', (_, bytes, code, message) => {
    expect(() => readImage(bytes, 'x')).toThrow(expect.objectContaining({ code, message }))
  })
})

describe('damaged images', () => {
  const files = [
    ['a PNG', png('rgba', 4).bytes, repairChunks],
    ['a PPM', text('P6\n# c\n5 4\n255\n', [...new Uint8Array(60)]), (x: Uint8Array) => x],
  ] as const

  it.each(files)('%s cut anywhere is refused', async (_, bytes) => {
    expect((await fuzzTruncations((x) => readImage(x, 'x'), bytes)).accepted).toBe(0)
  })

  it.each(files)('10,000 mutations of %s', async (_, bytes, repair) => {
    expect((await fuzzMutations((x) => readImage(x, 'x'), bytes, { repair })).accepted).toBeGreaterThan(0)
  })
})
