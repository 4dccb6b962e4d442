// From features to a vector a recording: how often each feature won in each cell of a grid over the sensor, and the scaling that
// classifiers like. See docs/feast.md, "Histograms".

import { usage } from '../errors.js'
import type { EventBatch, Geometry } from '../events/index.js'

export interface HistogramOptions {
  readonly geometry: Geometry
  /** features of all banks together (totalFeatures) */
  readonly featureCount: number
  /** cells a side, at least 1 and at most the sensor's smaller side; default 6 */
  readonly cells?: number
}

/** Counts of features a cell. */
export interface FeatureHistogram {
  readonly options: Required<HistogramOptions>
  readonly counts: Float64Array // [cells, cells, features]
}

export const createHistogram = (options: HistogramOptions): FeatureHistogram => {
  const complete = { cells: 6, ...options }
  const { cells, featureCount, geometry } = complete
  if (!(Number.isInteger(cells) && cells >= 1 && cells <= Math.min(geometry.width, geometry.height))) {
    throw usage(`a grid of ${cells} cells a side does not fit on ${geometry.width} x ${geometry.height} pixels.`, 'Give an integer of at least 1.')
  }
  return { options: complete, counts: new Float64Array(cells * cells * featureCount) }
}

/** Adds the features of a batch; events without one are left out. */
export const addFeatures = ({ options, counts }: FeatureHistogram, batch: EventBatch, features: Int16Array): void => {
  const { cells, featureCount, geometry } = options
  for (let i = 0; i < batch.count; i++) {
    const feature = features[i] as number
    if (feature < 0) continue
    const column = Math.floor(((batch.x[i] as number) * cells) / geometry.width)
    const row = Math.floor(((batch.y[i] as number) * cells) / geometry.height)
    const at = (row * cells + column) * featureCount + feature
    counts[at] = (counts[at] as number) + 1
  }
}

/** Square roots of the counts, scaled to unit length; all 0 where there are no events. */
export const histogramVector = ({ counts }: FeatureHistogram): Float64Array => {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return counts.map((count) => (total === 0 ? 0 : Math.sqrt(count / total)))
}
