// The layers of the published experiments in float64, for comparisons on their own terms (docs/polystep.md, "The published tasks"). What spikeport
// deploys is defined in src/network.

import { clamp, roundHalfEven } from '../../network/arithmetic.js'
import { argmax } from '../objectives.js'

/** y[o] = bias[o] + sum_i weights[o, i] x[i]. */
export const linear = (weights: Float64Array, bias: Float64Array, x: Float64Array): Float64Array =>
  bias.map((b, o) => x.reduce((sum, v, i) => sum + v * (weights[o * x.length + i] as number), b))

/** Spikes of a leaky unit a step: mem = beta mem + I; spike where mem >= threshold; a spike resets mem to 0. */
export const leakySpikes = (currents: Float64Array, beta: number, threshold: number): { spikes: Uint8Array; membranes: Float64Array } => {
  const spikes = new Uint8Array(currents.length)
  const membranes = new Float64Array(currents.length)
  let mem = 0
  currents.forEach((current, t) => {
    mem = beta * mem + current
    if (mem >= threshold) {
      spikes[t] = 1
      mem = 0
    }
    membranes[t] = mem
  })
  return { spikes, membranes }
}

/** clamp(round-half-even(w / scale), -128, 127): the level of a weight or bias. */
export const quantizedLevel = (w: number, scale: number): number => clamp(roundHalfEven(w / scale), -128, 127)

/** linear() with weights and bias on the grid of int8 levels. */
export const quantizedLinear = (weights: Float64Array, bias: Float64Array, x: Float64Array, scale: number): Float64Array => {
  const onGrid = (w: number): number => quantizedLevel(w, scale) * scale
  return linear(weights.map(onGrid), bias.map(onGrid), x)
}

/** floor(levels * sigmoid(x)) / levels; the product after the quotient, as the golden vector at a boundary has it. */
export const staircase = (x: number, levels: number): number => Math.floor(levels * (1 / (1 + Math.exp(-x)))) / levels

/** (W_v h + b) * sigmoid(keys[k]), k the slot whose key has the largest product with h, the first one on ties. */
export const argmaxAttention = (keys: Float64Array, valueWeights: Float64Array, valueBias: Float64Array, h: Float64Array): Float64Array => {
  const slots = keys.length / h.length
  const chosen = argmax(linear(keys, new Float64Array(slots), h))
  return linear(valueWeights, valueBias, h).map((v, i) => v / (1 + Math.exp(-(keys[chosen * h.length + i] as number))))
}

/** Weights of Linear - ReLU - Linear. */
export interface Expert {
  readonly weights: readonly [Float64Array, Float64Array]
  readonly biases: readonly [Float64Array, Float64Array]
}

/** The output of the expert with the largest gate score, the first one on ties. */
export const hardMixture = (gateWeights: Float64Array, gateBias: Float64Array, experts: readonly Expert[], h: Float64Array): Float64Array => {
  const { weights, biases } = experts[argmax(linear(gateWeights, gateBias, h))] as Expert
  return linear(
    weights[1],
    biases[1],
    linear(weights[0], biases[0], h).map((x) => Math.max(0, x)),
  )
}
