// Network<'integer'> -> ONNX document: one row an operator, a function a form. exporters/onnx writes the document, runtimes/onnx runs it.

import type { Row } from '../contracts/exporter.js'
import { unsupported } from '../errors.js'
import type { OnnxModel, OnnxTensor, OnnxValue } from '../formats/onnx.js'
import { nodeTypes, typeOf } from '../network/graph.js'
import { type NodeTypes, whereOf } from '../network/operator.js'
import type { Node, NodeOf, OperatorKind } from '../network/operators/index.js'
import type { Network, Value } from '../network/types.js'
import {
  createDraft,
  type Draft,
  isAffine,
  isShownAsReal,
  layoutShape,
  type Place,
  quantizationOf,
  storedElement,
  storedScale,
  storedZeroPoint,
} from './draft.js'
import { conv1dKernel, conv2dKernel, depthwiseKernel } from './kernels.js'
import { checkOnnxOptions, type OnnxForm, type OnnxOptions } from './options.js'
import * as qdq from './qdq.js'
import * as qlinear from './qlinear.js'

/** The lowest operator set that has what both forms need (per-channel DequantizeLinear); ONNX 1.8 and later read it. */
export const ONNX_OPSET = 13
export const ONNX_IR_VERSION = 8
/** The symbol of the batch axis. */
export const BATCH_AXIS = 'N'

type Lowering<N> = (draft: Draft, node: N, types: NodeTypes) => void
type Forms<N> = Readonly<Record<OnnxForm, Lowering<N>>>

const inputShape = (types: NodeTypes): readonly number[] => types.inputs[0]?.shape ?? []

/** Every operator in both forms, or why it has none. */
export const LOWERING: { readonly [K in OperatorKind]: Row<Forms<NodeOf<K>>> } = {
  dense: { lower: { qlinear: qlinear.lowerDense, qdq: qdq.qdqDense } },
  conv1d: {
    lower: {
      qlinear: (draft, node) => qlinear.lowerConvolution(draft, node, conv1dKernel(node)),
      qdq: (draft, node) => qdq.qdqConvolution(draft, node, conv1dKernel(node)),
    },
  },
  conv2d: {
    lower: {
      qlinear: (draft, node) => qlinear.lowerConvolution(draft, node, conv2dKernel(node)),
      qdq: (draft, node) => qdq.qdqConvolution(draft, node, conv2dKernel(node)),
    },
  },
  depthwiseConv2d: {
    lower: {
      qlinear: (draft, node, types) => qlinear.lowerConvolution(draft, node, depthwiseKernel(node, inputShape(types))),
      qdq: (draft, node, types) => qdq.qdqConvolution(draft, node, depthwiseKernel(node, inputShape(types))),
    },
  },
  averagePool: { lower: { qlinear: qlinear.lowerAveragePool, qdq: qdq.qdqAveragePool } },
  maxPool: { lower: { qlinear: qlinear.lowerMaxPool, qdq: qdq.qdqMaxPool } },
  globalAveragePool: { lower: { qlinear: qlinear.lowerGlobalAveragePool, qdq: qdq.qdqGlobalAveragePool } },
  globalMaxPool: { lower: { qlinear: qlinear.lowerGlobalMaxPool, qdq: qdq.qdqGlobalMaxPool } },
  add: { lower: { qlinear: qlinear.lowerAdd, qdq: qdq.qdqAdd } },
  concat: { lower: { qlinear: qlinear.lowerConcat, qdq: qdq.qdqConcat } },
  flatten: { lower: { qlinear: qlinear.lowerFlatten, qdq: qlinear.lowerFlatten } },
  reshape: { lower: { qlinear: qlinear.lowerReshape, qdq: qlinear.lowerReshape } },
  relu: { lower: { qlinear: qlinear.lowerRelu, qdq: qdq.qdqRelu } },
  softmax: { lower: { qlinear: qlinear.lowerSoftmax, qdq: qdq.qdqSoftmax } },
  batchNorm: { unsupported: 'batch norm exists in the float stage only; simplify folds it into the layer in front' },
  sign: { unsupported: 'sign exists in the float stage only; quantize turns it into thresholds' },
  lif: { unsupported: 'belongs to a network over time, which is not exported to ONNX yet' },
  li: { unsupported: 'belongs to a network over time, which is not exported to ONNX yet' },
  carry: { unsupported: 'belongs to a network over time, which is not exported to ONNX yet' },
  timeSlice: { unsupported: 'belongs to a network over time, which is not exported to ONNX yet' },
  encode: { unsupported: 'belongs to a network over time, which is not exported to ONNX yet' },
  sumPool: { unsupported: 'sums levels, which is not exported to ONNX yet' },
  staircase: { unsupported: 'a staircase exists in the float stage only; quantize turns it into thresholds' },
}

