// Batches of a data set as the network sees them: float32, scaled, changed at random for training. Every draw is a function of
// (seed, epoch, position), so a resumed training sees the same batches.

import { elementCount } from '#src/network/types.js'
import { boundedInteger, randomWords, STREAMS } from '#src/random.js'
import type { DataSet } from './data.js'
import type { Augmentation } from './schedule.js'

export interface Batch {
  readonly images: Float32Array // [indices, ...shape]
  readonly labels: Int32Array // [indices]
}

/** Which draws a batch takes. */
export interface BatchDraw {
  readonly seed: number
  readonly epoch: number
  /** position of the batch's first sample in the epoch's order */
  readonly position: number
}

/** The samples of `indices`, each changed as `augmentation` says. */
export const makeBatch = (data: DataSet, indices: Uint32Array, draw: BatchDraw, augmentation: Augmentation = {}): Batch => {
  const values = elementCount(data.shape)
  const images = new Float32Array(indices.length * values)
  const labels = new Int32Array(indices.length)
  indices.forEach((index, i) => {
    labels[i] = data.labels[index] ?? 0
    const source = data.images.subarray(index * values, (index + 1) * values)
    const target = images.subarray(i * values, (i + 1) * values)
    if (augmentation.shiftPixels || augmentation.flipsHorizontally) copyChanged(data, source, target, augmentation, draw, draw.position + i)
    else copyScaled(source, data.valueScale, target)
  })
  return { images, labels }
}

const copyScaled = (source: Uint8Array | Float32Array, scale: number, target: Float32Array): void => {
  for (let i = 0; i < target.length; i++) target[i] = (source[i] as number) * scale
}

/** Copies an image [h, w, c] moved by whole pixels, zeros coming in, and mirrored or not. */
const copyChanged = (
  data: DataSet,
  source: Uint8Array | Float32Array,
  target: Float32Array,
  { shiftPixels = 0, flipsHorizontally = false }: Augmentation,
  { seed, epoch }: BatchDraw,
  position: number,
): void => {
  const [height = 1, width = 1, channels = 1] = data.shape
  const words = randomWords(seed, epoch, STREAMS.augment, position)
  const dy = boundedInteger(words[0], 2 * shiftPixels + 1) - shiftPixels
  const dx = boundedInteger(words[1], 2 * shiftPixels + 1) - shiftPixels
  const isMirrored = flipsHorizontally && words[2] % 2 === 1
  for (let y = Math.max(0, dy); y < Math.min(height, height + dy); y++) {
    for (let x = Math.max(0, dx); x < Math.min(width, width + dx); x++) {
      const from = ((y - dy) * width + (isMirrored ? width - 1 - (x - dx) : x - dx)) * channels
      const to = (y * width + x) * channels
      for (let c = 0; c < channels; c++) target[to + c] = (source[from + c] as number) * data.valueScale
    }
  }
}
