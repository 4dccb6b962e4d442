// Layers over time (src/train/layers/spiking.ts): values [steps, ...] of TensorFlow.js are values [...] of a network with as many time steps.

import { LEAST_LEARNED_THRESHOLD } from '../../network/operators/lif.js'
import type { Tensor } from '../../network/types.js'
import { addNode, type Context, type Convert, float32Tensor, onlySource, plainSource, readValue } from './context.js'
import { brokenLayer, type Layer, refusedLayer, show } from './document.js'
import { countOf, flagOf, numberOf } from './settings.js'

const one = (x: number): Tensor => float32Tensor([1], Float32Array.of(x))

/** Sets the network's steps. @throws UNSUPPORTED where another layer set others */
const setSteps = ({ builder, layer }: Context, steps: number): void => {
  if (!builder.setSteps(steps)) throw refusedLayer(layer, `has ${steps} time steps, another layer has others`, 'All layers of a model take the same steps.')
}

/** repeatVector: a direct current, the same in each step. */
export const convertRepeatVector: Convert = (context) => {
  const source = onlySource(context)
  setSteps(context, countOf(context.layer, 'n'))
  return plainSource(readValue(source))
}

/** A recording: one slice a step. */
export const convertRecording: Convert = (context) => {
  const input = readValue(onlySource(context))
  const shape = context.builder.shapeOf(input)
  if (shape.length < 2) throw brokenLayer(context.layer, `gets the shape [${shape.join(',')}], expected [steps, ...]`)
  setSteps(context, shape[0] as number)
  const counter = context.builder.state(context.nodeName('step'), [1])
  return plainSource(addNode(context, (name) => ({ kind: 'timeSlice', name, inputs: [input], states: [counter] })))
}

const betaOf = (layer: Layer): number => {
  const beta = numberOf(layer, 'beta', 0.95)
  if (beta < 0 || beta > 1) throw brokenLayer(layer, `has beta ${beta}, expected 0 to 1`)
  return beta
}

const resetOf = (layer: Layer): 'zero' | 'subtract' => {
  const reset = layer.config.reset ?? 'zero'
  if (reset !== 'zero' && reset !== 'subtract') throw brokenLayer(layer, `has reset ${show(reset)}, expected zero or subtract`)
  return reset
}

export const checkLif = (layer: Layer): void => {
  betaOf(layer)
  resetOf(layer)
  if (!(numberOf(layer, 'threshold', 1) > 0)) throw brokenLayer(layer, `has threshold ${show(layer.config.threshold)}, expected a number above 0`)
}

/** A setting, or where it was learned the numbers of its weight. */
const learned = ({ layer, weights, builder }: Context, input: number, flag: string, name: string, absent: number): Float32Array =>
  flagOf(layer, flag, false)
    ? Float32Array.from(weights.get(layer, name, [builder.shapeOf(input).at(-1) ?? 1]).data as ArrayLike<number>)
    : Float32Array.of(absent)

const NOTHING = { gain: null, drive: null, currentLeak: null, currentGain: null, shift: 0 } as const

export const convertLif: Convert = (context) => {
  const { layer, builder, nodeName } = context
  const input = readValue(onlySource(context))
  const beta = learned(context, input, 'learnsBeta', 'beta', betaOf(layer))
  const threshold = learned(context, input, 'learnsThreshold', 'threshold', numberOf(layer, 'threshold', 1))
  const membrane = builder.state(nodeName('membrane'), builder.shapeOf(input))
  const leak = float32Tensor(
    [beta.length],
    beta.map((x) => 1 - Math.min(Math.max(x, 0), 1)),
  )
  const limit = float32Tensor(
    [threshold.length],
    threshold.map((x) => Math.max(x, LEAST_LEARNED_THRESHOLD)),
  )
  return plainSource(
    addNode(context, (name) => ({
      kind: 'lif',
      name,
      inputs: [input],
      states: [membrane],
      ...NOTHING,
      leak,
      threshold: limit,
      fires: 'reaching',
      reset: resetOf(layer),
      resetTo: null,
    })),
  )
}

const integrator =
  (leakOf: (layer: Layer) => number): Convert =>
  (context) => {
    const { layer, builder, nodeName } = context
    const input = readValue(onlySource(context))
    const membrane = builder.state(nodeName('membrane'), builder.shapeOf(input))
    return plainSource(addNode(context, (name) => ({ kind: 'li', name, inputs: [input], states: [membrane], ...NOTHING, leak: one(leakOf(layer)) })))
  }

export const checkLi = (layer: Layer): void => {
  betaOf(layer)
}
export const convertLi: Convert = integrator((layer) => 1 - betaOf(layer))
export const convertSpikeCount: Convert = integrator(() => 0)
