// Hot pixels: found from the event counts of a whole recording (not of a window), then masked. A pixel is hot where its count is
// above mean + n standard deviations of the active pixels. Integer arithmetic: no root, no division.

import { usage } from '../../errors.js'
import type { EventBatch, Geometry } from '../batch.js'

/** Events a pixel, row by row, [height, width]. */
export const createPixelCounts = (geometry: Geometry): Uint32Array => new Uint32Array(geometry.width * geometry.height)

/** Adds a batch to the counts; events outside the sensor are left out. */
export const addPixelCounts = (counts: Uint32Array, geometry: Geometry, batch: EventBatch): void => {
  const { width, height } = geometry
  for (let i = 0; i < batch.count; i++) {
    const x = batch.x[i] as number
    const y = batch.y[i] as number
    if (x < width && y < height) counts[y * width + x] = (counts[y * width + x] as number) + 1
  }
}

/**
 * A mask of the pixels that are not hot: 1 = keep, 0 = hot, [height, width]. With n active pixels, counts c and sums s, q of c and
 * c^2, a pixel is hot where c n > s and (c n - s)^2 > deviations^2 (n q - s^2). `deviations` is an integer of at least 1.
 */
export const hotPixelMask = (counts: Uint32Array, deviations: number): Uint8Array => {
  if (!(Number.isInteger(deviations) && deviations >= 1))
    throw usage(`${deviations} standard deviations make no sense.`, 'Give an integer of at least 1, for example 5.')
  let active = 0n
  let sum = 0n
  let squares = 0n
  for (const count of counts) {
    if (count === 0) continue
    active++
    sum += BigInt(count)
    squares += BigInt(count) * BigInt(count)
  }
  const spread = BigInt(deviations * deviations) * (active * squares - sum * sum)
  const isHot = (count: number): boolean => {
    const excess = BigInt(count) * active - sum
    return excess > 0n && excess * excess > spread
  }
  const hotFrom = smallestHot(counts, isHot)
  return Uint8Array.from(counts, (count) => (count >= hotFrom ? 0 : 1))
}

/** Hotness grows with the count, so one threshold tells it: the smallest count that is hot, or Infinity. */
const smallestHot = (counts: Uint32Array, isHot: (count: number) => boolean): number => {
  const values = [...new Set(counts)].sort((a, b) => a - b)
  return values.find(isHot) ?? Number.POSITIVE_INFINITY
}
