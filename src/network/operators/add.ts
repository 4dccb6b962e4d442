// add: elementwise sum of two values of one shape, then an emission (a residual connection; docs/arithmetic.md, residual add).

import { invalidNetwork } from '../../errors.js'
import { addRequantize } from '../arithmetic.js'
import { checkEmission, checkFactors, type Emission, emit } from '../emission.js'
import { checkInputKind, type Operator, oneMacAnElement, overlapsElementwise, whereOf } from '../operator.js'
import { allocate, channelScale, type ElementArray, isQuantized, type NodeBase, type QuantizedType } from '../types.js'

export interface AddNode extends NodeBase<'add'> {
  /** clamp in the float stage, requantize in the integer stage */
  readonly emission: Emission
}

/** ra or rb: fl32(input scale / output scale). */
export const addScale = (input: QuantizedType, output: QuantizedType): number => Math.fround(channelScale(input, 0) / channelScale(output, 0))

export const add: Operator<AddNode> = {
  kind: 'add',
  inputs: 2,
  stages: ['float', 'integer'],
  checkAttributes: () => {},
  outputShape: (node, [a, b]) => {
    if (a === undefined || b === undefined || a.length !== b.length || a.some((size, i) => size !== b[i])) {
      throw invalidNetwork(whereOf(node), `the inputs have shapes [${a?.join(',')}] and [${b?.join(',')}], they must be equal`)
    }
    return a
  },
  checkTypes: (node, { inputs, output }, stage) => {
    for (const input of inputs) checkInputKind(input, stage, whereOf(node))
    checkEmission(node.emission, output, stage, whereOf(node))
    if (node.emission.kind === 'none') throw invalidNetwork(whereOf(node), 'an add needs a requantize emission')
    if (isQuantized(output))
      checkFactors(
        inputs.flatMap((input) => (isQuantized(input) ? [addScale(input, output)] : [])),
        whereOf(node),
      )
  },
  evaluate: (node, [a, b], { inputs: [typeA, typeB], output }) => {
    const [left, right] = [a as ElementArray, b as ElementArray]
    if (
      node.emission.kind !== 'requantize' ||
      typeA === undefined ||
      typeB === undefined ||
      !isQuantized(typeA) ||
      !isQuantized(typeB) ||
      !isQuantized(output)
    ) {
      const sums = Float64Array.from(left as ArrayLike<number>, (x, i) => x + (right[i] as number))
      return emit(node.emission, sums, { input: output, weights: null, output, channels: 1 })
    }
    const [ra, rb] = [addScale(typeA, output), addScale(typeB, output)]
    const out = allocate(output)
    for (let i = 0; i < out.length; i++) {
      const [x, y] = [(left[i] as number) - typeA.zeroPoint, (right[i] as number) - typeB.zeroPoint]
      out[i] = addRequantize(x, ra, y, rb, output.zeroPoint, node.emission.min, node.emission.max)
    }
    return out
  },
  macs: oneMacAnElement,
  overlap: overlapsElementwise,
}
