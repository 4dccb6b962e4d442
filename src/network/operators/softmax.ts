// softmax over the last axis, in float32 and only to be read by people: engines are compared at its input (docs/arithmetic.md).

import { invalidNetwork } from '../../errors.js'
import { softmaxFloat32 } from '../arithmetic.js'
import { neverOverlaps, noMacs, type Operator, whereOf } from '../operator.js'
import { channelScale, type ElementArray, elementCount, isQuantized, type NodeBase } from '../types.js'

export interface SoftmaxNode extends NodeBase<'softmax'> {}

const softmaxRow = (data: ElementArray, start: number, count: number): Float32Array => {
  const row = Array.from(data.subarray(start, start + count) as ArrayLike<number>)
  const largest = Math.max(...row)
  const exponentials = row.map((x) => Math.exp(x - largest))
  const sum = exponentials.reduce((a, b) => a + b, 0)
  return Float32Array.from(exponentials, (e) => e / sum)
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
  checkTypes: (node, { inputs: [input], output }, stage) => {
    if (output.kind !== 'float32') throw invalidNetwork(whereOf(node), `the output is ${output.kind}, expected float32`)
    const fits = stage === 'float' ? input?.kind === 'float32' : input?.kind === 'int8' || input?.kind === 'int32'
    if (!fits || (input !== undefined && isQuantized(input) && input.channelAxis !== null)) {
      throw invalidNetwork(whereOf(node), `the input is ${input?.kind}, expected ${stage === 'float' ? 'float32' : 'int8 or int32 with one scale'}`)
    }
  },
  evaluate: (_, [data], { inputs: [input] }) => {
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
