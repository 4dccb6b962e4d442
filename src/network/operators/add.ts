// add: elementwise sum of two values of one shape, then an emission (a residual connection; docs/arithmetic.md, residual add).

import { invalidNetwork } from '../../errors.js'
import { addRequantize } from '../arithmetic.js'
import { addFactors, addFixed, addMultipliers } from '../arithmetic-tflite.js'
import { checkEmission, checkFactors, checkFixedFactors, type Emission, emit } from '../emission.js'
import { checkInputKind, type NodeTypes, type Operator, oneMacAnElement, overlapsElementwise, whereOf } from '../operator.js'
import { allocate, channelScale, type ElementArray, isQuantized, type NodeBase, type QuantizedType } from '../types.js'

export interface AddNode extends NodeBase<'add'> {
  /** clamp in the float stage, requantize in the integer stage */
  readonly emission: Emission
}

/** ra or rb: fl32(input scale / output scale). */
export const addScale = (input: QuantizedType, output: QuantizedType): number => Math.fround(channelScale(input, 0) / channelScale(output, 0))

/** Refuses scales whose factors the rounding cannot hold. */
const checkScales = ({ inputs, output, rounding }: NodeTypes, where: string): void => {
  const [a, b] = inputs
  if (a === undefined || b === undefined || !isQuantized(a) || !isQuantized(b) || !isQuantized(output)) return
  if (rounding === 'tflite') checkFixedFactors(addFactors(channelScale(a, 0), channelScale(b, 0), channelScale(output, 0)), where, 0)
  else checkFactors([addScale(a, output), addScale(b, output)], where)
}

type Quantized = readonly [a: QuantizedType, b: QuantizedType, output: QuantizedType]
type AddElement = (x: number, y: number) => number

/** How two elements become one: stored integers in, stored integer out. */
const elementwise = ([a, b, output]: Quantized, { min, max }: Extract<Emission, { kind: 'requantize' }>, { rounding }: NodeTypes): AddElement => {
  if (rounding === 'tflite') {
    const multipliers = addMultipliers(channelScale(a, 0), channelScale(b, 0), channelScale(output, 0))
    return (x, y) => addFixed(x - a.zeroPoint, y - b.zeroPoint, multipliers, output.zeroPoint, min, max)
  }
  const [ra, rb] = [addScale(a, output), addScale(b, output)]
  return (x, y) => addRequantize(x - a.zeroPoint, ra, y - b.zeroPoint, rb, output.zeroPoint, min, max)
}

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
  checkTypes: (node, types, stage) => {
    const { inputs, output } = types
    for (const input of inputs) checkInputKind(input, stage, whereOf(node))
    checkEmission(node.emission, output, 1, stage, whereOf(node))
    if (stage === 'integer' && node.emission.kind !== 'requantize') throw invalidNetwork(whereOf(node), 'an add needs a requantize emission')
    checkScales(types, whereOf(node))
  },
  evaluate: (node, [a, b], types) => {
    const {
      inputs: [typeA, typeB],
      output,
    } = types
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
      return emit(node.emission, sums, { input: output, weights: null, output, channels: 1, rounding: types.rounding })
    }
    const addElement = elementwise([typeA, typeB, output], node.emission, types)
    const out = allocate(output)
    for (let i = 0; i < out.length; i++) out[i] = addElement(left[i] as number, right[i] as number)
    return out
  },
  macs: oneMacAnElement,
  overlap: overlapsElementwise,
}
