// What is inside an .onnx file, for `spikeport inspect`: sizes, values with shapes, nodes, scales and zero points. Plain data, made for printing.

import { decodeOnnx, type OnnxModel, type OnnxNode, type OnnxTensor, type OnnxValue } from './onnx.js'

export interface OnnxQuantization {
  readonly scales: readonly number[]
  readonly zeroPoints: readonly number[]
}

export interface OnnxSummary {
  readonly bytes: number
  readonly irVersion: number
  /** domain ('ai.onnx' is ONNX's own) -> version */
  readonly opsets: Readonly<Record<string, number>>
  readonly producer: string
  readonly graph: string
  readonly metadata: Readonly<Record<string, string>>
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** bytes and elements of the constants */
  readonly constantBytes: number
  readonly constantElements: number
  /** how many nodes of each operator */
  readonly operators: Readonly<Record<string, number>>
  readonly nodes: readonly { readonly name: string; readonly operator: string; readonly inputs: readonly string[]; readonly outputs: readonly string[] }[]
  /** by the name of the value or constant they belong to */
  readonly quantization: Readonly<Record<string, OnnxQuantization>>
}

/** "uint8[N,28,28,1]" */
const describe = ({ element, dims }: { element: string | null; dims: readonly (number | string | null)[] | null }): string =>
  `${element ?? '?'}[${dims === null ? '...' : dims.map((d) => d ?? '?').join(',')}]`

const describeValue = (value: OnnxValue): string => `${value.name} ${describe({ element: value.element, dims: value.shape })}`

/** Per operator: which input (or 'output') is scaled by the inputs at which positions, [value, scale, zero point]. */
const SCALED: Readonly<Record<string, readonly (readonly [number | 'output', number, number])[]>> = {
  QuantizeLinear: [['output', 1, 2]],
  DequantizeLinear: [[0, 1, 2]],
  QLinearConv: [
    [0, 1, 2],
    [3, 4, 5],
    ['output', 6, 7],
  ],
  QLinearMatMul: [
    [0, 1, 2],
    [3, 4, 5],
    ['output', 6, 7],
  ],
  QGemm: [
    [0, 1, 2],
    [3, 4, 5],
    ['output', 7, 8],
  ],
}

const numbers = (tensor: OnnxTensor | undefined): readonly number[] =>
  tensor === undefined ? [] : Array.from(tensor.data as ArrayLike<number | bigint>, Number)

const quantizationOf = (node: OnnxNode, constants: ReadonlyMap<string, OnnxTensor>): readonly (readonly [string, OnnxQuantization])[] =>
  (Object.hasOwn(SCALED, node.operator) ? (SCALED[node.operator] ?? []) : []).flatMap(([position, scale, zeroPoint]) => {
    const name = position === 'output' ? node.outputs[0] : node.inputs[position]
    const scales = numbers(constants.get(node.inputs[scale] ?? ''))
    return name === undefined || scales.length === 0 ? [] : [[name, { scales, zeroPoints: numbers(constants.get(node.inputs[zeroPoint] ?? '')) }] as const]
  })

const countOperators = (nodes: readonly OnnxNode[]): Readonly<Record<string, number>> => {
  const counts = new Map<string, number>()
  for (const { operator } of nodes) counts.set(operator, (counts.get(operator) ?? 0) + 1)
  return Object.fromEntries(counts)
}

/** Names every value with its type where the file states it. */
const describeNodes = (model: OnnxModel, constants: ReadonlyMap<string, OnnxTensor>): OnnxSummary['nodes'] => {
  const types = new Map([...model.values, ...model.inputs, ...model.outputs].map((value) => [value.name, describeValue(value)]))
  const withType = (name: string): string => {
    const constant = constants.get(name)
    return constant === undefined ? (types.get(name) ?? name) : `${name} ${describe(constant)}`
  }
  return model.nodes.map(({ name, operator, domain, inputs, outputs }) => ({
    name,
    operator: domain === '' ? operator : `${domain}.${operator}`,
    inputs: inputs.map(withType),
    outputs: outputs.map(withType),
  }))
}

/** The summary of a document of `bytes` bytes. */
export const summarizeOnnx = (model: OnnxModel, bytes: number): OnnxSummary => {
  const constants = new Map(model.initializers.map((tensor) => [tensor.name, tensor]))
  const initial = new Set(constants.keys())
  return {
    bytes,
    irVersion: model.irVersion,
    opsets: Object.fromEntries(Object.entries(model.opsets).map(([domain, version]) => [domain === '' ? 'ai.onnx' : domain, version])),
    producer: `${model.producer} ${model.producerVersion}`.trim(),
    graph: model.graphName,
    metadata: model.metadata,
    inputs: model.inputs.filter((value) => !initial.has(value.name)).map(describeValue),
    outputs: model.outputs.map(describeValue),
    constantBytes: model.initializers.reduce((sum, tensor) => sum + tensor.data.byteLength, 0),
    constantElements: model.initializers.reduce((sum, tensor) => sum + tensor.data.length, 0),
    operators: countOperators(model.nodes),
    nodes: describeNodes(model, constants),
    quantization: Object.fromEntries(model.nodes.flatMap((node) => quantizationOf(node, constants))),
  }
}

/**
 * What is inside the bytes of an .onnx file; `path` is for messages.
 * @throws FILE_MALFORMED
 */
export const readOnnx = (bytes: Uint8Array, path: string): OnnxSummary => summarizeOnnx(decodeOnnx(bytes, path), bytes.length)
