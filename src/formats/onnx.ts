// The ONNX file as a plain document: bytes <-> OnnxModel, protobuf by onnx-proto. It knows ONNX's nouns (graph, node, tensor), not what an
// operator means and nothing of Network. Bytes are not trusted: the wire structure is walked (onnx-wire.ts) before memory is taken.

import proto, { type onnx as Onnx } from 'onnx-proto'
import { malformedFile, SpikeportError } from '../errors.js'
import { checkOnnxWire } from './onnx-wire.js'

const { onnx } = proto

/** Arrays that hold a tensor's elements; bool is Uint8Array of 0 and 1, float16 the raw Uint16Array. */
export type OnnxArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array

/** Element types by ONNX's numbers (TensorProto.DataType); strings, complex numbers and bfloat16 are not read. */
const ELEMENTS = {
  float32: { code: 1, array: Float32Array },
  uint8: { code: 2, array: Uint8Array },
  int8: { code: 3, array: Int8Array },
  uint16: { code: 4, array: Uint16Array },
  int16: { code: 5, array: Int16Array },
  int32: { code: 6, array: Int32Array },
  int64: { code: 7, array: BigInt64Array },
  bool: { code: 9, array: Uint8Array },
  float16: { code: 10, array: Uint16Array },
  float64: { code: 11, array: Float64Array },
  uint32: { code: 12, array: Uint32Array },
  uint64: { code: 13, array: BigUint64Array },
} as const

export type OnnxElement = keyof typeof ELEMENTS

export interface OnnxTensor {
  readonly name: string
  readonly element: OnnxElement
  readonly dims: readonly number[]
  readonly data: OnnxArray // product of dims, row major
}

/** A graph input, output or described value. A dimension is a size, a symbol ("N"), or null where unknown. */
export interface OnnxValue {
  readonly name: string
  /** null: not a tensor, or of a type that is not read */
  readonly element: OnnxElement | null
  /** null: unknown rank */
  readonly shape: readonly (number | string | null)[] | null
}

/** 'other' stands for attributes that are read over (subgraphs, sparse tensors, types). Integers beyond 2^53 lose low bits. */
export type OnnxAttribute =
  | { readonly type: 'int' | 'float'; readonly value: number }
  | { readonly type: 'ints' | 'floats'; readonly value: readonly number[] }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'tensor'; readonly value: OnnxTensor }
  | { readonly type: 'other' }

export interface OnnxNode {
  readonly operator: string
  /** '' is ONNX's own */
  readonly domain: string
  readonly name: string
  /** value names; '' where an optional input is left out */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, OnnxAttribute>>
}

export interface OnnxModel {
  readonly irVersion: number
  /** domain -> version */
  readonly opsets: Readonly<Record<string, number>>
  readonly producer: string
  readonly producerVersion: string
  readonly metadata: Readonly<Record<string, string>>
  readonly graphName: string
  readonly nodes: readonly OnnxNode[]
  readonly initializers: readonly OnnxTensor[]
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  /** types of values inside the graph, where the writer stated them */
  readonly values: readonly OnnxValue[]
}

const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const

// ---- writing ----

