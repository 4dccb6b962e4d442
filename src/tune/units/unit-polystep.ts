// Structure-aware PolyStep on an integer network: one step evaluates a mini-batch's units, turns weight costs into moves of latent weights, and
// rounds these to the network's integers. State and settings are plain data; the evaluation itself is passed in, so that plain TypeScript, wasm
// and boards can do it.

import type { CostRule, LayerProbe, UnitEvaluation } from '../../contracts/evaluator.js'
import { usage } from '../../errors.js'
import { clamp } from '../../network/arithmetic.js'
import type { Node } from '../../network/operators/index.js'
import type { Network, Tensor } from '../../network/types.js'
import {
  applyParameters,
  inputUnit,
  isTunable,
  type NetworkParameters,
  type NetworkTensor,
  networkParameters,
  type ParameterOptions,
  readParameters,
  type WeightedNode,
} from '../parameters.js'
import { type CosineSchedule, valueAt } from '../schedule.js'
import { movesOf } from './moves.js'

/** What can be set for each layer by name; numbers stand for all layers. */
type PerLayer<T> = T | ((layer: string) => T)

export interface UnitPolyStepOptions extends ParameterOptions {
  /** steps of the whole run: schedules end there */
  readonly steps: number
  /** where the latent weights start, as networkParameters counts; default: at the stored integers */
  readonly latent?: Float64Array
  /** default 'linearised' */
  readonly rule?: PerLayer<CostRule>
  /** how far weights are probed, in levels; default 10 * largest level / 127, at least 1 */
  readonly radius?: PerLayer<number>
  /** radius at the end as a part of that at the start; default 1 */
  readonly finalRadius?: number
  /** largest move of a weight in a step, in levels; default 1.5 * largest level / 127 */
  readonly stepSize?: PerLayer<number>
  /** step size at the end as a part of that at the start, by a cosine; default 0.05 */
  readonly finalStepSize?: number
  /** heavy-ball momentum, 0..1; default 0.9 */
  readonly momentum?: number
  /** weights of a particle; default 8 */
  readonly particleDimension?: number
  /** temperature relative to the layer's cost differences; default 1 */
  readonly relativeEpsilon?: number
  /** a convolution is probed at one of so many positions of each sample; default 1 for one position, 8 above 100 positions, else 1 */
  readonly positionStride?: PerLayer<number>
  /** iterates of the last half averaged with this decay, 0..1; default 0: none */
  readonly averageDecay?: number
}

export interface UnitState {
  readonly step: number
  /** as networkParameters counts */
  readonly latent: Float64Array
  readonly velocity: Float64Array
  /** average of the last iterates; null before the second half, or without averaging */
  readonly average: Float64Array | null
  /** iterates in the average */
  readonly averaged: number
}

/** A probed layer and where its tensors lie in the parameter vector. */
interface TunedLayer {
  readonly name: string
  readonly node: number
  readonly channels: number
  readonly taps: number
  readonly inputUnit: number
  readonly positions: number
  readonly largestLevel: number
  readonly weights: NetworkTensor | null
  readonly bias: NetworkTensor | null
  readonly weightIndex: (tap: number, channel: number) => number
}

export interface UnitPolyStep {
  readonly space: NetworkParameters
  readonly start: () => UnitState
  /** The network of an iterate. */
  readonly network: (parameters: Float64Array) => Network<'integer'>
  /** What to ask of the layers at the state's step. */
  readonly probes: (state: UnitState) => LayerProbe[]
  /** The state after a step, from the evaluation of its probes. */
  readonly advance: (state: UnitState, evaluation: UnitEvaluation) => UnitState
  /** The averaged iterate if there is one, else the last. */
  readonly result: (state: UnitState) => Float64Array
}

const perLayer = <T>(setting: PerLayer<T> | undefined, layer: string): T | undefined =>
  typeof setting === 'function' ? (setting as (layer: string) => T)(layer) : setting

const positionsOf = (network: Network<'integer'>, node: Node, channels: number): number => {
  const shape = network.values[node.output]?.type.shape ?? []
  return shape.reduce((a, b) => a * b, 1) / channels
}

const layersOf = (network: Network<'integer'>, space: NetworkParameters): TunedLayer[] =>
  network.nodes.flatMap((node, index): TunedLayer[] => {
    const weights = space.tensors.find((t) => t.node === index && t.attribute === 'weights') ?? null
    const bias = space.tensors.find((t) => t.node === index && t.attribute === 'bias') ?? null
    if (!isTunable(node) || (weights === null && bias === null)) return []
    const layer: WeightedNode = node
    const { shape } = layer.weights.type
    const total = shape.reduce((a, b) => a * b, 1)
    const channels = channelCount(network, layer)
    const taps = total / channels
    const isChannelFirst = shape[0] === channels
    return [
      {
        name: node.name,
        node: index,
        channels,
        taps,
        inputUnit: inputUnit(network, node),
        positions: positionsOf(network, node, channels),
        largestLevel: weights?.limit ?? 127,
        weights,
        bias,
        weightIndex: isChannelFirst ? (tap, channel) => channel * taps + tap : (tap, channel) => tap * channels + channel,
      },
    ]
  })