/** A document, and where it holds each value of the network. */
export interface LoweredOnnx {
  readonly model: OnnxModel
  /** by index into Network.values */
  readonly places: readonly Place[]
}

/** Levels, signs and thresholds are integer operators: the qdq form, which is made of real numbers, has none. */
const refuseCoarse = (network: Network<'integer'>, node: Node): void => {
  const { inputs, output } = nodeTypes(network, node)
  const coarse = [...inputs, output].find(({ kind }) => kind === 'level' || kind === 'binary')?.kind
  const weights = 'weights' in node && node.weights.type.kind === 'binary' ? 'binary weights' : undefined
  if (coarse !== undefined || weights !== undefined)
    throw unsupported(
      `${whereOf(node)} works on ${coarse ?? weights}, for which ONNX's qdq form has no operators.`,
      'Export it with form=qlinear, or quantize with scheme int8.',
    )
}

const refuse = (network: Network<'integer'>, options: OnnxOptions): void => {
  if (network.stage !== 'integer')
    throw unsupported(`network "${network.name}" is in the ${String(network.stage)} stage, ONNX export takes integer networks.`, 'Quantize it first.')
  if (network.rounding !== 'single' && options.form === 'qlinear') {
    throw unsupported(
      `network "${network.name}" rounds as TensorFlow Lite, ONNX's integer operators round once.`,
      'Import it with --rounding single, or export it with form=qdq, whose bytes are not promised.',
    )
  }
  for (const node of network.nodes) {
    const row = LOWERING[node.kind]
    if ('unsupported' in row) throw unsupported(`${whereOf(node)}: ${row.unsupported}.`, 'Remove or replace this node and export again.')
    if (options.form === 'qdq') refuseCoarse(network, node)
  }
}

const lowerNode = (draft: Draft, node: Node): void => {
  const row = LOWERING[node.kind] as Row<Forms<Node>>
  if ('lower' in row) row.lower[draft.options.form](draft, node, nodeTypes(draft.network, node))
}

/** Declares an input and its first place. Real inputs are quantized by the model's first node; int32 sums are real in the qdq form anyway. */
const startInput = (draft: Draft, value: number): OnnxValue => {
  const { name, type } = draft.network.values[value] as Value
  const { input, form } = draft.options
  const isReal = isShownAsReal(type, input)
  const shape = [BATCH_AXIS, ...type.shape]
  draft.claim(name)
  if (type.kind === 'int32' && form === 'qlinear' && isReal)
    throw unsupported(`input "${name}" is int32, which ONNX cannot quantize from real numbers.`, 'Export with input=uint8.')
  if (type.kind === 'int32' && form === 'qdq' && !isReal) {
    draft.place(value, { name: draft.node('DequantizeLinear', `${name}/real`, [name, quantizationOf(draft, value).scale]), layout: 'plain' })
    return { name, element: 'int32', shape }
  }
  if (isReal && type.kind !== 'int32') {
    const { scale, zeroPoint } = quantizationOf(draft, value)
    draft.place(value, { name: draft.node('QuantizeLinear', `${name}/quantized`, [name, scale, zeroPoint ?? '']), layout: 'plain' })
    return { name, element: 'float32', shape }
  }
  draft.place(value, { name, layout: 'plain' })
  return { name, element: storedElement(draft.network, value, draft.options), shape }
}

