// staircase (float stage only): the number of boundaries at or below x, times 1 / levels. quantize() turns it into the integer thresholds of the
// layer in front (docs/arithmetic.md, thresholds).

import { invalidNetwork } from '../../errors.js'
import { noMacs, type Operator, overlapsElementwise, whereOf } from '../operator.js'
import { allocate, type ElementArray, type NodeBase } from '../types.js'

/** sigmoid: floor(levels / (1 + exp(-x))) / levels. relu: floor(levels * x) / levels, within 0 and (levels - 1) / levels. */
export type StaircaseCurve = 'sigmoid' | 'relu'

export interface StaircaseNode extends NodeBase<'staircase'> {
  /** stairs, 2..256: values 0, 1 / levels, ... (levels - 1) / levels */
  readonly levels: number
  readonly curve: StaircaseCurve
}

export const STAIRCASE_CURVES: readonly StaircaseCurve[] = ['sigmoid', 'relu']
export const MAX_STAIRS = 256

const BOUNDARY: Readonly<Record<StaircaseCurve, (share: number) => number>> = { sigmoid: (p) => Math.log(p / (1 - p)), relu: (p) => p }

/** The reals from which on stair 1, 2, ... levels - 1 is reached, ascending. */
export const staircaseBoundaries = (levels: number, curve: StaircaseCurve): Float64Array =>
  Float64Array.from({ length: levels - 1 }, (_, k) => BOUNDARY[curve]((k + 1) / levels))

export const staircase: Operator<StaircaseNode> = {
  kind: 'staircase',
  inputs: 1,
  stages: ['float'],
  checkAttributes: (node) => {
    if (!Number.isInteger(node.levels) || node.levels < 2 || node.levels > MAX_STAIRS)
      throw invalidNetwork(whereOf(node), `levels ${node.levels} is not an integer from 2 to ${MAX_STAIRS}`)
    if (!STAIRCASE_CURVES.includes(node.curve)) throw invalidNetwork(whereOf(node), `unknown curve ${JSON.stringify(node.curve)}`)
  },
  outputShape: (_, [input]) => input ?? [],
  checkTypes: (node, { inputs: [input], output }) => {
    if (input?.kind !== 'float32' || output.kind !== 'float32') throw invalidNetwork(whereOf(node), 'works on float32 only')
  },
  evaluate: (node, [data], { output }) => {
    const boundaries = staircaseBoundaries(node.levels, node.curve)
    const out = allocate(output)
    for (let i = 0; i < out.length; i++) {
      const x = (data as ElementArray)[i] as number
      out[i] = boundaries.reduce((count, boundary) => count + (x >= boundary ? 1 : 0), 0) / node.levels
    }
    return out
  },
  macs: noMacs,
  overlap: overlapsElementwise,
}
