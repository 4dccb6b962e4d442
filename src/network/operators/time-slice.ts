// timeSlice: the part of an input [steps, ...] that belongs to the present step: how a recording of events reaches a network, one bin a step.

import { invalidNetwork } from '../../errors.js'
import { checkSumInput, neverOverlaps, noMacs, type Operator, whereOf } from '../operator.js'
import { arrayLength, type ElementArray, hasEqualQuantization, type NodeBase } from '../types.js'

/** Its one state, int32 [1], counts the steps; from the last slice on it starts again at the first. */
export interface TimeSliceNode extends NodeBase<'timeSlice'> {
  readonly states: readonly number[]
}

export const timeSlice: Operator<TimeSliceNode> = {
  kind: 'timeSlice',
  inputs: 1,
  states: [1, 1],
  stages: ['float', 'integer'],
  checkAttributes: () => {},
  outputShape: (node, [input]) => {
    if (input === undefined || input.length < 2) throw invalidNetwork(whereOf(node), `the input has shape [${input?.join(',')}], expected [steps, ...]`)
    return input.slice(1)
  },
  checkTypes: (node, { inputs: [input], output, states: [counter] }, stage) => {
    if (input === undefined) return
    if (input.kind === 'binary') throw invalidNetwork(whereOf(node), 'packed values are not cut into slices')
    checkSumInput(input, stage, whereOf(node))
    if (!hasEqualQuantization(input, output)) throw invalidNetwork(whereOf(node), 'input and output must have one scale and zero point')
    if (counter?.kind !== (stage === 'float' ? 'float32' : 'int32') || counter.shape.length !== 1 || counter.shape[0] !== 1)
      throw invalidNetwork(whereOf(node), `counts steps in ${counter?.kind}[${counter?.shape.join(',')}], expected one number`)
  },
  evaluate: (_, [data], { inputs: [input], output }, [counter]) => {
    const length = arrayLength(output)
    const step = (counter as ElementArray)[0] as number
    const steps = input?.shape[0] as number
    ;(counter as ElementArray)[0] = step + 1 === steps ? 0 : step + 1
    return (data as ElementArray).slice(step * length, (step + 1) * length)
  },
  macs: noMacs,
  overlap: neverOverlaps,
}
