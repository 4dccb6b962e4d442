// What averagePool, maxPool, sumPool and the global forms share: window geometry, type rules and the walk over valid taps.

import { accumulatorOverflow, invalidNetwork } from '../../errors.js'
import { decode, packSigns } from '../accumulate.js'
import { averageScale, requantize } from '../arithmetic.js'
import { averageFixed } from '../arithmetic-tflite.js'
import { checkFactors } from '../emission.js'
import { checkInputKind, checkSumInput, type NodeTypes, type Operator, rowOverlap, whereOf } from '../operator.js'
import {
  allocate,
  channelScale,
  type ElementArray,
  elementCount,
  hasEqualQuantization,
  isQuantized,
  type NodeBase,
  type Shape,
  type ValueType,
} from '../types.js'
import { asImage, checkCounts, type Geometry, geometry, type Padding, type Pair, windowOutputShape } from '../window.js'

/** Attributes of a pool with a window; a signal [steps, channels] is an image of height 1. Padding is left out of the count. */
export interface PoolBase<Kind extends string> extends NodeBase<Kind> {
  readonly kernel: Pair
  readonly stride: Pair
  readonly padding: Padding
}

/** The geometry of a pool over an input shape. */
export const poolGeometry = (node: PoolBase<string>, input: Shape): Geometry =>
  geometry(input, node.kernel, { stride: node.stride, dilation: [1, 1], padding: node.padding }, input.at(-1) ?? 0, whereOf(node))

/** The geometry of a global pool: one window over the whole image. */
export const globalGeometry = (node: NodeBase<string>, input: Shape): Geometry => {
  const [height, width, channels] = asImage(input, whereOf(node))
  return geometry(input, [height, width], { stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] }, channels, whereOf(node))
}

type Finish = (best: number, count: number) => number
type Reduction = { readonly start: number; readonly step: (sum: number, x: number) => number }

const walk = (data: ElementArray, g: Geometry, { start, step }: Reduction, finish: Finish, out: ElementArray): ElementArray => {
  let at = 0
  for (let y = 0; y < g.outputHeight; y++) {
    for (let x = 0; x < g.outputWidth; x++) {
      for (let c = 0; c < g.outputChannels; c++) {
        let value = start
        let count = 0
        for (let ky = 0; ky < g.kernelHeight; ky++) {
          const iy = y * g.strideY - g.padTop + ky
          if (iy < 0 || iy >= g.inputHeight) continue
          for (let kx = 0; kx < g.kernelWidth; kx++) {
            const ix = x * g.strideX - g.padLeft + kx
            if (ix < 0 || ix >= g.inputWidth) continue
            value = step(value, data[(iy * g.inputWidth + ix) * g.inputChannels + c] as number)
            count++
          }
        }
        out[at++] = finish(value, count)
      }
    }
  }
  return out
}

const LARGEST: Reduction = { start: -Infinity, step: Math.max }

/** The largest of +1 and -1 is the or of their bits. */
const evaluateMax = (data: ElementArray, g: Geometry, { inputs: [input], output }: NodeTypes): ElementArray => {
  if (input?.kind !== 'binary') return walk(data, g, LARGEST, (best) => best, allocate(output))
  const signs = Float32Array.from(decode(data, input))
  return packSigns(walk(signs, g, LARGEST, (best) => best, new Float32Array(elementCount(output.shape))))
}

const SUM: Reduction = { start: 0, step: (a, x) => a + x }

const evaluateAverage = (data: ElementArray, g: Geometry, { inputs: [input], output, rounding }: NodeTypes): ElementArray => {
  const out = allocate(output)
  if (input === undefined || !isQuantized(input) || !isQuantized(output)) return walk(data, g, SUM, (total, count) => total / count, out)
  if (rounding === 'tflite') return walk(data, g, SUM, averageFixed, out)
  const finish: Finish = (total, count) =>
    requantize(total - count * input.zeroPoint, averageScale(channelScale(input, 0), channelScale(output, 0), count), output.zeroPoint, -128, 127)
  return walk(data, g, SUM, finish, out)
}

const evaluateSum = (data: ElementArray, g: Geometry, { output }: NodeTypes): ElementArray => walk(data, g, SUM, (total) => total, allocate(output))

