// A dense layer or convolution within the incremental engine: its sums of the cached pass, what changed inputs do to them, and what a shift of
// one sum or a move of one weight does to its output. All sums are int32, so every path gives the same integers as a full evaluation.

import type { Emission } from '../../network/emission.js'
import { typeOf } from '../../network/graph.js'
import type { Network, QuantizedType } from '../../network/types.js'
import type { WeightedNode } from '../parameters.js'
import { type Delta, pushDelta } from './delta.js'
import { emitterOf } from './emitter.js'
import type { CompiledNode, Values } from './engine.js'
import type { Taps } from './taps.js'

/** A node whose weights and biases can be probed. */
export interface LinearLayer extends CompiledNode {
  readonly taps: Taps
  /** Sum `at` (position * channels + channel) moves by `shift`: the output's changes. */
  readonly shiftSum: (at: number, shift: number) => void
  /** One weight (tap, channel), or the bias (tap = taps), moves by `change` levels: the output's changes. */
  readonly moveWeight: (tap: number, channel: number, change: number) => void
  /** Input element minus zero point that a tap of a channel reads at a position; 0 in the padding. */
  readonly inputAt: (position: number, tap: number, channel: number) => number
}

export type LinearNode = WeightedNode & { readonly emission: Emission }

/** Compiles a layer over the engine's arrays. */
export const linearLayer = (network: Network<'integer'>, node: LinearNode, taps: Taps, values: Values): LinearLayer => {
  const { positions, channels, inputOf, multiplier, starts, readers } = taps
  const source = node.inputs[0] as number
  const inputType = typeOf(network, source) as QuantizedType
  const { zeroPoint } = inputType
  const weights = taps.arrange(node.weights.data)
  const emitter = emitterOf(node.name, node.emission, {
    input: inputType,
    weights: node.weights.type as QuantizedType,
    output: typeOf(network, node.output),
    channels,
  })
  const input = values.elements[source] as Int32Array
  const output = values.elements[node.output] as Int32Array
  const changed = values.deltas[source] as Delta
  const result = values.deltas[node.output] as Delta
  const sums = new Int32Array(positions * channels)
  const moved = new Int32Array(positions * channels)
  const row = new Int32Array(channels)
  const touchedAt = new Int32Array(positions).fill(-1)
  const touched = new Int32Array(positions)
  let probe = 0

  const addTap = (target: Int32Array, position: number, tap: number, x: number): void => {
    const to = position * channels
    const from = tap * channels
    for (let c = 0; c < channels; c++) target[to + c] = ((target[to + c] as number) + (weights[from + c] as number) * x) | 0
  }

  const addDepthwiseTap = (target: Int32Array, position: number, tap: number, element: number): void => {
    const to = position * channels
    const from = tap * channels
    for (let c = 0; c < channels; c++) {
      const x = (input[element + Math.floor(c / multiplier)] as number) - zeroPoint
      target[to + c] = ((target[to + c] as number) + (weights[from + c] as number) * x) | 0
    }
  }

  const accumulate = (): void => {
    for (let position = 0; position < positions; position++) {
      const to = position * channels
      for (let c = 0; c < channels; c++) sums[to + c] = (node.bias?.data[c] as number | undefined) ?? 0
      for (let tap = 0; tap < taps.taps; tap++) {
        const element = inputOf[position * taps.taps + tap] as number
        if (element < 0) continue
        if (multiplier > 0) addDepthwiseTap(sums, position, tap, element)
        else {
          const x = (input[element] as number) - zeroPoint
          if (x !== 0) addTap(sums, position, tap, x)
        }
      }
    }
  }

  const forward = (): void => {
    accumulate()
    for (let position = 0; position < positions; position++) {
      emitter.row(sums, position * channels, row)
      output.set(row, position * channels)
    }
    moved.set(sums)
  }

  /** Compares the moved sums of a position with the cached outputs, then brings them back. */
  const settle = (position: number): void => {
    const from = position * channels
    emitter.row(moved, from, row)
    for (let c = 0; c < channels; c++) {
      const at = from + c
      if (row[c] !== output[at]) pushDelta(result, at, row[c] as number)
      moved[at] = sums[at] as number
    }
  }

  const addReaders = (element: number, difference: number): number => {
    const isDepthwise = multiplier > 0
    const channel = isDepthwise ? element % (channels / multiplier) : 0
    const pixel = element - channel
    let count = 0
    for (let k = starts[pixel] as number; k < (starts[pixel + 1] as number); k++) {
      const at = readers[k] as number
      const position = Math.floor(at / taps.taps)
      if (touchedAt[position] !== probe) {
        touchedAt[position] = probe
        touched[touchedCount++] = position
      }
      if (!isDepthwise) addTap(moved, position, at % taps.taps, difference)
      else {
        for (let c = channel * multiplier; c < (channel + 1) * multiplier; c++) {
          const to = position * channels + c
          moved[to] = ((moved[to] as number) + (weights[(at % taps.taps) * channels + c] as number) * difference) | 0
        }
      }
      count += isDepthwise ? multiplier : channels
    }
    return count
  }

  let touchedCount = 0
  const propagate = (): void => {
    probe = (probe + 1) | 0
    touchedCount = 0
    for (let k = 0; k < changed.count; k++) {
      const element = changed.indices[k] as number
      values.counters.macs += addReaders(element, (changed.elements[k] as number) - (input[element] as number))
    }
    for (let k = 0; k < touchedCount; k++) settle(touched[k] as number)
  }

  const shiftSum = (at: number, shift: number): void => {
    const element = emitter.one((sums[at] as number) + shift, at % channels)
    if (element !== output[at]) pushDelta(result, at, element)
  }

  const inputAt = (position: number, tap: number, channel: number): number => {
    const element = inputOf[position * taps.taps + tap] as number
    if (element < 0) return 0
    return (input[multiplier > 0 ? element + Math.floor(channel / multiplier) : element] as number) - zeroPoint
  }

  const moveWeight = (tap: number, channel: number, change: number): void => {
    for (let position = 0; position < positions; position++) {
      const shift = tap === taps.taps ? change : change * inputAt(position, tap, channel)
      if (shift !== 0) shiftSum(position * channels + channel, shift)
    }
  }

  return { inputs: node.inputs, output: node.output, forward, propagate, taps, shiftSum, moveWeight, inputAt }
}
