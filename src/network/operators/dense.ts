// dense: fully connected layer, sums[o] = bias[o] + sum_i x[i] w[o, i] over a flat vector, then an emission.

import { invalidNetwork } from '../../errors.js'
import { accumulateDense, decode, decodeConstant, proveSumsFit } from '../accumulate.js'
import { checkEmission, checkRequantizeScales, type Emission, type EmitContext, emit } from '../emission.js'
import { checkSumInput, checkTensor, checkWeightTypes, type NodeTypes, neverOverlaps, type Operator, WEIGHT_KINDS, whereOf } from '../operator.js'
import { isQuantized, type NodeBase, type Tensor } from '../types.js'

export interface DenseNode extends NodeBase<'dense'> {
  readonly weights: Tensor // [out, in]
  readonly bias: Tensor | null // [out]
  readonly emission: Emission
}

const units = (node: DenseNode): number => node.weights.type.shape[0] as number

const emitContext = (node: DenseNode, { inputs, output, rounding }: NodeTypes): EmitContext => ({
  input: inputs[0] ?? output,
  weights: isQuantized(node.weights.type) ? node.weights.type : null,
  output,
  channels: units(node),
  rounding,
  multiplierRule: 'dense',
})

export const dense: Operator<DenseNode> = {
  kind: 'dense',
  inputs: 1,
  stages: ['float', 'integer'],
  checkAttributes: (node) => {
    checkTensor(node.weights, WEIGHT_KINDS, [null, null], 'weights', whereOf(node))
    if (node.bias !== null) checkTensor(node.bias, ['float32', 'int32'], [units(node)], 'bias values', whereOf(node))
  },
  outputShape: (node, [input]) => {
    const width = node.weights.type.shape[1] as number
    if (input?.length !== 1 || input[0] !== width) {
      throw invalidNetwork(whereOf(node), `the input has shape [${input?.join(',')}], the weights take [${width}]`)
    }
    return [units(node)]
  },
  checkTypes: (node, types, stage) => {
    const where = whereOf(node)
    const {
      inputs: [input],
      output,
    } = types
    if (input === undefined) return
    checkSumInput(input, stage, where)
    checkWeightTypes(node.weights, node.bias, 0, stage, where)
    checkEmission(node.emission, output, units(node), stage, where)
    checkRequantizeScales(node.emission, emitContext(node, types), where)
    const width = node.weights.type.shape[1] as number
    if (stage === 'integer') proveSumsFit(node.name, input, node.weights, node.bias, units(node), (i) => Math.floor(i / width))
  },
  evaluate: (node, [data], types) => {
    const [input] = types.inputs
    if (data === undefined || input === undefined) throw new Error('verify() lets no dense without input pass')
    const sums = accumulateDense(decode(data, input), decodeConstant(node.weights), node.bias, units(node))
    return emit(node.emission, sums, emitContext(node, types))
  },
  macs: (node) => units(node) * (node.weights.type.shape[1] as number),
  overlap: neverOverlaps,
}
