// The baselines that PolyStep is compared with, all behind the same ask/tell interface.

export { type CoordinateSearchOptions, coordinateSearch } from './coordinate-search.js'
export { type EggrollOptions, eggroll } from './eggroll.js'
export { type EvolutionStrategyOptions, evolutionStrategy } from './evolution-strategy.js'
export { type RandomSearchOptions, randomSearch } from './random-search.js'
export { type SepCmaOptions, sepCma } from './sep-cma.js'
export { mezo, type SpsaOptions, spsa } from './spsa.js'