const rawBytes = (data: OnnxArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

const encodeTensor = (tensor: OnnxTensor): Onnx.ITensorProto => ({
  name: tensor.name,
  dims: [...tensor.dims],
  dataType: ELEMENTS[tensor.element].code,
  rawData: rawBytes(tensor.data),
})

const encodeDimension = (size: number | string | null): Onnx.TensorShapeProto.IDimension =>
  typeof size === 'number' ? { dimValue: size } : size === null ? {} : { dimParam: size }

const encodeValue = ({ name, element, shape }: OnnxValue): Onnx.IValueInfoProto => ({
  name,
  type: element === null ? {} : { tensorType: { elemType: ELEMENTS[element].code, ...(shape === null ? {} : { shape: { dim: shape.map(encodeDimension) } }) } },
})

const encodeAttribute = (name: string, attribute: OnnxAttribute): Onnx.IAttributeProto => {
  const text = (s: string): Uint8Array => new TextEncoder().encode(s)
  switch (attribute.type) {
    case 'int':
      return { name, type: ATTRIBUTE_TYPES.int, i: attribute.value }
    case 'float':
      return { name, type: ATTRIBUTE_TYPES.float, f: attribute.value }
    case 'ints':
      return { name, type: ATTRIBUTE_TYPES.ints, ints: [...attribute.value] }
    case 'floats':
      return { name, type: ATTRIBUTE_TYPES.floats, floats: [...attribute.value] }
    case 'string':
      return { name, type: ATTRIBUTE_TYPES.string, s: text(attribute.value) }
    case 'strings':
      return { name, type: ATTRIBUTE_TYPES.strings, strings: attribute.value.map(text) }
    case 'tensor':
      return { name, type: ATTRIBUTE_TYPES.tensor, t: encodeTensor(attribute.value) }
    case 'other':
      return { name }
  }
}

const encodeNode = (node: OnnxNode): Onnx.INodeProto => ({
  opType: node.operator,
  ...(node.domain === '' ? {} : { domain: node.domain }),
  name: node.name,
  input: [...node.inputs],
  output: [...node.outputs],
  attribute: Object.entries(node.attributes).map(([name, attribute]) => encodeAttribute(name, attribute)),
})

/** A document as the bytes of an .onnx file. The same document gives the same bytes. */
export const encodeOnnx = (model: OnnxModel): Uint8Array => {
  const message: Onnx.IModelProto = {
    irVersion: model.irVersion,
    opsetImport: Object.entries(model.opsets).map(([domain, version]) => ({ domain, version })),
    producerName: model.producer,
    producerVersion: model.producerVersion,
    metadataProps: Object.entries(model.metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: model.graphName,
      node: model.nodes.map(encodeNode),
      initializer: model.initializers.map(encodeTensor),
      input: model.inputs.map(encodeValue),
      output: model.outputs.map(encodeValue),
      valueInfo: model.values.map(encodeValue),
    },
  }
  return new Uint8Array(onnx.ModelProto.encode(message).finish())
}

// ---- reading ----

/** int64 fields arrive as Long objects or numbers. */
const toNumber = (x: unknown): number => (typeof x === 'number' ? x : typeof x === 'object' && x !== null ? Number(String(x)) : 0)

const toBigInt = (x: unknown): bigint => BigInt(typeof x === 'number' || (typeof x === 'object' && x !== null) ? String(x) : 0)

const elementOf = (code: unknown): OnnxElement | null => (Object.keys(ELEMENTS) as OnnxElement[]).find((element) => ELEMENTS[element].code === code) ?? null

/** Elements of a tensor that does not use rawData. The field depends on the type, as TensorProto states. */
const listedElements = (tensor: Onnx.ITensorProto, element: OnnxElement): OnnxArray => {
  const array = ELEMENTS[element].array
  if (element === 'float32') return Float32Array.from(tensor.floatData ?? [])
  if (element === 'float64') return Float64Array.from(tensor.doubleData ?? [])
  if (element === 'int64') return BigInt64Array.from((tensor.int64Data ?? []).map(toBigInt))
  if (element === 'uint64') return BigUint64Array.from((tensor.uint64Data ?? []).map(toBigInt))
  if (element === 'uint32') return Uint32Array.from((tensor.uint64Data ?? []).map(toNumber))
  return (array as typeof Int32Array).from(tensor.int32Data ?? [])
}

const decodeTensor = (tensor: Onnx.ITensorProto, path: string): OnnxTensor => {
  const name = tensor.name ?? ''
  const element = elementOf(tensor.dataType)
  if (element === null) throw malformedFile(path, null, `tensor "${name}" holds elements of type ${tensor.dataType ?? 0}, which is not read`)
  if ((tensor.externalData ?? []).length > 0 || tensor.dataLocation === 1) {
    throw malformedFile(path, null, `tensor "${name}" is stored in another file`, 'Save the model again with its weights inside the .onnx file.')
  }
  const dims = (tensor.dims ?? []).map(toNumber)
  if (dims.some((size) => !Number.isSafeInteger(size) || size < 0))
    throw malformedFile(path, null, `tensor "${name}" has dimensions [${dims.slice(0, 8).join(',')}]`)
  const { array } = ELEMENTS[element]
  const count = dims.reduce((product, size) => product * size, 1)
  const raw = tensor.rawData ?? new Uint8Array(0)
  const isRaw = raw.length > 0
  const bytes = count * array.BYTES_PER_ELEMENT
  if (isRaw && raw.length !== bytes)
    throw malformedFile(path, null, `tensor "${name}" has ${raw.length} bytes, its dimensions [${dims.join(',')}] take ${bytes}`)
  const data = isRaw ? new array(new Uint8Array(raw).buffer) : listedElements(tensor, element)
  if (data.length !== count) throw malformedFile(path, null, `tensor "${name}" has ${data.length} elements, its dimensions [${dims.join(',')}] take ${count}`)
  return { name, element, dims, data }
}

const decodeDimension = (dimension: Onnx.TensorShapeProto.IDimension): number | string | null => {
  if (typeof dimension.dimParam === 'string' && dimension.dimParam !== '') return dimension.dimParam
  return Object.hasOwn(dimension, 'dimValue') ? toNumber(dimension.dimValue) : null
}

const decodeValue = (value: Onnx.IValueInfoProto): OnnxValue => {
  const tensor = value.type?.tensorType
  return {
    name: value.name ?? '',
    element: elementOf(tensor?.elemType),
    shape: tensor?.shape == null ? null : (tensor.shape.dim ?? []).map(decodeDimension),
  }
}

const decodeAttribute = (attribute: Onnx.IAttributeProto, path: string): OnnxAttribute => {
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  switch (attribute.type) {
    case ATTRIBUTE_TYPES.int:
      return { type: 'int', value: toNumber(attribute.i) }
    case ATTRIBUTE_TYPES.float:
      return { type: 'float', value: attribute.f ?? 0 }
    case ATTRIBUTE_TYPES.ints:
      return { type: 'ints', value: (attribute.ints ?? []).map(toNumber) }
    case ATTRIBUTE_TYPES.floats:
      return { type: 'floats', value: [...(attribute.floats ?? [])] }
    case ATTRIBUTE_TYPES.string:
      return { type: 'string', value: text(attribute.s ?? new Uint8Array(0)) }
    case ATTRIBUTE_TYPES.strings:
      return { type: 'strings', value: (attribute.strings ?? []).map(text) }
    case ATTRIBUTE_TYPES.tensor:
      return { type: 'tensor', value: decodeTensor(attribute.t ?? {}, path) }
    default:
      return { type: 'other' }
  }
}

/** Names come from the file, so "__proto__" must become an ordinary key. */
const record = <T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> => Object.fromEntries(entries)

const decodeNode = (node: Onnx.INodeProto, path: string): OnnxNode => ({
  operator: node.opType ?? '',
  domain: node.domain ?? '',
  name: node.name ?? '',
  inputs: [...(node.input ?? [])],
  outputs: [...(node.output ?? [])],
  attributes: record((node.attribute ?? []).map((a) => [a.name ?? '', decodeAttribute(a, path)] as const)),
})

const decodeModel = (model: Onnx.IModelProto, path: string): OnnxModel => {
  const { graph } = model
  if (graph === null || graph === undefined || (model.opsetImport ?? []).length === 0) {
    throw malformedFile(path, null, 'not an ONNX model: it holds no graph or states no operator set')
  }
  return {
    irVersion: toNumber(model.irVersion),
    opsets: record((model.opsetImport ?? []).map((o) => [o.domain ?? '', toNumber(o.version)] as const)),
    producer: model.producerName ?? '',
    producerVersion: model.producerVersion ?? '',
    metadata: record((model.metadataProps ?? []).map((p) => [p.key ?? '', p.value ?? ''] as const)),
    graphName: graph.name ?? '',
    nodes: (graph.node ?? []).map((node) => decodeNode(node, path)),
    initializers: (graph.initializer ?? []).map((tensor) => decodeTensor(tensor, path)),
    inputs: (graph.input ?? []).map(decodeValue),
    outputs: (graph.output ?? []).map(decodeValue),
    values: (graph.valueInfo ?? []).map(decodeValue),
  }
}

/**
 * The document in the bytes of an .onnx file; `path` is for messages.
 * @throws FILE_MALFORMED for bytes that are no ONNX model, are cut short, or hold tensors whose data does not fit their dimensions
 */
export const decodeOnnx = (bytes: Uint8Array, path: string): OnnxModel => {
  checkOnnxWire(bytes, path)
  try {
    return decodeModel(onnx.ModelProto.decode(bytes), path)
  } catch (error) {
    if (error instanceof SpikeportError) throw error
    throw malformedFile(path, null, `the protobuf message does not parse (${error instanceof Error ? error.message : String(error)})`)
  }
}
