// concat: joins values along one axis; moves bytes, so all share one quantization.

import { invalidNetwork } from '../../errors.js'
import { neverOverlaps, noMacs, type Operator, whereOf } from '../operator.js'
import { allocate, hasEqualQuantization, type NodeBase, type Shape } from '../types.js'

export interface ConcatNode extends NodeBase<'concat'> {
  /** 0..rank - 1, without the batch axis */
  readonly axis: number
}

/** Elements of one input that lie together: the product of its dimensions from the axis on. */
export const concatChunk = (shape: Shape, axis: number): number => shape.slice(axis).reduce((a, b) => a * b, 1)

export const concat: Operator<ConcatNode> = {
  kind: 'concat',
  inputs: 'many',
  stages: ['float', 'integer'],
  checkAttributes: (node) => {
    if (!Number.isInteger(node.axis) || node.axis < 0) throw invalidNetwork(whereOf(node), `axis ${node.axis} is not an integer from 0`)
  },
  outputShape: (node, inputs) => {
    const [first] = inputs
    if (first === undefined || node.axis >= first.length) throw invalidNetwork(whereOf(node), `axis ${node.axis} is outside [${first?.join(',')}]`)
    for (const shape of inputs) {
      if (shape.length !== first.length || shape.some((size, i) => i !== node.axis && size !== first[i])) {
        throw invalidNetwork(whereOf(node), `[${shape.join(',')}] and [${first.join(',')}] differ outside axis ${node.axis}`)
      }
    }
    return first.map((size, i) => (i === node.axis ? inputs.reduce((sum, shape) => sum + (shape[i] as number), 0) : size))
  },
  checkTypes: (node, { inputs, output }) => {
    if (!inputs.every((input) => input.kind !== 'binary' && hasEqualQuantization(input, output))) {
      throw invalidNetwork(whereOf(node), 'inputs and output must have one scale and zero point')
    }
  },
  evaluate: (node, inputs, { inputs: types, output }) => {
    const out = allocate(output)
    const total = concatChunk(output.shape, node.axis)
    let offset = 0
    inputs.forEach((data, k) => {
      const chunk = concatChunk(types[k]?.shape ?? [], node.axis)
      for (let at = 0; at * chunk < data.length; at++) out.set(data.subarray(at * chunk, (at + 1) * chunk) as never, at * total + offset)
      offset += chunk
    })
    return out
  },
  macs: noMacs,
  overlap: neverOverlaps,
}