/** Makes an output plain and, where asked, real; it bears the value's name unless an input of the model does. */
const finishOutput = (draft: Draft, value: number): OnnxValue => {
  const { name, type } = draft.network.values[value] as Value
  const stored = draft.read(value, 'plain')
  const element = storedElement(draft.network, value, draft.options)
  const shape = [BATCH_AXIS, ...type.shape]
  const isInput = draft.network.inputs.includes(value)
  const target = isInput ? `${name}/output` : name
  if (isShownAsReal(type, draft.options.output) && element !== 'float32') {
    const { scale, zeroPoint } = quantizationOf(draft, value)
    return { name: draft.finish('DequantizeLinear', target, [stored, scale, ...(zeroPoint === null ? [] : [zeroPoint])]), element: 'float32', shape }
  }
  return { name: stored === target ? stored : draft.finish('Identity', target, [stored]), element, shape }
}

/** Scale and zero point of inputs and outputs that are shown as stored integers, for whoever feeds them. */
const quantizationNotes = (draft: Draft): readonly (readonly [string, string])[] =>
  [
    ...draft.network.inputs.map((value) => [value, draft.options.input] as const),
    ...draft.network.outputs.map((value) => [value, draft.options.output] as const),
  ].flatMap(([value, shown]) => {
    const { name, type } = draft.network.values[value] as Value
    if (!isAffine(type) || shown === 'float32') return []
    return [[`spikeport.quantization.${name}`, JSON.stringify({ scale: storedScale(type), zeroPoint: storedZeroPoint(type) })] as const]
  })

const metadataOf = (draft: Draft): Readonly<Record<string, string>> => ({
  ...draft.network.metadata,
  ...(draft.network.labels.length > 0 ? { 'spikeport.labels': JSON.stringify(draft.network.labels) } : {}),
  ...Object.fromEntries(quantizationNotes(draft)),
})

/** The ONNX type of a value at a place. */
const valueAt = (draft: Draft, value: number, place: Place): OnnxValue => ({
  name: place.name,
  element: storedElement(draft.network, value, draft.options),
  shape: [BATCH_AXIS, ...layoutShape(typeOf(draft.network, value).shape, place.layout)],
})

const describedValues = (draft: Draft, shown: readonly OnnxValue[]): readonly OnnxValue[] => {
  const names = new Set(shown.map((value) => value.name))
  return draft.network.values.flatMap((_, value) =>
    draft
      .placesOf(value)
      .filter((place) => !names.has(place.name))
      .map((place) => valueAt(draft, value, place)),
  )
}

/** Constants that a node reads; engines warn of others (the scale of a value that only integer operators touch). */
const usedConstants = (draft: Draft): readonly OnnxTensor[] => {
  const read = new Set(draft.nodes.flatMap((node) => node.inputs))
  return draft.initializers.filter((tensor) => read.has(tensor.name))
}

/**
 * Lowers a verified integer network.
 * @throws UNSUPPORTED naming the node or value that ONNX cannot hold, before anything is built
 */
export const lowerToOnnx = (network: Network<'integer'>, options: OnnxOptions): LoweredOnnx => {
  checkOnnxOptions(options)
  refuse(network, options)
  const draft = createDraft(network, options)
  const inputs = network.inputs.map((value) => startInput(draft, value))
  for (const node of network.nodes) lowerNode(draft, node)
  const outputs = network.outputs.map((value) => finishOutput(draft, value))
  const usesMicrosoft = draft.nodes.some((node) => node.domain === 'com.microsoft')
  const model: OnnxModel = {
    irVersion: ONNX_IR_VERSION,
    opsets: { '': ONNX_OPSET, ...(usesMicrosoft ? { 'com.microsoft': 1 } : {}) },
    producer: 'spikeport',
    producerVersion: '',
    metadata: metadataOf(draft),
    graphName: network.name,
    nodes: draft.nodes,
    initializers: usedConstants(draft),
    inputs,
    outputs,
    values: describedValues(draft, [...inputs, ...outputs]),
  }
  return { model, places: network.values.map((_, value) => draft.placesOf(value)[0] as Place) }
}

/** The same document with every value of the network among its outputs, for finding the first layer that differs. */
export const withAllOutputs = ({ model, places }: LoweredOnnx): OnnxModel => {
  const shown = new Set([...model.inputs, ...model.outputs].map((value) => value.name))
  const kept = new Map(model.values.map((value) => [value.name, value]))
  const added = places.filter((place) => !shown.has(place.name)).map((place) => kept.get(place.name) as OnnxValue)
  return { ...model, outputs: [...model.outputs, ...added] }
}
