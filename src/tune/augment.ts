// Changes of a step's samples that regularize: shifts by a pixel and dropped inputs. Each is a function of (seed, step, sample) alone.

import type { ElementArray } from '../network/types.js'
import { bernoulli, boundedInteger, randomWords, STREAMS } from '../random.js'

/** Changes the inputs of the n-th sample of a step. */
export type Augment = (inputs: readonly ElementArray[], step: number, sample: number) => readonly ElementArray[]

export interface ImageShift {
  readonly seed: number
  readonly height: number
  readonly width: number
  /** default 1 */
  readonly channels?: number
  /** largest shift along each axis, in pixels */
  readonly pixels: number
  /** element of what comes in at the border (a zero point) */
  readonly background: number
}

const DRAWS_OF_SAMPLE = 4096

/** Shifts the first input, an image [height, width, channels], by up to `pixels` along both axes. */
export const shiftImages =
  ({ seed, height, width, channels = 1, pixels, background }: ImageShift): Augment =>
  (inputs, step, sample) => {
    const [image, ...rest] = inputs as [ElementArray, ...ElementArray[]]
    const [a, b] = randomWords(seed, step, STREAMS.augment, sample * DRAWS_OF_SAMPLE)
    const dy = boundedInteger(a, 2 * pixels + 1) - pixels
    const dx = boundedInteger(b, 2 * pixels + 1) - pixels
    const out = image.slice().fill(background)
    for (let y = Math.max(0, dy); y < Math.min(height, height + dy); y++) {
      const first = Math.max(0, dx)
      const last = Math.min(width, width + dx)
      const from = ((y - dy) * width + first - dx) * channels
      out.set(image.subarray(from, from + (last - first) * channels) as never, (y * width + first) * channels)
    }
    return [out, ...rest]
  }

export interface InputDropout {
  readonly seed: number
  /** of each element, 0..1 */
  readonly probability: number
  /** what a dropped element becomes (a zero point) */
  readonly background: number
}

/** Sets elements of the first input to the background. */
export const dropInputs =
  ({ seed, probability, background }: InputDropout): Augment =>
  (inputs, step, sample) => {
    const [first, ...rest] = inputs as [ElementArray, ...ElementArray[]]
    const out = first.slice()
    let words = [0, 0, 0, 0]
    let drawn = 0
    for (let i = 0; i < out.length; i++) {
      if (out[i] === background) continue
      if (drawn % 4 === 0) words = randomWords(seed, step, STREAMS.augment, sample * DRAWS_OF_SAMPLE + 1 + drawn / 4)
      if (bernoulli(words[drawn % 4] as number, probability)) out[i] = background
      drawn++
    }
    return [out, ...rest]
  }

/** One after the other. */
export const allOf =
  (...augments: readonly Augment[]): Augment =>
  (inputs, step, sample) =>
    augments.reduce((current, augment) => augment(current, step, sample), inputs)

/** An image value's height and width; a vector of a square number of elements is taken as a square image. Null where it is no image. */
export const imageSize = (shape: readonly number[]): { readonly height: number; readonly width: number; readonly channels: number } | null => {
  if (shape.length === 2 || shape.length === 3) return { height: shape[0] as number, width: shape[1] as number, channels: shape[2] ?? 1 }
  const side = Math.round(Math.sqrt(shape[0] ?? 0))
  return shape.length === 1 && side > 1 && side * side === shape[0] ? { height: side, width: side, channels: 1 } : null
}

export interface ImageTurn {
  readonly height: number
  readonly width: number
  /** default 1 */
  readonly channels?: number
  /** counter-clockwise */
  readonly degrees: number
}

/** Real images [count, height, width, channels] turned about their centres, bilinear, 0 outside: a shift of the data to try tuning on. */
export const turnImages = (images: Float32Array, { height, width, channels = 1, degrees }: ImageTurn): Float32Array => {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
  const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2]
  const out = new Float32Array(images.length)
  const each = height * width * channels
  const at = (image: number, y: number, x: number, c: number): number =>
    y < 0 || x < 0 || y >= height || x >= width ? 0 : (images[image + (y * width + x) * channels + c] as number)
  for (let image = 0; image + each <= images.length; image += each) {
    for (let i = 0; i < each; i++) {
      const c = i % channels
      const y = Math.floor(i / (width * channels)) - middleY
      const x = (Math.floor(i / channels) % width) - middleX
      const u = x * cos - y * sin + middleX
      const v = y * cos + x * sin + middleY
      const [left, top] = [Math.floor(u), Math.floor(v)]
      const [right, down] = [u - left, v - top]
      const upper = at(image, top, left, c) * (1 - right) + at(image, top, left + 1, c) * right
      const lower = at(image, top + 1, left, c) * (1 - right) + at(image, top + 1, left + 1, c) * right
      out[image + i] = upper * (1 - down) + lower * down
    }
  }
  return out
}