/** Refuses an average whose sum could leave int32, or whose factor is not finite (it is largest over one tap); rounding 'tflite' scales nothing. */
const checkAverage = ({ inputs: [input], output, rounding }: NodeTypes, g: Geometry, node: NodeBase<string>): void => {
  if (input === undefined || !isQuantized(input) || !isQuantized(output)) return
  const taps = Math.min(g.kernelHeight, g.inputHeight) * Math.min(g.kernelWidth, g.inputWidth)
  if (taps * 255 >= 2 ** 31) throw accumulatorOverflow(node.name, 0, taps * 255)
  if (rounding === 'tflite') checkEqualQuantization(input, output, node)
  else checkFactors([averageScale(channelScale(input, 0), channelScale(output, 0), 1)], whereOf(node))
}

const checkEqualQuantization = (input: ValueType, output: ValueType, node: NodeBase<string>): void => {
  if (!hasEqualQuantization(input, output)) throw invalidNetwork(whereOf(node), 'input and output must have one scale and zero point')
}

/** Levels give levels: as many as a whole window of the highest stair. */
const checkSum = ({ inputs: [input], output }: NodeTypes, g: Geometry, node: NodeBase<string>): void => {
  if (input?.kind === 'float32') return
  if (input?.kind !== 'level' || output.kind !== 'level') throw invalidNetwork(whereOf(node), `sums levels, the input is ${input?.kind}`)
  const levels = input.levels * g.kernelHeight * g.kernelWidth
  if (output.levels !== levels) throw invalidNetwork(whereOf(node), `sums reach ${levels}, the output has levels 0..${output.levels}`)
}

const checkMaxTypes = ({ inputs: [input], output }: NodeTypes, _: Geometry, node: NodeBase<string>): void => {
  if (input !== undefined) checkEqualQuantization(input, output, node)
}

const REDUCE = {
  max: { evaluate: evaluateMax, checkInput: checkSumInput, check: checkMaxTypes, costsMacs: false },
  average: { evaluate: evaluateAverage, checkInput: checkInputKind, check: checkAverage, costsMacs: true },
  sum: { evaluate: evaluateSum, checkInput: checkSumInput, check: checkSum, costsMacs: true },
} as const

interface Variant<N extends NodeBase<string>> {
  readonly kind: N['kind']
  readonly reduce: keyof typeof REDUCE
  readonly checkAttributes: (node: N) => void
  readonly geometry: (node: N, input: Shape) => Geometry
  readonly outputShape: (input: Shape, g: Geometry) => Shape
}

/** Builds a pooling operator from what is special about it. */
export const pool = <N extends NodeBase<string>>(variant: Variant<N>): Operator<N> => {
  const { evaluate, checkInput, check, costsMacs } = REDUCE[variant.reduce]
  return {
    kind: variant.kind,
    inputs: 1,
    stages: ['float', 'integer'],
    checkAttributes: variant.checkAttributes,
    outputShape: (node, [input]) => variant.outputShape(input ?? [], variant.geometry(node, input ?? [])),
    checkTypes: (node, types, stage) => {
      const {
        inputs: [input],
        output,
      } = types
      if (input === undefined) return
      checkInput(input, stage, whereOf(node))
      if (output.kind !== input.kind) throw invalidNetwork(whereOf(node), `the output is ${output.kind}, expected ${input.kind}`)
      check(types, variant.geometry(node, input.shape), node)
    },
    evaluate: (node, [data], types) => evaluate(data as ElementArray, variant.geometry(node, types.inputs[0]?.shape ?? []), types),
    macs: (node, { inputs: [input], output }) => {
      const g = variant.geometry(node, input?.shape ?? [])
      return costsMacs ? elementCount(output.shape) * g.kernelHeight * g.kernelWidth : 0
    },
    overlap: (node, types) => [rowOverlap(variant.geometry(node, types.inputs[0]?.shape ?? []), types)],
  }
}

/** A pool over a sliding window. */
export const windowPool = <N extends PoolBase<string>>(kind: N['kind'], reduce: keyof typeof REDUCE): Operator<N> =>
  pool<N>({
    kind,
    reduce,
    checkAttributes: (node) => {
      checkCounts(node.kernel, 2, 1, 'kernel', whereOf(node))
      checkCounts(node.stride, 2, 1, 'stride', whereOf(node))
      checkCounts(node.padding, 4, 0, 'padding', whereOf(node))
    },
    geometry: poolGeometry,
    outputShape: windowOutputShape,
  })

/** A pool over the whole image: [height, width, channels] -> [channels]. */
export const globalPool = <N extends NodeBase<string>>(kind: N['kind'], reduce: keyof typeof REDUCE): Operator<N> =>
  pool<N>({ kind, reduce, checkAttributes: () => {}, geometry: globalGeometry, outputShape: (_, g) => [g.outputChannels] })
