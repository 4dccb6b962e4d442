// The full-pass methods of `spikeport tune --method`, with settings in stored levels of the weights. The unit-resolved one is not here: it needs no evaluator.

import { typeOf } from '../../network/graph.js'
import { elementCount, type Network } from '../../network/types.js'
import {
  coordinateSearch,
  crossEntropy,
  denseSubspace,
  eggroll,
  errorRate,
  evolutionStrategy,
  type Method,
  marginLoss,
  meanSquaredError,
  type NetworkParameters,
  type Objective,
  polyStep,
  randomSearch,
  type Schedule,
  type ScoreObjective,
  scoreNetwork,
  sepCma,
  spsa,
} from '../../tune/index.js'

export const FULL_PASS_METHODS = ['polystep', 'es', 'spsa', 'sep-cma', 'coordinate', 'random', 'eggroll'] as const
export type FullPassMethod = (typeof FULL_PASS_METHODS)[number]

export const OBJECTIVES = ['cross-entropy', 'accuracy', 'margin', 'mse'] as const satisfies readonly ScoreObjective[]

/** A method whose kind of state is its own business. */
export type AnyMethod = Method<{ readonly step: number }>

export interface MethodContext {
  readonly space: NetworkParameters
  readonly seed: number
  readonly steps: number
  /** how far probes are, in levels */
  readonly radius?: number
  /** how far a step goes, in levels */
  readonly stepSize?: number
}

/** Coordinates of published PolyStep's random directions. */
const DIRECTIONS = 64

const falling = (initial: number, steps: number): Schedule => ({ kind: 'cosine', initial, target: initial / 10, steps })

const METHODS: Readonly<Record<FullPassMethod, (context: MethodContext) => unknown>> = {
  polystep: ({ space, seed, steps, radius = 2, stepSize = 1 }) =>
    polyStep(space.count, {
      seed,
      subspace: denseSubspace(space.count, DIRECTIONS, seed),
      weightEpsilon: 0.02,
      // a coordinate moves every weight by a deviation of 1 / sqrt(DIRECTIONS)
      stepRadius: falling(stepSize * Math.sqrt(DIRECTIONS), steps),
      probeRadius: falling(radius * Math.sqrt(DIRECTIONS), steps),
    }),
  es: ({ space, seed, steps, radius = 1, stepSize = 0.5 }) =>
    evolutionStrategy(space.count, { seed, population: 32, sigma: radius, learningRate: falling(stepSize, steps) }),
  spsa: ({ space, seed, steps, radius = 1, stepSize = 0.2 }) => spsa(space.count, { seed, perturbation: radius, learningRate: falling(stepSize, steps) }),
  'sep-cma': ({ space, seed, radius = 1 }) => sepCma(space.count, { seed, sigma: radius }),
  coordinate: ({ space, seed, stepSize = 4 }) => coordinateSearch(space.count, { seed, coordinatesPerStep: 16, stepSize }),
  random: ({ space, seed, radius = 0.5 }) => randomSearch(space.count, { seed, candidates: 15, sigma: radius }),
  eggroll: ({ space, seed, steps, radius = 1, stepSize = 0.5 }) =>
    eggroll(space.count, { seed, tensors: space.tensors, population: 32, sigma: radius, learningRate: falling(stepSize, steps) }),
}

export const fullPassMethod = (name: FullPassMethod, context: MethodContext): AnyMethod => METHODS[name](context) as AnyMethod

/** 1 for each sample's label, 0 for the other classes. */
const oneHot = (labels: Int32Array, classes: number): Float64Array => {
  const out = new Float64Array(labels.length * classes)
  labels.forEach((label, n) => {
    out[n * classes + label] = 1
  })
  return out
}

const classCount = (network: Network<'integer'>): number => {
  const scored = scoreNetwork(network)
  return elementCount(typeOf(scored, scored.outputs[0] as number).shape)
}

const FULL_PASS_OBJECTIVES: Readonly<Record<ScoreObjective, (labels: Int32Array, network: Network<'integer'>) => Objective>> = {
  'cross-entropy': (labels) => crossEntropy(labels),
  accuracy: (labels) => errorRate(labels),
  margin: (labels) => marginLoss(labels),
  mse: (labels, network) => meanSquaredError(oneHot(labels, classCount(network))),
}

/** The objective of a name over real scores; units have their own, in integers. */
export const fullPassObjective = (name: ScoreObjective, labels: Int32Array, network: Network<'integer'>): Objective =>
  FULL_PASS_OBJECTIVES[name](labels, network)
