// Voxel grid: events spread over time bins, each event shared between the two nearest bins by its distance (Zhu et al. 2019).
// The integer form shares 256 parts, so that a microcontroller gets the same sums.

import { usage } from '../../errors.js'
import type { EventBatch, Geometry } from '../batch.js'

export interface VoxelOptions {
  readonly geometry: Geometry
  /** time bins, at least 2 */
  readonly bins: number
  /** time of the first and of the last bin's centre; events outside are left out */
  readonly startMicros: number
  readonly endMicros: number
}

const check = ({ bins, startMicros, endMicros }: VoxelOptions): void => {
  if (!(Number.isInteger(bins) && bins >= 2)) throw usage(`a voxel grid of ${bins} bins makes no sense.`, 'bins is an integer of at least 2.')
  if (!(endMicros > startMicros)) throw usage(`a voxel grid from ${startMicros} us to ${endMicros} us is empty.`, 'endMicros must be later than startMicros.')
}

/** Calls `add` with the place in bin 0, the sign and the time since the start of every event inside. */
const forEachInside = (batch: EventBatch, options: VoxelOptions, add: (pixel: number, sign: number, elapsedMicros: number) => void): void => {
  const { width, height } = options.geometry
  for (let i = 0; i < batch.count; i++) {
    const x = batch.x[i] as number
    const y = batch.y[i] as number
    const time = batch.timeMicros[i] as number
    if (x >= width || y >= height || time < options.startMicros || time > options.endMicros) continue
    add(y * width + x, 2 * (batch.polarity[i] as number) - 1, time - options.startMicros)
  }
}

const add = (grid: Float32Array | Int32Array, at: number, amount: number): void => {
  grid[at] = (grid[at] as number) + amount
}

/** Signed sums, ON +1 and OFF -1, [bins, height, width]. */
export const voxelGrid = (batch: EventBatch, options: VoxelOptions): Float32Array => {
  check(options)
  const { geometry, bins, startMicros, endMicros } = options
  const plane = geometry.width * geometry.height
  const grid = new Float32Array(bins * plane)
  forEachInside(batch, options, (pixel, sign, elapsed) => {
    const place = (elapsed * (bins - 1)) / (endMicros - startMicros)
    const bin = Math.floor(place)
    const part = place - bin
    add(grid, bin * plane + pixel, sign * (1 - part))
    if (part > 0) add(grid, (bin + 1) * plane + pixel, sign * part)
  })
  return grid
}

/** The same in 256ths: place = floor(256 * elapsed * (bins - 1) / duration), [bins, height, width]. */
export const integerVoxelGrid = (batch: EventBatch, options: VoxelOptions): Int32Array => {
  check(options)
  const { geometry, bins, startMicros, endMicros } = options
  const plane = geometry.width * geometry.height
  const grid = new Int32Array(bins * plane)
  forEachInside(batch, options, (pixel, sign, elapsed) => {
    const place = Math.floor((256 * elapsed * (bins - 1)) / (endMicros - startMicros))
    const bin = place >> 8
    const part = place & 255
    add(grid, bin * plane + pixel, sign * (256 - part))
    if (part > 0) add(grid, (bin + 1) * plane + pixel, sign * part)
  })
  return grid
}
