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
  const bias = Int32Array.from(node.bias?.data ?? row)
  const usedTap = new Int32Array(taps.taps)
  const usedInput = new Int32Array(taps.taps)
  const touchedAt = new Int32Array(positions).fill(-1)
  const touched = new Int32Array(positions)
  const low = new Int32Array(positions * channels)
  const high = new Int32Array(positions * channels)
  let hasRanges = false
  let probe = 0

  const addTap = (target: Int32Array, position: number, tap: number, x: number): void => {
    const to = position * channels
    const from = tap * channels
    for (let c = 0; c < channels; c++) target[to + c] = ((target[to + c] as number) + Math.imul(weights[from + c] as number, x)) | 0
  }

  const addDepthwiseTap = (target: Int32Array, position: number, tap: number, element: number): void => {
    const to = position * channels
    const from = tap * channels
    for (let c = 0; c < channels; c++) {
      const x = (input[element + Math.floor(c / multiplier)] as number) - zeroPoint
      target[to + c] = ((target[to + c] as number) + (weights[from + c] as number) * x) | 0
    }
  }

  /** Four taps at a time, so that a sum is read and written once for them. */
  const addFourTaps = (to: number, k: number): void => {
    const a = (usedTap[k] as number) * channels
    const b = (usedTap[k + 1] as number) * channels
    const c = (usedTap[k + 2] as number) * channels
    const d = (usedTap[k + 3] as number) * channels
    const x = usedInput[k] as number
    const y = usedInput[k + 1] as number
    const z = usedInput[k + 2] as number
    const w = usedInput[k + 3] as number
    for (let i = 0; i < channels; i++) {
      const first = Math.imul(weights[a + i] as number, x) + Math.imul(weights[b + i] as number, y)
      const second = Math.imul(weights[c + i] as number, z) + Math.imul(weights[d + i] as number, w)
      sums[to + i] = ((sums[to + i] as number) + first + second) | 0
    }
  }

  /** Adds the taps of a position whose input is not zero. */
  const addPosition = (position: number): void => {
    let used = 0
    const first = position * taps.taps
    for (let tap = 0; tap < taps.taps; tap++) {
      const element = inputOf[first + tap] as number
      const x = element < 0 ? 0 : (input[element] as number) - zeroPoint
      if (x === 0) continue
      usedTap[used] = tap
      usedInput[used++] = x
    }
    let k = 0
    for (; k + 4 <= used; k += 4) addFourTaps(position * channels, k)
    for (; k < used; k++) addTap(sums, position, usedTap[k] as number, usedInput[k] as number)
  }

  const addDepthwisePosition = (position: number): void => {
    for (let tap = 0; tap < taps.taps; tap++) {
      const element = inputOf[position * taps.taps + tap] as number
      if (element >= 0) addDepthwiseTap(sums, position, tap, element)
    }
  }

  const accumulate = multiplier > 0 ? addDepthwisePosition : addPosition

  const forward = (): void => {
    for (let position = 0; position < positions; position++) {
      sums.set(bias, position * channels)
      accumulate(position)
      emitter.row(sums, position * channels, row)
      output.set(row, position * channels)
    }
    moved.set(sums)
    hasRanges = false
  }

  /** Ranges of the sums that keep their outputs, made when a sample's first change arrives: most need no emission at all. */
  const refreshRanges = (): void => {
    if (hasRanges) return
    emitter.ranges(sums, output, low, high)
    hasRanges = true
  }

  /** Appends the output of a sum where it differs. */
  const emitMoved = (at: number, sum: number, channel: number): void => {
    if (sum >= (low[at] as number) && sum <= (high[at] as number)) return
    const element = emitter.one(sum, channel)
    if (element !== output[at]) pushDelta(result, at, element)
  }

  /** Compares the moved sums of a position with the cached outputs, then brings them back. */
  const settle = (position: number): void => {
    const from = position * channels
    for (let c = 0; c < channels; c++) {
      const at = from + c
      emitMoved(at, moved[at] as number, c)
      moved[at] = sums[at] as number
    }
  }

  /** A single changed element reaches a position by one tap: its sums are compared at once. Returns the multiply-accumulates. */
  const propagateOne = (element: number, difference: number): number => {
    const end = starts[element + 1] as number
    for (let k = starts[element] as number; k < end; k++) {
      const at = readers[k] as number
      const position = positions === 1 ? 0 : Math.floor(at / taps.taps)
      const from = (at - position * taps.taps) * channels
      const to = position * channels
      for (let c = 0; c < channels; c++) {
        const sum = ((sums[to + c] as number) + Math.imul(weights[from + c] as number, difference)) | 0
        if (sum < (low[to + c] as number) || sum > (high[to + c] as number)) emitMoved(to + c, sum, c)
      }
    }
    return (end - (starts[element] as number)) * channels
  }

  const touch = (position: number): void => {
    if (touchedAt[position] === probe) return
    touchedAt[position] = probe
    touched[touchedCount++] = position
  }

  const addReaders = (element: number, difference: number): number => {
    const end = starts[element + 1] as number
    for (let k = starts[element] as number; k < end; k++) {
      const at = readers[k] as number
      const position = positions === 1 ? 0 : Math.floor(at / taps.taps)
      touch(position)
      addTap(moved, position, at - position * taps.taps, difference)
    }
    return (end - (starts[element] as number)) * channels
  }

  /** Depthwise: an element of channel c reaches the channels c * multiplier and following. */
  const addDepthwiseReaders = (element: number, difference: number): number => {
    const channel = element % (channels / multiplier)
    const pixel = element - channel
    const end = starts[pixel + 1] as number
    for (let k = starts[pixel] as number; k < end; k++) {
      const at = readers[k] as number
      const position = Math.floor(at / taps.taps)
      const from = (at - position * taps.taps) * channels
      touch(position)
      for (let c = channel * multiplier; c < (channel + 1) * multiplier; c++) {
        const to = position * channels + c
        moved[to] = ((moved[to] as number) + (weights[from + c] as number) * difference) | 0
      }
    }
    return (end - (starts[pixel] as number)) * multiplier
  }

  const addChanged = multiplier > 0 ? addDepthwiseReaders : addReaders
  const differenceAt = (k: number): number => (changed.elements[k] as number) - (input[changed.indices[k] as number] as number)

  let touchedCount = 0
  const propagate = (): void => {
    refreshRanges()
    if (changed.count === 1 && multiplier === 0) {
      values.counters.macs += propagateOne(changed.indices[0] as number, differenceAt(0))
      return
    }
    probe = (probe + 1) | 0
    touchedCount = 0
    for (let k = 0; k < changed.count; k++) values.counters.macs += addChanged(changed.indices[k] as number, differenceAt(k))
    for (let k = 0; k < touchedCount; k++) settle(touched[k] as number)
  }

  const shiftSum = (at: number, shift: number): void => {
    const sum = (sums[at] as number) + shift
    if (hasRanges && sum >= (low[at] as number) && sum <= (high[at] as number)) return
    const element = emitter.one(sum, at % channels)
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
