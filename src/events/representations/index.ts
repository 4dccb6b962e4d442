// Dense pictures of events: counts, time surfaces, voxel grids, averaged surfaces. See docs/events.md, "Representations".

export { type AveragedSurfaceOptions, type AveragedSurfaces, averagedSurfaces, integerAveragedSurfaces, surfaceMeans } from './averaged-surfaces.js'
export { type BinnedCounts, type BinnedCountsOptions, binnedCounts } from './binned-counts.js'
export { addCounts, type CountKind, countImage, createCountImage } from './count-image.js'
export { createDecayTable, type DecayKind, type DecayTable, decayed } from './decay.js'
export { addToSurface, createSurfaceMemory, integerTimeSurface, type SurfaceMemory, timeSurface } from './time-surface.js'
export { integerVoxelGrid, type VoxelOptions, voxelGrid } from './voxel-grid.js'
