// Bytes of a .tflite file (a FlatBuffer of TensorFlow Lite's schema version 3, identifier TFL3) -> plain document: the tensors and operators of its
// one subgraph. Every offset and count is checked; what an operator means is the importer's matter.

import { malformedFile } from '../errors.js'

/** Element types by their codes in the schema. */
const TENSOR_TYPES =
  'float32 float16 int32 uint8 int64 string bool int16 complex64 int8 float64 complex128 uint64 resource variant uint32 uint16 int4 bfloat16 int2'.split(' ')

/** Builtin operators by their codes in the schema. */
const OPERATOR_NAMES =
  'ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE'.split(
    ' ',
  )
const CUSTOM = 32

type Scalar = 'i8' | 'u8' | 'i32' | 'u32' | 'f32'
type OptionField = readonly [name: string, index: number, type: Scalar, absent: number]

const WINDOW: readonly OptionField[] = [
  ['padding', 0, 'i8', 0],
  ['strideX', 1, 'i32', 0],
  ['strideY', 2, 'i32', 0],
]

/** The options that are read, by operator: field index in its options table, type, and the schema's value where it is absent. */
const OPTIONS: Readonly<Record<string, readonly OptionField[]>> = {
  ADD: [['activation', 0, 'i8', 0]],
  AVERAGE_POOL_2D: [...WINDOW, ['kernelX', 3, 'i32', 0], ['kernelY', 4, 'i32', 0], ['activation', 5, 'i8', 0]],
  MAX_POOL_2D: [...WINDOW, ['kernelX', 3, 'i32', 0], ['kernelY', 4, 'i32', 0], ['activation', 5, 'i8', 0]],
  CONCATENATION: [
    ['axis', 0, 'i32', 0],
    ['activation', 1, 'i8', 0],
  ],
  CONV_2D: [...WINDOW, ['activation', 3, 'i8', 0], ['dilationX', 4, 'i32', 1], ['dilationY', 5, 'i32', 1]],
  DEPTHWISE_CONV_2D: [...WINDOW, ['multiplier', 3, 'i32', 0], ['activation', 4, 'i8', 0], ['dilationX', 5, 'i32', 1], ['dilationY', 6, 'i32', 1]],
  FULLY_CONNECTED: [
    ['activation', 0, 'i8', 0],
    ['weightsFormat', 1, 'i8', 0],
    ['keepsDimensions', 2, 'u8', 0],
  ],
  MEAN: [['keepsDimensions', 0, 'u8', 0]],
  SOFTMAX: [['beta', 0, 'f32', 0]],
}

export interface TfliteTensor {
  readonly name: string
  readonly shape: readonly number[]
  /** true where a dimension behind the first is stated as unknown */
  readonly isDynamic: boolean
  /** "int8", "float32" ..., or "type 99" */
  readonly type: string
  readonly scales: readonly number[]
  readonly zeroPoints: readonly number[]
  /** the axis that several scales belong to */
  readonly channelAxis: number
  readonly isSparse: boolean
  /** elements of a constant, a view of the file; null: computed or fed */
  readonly data: Uint8Array | null
}

export interface TfliteOperator {
  /** builtin name, "CUSTOM name" or "operator 999" */
  readonly name: string
  /** tensor indices; -1: left out */
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** by the names of OPTIONS */
  readonly options: Readonly<Record<string, number>>
}

export interface TfliteDocument {
  readonly description: string
  readonly tensors: readonly TfliteTensor[]
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly operators: readonly TfliteOperator[]
}

interface Reader {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly path: string
  /** elements that vectors may still take: shared vectors must not multiply a small file */
  readonly budget: { left: number }
}

interface Table {
  readonly at: number
  readonly vtable: number
  readonly vtableBytes: number
}

const refuse = ({ path }: Reader, at: number, what: string): never => {
  throw malformedFile(path, at, what)
}

/** Refuses to read `count` bytes at `at` beyond the end. */
const need = (r: Reader, at: number, count: number, what: string): void => {
  if (at < 0 || at + count > r.bytes.length) refuse(r, Math.max(0, Math.min(at, r.bytes.length)), `${what} lies outside the file`)
}

const tableAt = (r: Reader, at: number, what: string): Table => {
  need(r, at, 4, what)
  const vtable = at - r.view.getInt32(at, true)
  need(r, vtable, 4, `the table of ${what}`)
  const vtableBytes = r.view.getUint16(vtable, true)
  need(r, vtable, Math.max(4, vtableBytes), `the table of ${what}`)
  return { at, vtable, vtableBytes }
}

