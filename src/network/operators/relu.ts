// relu: max(x, 0), bounded by `max` (ReLU6). Where a layer stands in front, simplify() turns it into that layer's emission bounds.

import { invalidNetwork } from '../../errors.js'
import { clamp, quantizeReal } from '../arithmetic.js'
import { roundHalfAway } from '../arithmetic-tflite.js'
import { checkInputKind, noMacs, type Operator, overlapsElementwise, whereOf } from '../operator.js'
import { allocate, channelScale, type ElementArray, hasEqualQuantization, type NodeBase, type QuantizedType, type Rounding } from '../types.js'

export interface ReluNode extends NodeBase<'relu'> {
  /** upper bound in real units; null is unbounded */
  readonly max: number | null
}

/** The integer of `max`: rounding 'tflite' takes ties away from zero. */
const highOf = (max: number, type: QuantizedType, rounding: Rounding): number =>
  rounding === 'tflite'
    ? clamp(type.zeroPoint + roundHalfAway(Math.fround(Math.fround(max) / channelScale(type, 0))), -128, 127)
    : quantizeReal(max, channelScale(type, 0), type.zeroPoint, -128, 127)

/** The stored bounds of a relu over a quantized value: [zero point, 127 or the integer of max]. */
export const reluBounds = (max: number | null, type: QuantizedType, rounding: Rounding = 'single'): readonly [number, number] => [
  Math.max(-128, type.zeroPoint),
  max === null ? 127 : highOf(max, type, rounding),
]

export const relu: Operator<ReluNode> = {
  kind: 'relu',
  inputs: 1,
  stages: ['float', 'integer'],
  checkAttributes: (node) => {
    if (node.max !== null && !(Number.isFinite(node.max) && node.max > 0)) throw invalidNetwork(whereOf(node), `max ${node.max} is not a positive number`)
  },
  outputShape: (_, [input]) => input ?? [],
  checkTypes: (node, { inputs: [input], output }, stage) => {
    if (input === undefined) return
    checkInputKind(input, stage, whereOf(node))
    if (!hasEqualQuantization(input, output)) throw invalidNetwork(whereOf(node), 'input and output must have one scale and zero point')
  },
  evaluate: (node, [data], { output, rounding }) => {
    const [low, high] = output.kind === 'float32' ? [0, node.max ?? Infinity] : reluBounds(node.max, output as QuantizedType, rounding)
    const out = allocate(output)
    for (let i = 0; i < out.length; i++) out[i] = Math.min(Math.max((data as ElementArray)[i] as number, low), high)
    return out
  },
  macs: noMacs,
  overlap: overlapsElementwise,
}
