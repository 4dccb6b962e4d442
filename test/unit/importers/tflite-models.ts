// Small .tflite files for tests: a writer of the few FlatBuffers tables that a model takes, written back to front as a plain byte list.

/** A tensor of a model; data makes it a constant. */
export interface TensorSpec {
  readonly name: string
  readonly shape: readonly number[]
  /** default 'int8' */
  readonly type?: 'float32' | 'int32' | 'uint8' | 'int64' | 'int8' | 'int16' | 'float16'
  readonly scales?: readonly number[]
  readonly zeroPoints?: readonly number[]
  readonly channelAxis?: number
  readonly data?: ArrayBufferView
  readonly signature?: readonly number[]
  readonly isSparse?: boolean
}

export interface OperatorSpec {
  readonly code: number
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** fields of the options table by index: bytes (i8), ints (i32) or floats */
  readonly options?: Readonly<Record<number, readonly ['i8' | 'i32' | 'f32', number]>>
}

export interface ModelSpec {
  readonly tensors: readonly TensorSpec[]
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly operators: readonly OperatorSpec[]
  readonly version?: number
  readonly subgraphs?: number
}

const TYPES = { float32: 0, float16: 1, int32: 2, uint8: 3, int64: 4, int16: 7, int8: 9 } as const

type Field = { readonly bytes: readonly number[] } | { readonly child: Part } | null
/** Bytes with places that hold offsets to other parts. */
type Part = { readonly fields: readonly Field[] } | { readonly vector: readonly number[]; readonly count: number } | { readonly parts: readonly Part[] }

const i8 = (x: number): readonly number[] => [x & 255]
const i16 = (x: number): readonly number[] => [x & 255, (x >> 8) & 255]
const i32 = (x: number): readonly number[] => [x & 255, (x >> 8) & 255, (x >> 16) & 255, (x >>> 24) & 255]
const f32 = (x: number): readonly number[] => [...new Uint8Array(Float32Array.of(x).buffer)]
const i64 = (x: number): readonly number[] => [...new Uint8Array(BigInt64Array.of(BigInt(x)).buffer)]
const scalar = (bytes: readonly number[]): Field => ({ bytes })
const child = (part: Part): Field => ({ child: part })
const ints = (list: readonly number[]): Field => child({ vector: list.flatMap(i32), count: list.length })
const bytes = (list: Iterable<number>): Field => {
  const vector = [...list]
  return child({ vector, count: vector.length })
}
const text = (words: string): Field => bytes(new TextEncoder().encode(words))
const list = (parts: readonly Part[]): Field => child({ parts })
const table = (...fields: Field[]): Part => ({ fields })

/** Writes parts one behind the other; an offset is patched when its target is written, which is always further on. */
const serialize = (root: Part): Uint8Array => {
  const out: number[] = [0, 0, 0, 0, 0x54, 0x46, 0x4c, 0x33]
  const patch = (at: number, value: number): void => void out.splice(at, 4, ...i32(value))
  const write = (part: Part): number => {
    while (out.length % 4 !== 0) out.push(0)
    if ('vector' in part) {
      const at = out.length
      out.push(...i32(part.count), ...part.vector)
      return at
    }
    if ('parts' in part) {
      const at = out.length
      out.push(...i32(part.parts.length), ...part.parts.flatMap(() => [0, 0, 0, 0]))
      part.parts.forEach((item, i) => {
        patch(at + 4 + 4 * i, write(item) - (at + 4 + 4 * i))
      })
      return at
    }
    const vtable = out.length
    const offsets: number[] = []
    let end = 4
    for (const field of part.fields) {
      offsets.push(field === null ? 0 : end)
      end += field === null ? 0 : 'child' in field ? 4 : Math.ceil(field.bytes.length / 4) * 4
    }
    out.push(...i16(4 + 2 * offsets.length), ...i16(end), ...offsets.flatMap(i16))
    while (out.length % 4 !== 0) out.push(0)
    const at = out.length
    out.push(...i32(at - vtable), ...new Array<number>(end - 4).fill(0))
    part.fields.forEach((field, i) => {
      const place = at + (offsets[i] as number)
      if (field !== null && 'bytes' in field) out.splice(place, field.bytes.length, ...field.bytes)
      if (field !== null && 'child' in field) patch(place, write(field.child) - place)
    })
    return at
  }
  patch(0, write(root))
  return Uint8Array.from(out)
}

const OPTION = { i8, i32, f32 } as const

const optionsTable = (options: NonNullable<OperatorSpec['options']>): Part => {
  const length = 1 + Math.max(-1, ...Object.keys(options).map(Number))
  return table(
    ...Array.from({ length }, (_, i) => {
      const option = options[i]
      return option === undefined ? null : scalar(OPTION[option[0]](option[1]))
    }),
  )
}

const tensorTable = (tensor: TensorSpec, buffer: number): Part => {
  const { scales, zeroPoints = scales?.map(() => 0) ?? [] } = tensor
  const quantization =
    scales === undefined
      ? null
      : child(
          table(
            null,
            null,
            child({ vector: scales.flatMap(f32), count: scales.length }),
            child({ vector: zeroPoints.flatMap(i64), count: zeroPoints.length }),
            null,
            null,
            scalar(i32(tensor.channelAxis ?? 0)),
          ),
        )
  return table(
    ints(tensor.shape),
    scalar(i8(TYPES[tensor.type ?? 'int8'])),
    scalar(i32(buffer)),
    text(tensor.name),
    quantization,
    null,
    tensor.isSparse === true ? child(table()) : null,
    tensor.signature === undefined ? null : ints(tensor.signature),
  )
}

const viewBytes = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** The bytes of a model. */
export const tfliteBytes = (model: ModelSpec): Uint8Array => {
  const constants = model.tensors.flatMap(({ data }) => (data === undefined ? [] : [data]))
  const codes = [...new Set(model.operators.map(({ code }) => code))]
  const operators = model.operators.map(({ code, inputs, outputs, options }) =>
    table(scalar(i32(codes.indexOf(code))), ints(inputs), ints(outputs), null, options === undefined ? null : child(optionsTable(options))),
  )
  let buffer = 0
  const tensors = model.tensors.map((tensor) => tensorTable(tensor, tensor.data === undefined ? 0 : ++buffer))
  const graph = table(list(tensors), ints(model.inputs), ints(model.outputs), list(operators))
  return serialize(
    table(
      scalar(i32(model.version ?? 3)),
      list(codes.map((code) => table(scalar(i8(Math.min(code, 127))), code === 32 ? text('Mine') : null, null, scalar(i32(code))))),
      list(Array.from({ length: model.subgraphs ?? 1 }, () => graph)),
      text('a test'),
      list([table(), ...constants.map((data) => table(bytes(viewBytes(data))))]),
    ),
  )
}

export const CODES = {
  add: 0,
  averagePool: 1,
  concatenation: 2,
  conv2d: 3,
  depthwise: 4,
  dequantize: 6,
  fullyConnected: 9,
  logistic: 14,
  maxPool: 17,
  relu: 19,
  relu6: 21,
  reshape: 22,
  softmax: 25,
  custom: 32,
  pad: 34,
  mean: 40,
  quantize: 114,
} as const