/** Position of a field's inline data, or null where it is absent. */
const fieldAt = (r: Reader, table: Table, index: number, bytes: number, what: string): number | null => {
  const entry = 4 + 2 * index
  const offset = entry + 2 > table.vtableBytes ? 0 : r.view.getUint16(table.vtable + entry, true)
  if (offset === 0) return null
  need(r, table.at + offset, bytes, what)
  return table.at + offset
}

const SCALARS: Readonly<Record<Scalar, readonly [bytes: number, read: (view: DataView, at: number) => number]>> = {
  i8: [1, (view, at) => view.getInt8(at)],
  u8: [1, (view, at) => view.getUint8(at)],
  i32: [4, (view, at) => view.getInt32(at, true)],
  u32: [4, (view, at) => view.getUint32(at, true)],
  f32: [4, (view, at) => view.getFloat32(at, true)],
}

const scalar = (r: Reader, table: Table, index: number, type: Scalar, absent: number, what: string): number => {
  const [bytes, read] = SCALARS[type]
  const at = fieldAt(r, table, index, bytes, what)
  return at === null ? absent : read(r.view, at)
}

/** Where a field's offset points to, or null where it is absent. */
const target = (r: Reader, table: Table, index: number, what: string): number | null => {
  const at = fieldAt(r, table, index, 4, what)
  return at === null ? null : at + r.view.getUint32(at, true)
}

/** Start and length of a vector; absent vectors are empty. */
const vector = (r: Reader, table: Table, index: number, elementBytes: number, what: string): { readonly at: number; readonly count: number } => {
  const head = target(r, table, index, what)
  if (head === null) return { at: 0, count: 0 }
  need(r, head, 4, what)
  const count = r.view.getUint32(head, true)
  need(r, head + 4, count * elementBytes, what)
  return { at: head + 4, count }
}

const elements = <T>(r: Reader, table: Table, index: number, elementBytes: number, what: string, read: (at: number, i: number) => T): T[] => {
  const { at, count } = vector(r, table, index, elementBytes, what)
  r.budget.left -= count
  if (r.budget.left < 0) refuse(r, at, `${what}: vectors share their bytes too often`)
  return Array.from({ length: count }, (_, i) => read(at + i * elementBytes, i))
}

const integers = (r: Reader, table: Table, index: number, what: string): number[] => elements(r, table, index, 4, what, (at) => r.view.getInt32(at, true))

/** Vector of 64-bit integers; what float64 cannot hold exactly comes out rounded. */
const longs = (r: Reader, table: Table, index: number, what: string): number[] =>
  elements(r, table, index, 8, what, (at) => Number(r.view.getBigInt64(at, true)))

const tables = (r: Reader, table: Table, index: number, what: string): Table[] =>
  elements(r, table, index, 4, what, (at, i) => tableAt(r, at + r.view.getUint32(at, true), `${what} ${i}`))

const text = (r: Reader, table: Table, index: number, what: string): string => {
  const { at, count } = vector(r, table, index, 1, what)
  r.budget.left -= count
  if (r.budget.left < 0) refuse(r, at, `${what}: vectors share their bytes too often`)
  return new TextDecoder().decode(r.bytes.subarray(at, at + count))
}

const readBuffer = (r: Reader, table: Table, i: number): Uint8Array | null => {
  const what = `buffer ${i}`
  if (fieldAt(r, table, 1, 8, what) !== null) refuse(r, table.at, `${what} lies behind the FlatBuffer, as in files above 2 GB`)
  const { at, count } = vector(r, table, 0, 1, what)
  return count === 0 ? null : r.bytes.subarray(at, at + count)
}

const readTensor = (r: Reader, table: Table, i: number, buffers: readonly (Uint8Array | null)[]): TfliteTensor => {
  const what = `tensor ${i}`
  const at = target(r, table, 4, what)
  const quantization = at === null ? null : tableAt(r, at, `the quantization of ${what}`)
  const type = scalar(r, table, 1, 'u8', 0, what)
  const buffer = scalar(r, table, 2, 'u32', 0, what)
  if (buffer >= buffers.length) refuse(r, table.at, `${what} names buffer ${buffer} of ${buffers.length}`)
  return {
    name: text(r, table, 3, what),
    shape: integers(r, table, 0, what),
    isDynamic: integers(r, table, 7, what)
      .slice(1)
      .some((size) => size < 0),
    type: TENSOR_TYPES[type] ?? `type ${type}`,
    scales: quantization === null ? [] : elements(r, quantization, 2, 4, what, (place) => r.view.getFloat32(place, true)),
    zeroPoints: quantization === null ? [] : longs(r, quantization, 3, what),
    channelAxis: quantization === null ? 0 : scalar(r, quantization, 6, 'i32', 0, what),
    isSparse: fieldAt(r, table, 6, 4, what) !== null,
    data: buffers[buffer] as Uint8Array | null,
  }
}