/** Output channels are the last axis of a layer's output. */
const channelCount = (network: Network<'integer'>, node: WeightedNode): number =>
  network.values[node.output]?.type.shape.at(-1) ?? (node.weights as Tensor).type.shape[0] ?? 1

const checkOptions = ({ steps, momentum = 0.9, particleDimension = 8 }: UnitPolyStepOptions): void => {
  if (!(Number.isInteger(steps) && steps >= 1)) throw usage(`${steps} steps are not possible.`, 'Choose 1 or more.')
  if (!(momentum >= 0 && momentum < 1)) throw usage(`a momentum of ${momentum} is not possible.`, 'Choose 0 up to, but not including, 1.')
  if (!(Number.isInteger(particleDimension) && particleDimension >= 1))
    throw usage(`particles of ${particleDimension} weights are not possible.`, 'Choose 1 or more.')
}

/** Where the moves [taps + 1, channels] of a layer go: parameters[at] += move. */
const scatter = (layer: TunedLayer, moves: Float64Array, put: (at: number, move: number, limit: number) => void): void => {
  const { taps, channels, weights, bias, weightIndex } = layer
  if (weights !== null) {
    for (let tap = 0; tap < taps; tap++)
      for (let c = 0; c < channels; c++) put(weights.start + weightIndex(tap, c), moves[tap * channels + c] as number, weights.limit)
  }
  if (bias !== null) for (let c = 0; c < channels; c++) put(bias.start + c, moves[taps * channels + c] as number, bias.limit / bias.unit)
}

/** Unit-resolved PolyStep for a network already cut to its scores (scoreNetwork). */
export const unitPolyStep = (network: Network<'integer'>, options: UnitPolyStepOptions): UnitPolyStep => {
  checkOptions(options)
  const { steps, momentum = 0.9, particleDimension = 8, relativeEpsilon = 1, averageDecay = 0 } = options
  const space = networkParameters(network, options)
  const layers = layersOf(network, space)
  const cosine = (initial: number, final: number): CosineSchedule => ({ kind: 'cosine', initial, target: initial * final, steps })
  const radiusOf = ({ name, largestLevel }: TunedLayer, step: number): number =>
    Math.max(1, Math.round(valueAt(cosine(perLayer(options.radius, name) ?? (10 * largestLevel) / 127, options.finalRadius ?? 1), step)))
  const stepSizeOf = ({ name, largestLevel }: TunedLayer, step: number): number =>
    valueAt(cosine(perLayer(options.stepSize, name) ?? (1.5 * largestLevel) / 127, options.finalStepSize ?? 0.05), step)

  const averageAfter = (state: UnitState, latent: Float64Array): Pick<UnitState, 'average' | 'averaged'> => {
    if (averageDecay === 0 || state.step < steps / 2) return { average: null, averaged: 0 }
    const kept = state.average === null ? 0 : Math.min(averageDecay, 1 - 1 / (state.averaged + 1))
    return { average: latent.map((x, i) => kept * (state.average?.[i] ?? 0) + (1 - kept) * x), averaged: state.averaged + 1 }
  }

  return {
    space,
    start: () => ({
      step: 0,
      latent: options.latent?.slice() ?? readParameters(network, space),
      velocity: new Float64Array(space.count),
      average: null,
      averaged: 0,
    }),
    network: (parameters) => applyParameters(network, space, parameters),
    probes: ({ step }) =>
      layers.map((layer) => ({
        node: layer.node,
        rule: perLayer(options.rule, layer.name) ?? 'linearised',
        radius: radiusOf(layer, step),
        inputUnit: layer.inputUnit,
        positionStride: perLayer(options.positionStride, layer.name) ?? (layer.positions > 100 ? 8 : 1),
      })),
    advance: (state, evaluation) => {
      const latent = state.latent.slice()
      const velocity = state.velocity.slice()
      layers.forEach((layer, i) => {
        const costs = evaluation.layers[i]
        if (costs === undefined) return
        const moves = movesOf(costs, layer.channels, { particleDimension, relativeEpsilon, stepSize: stepSizeOf(layer, state.step) })
        scatter(layer, moves, (at, move, limit) => {
          const v = momentum * (velocity[at] as number) + move
          velocity[at] = v
          latent[at] = clamp((latent[at] as number) + v, -limit, limit)
        })
      })
      return { step: state.step + 1, latent, velocity, ...averageAfter(state, latent) }
    },
    result: ({ average, latent }) => average ?? latent,
  }
}
