// Event counts a pixel: summed, signed (ON minus OFF) or split by polarity. Integers only.

import type { EventBatch, Geometry } from '../batch.js'

/** "sum" and "signed": [height, width]; "split": [2, height, width], OFF first. */
export type CountKind = 'sum' | 'signed' | 'split'

export const createCountImage = (geometry: Geometry, kind: CountKind): Int32Array =>
  new Int32Array(geometry.width * geometry.height * (kind === 'split' ? 2 : 1))

/** Adds a batch to an image of `createCountImage`; returns how many events lay outside the sensor. */
export const addCounts = (image: Int32Array, geometry: Geometry, kind: CountKind, batch: EventBatch): number => {
  const { width, height } = geometry
  const plane = kind === 'split' ? width * height : 0
  let outside = 0
  for (let i = 0; i < batch.count; i++) {
    const x = batch.x[i] as number
    const y = batch.y[i] as number
    const polarity = batch.polarity[i] as number
    if (x >= width || y >= height) outside++
    else {
      const at = polarity * plane + y * width + x
      image[at] = (image[at] as number) + (kind === 'signed' ? 2 * polarity - 1 : 1)
    }
  }
  return outside
}

/** The counts of one batch. */
export const countImage = (batch: EventBatch, geometry: Geometry, kind: CountKind = 'sum'): Int32Array => {
  const image = createCountImage(geometry, kind)
  addCounts(image, geometry, kind, batch)
  return image
}
