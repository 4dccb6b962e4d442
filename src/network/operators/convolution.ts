// What conv1d, conv2d and depthwiseConv2d share: they differ in the weights' layout and in the loop that sums.

import { invalidNetwork } from '../../errors.js'
import { decode, decodeConstant, paddingOf, proveSumsFit } from '../accumulate.js'
import { checkEmission, checkRequantizeScales, type Emission, type EmitContext, emit } from '../emission.js'
import { checkSumInput, checkTensor, checkWeightTypes, type NodeTypes, type Operator, rowOverlap, WEIGHT_KINDS, whereOf } from '../operator.js'
import { isQuantized, type NodeBase, type Shape, type Tensor } from '../types.js'
import { type Geometry, windowOutputShape } from '../window.js'

/** Attributes of every convolution. */
export interface ConvolutionBase<Kind extends string> extends NodeBase<Kind> {
  readonly weights: Tensor
  readonly bias: Tensor | null // [out]
  readonly emission: Emission
  /** float stage: what padding counts as; default 0. Convolutions over +1 and -1 pad with -1, as binary inputs do */
  readonly paddingValue?: -1
}

interface Variant<N extends ConvolutionBase<string>> {
  readonly kind: N['kind']
  readonly weightsRank: number
  /** the axis of the weights that counts output channels */
  readonly channelAxis: number
  readonly checkWindow: (node: N) => void
  /** checks the input's shape against the weights too */
  readonly geometry: (node: N, input: Shape) => Geometry
  readonly accumulate: (input: Float64Array, weights: Float64Array, bias: Tensor | null, g: Geometry, padding: -1 | 0) => Float64Array
  /** taps that each sum takes */
  readonly tapsPerSum: (g: Geometry) => number
}

/** Builds a convolution operator from what is special about it. */
export const convolution = <N extends ConvolutionBase<string>>(variant: Variant<N>): Operator<N> => {
  const channels = (node: N): number => node.weights.type.shape[variant.channelAxis] as number
  const channelOf = (node: N): ((index: number) => number) => {
    const inner = node.weights.type.shape.slice(variant.channelAxis + 1).reduce((a, b) => a * b, 1)
    return (index) => Math.floor(index / inner) % channels(node)
  }
  const emitContext = (node: N, { inputs, output, rounding }: NodeTypes): EmitContext => ({
    input: inputs[0] ?? output,
    weights: isQuantized(node.weights.type) ? node.weights.type : null,
    output,
    channels: channels(node),
    rounding,
  })
  const geometryOf = (node: N, types: NodeTypes): Geometry => variant.geometry(node, types.inputs[0]?.shape ?? [])
  return {
    kind: variant.kind,
    inputs: 1,
    stages: ['float', 'integer'],
    checkAttributes: (node) => {
      checkTensor(node.weights, WEIGHT_KINDS, new Array(variant.weightsRank).fill(null), 'weights', whereOf(node))
      if (node.bias !== null) checkTensor(node.bias, ['float32', 'int32'], [channels(node)], 'bias values', whereOf(node))
      if (node.paddingValue !== undefined && node.paddingValue !== -1) throw invalidNetwork(whereOf(node), `padding value ${node.paddingValue} is not -1`)
      variant.checkWindow(node)
    },
    outputShape: (node, [input]) => windowOutputShape(input ?? [], variant.geometry(node, input ?? [])),
    checkTypes: (node, types, stage) => {
      const where = whereOf(node)
      const {
        inputs: [input],
        output,
      } = types
      if (input === undefined) return
      checkSumInput(input, stage, where)
      checkWeightTypes(node.weights, node.bias, variant.channelAxis, stage, where)
      checkEmission(node.emission, output, channels(node), stage, where)
      checkRequantizeScales(node.emission, emitContext(node, types), where)
      if (stage === 'integer' && node.paddingValue !== undefined) throw invalidNetwork(where, 'a padding value belongs to the float stage')
      if (stage === 'integer') proveSumsFit(node.name, input, node.weights, node.bias, channels(node), channelOf(node))
    },
    evaluate: (node, [data], types) => {
      const input = types.inputs[0]
      if (data === undefined || input === undefined) throw new Error('verify() lets no convolution without input pass')
      const sums = variant.accumulate(
        decode(data, input),
        decodeConstant(node.weights),
        node.bias,
        geometryOf(node, types),
        node.paddingValue ?? paddingOf(input),
      )
      return emit(node.emission, sums, emitContext(node, types))
    },
    macs: (node, types) => {
      const g = geometryOf(node, types)
      return g.outputHeight * g.outputWidth * g.outputChannels * variant.tapsPerSum(g)
    },
    // sums of levels may be made by scattering active inputs (docs/spiking.md), which needs all inputs to the end
    overlap: (node, types) => [types.inputs[0]?.kind === 'level' && node.emission.kind === 'none' ? null : rowOverlap(geometryOf(node, types), types)],
  }
}
