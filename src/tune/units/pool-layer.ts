// Pools within the incremental engine: only windows that hold a changed element are looked at, by the laws of src/network/operators/pool.ts.

import { averageScale, requantize } from '../../network/arithmetic.js'
import { typeOf } from '../../network/graph.js'
import type { Node } from '../../network/operators/index.js'
import { channelScale, type Network, type QuantizedType } from '../../network/types.js'
import type { Geometry } from '../../network/window.js'
import { type Delta, pushDelta } from './delta.js'
import type { CompiledNode, Values } from './engine.js'
import { windowTable } from './taps.js'

/** Which pixels a window holds, and which windows hold a pixel. */
interface Windows {
  readonly count: number
  readonly channels: number
  readonly taps: number
  /** first element of the pixel, -1 in the padding */
  readonly pixelOf: Int32Array // [count, taps]
  /** by pixel */
  readonly windowsOf: readonly Int32Array[]
}

const windowsOf = (g: Geometry): Windows => {
  const taps = g.kernelHeight * g.kernelWidth
  const pixelOf = windowTable(g, 1)
  const lists: number[][] = Array.from({ length: g.inputHeight * g.inputWidth }, () => [])
  pixelOf.forEach((element, at) => {
    if (element >= 0) lists[element / g.inputChannels]?.push(Math.floor(at / taps))
  })
  return { count: g.outputHeight * g.outputWidth, channels: g.outputChannels, taps, pixelOf, windowsOf: lists.map((list) => Int32Array.from(list)) }
}

/** A list of outputs that does not repeat itself within a probe. */
const touchList = (length: number) => {
  const stamps = new Int32Array(length).fill(-1)
  const indices = new Int32Array(length)
  let probe = 0
  const list = {
    count: 0,
    indices,
    restart: (): void => {
      probe = (probe + 1) | 0
      list.count = 0
    },
    add: (index: number): void => {
      if (stamps[index] === probe) return
      stamps[index] = probe
      indices[list.count++] = index
    },
  }
  return list
}

/** Adds `visit(output, element index)` for every window and changed element. */
const visitWindows = ({ channels, windowsOf: lists }: Windows, changed: Delta, visit: (output: number, k: number) => void): void => {
  for (let k = 0; k < changed.count; k++) {
    const element = changed.indices[k] as number
    const channel = element % channels
    for (const window of lists[(element - channel) / channels] as Int32Array) visit(window * channels + channel, k)
  }
}

/** Averages: sums of the cached pass, moved by the differences. */
export const averageLayer = (network: Network<'integer'>, node: Node, g: Geometry, values: Values): CompiledNode => {
  const windows = windowsOf(g)
  const { count, channels, taps, pixelOf } = windows
  const source = node.inputs[0] as number
  const [inputType, outputType] = [source, node.output].map((value) => typeOf(network, value)) as [QuantizedType, QuantizedType]
  const [input, output] = [source, node.output].map((value) => values.elements[value]) as [Int32Array, Int32Array]
  const [changed, result] = [source, node.output].map((value) => values.deltas[value]) as [Delta, Delta]
  const valid = Int32Array.from({ length: count }, (_, w) => pixelOf.subarray(w * taps, (w + 1) * taps).filter((element) => element >= 0).length)
  const scales = Float64Array.from(valid, (n) => averageScale(channelScale(inputType, 0), channelScale(outputType, 0), n))
  const sums = new Int32Array(count * channels)
  const moved = new Int32Array(count * channels)
  const touched = touchList(count * channels)

  const emit = (at: number, sum: number): number => {
    const window = Math.floor(at / channels)
    return requantize(sum - (valid[window] as number) * inputType.zeroPoint, scales[window] as number, outputType.zeroPoint, -128, 127)
  }

  const sumOf = (window: number, channel: number): number => {
    let sum = 0
    for (let tap = 0; tap < taps; tap++) {
      const element = pixelOf[window * taps + tap] as number
      if (element >= 0) sum += input[element + channel] as number
    }
    return sum
  }

  return {
    inputs: node.inputs,
    output: node.output,
    forward: () => {
      for (let at = 0; at < sums.length; at++) {
        const sum = sumOf(Math.floor(at / channels), at % channels)
        sums[at] = sum
        output[at] = emit(at, sum)
      }
      moved.set(sums)
    },
    propagate: () => {
      touched.restart()
      visitWindows(windows, changed, (at, k) => {
        touched.add(at)
        moved[at] = (moved[at] as number) + (changed.elements[k] as number) - (input[changed.indices[k] as number] as number)
      })
      for (let k = 0; k < touched.count; k++) {
        const at = touched.indices[k] as number
        const element = emit(at, moved[at] as number)
        if (element !== output[at]) pushDelta(result, at, element)
        moved[at] = sums[at] as number
      }
    },
  }
}

/** Maxima: windows of changed elements are searched again. */
export const maxLayer = (_: Network<'integer'>, node: Node, g: Geometry, values: Values): CompiledNode => {
  const windows = windowsOf(g)
  const { count, channels, taps, pixelOf } = windows
  const source = node.inputs[0] as number
  const [input, output] = [source, node.output].map((value) => values.elements[value]) as [Int32Array, Int32Array]
  const [changed, result] = [source, node.output].map((value) => values.deltas[value]) as [Delta, Delta]
  const current = new Int32Array(input.length)
  const touched = touchList(count * channels)

  const largest = (at: number): number => {
    const channel = at % channels
    const first = Math.floor(at / channels) * taps
    let best = Number.NEGATIVE_INFINITY
    for (let tap = 0; tap < taps; tap++) {
      const element = pixelOf[first + tap] as number
      if (element >= 0 && (current[element + channel] as number) > best) best = current[element + channel] as number
    }
    return best
  }

  return {
    inputs: node.inputs,
    output: node.output,
    forward: () => {
      current.set(input)
      for (let at = 0; at < output.length; at++) output[at] = largest(at)
    },
    propagate: () => {
      touched.restart()
      visitWindows(windows, changed, (at, k) => {
        touched.add(at)
        current[changed.indices[k] as number] = changed.elements[k] as number
      })
      for (let k = 0; k < touched.count; k++) {
        const at = touched.indices[k] as number
        const element = largest(at)
        if (element !== output[at]) pushDelta(result, at, element)
      }
      for (let k = 0; k < changed.count; k++) current[changed.indices[k] as number] = input[changed.indices[k] as number] as number
    },
  }
}
