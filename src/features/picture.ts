// Features as a grey picture: one row of tiles a bank, white for the largest weight of each feature.

import type { FeastBank } from './bank.js'
import { realWeights } from './monitor.js'
import { type FeastSettings, windowLength } from './settings.js'

/** Grey values, 0 = black. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly grey: Uint8Array // [height, width]
}

export interface PictureOptions {
  /** pixels a weight is wide and high, 1..64, default 1 */
  readonly zoom?: number
  /** tiles a row, default all features of a bank */
  readonly columns?: number
}

/** Tiles of all features, a black pixel between them; every bank begins a row. */
export const featurePicture = (
  settings: FeastSettings,
  banks: readonly FeastBank[],
  { zoom = 1, columns = settings.featureCount }: PictureOptions = {},
): Picture => {
  const side = 2 * settings.radius + 1
  const length = windowLength(settings)
  const tile = side * zoom + 1
  const rows = Math.ceil(settings.featureCount / columns)
  const width = columns * tile + 1
  const height = banks.length * rows * tile + 1
  const grey = new Uint8Array(width * height)
  for (const [b, bank] of banks.entries()) {
    const weights = realWeights(bank)
    for (let n = 0; n < settings.featureCount; n++) {
      const feature = weights.subarray(n * length, (n + 1) * length)
      const most = Math.max(...feature)
      const left = (n % columns) * tile + 1
      const top = (b * rows + Math.floor(n / columns)) * tile + 1
      for (let y = 0; y < side * zoom; y++) {
        for (let x = 0; x < side * zoom; x++) {
          const weight = feature[Math.floor(y / zoom) * side + Math.floor(x / zoom)] as number
          grey[(top + y) * width + left + x] = Math.round((255 * Math.max(0, weight)) / most)
        }
      }
    }
  }
  return { width, height, grey }
}
