// softmax over the last axis (docs/arithmetic.md). Rounding 'single': in float32 and only to be read by people, engines are compared at its input;
// rounding 'tflite': int8 in and out, exact like every other layer.

import { invalidNetwork } from '../../errors.js'
import { softmaxFloat32 } from '../arithmetic.js'
import { softmaxFactor, softmaxFixed, softmaxScale } from '../arithmetic-tflite.js'
import { type NodeTypes, neverOverlaps, noMacs, type Operator, whereOf } from '../operator.js'
import { channelScale, describeType, type ElementArray, elementCount, isQuantized, type NodeBase, type ValueType } from '../types.js'

export interface SoftmaxNode extends NodeBase<'softmax'> {}

const softmaxRow = (data: ElementArray, start: number, count: number): Float32Array => {
  const row = Array.from(data.subarray(start, start + count) as ArrayLike<number>)
  const largest = Math.max(...row)
  const exponentials = row.map((x) => Math.exp(x - largest))
  const sum = exponentials.reduce((a, b) => a + b, 0)
  return Float32Array.from(exponentials, (e) => e / sum)
}

/** The most scores of a row whose sum of exponentials fits rounding 'tflite'. */
const MAX_FIXED_SCORES = 4095

const isFixedOutput = (type: ValueType): boolean => type.kind === 'int8' && type.zeroPoint === -128 && channelScale(type, 0) === 1 / 256

/** Refuses types that rounding 'tflite' does not define. */
const checkFixedTypes = (node: SoftmaxNode, { inputs: [input], output }: NodeTypes): void => {
  if (input?.kind !== 'int8') throw invalidNetwork(whereOf(node), `the input is ${input?.kind}, rounding "tflite" takes int8`)
  if (!isFixedOutput(output))
    throw invalidNetwork(whereOf(node), `the output is ${describeType(output)}, rounding "tflite" gives int8 with scale 1/256 and zero point -128`)
  if (!(softmaxFactor(channelScale(input, 0)) > 1))
    throw invalidNetwork(whereOf(node), `the input's scale ${channelScale(input, 0)} is too small, rounding "tflite" takes more than 2^-26`)
  if ((input.shape.at(-1) ?? 1) > MAX_FIXED_SCORES)
    throw invalidNetwork(whereOf(node), `${input.shape.at(-1)} scores in a row, rounding "tflite" sums at most ${MAX_FIXED_SCORES}`)
}

const evaluateFixed = (data: ElementArray, input: ValueType): Int8Array => {
  const scale = softmaxScale(isQuantized(input) ? channelScale(input, 0) : Number.NaN)
  const count = input.shape.at(-1) ?? 1
  const out = new Int8Array(data.length)
  for (let start = 0; start < out.length; start += count) out.set(softmaxFixed(data, start, count, scale), start)
  return out
}

export const softmax: Operator<SoftmaxNode> = {
  kind: 'softmax',
  inputs: 1,
  stages: ['float', 'integer'],
  checkAttributes: () => {},
  outputShape: (node, [input]) => {
    if (input === undefined || input.length === 0) throw invalidNetwork(whereOf(node), 'needs an axis to sum over')
    return input
  },
  checkTypes: (node, types, stage) => {
    const {
      inputs: [input],
      output,
    } = types
    if (stage === 'integer' && types.rounding === 'tflite') return checkFixedTypes(node, types)
    if (output.kind !== 'float32') throw invalidNetwork(whereOf(node), `the output is ${output.kind}, expected float32`)
    const fits = stage === 'float' ? input?.kind === 'float32' : input?.kind === 'int8' || input?.kind === 'int32'
    if (!fits || (input !== undefined && isQuantized(input) && input.channelAxis !== null)) {
      throw invalidNetwork(whereOf(node), `the input is ${input?.kind}, expected ${stage === 'float' ? 'float32' : 'int8 or int32 with one scale'}`)
    }
  },
  evaluate: (_, [data], { inputs: [input], output }) => {
    if (output.kind === 'int8') return evaluateFixed(data as ElementArray, input ?? output)
    const values = data as ElementArray
    const count = input?.shape.at(-1) ?? 1
    const out = new Float32Array(elementCount(input?.shape ?? []))
    for (let start = 0; start < out.length; start += count) {
      out.set(
        input !== undefined && isQuantized(input) ? softmaxFloat32(values, start, count, channelScale(input, 0)) : softmaxRow(values, start, count),
        start,
      )
    }
    return out
  },
  macs: noMacs,
  overlap: neverOverlaps,
}
