// Feature learning on event streams: FEAST in float and in fixed point, its monitor, its file, pooled histograms, and simple classifiers
// that judge features. Runs in Node and in browsers.

export { type FeastBank, learnedEvents, type SurfaceState } from './bank.js'
export { accuracyOf, type Classifier, crossValidate, type LabelledVectors, nearestMean, ridge, type Trainer } from './classifier.js'
export { createFeast, type Feast, type FeastState, MISSED, resumeFeast, UNUSED } from './feast.js'
export { readFeastState, restoreFeast, type SaveOptions, saveFeast } from './feast-file.js'
export { addFeatures, createHistogram, type FeatureHistogram, type HistogramOptions, histogramVector } from './histogram.js'
export {
  type BankReport,
  createFeastMonitor,
  type FeastMonitor,
  type LearningPhase,
  type MonitorOptions,
  NOISE_WEIGHT,
  noiseFeatures,
  realThresholds,
  realWeights,
} from './monitor.js'
export { featurePicture, type Picture, type PictureOptions } from './picture.js'
export {
  ARITHMETICS,
  type Arithmetic,
  bankCount,
  completeSettings,
  DECAYS,
  expectedMissRate,
  type FeastOptions,
  type FeastSettings,
  fixedSteps,
  POLARITY_MODES,
  type PolarityMode,
  totalFeatures,
  windowLength,
} from './settings.js'
export { createFastFeast, restoreFastFeast, resumeFastFeast } from './wasm.js'
