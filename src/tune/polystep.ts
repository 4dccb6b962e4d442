// PolyStep as published (arXiv 2605.01928): every particle probes the rotated vertices of a polytope and moves to their weighted mean. One step is
// docs/polystep.md "The method", in the order of the reference implementation; held to test/vectors/polystep-golden.json.

import type { ProbeChanges, ProbeSet } from '../contracts/evaluator.js'
import { inputMismatch, usage } from '../errors.js'
import { STREAMS } from '../random.js'
import { ADAPTIVE_RADIUS, type AdaptiveRadius, type AdaptiveRadiusOptions, adaptRadius, START_RADIUS } from './adaptive-radius.js'
import { type CostScale, mean, meanOverProbes, penalizeNonFinite, scaleCosts } from './cost.js'
import { uniforms } from './gaussian.js'
import { type Method, noProbes } from './method.js'
import { biasRotation, randomRotation, unitDirection } from './rotation.js'
import { type Schedule, valueAt } from './schedule.js'
import type { Duals } from './sinkhorn.js'
import { fullSpace, type Subspace } from './subspace.js'
import { type Template, type TemplateKind, template } from './template.js'
import { type WeightRule, weightsOf } from './weights.js'

/** beta grows linearly from `initial` to `final` over `steps` steps. */
export interface MomentumOptions {
  readonly initial: number
  readonly final: number
  readonly steps: number
}

export interface PolyStepOptions {
  readonly seed: number
  /** default: full space, where particles are runs of parameters */
  readonly subspace?: Subspace
  /** coordinates of a particle; default 2 in full space, 8 in a subspace */
  readonly particleDimension?: number
  /** default orthoplex */
  readonly template?: TemplateKind
  /** temperature of the weights, in units of the loss; default 0.5 */
  readonly epsilon?: number | Schedule
  /** temperature of the weights alone where it differs from the one that scales constant radii */
  readonly weightEpsilon?: number | Schedule
  /** how far a vertex is: a number is multiplied by epsilon, a schedule is used as it is; default 1 */
  readonly stepRadius?: number | Schedule
  /** how far the outermost probe would be at k = K + 1: as stepRadius; default 2 */
  readonly probeRadius?: number | Schedule
  /** K: probes of a vertex, at k / (K + 1) of the probe radius (so 1 probes at half of it); default 1 */
  readonly probesPerVertex?: number
  /** relative change of the probe radius, drawn once a step in +-jitter; default 0 */
  readonly radiusJitter?: number
  /** default 'none' */
  readonly costScale?: CostScale
  /** default softmax */
  readonly rule?: WeightRule
  /** default null: none */
  readonly momentum?: MomentumOptions | null
  /** m: evaluate every m-th step, repeat the averaged move in between; default 1 */
  readonly amortizeSteps?: number
  /** part of the old average kept when a new move comes; default 0.7 */
  readonly amortizeDecay?: number
  /** default null: none; true: the reference's settings */
  readonly adaptiveRadius?: AdaptiveRadiusOptions | true | null
  /** first column of each rotation = the particle's last descent direction; default false */
  readonly biasedRotation?: boolean
  /** every so many steps the origin moves to the iterate and coordinates start at 0 again; default 0: never. Not in full space. */
  readonly absorbEvery?: number
  /** in place of random rotations: the row-major rotation of a particle in a step (before biasing) */
  readonly rotation?: (step: number, particle: number) => Float64Array
}

export interface PolyStepState {
  readonly step: number
  readonly origin: Float64Array // [parameters]; zero in full space
  readonly coordinates: Float64Array // [particles, particleDimension], zero padded
  readonly velocity: Float64Array // as coordinates
  /** average move of the evaluated steps, as coordinates; null before the first */
  readonly averageMove: Float64Array | null
  /** last descent directions, as coordinates; null: the next step is not biased */
  readonly directions: Float64Array | null
  readonly radius: AdaptiveRadius
  readonly duals: Duals | null
  /** mean of the last evaluated step's costs (not the loss at the iterate); NaN before the first */
  readonly meanCost: number
  readonly absorptions: number
}

/** Everything of a step that follows from the state alone. */
interface StepGeometry {
  readonly epsilon: number
  readonly stepRadius: number
  readonly probeRadius: number
  readonly rotations: readonly Float64Array[] // one a particle
}

interface Settings {
  readonly options: PolyStepOptions
  readonly space: Subspace
  readonly shape: Template
  readonly particles: number
  readonly probesPerVertex: number
}

const settingsOf = (parameters: number, options: PolyStepOptions): Settings => {
  const space = options.subspace ?? fullSpace(parameters)
  const shape = template(options.template ?? 'orthoplex', options.particleDimension ?? (space.kind === 'full' ? 2 : 8))
  const probesPerVertex = options.probesPerVertex ?? 1
  if (space.parameters !== parameters)
    throw usage(`the subspace is of ${space.parameters} parameters, there are ${parameters}.`, 'Make the subspace for the same parameters.')
  if (!(Number.isInteger(probesPerVertex) && probesPerVertex >= 1)) throw usage(`${probesPerVertex} probes of a vertex are not possible.`, 'Choose 1 or more.')
  return { options, space, shape, particles: Math.ceil(space.coordinates / shape.dimension), probesPerVertex }
}

