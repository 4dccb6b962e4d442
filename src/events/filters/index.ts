// Event filters, each a state that takes batches in time order. See docs/events.md, "Filters".

export { type BackgroundActivityOptions, createBackgroundActivityFilter } from './background-activity.js'
export { chainFilters, type EventFilter, type SelectingFilter } from './filter.js'
export {
  type CropOptions,
  createCropFilter,
  createDownSampleFilter,
  createMaskFilter,
  createPolarityFilter,
  createRateLimitFilter,
  createTimeFilter,
  type RateLimitOptions,
} from './geometry.js'
export { addPixelCounts, createPixelCounts, hotPixelMask } from './hot-pixel.js'
export { injectNoise, type NoiseOptions, type NoisyEvents, type RocPoint, rocCurve } from './noise.js'
export {
  createRefractoryFilter,
  createSpatioTemporalFilter,
  createTrailFilter,
  type RefractoryOptions,
  type SpatioTemporalOptions,
  type TrailOptions,
} from './pixel-history.js'