/** The code stands in a byte in old files and in an int behind it in new ones; the larger one holds. */
const readOperatorName = (r: Reader, table: Table, i: number): string => {
  const what = `operator code ${i}`
  const code = Math.max(scalar(r, table, 0, 'i8', 0, what), scalar(r, table, 3, 'i32', 0, what))
  return code === CUSTOM ? `CUSTOM ${text(r, table, 1, what)}` : (OPERATOR_NAMES[code] ?? `operator ${code}`)
}

const checkTensors = (r: Reader, table: Table, indices: readonly number[], count: number, least: number, what: string): readonly number[] => {
  const wrong = indices.find((index) => index < least || index >= count)
  if (wrong !== undefined) refuse(r, table.at, `${what} names tensor ${wrong} of ${count}`)
  return indices
}

const readOperator = (r: Reader, table: Table, i: number, names: readonly string[], tensorCount: number): TfliteOperator => {
  const what = `operator ${i}`
  const code = scalar(r, table, 0, 'u32', 0, what)
  const name = names[code]
  if (name === undefined) return refuse(r, table.at, `${what} names operator code ${code} of ${names.length}`)
  const at = target(r, table, 4, what)
  const options = at === null ? null : tableAt(r, at, `the options of ${what}`)
  const fields = Object.hasOwn(OPTIONS, name) ? (OPTIONS[name] as readonly OptionField[]) : []
  return {
    name,
    inputs: checkTensors(r, table, integers(r, table, 1, what), tensorCount, -1, what),
    outputs: checkTensors(r, table, integers(r, table, 2, what), tensorCount, 0, what),
    options: Object.fromEntries(
      fields.map(([field, index, type, absent]) => [field, options === null ? absent : scalar(r, options, index, type, absent, `an option of ${what}`)]),
    ),
  }
}

/** Where the root table must lie at least: behind its offset and the identifier. */
const HEAD_BYTES = 8
const IDENTIFIER = [0x54, 0x46, 0x4c, 0x33] // "TFL3"
const SCHEMA_VERSION = 3

/** True for bytes that carry the identifier of a .tflite file. */
export const isTflite = (bytes: Uint8Array): boolean => bytes.length >= HEAD_BYTES && IDENTIFIER.every((byte, i) => bytes[4 + i] === byte)

/**
 * Reads the bytes of a .tflite file; `path` is for messages. Constants are views of the bytes.
 * @throws FILE_MALFORMED for damaged bytes, another schema version, or more than one subgraph
 */
export const readTflite = (bytes: Uint8Array, path: string): TfliteDocument => {
  if (!isTflite(bytes)) throw malformedFile(path, 4, 'not a .tflite file (the identifier TFL3 is missing)')
  const r: Reader = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), path, budget: { left: 4 * bytes.length } }
  const model = tableAt(r, r.view.getUint32(0, true), 'the model')
  const version = scalar(r, model, 0, 'u32', 0, 'the version')
  if (version !== SCHEMA_VERSION) refuse(r, model.at, `schema version ${version}, expected ${SCHEMA_VERSION}`)
  const names = tables(r, model, 1, 'operator code').map((table, i) => readOperatorName(r, table, i))
  const buffers = tables(r, model, 4, 'buffer').map((table, i) => readBuffer(r, table, i))
  const subgraphs = tables(r, model, 2, 'subgraph')
  const [graph] = subgraphs
  if (graph === undefined || subgraphs.length !== 1) return refuse(r, model.at, `${subgraphs.length} subgraphs, expected 1`)
  const tensors = tables(r, graph, 0, 'tensor').map((table, i) => readTensor(r, table, i, buffers))
  return {
    description: text(r, model, 3, 'the description'),
    tensors,
    inputs: checkTensors(r, graph, integers(r, graph, 1, 'the inputs'), tensors.length, 0, 'the list of inputs'),
    outputs: checkTensors(r, graph, integers(r, graph, 2, 'the outputs'), tensors.length, 0, 'the list of outputs'),
    operators: tables(r, graph, 3, 'operator').map((table, i) => readOperator(r, table, i, names, tensors.length)),
  }
}