/** A constant radius is in units of epsilon, a scheduled one stands as it is. */
const radiusAt = (radius: number | Schedule, step: number, epsilon: number): number => (typeof radius === 'number' ? radius * epsilon : valueAt(radius, step))

const jitterAt = (jitter: number, seed: number, step: number): number =>
  jitter === 0 ? 1 : 1 + jitter * (2 * (uniforms(1, seed, step, STREAMS.method)[0] as number) - 1)

const rotationsAt = ({ options, shape, particles }: Settings, { step, directions }: PolyStepState): Float64Array[] => {
  const d = shape.dimension
  return Array.from({ length: particles }, (_, i) => {
    const rotation = options.rotation?.(step, i) ?? randomRotation(options.seed, step, i, d)
    if (options.biasedRotation !== true || directions === null) return rotation
    return biasRotation(rotation, unitDirection(directions.subarray(i * d, (i + 1) * d)), d)
  })
}

const geometryAt = (settings: Settings, state: PolyStepState): StepGeometry => {
  const { options } = settings
  const epsilon = valueAt(options.epsilon ?? 0.5, state.step)
  const { multiplier } = state.radius
  return {
    epsilon,
    stepRadius: radiusAt(options.stepRadius ?? 1, state.step, epsilon) * multiplier,
    probeRadius: radiusAt(options.probeRadius ?? 2, state.step, epsilon) * multiplier * jitterAt(options.radiusJitter ?? 0, options.seed, state.step),
    rotations: rotationsAt(settings, state),
  }
}

/** R u: the vertex of a template, rotated. */
const rotatedVertex = (shape: Template, rotation: Float64Array, vertex: number): Float64Array => {
  const d = shape.dimension
  const out = new Float64Array(d)
  for (let a = 0; a < d; a++) {
    let sum = 0
    for (let b = 0; b < d; b++) sum += (rotation[a * d + b] as number) * (shape.vertices[vertex * d + b] as number)
    out[a] = sum
  }
  return out
}

/** origin + A coordinates. */
const parametersOf = (space: Subspace, state: PolyStepState): Float64Array => {
  const out = state.origin.slice()
  space.addTo(out, 0, state.coordinates)
  return out
}

/** True where an amortized step repeats the average move instead of evaluating. */
const isAmortized = (options: PolyStepOptions, state: PolyStepState): boolean => state.averageMove !== null && state.step % (options.amortizeSteps ?? 1) !== 0

/** Probe (i V + v) K + k - 1 moves particle i to probeRadius k / (K + 1) along vertex v; all other particles stay. */
const probesOf = (settings: Settings, state: PolyStepState): ProbeSet => {
  const { space, shape, particles, probesPerVertex } = settings
  const base = parametersOf(space, state)
  if (isAmortized(settings.options, state)) return noProbes(state.step, base)
  const { rotations, probeRadius } = geometryAt(settings, state)
  const d = shape.dimension
  const move = (index: number): { first: number; values: Float64Array } => {
    const vertex = Math.floor(index / probesPerVertex)
    const particle = Math.floor(vertex / shape.vertexCount)
    const distance = (probeRadius * ((index % probesPerVertex) + 1)) / (probesPerVertex + 1)
    const direction = rotatedVertex(shape, rotations[particle] as Float64Array, vertex % shape.vertexCount)
    return { first: particle * d, values: direction.map((x) => x * distance) }
  }
  const write = (index: number, out: Float64Array): void => {
    out.set(base)
    const { first, values } = move(index)
    space.addTo(out, first, values)
  }
  const changes = (index: number): ProbeChanges => {
    const { first, values } = move(index)
    const count = Math.min(d, space.parameters - first)
    return {
      indices: Int32Array.from({ length: count }, (_, i) => first + i),
      values: values.subarray(0, count).map((x, i) => (base[first + i] as number) + x),
    }
  }
  const probes = { step: state.step, count: particles * shape.vertexCount * probesPerVertex, base, write }
  return space.kind === 'full' ? { ...probes, changes } : probes
}

/** sum_j w_ij (vertex_ij - s_i) of every particle. */
const weightedMoves = ({ shape, particles }: Settings, { rotations, stepRadius }: StepGeometry, weights: Float64Array): Float64Array => {
  const d = shape.dimension
  const moves = new Float64Array(particles * d)
  for (let i = 0; i < particles; i++) {
    const rotation = rotations[i] as Float64Array
    const mean = new Float64Array(d)
    for (let j = 0; j < shape.vertexCount; j++) {
      const weight = weights[i * shape.vertexCount + j] as number
      for (let b = 0; b < d; b++) mean[b] = (mean[b] as number) + weight * (shape.vertices[j * d + b] as number)
    }
    for (let a = 0; a < d; a++) {
      let sum = 0
      for (let b = 0; b < d; b++) sum += (rotation[a * d + b] as number) * (mean[b] as number)
      moves[i * d + a] = stepRadius * sum
    }
  }
  return moves
}

