// Histograms and the classifiers that judge features, up to real digits: a small part of N-MNIST (the bench takes all of it).

import { describe, expect, test } from 'vitest'
import { batchOf } from '#src/events/index.js'
import {
  addFeatures,
  createFeast,
  createHistogram,
  crossValidate,
  type Feast,
  featurePicture,
  histogramVector,
  type LabelledVectors,
  nearestMean,
  ridge,
  totalFeatures,
} from '#src/features/index.js'
import { seededIntegers } from '../../helpers/fuzz.js'
import { type LabelledRecording, nmnist, SENSOR } from './fixtures.js'

describe('histograms', () => {
  test('count features by cell and leave out events without one', () => {
    const histogram = createHistogram({ geometry: SENSOR, featureCount: 2, cells: 2 })
    const batch = batchOf([
      [1, 0, 0, 1],
      [2, 33, 0, 1],
      [3, 16, 17, 1],
      [4, 5, 5, 1],
    ])
    addFeatures(histogram, batch, Int16Array.of(0, 1, 1, -1))
    expect([...histogram.counts]).toEqual([1, 0, 0, 1, 0, 1, 0, 0])
    expect(Math.hypot(...histogramVector(histogram))).toBeCloseTo(1, 12)
  })

  test('without events are 0', () => {
    expect([...histogramVector(createHistogram({ geometry: SENSOR, featureCount: 1, cells: 1 }))]).toEqual([0])
  })

  test('a grid finer than the sensor is refused', () => {
    expect(() => createHistogram({ geometry: SENSOR, featureCount: 1, cells: 35 })).toThrow('a grid of 35 cells a side does not fit on 34 x 34 pixels.')
  })
})

const clouds = (): LabelledVectors => {
  const random = seededIntegers(3)
  const labels = Array.from({ length: 90 }, (_, i) => i % 3)
  return { labels, classes: 3, vectors: labels.map((label) => Float64Array.from({ length: 3 }, (_, k) => (k === label ? 2 : 0) + random(100) / 100)) }
}

describe('classifiers', () => {
  test.each([
    ['ridge', ridge(0.1)],
    ['nearest mean', nearestMean],
  ] as const)('%s tells separate clouds apart', (_, train) => {
    expect(crossValidate(clouds(), train, 5, 1)).toBe(1)
  })

  test('ridge solves its equations', () => {
    const vectors = [Float64Array.of(1, 0), Float64Array.of(0, 1), Float64Array.of(1, 1)]
    const classify = ridge(1e-6)({ vectors, labels: [0, 1, 1], classes: 2 })
    expect(vectors.map(classify)).toEqual([0, 1, 1])
  })

  test('more folds than vectors are refused', () => {
    expect(() => crossValidate({ vectors: [Float64Array.of(1)], labels: [0], classes: 1 }, nearestMean, 5, 1)).toThrow('cannot make 5 folds')
  })
})

const vectorsOf = (feast: Feast, recordings: readonly LabelledRecording[]): LabelledVectors => ({
  vectors: recordings.map(({ events }) => {
    const histogram = createHistogram({ geometry: SENSOR, featureCount: totalFeatures(feast.settings) })
    feast.clearSurface()
    addFeatures(histogram, events, feast.infer(events))
    return histogramVector(histogram)
  }),
  labels: recordings.map(({ label }) => label),
  classes: 10,
})

describe('real digits', () => {
  const recordings = nmnist(160)
  test.each([
    ['float', 'exponential'],
    ['fixed', 'exponential'],
    ['fixed', 'binary'],
  ] as const)('160 recordings, %s %s: 80 %% or more in 5 folds', (arithmetic, decay) => {
    const feast = createFeast({ geometry: SENSOR, arithmetic, decay })
    for (const { events } of recordings.slice(0, 60)) {
      feast.clearSurface()
      feast.learn(events)
    }
    expect(crossValidate(vectorsOf(feast, recordings), ridge(0.1), 5, 1)).toBeGreaterThanOrEqual(0.8)
  })
})

test('a picture has a tile a feature and a row a bank', () => {
  const feast = createFeast({ geometry: SENSOR, featureCount: 3, radius: 1 })
  const { width, height, grey } = featurePicture(feast.settings, feast.banks, { zoom: 2 })
  expect([width, height]).toEqual([3 * 7 + 1, 2 * 7 + 1])
  expect(Math.max(...grey)).toBe(255)
  expect(grey[0]).toBe(0)
})