const momentumAt = ({ initial, final, steps }: MomentumOptions, step: number): number =>
  initial + Math.min(1, step / Math.max(1, steps - 1)) * (final - initial)

const sum = (a: Float64Array, b: Float64Array, factor = 1): Float64Array => a.map((x, i) => x + factor * (b[i] as number))

/** The origin moves to the iterate; coordinates, velocity and directions start anew. A stays. */
const absorb = (space: Subspace, state: PolyStepState): PolyStepState => ({
  ...state,
  origin: parametersOf(space, state),
  coordinates: new Float64Array(state.coordinates.length),
  velocity: new Float64Array(state.velocity.length),
  directions: null,
  absorptions: state.absorptions + 1,
})

const absorbWhenDue = ({ options, space }: Settings, state: PolyStepState): PolyStepState => {
  const every = options.absorbEvery ?? 0
  return every > 0 && space.kind !== 'full' && state.step % every === 0 ? absorb(space, state) : state
}

const repeatMove = (settings: Settings, state: PolyStepState): PolyStepState => {
  const m = settings.options.amortizeSteps ?? 1
  const coordinates = sum(state.coordinates, state.averageMove as Float64Array, 1 - (state.step % m) / m)
  return absorbWhenDue(settings, { ...state, coordinates, step: state.step + 1 })
}

const averageWith = (old: Float64Array | null, move: Float64Array, kept: number): Float64Array =>
  old === null ? move : old.map((x, i) => kept * x + (1 - kept) * (move[i] as number))

/** The evaluated step: costs -> weights -> moves -> momentum -> radius -> average -> absorb. */
const moveParticles = (settings: Settings, state: PolyStepState, losses: Float64Array): PolyStepState => {
  const { options, shape } = settings
  const geometry = geometryAt(settings, state)
  const costs = penalizeNonFinite(meanOverProbes(losses, settings.probesPerVertex))
  const epsilon = options.weightEpsilon === undefined ? geometry.epsilon : valueAt(options.weightEpsilon, state.step)
  const { weights, duals } = weightsOf(
    options.rule ?? { kind: 'softmax' },
    scaleCosts(costs, options.costScale ?? 'none'),
    shape.vertexCount,
    epsilon,
    state.duals,
  )
  const move = weightedMoves(settings, geometry, weights)
  const momentum = options.momentum ?? null
  const velocity = momentum === null ? move : sum(move, state.velocity, momentumAt(momentum, state.step))
  const moved = sum(state.coordinates, velocity)
  const isSound = moved.every(Number.isFinite)
  const meanCost = mean(costs)
  const adaptive = options.adaptiveRadius ?? null
  return absorbWhenDue(settings, {
    ...state,
    step: state.step + 1,
    coordinates: isSound ? moved : state.coordinates,
    velocity: isSound && momentum !== null ? velocity : new Float64Array(velocity.length),
    averageMove: (options.amortizeSteps ?? 1) > 1 ? averageWith(state.averageMove, move, options.amortizeDecay ?? 0.7) : null,
    directions: options.biasedRotation === true ? move : null,
    radius: adaptive === null ? state.radius : adaptRadius(state.radius, meanCost, adaptive === true ? ADAPTIVE_RADIUS : adaptive),
    duals,
    meanCost,
  })
}

/** PolyStep over a number of parameters. */
export const polyStep = (parameters: number, options: PolyStepOptions): Method<PolyStepState> => {
  const settings = settingsOf(parameters, options)
  const padded = settings.particles * settings.shape.dimension
  const isFull = settings.space.kind === 'full'
  return {
    name: 'polystep',
    parameters,
    start: (start) => {
      const coordinates = new Float64Array(padded)
      if (isFull) coordinates.set(start)
      return {
        step: 0,
        origin: isFull ? new Float64Array(parameters) : start.slice(),
        coordinates,
        velocity: new Float64Array(padded),
        averageMove: null,
        directions: null,
        radius: START_RADIUS,
        duals: null,
        meanCost: Number.NaN,
        absorptions: 0,
      }
    },
    ask: (state) => probesOf(settings, state),
    tell: (state, losses) => {
      if (isAmortized(options, state)) return repeatMove(settings, state)
      const expected = settings.particles * settings.shape.vertexCount * settings.probesPerVertex
      if (losses.length !== expected)
        throw inputMismatch(`a PolyStep step was told ${losses.length} losses, it asked for ${expected}.`, 'Tell one loss for each probe, in their order.')
      return moveParticles(settings, state, losses)
    },
    iterate: (state) => parametersOf(settings.space, state),
  }
}
