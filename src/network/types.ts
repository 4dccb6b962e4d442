// The network type that every pass, exporter and runtime shares: plain readonly data (survives structuredClone). A value has
// a type, a node computes one value from others; the order of nodes is the order of execution. Specified in docs/arithmetic.md.

import type { Node } from './operators/index.js'

/** Where a network stands: float as imported, integer as deployed. */
export type Stage = 'float' | 'integer'

/** Dimensions without the batch axis: images [height, width, channels], signals [steps, channels], vectors [features]. */
export type Shape = readonly number[]

/** Which requantization a network uses (docs/arithmetic.md): ONNX Runtime's, or TensorFlow Lite's. */
export type Rounding = 'single' | 'tflite'

export interface Float32Type {
  readonly kind: 'float32'
  readonly shape: Shape
}

/** Stored integers q that stand for scale * (q - zeroPoint). */
export interface QuantizedType {
  readonly kind: 'int8' | 'uint8' | 'int32'
  readonly shape: Shape
  /** float32 numbers: one (per tensor), or one per channel along `channelAxis` */
  readonly scales: readonly number[]
  /** 0 where scales are per channel */
  readonly zeroPoint: number
  /** null: per tensor */
  readonly channelAxis: number | null
}

/** +1 and -1, packed one bit each: bit i of word w is element 32 w + i, 1 is +1, spare bits are 0. */
export interface BinaryType {
  readonly kind: 'binary'
  readonly shape: Shape
}

/** Stairs 0..levels; spikes are levels 0..1. */
export interface LevelType {
  readonly kind: 'level'
  readonly shape: Shape
  readonly levels: number
}

/** Membranes and synaptic currents of spiking units in the integer stage: int32, -65535..65535. */
export interface MembraneType {
  readonly kind: 'membrane'
  readonly shape: Shape
}

export type ValueType = Float32Type | QuantizedType | BinaryType | LevelType | MembraneType
export type ValueKind = ValueType['kind']

/** The arrays that hold elements: float32 Float32Array; int8 Int8Array; uint8, level Uint8Array; int32, membrane Int32Array; binary Uint32Array (packed). */
export type ElementArray = Float32Array | Int8Array | Uint8Array | Int32Array | Uint32Array

/** A constant: a type and its elements, row major. */
export interface Tensor<T extends ValueType = ValueType> {
  readonly type: T
  readonly data: ElementArray
}

/** Something a node reads or writes while the network runs. */
export interface Value {
  readonly name: string
  readonly type: ValueType
}

/** What a node of any kind has; each operator's file adds its attributes. Inputs and output are indices into Network.values. */
export interface NodeBase<Kind extends string> {
  readonly kind: Kind
  readonly name: string
  readonly inputs: readonly number[]
  readonly output: number
  /** values among the network's states that the node updates in place; absent: none */
  readonly states?: readonly number[]
}

/** The most time steps of a run: the flash format and its readers hold no more. */
export const MAX_STEPS = 65535

/** A network that runs over time (docs/spiking.md): one run takes `steps` time steps, each of all nodes in order. Inputs stay as they are. */
export interface NetworkTime {
  /** at least 1 */
  readonly steps: number
  /** indices into values: all 0 when a run starts, kept from step to step. Who reads one before its node runs reads the step before. */
  readonly states: readonly number[]
}

export interface Network<S extends Stage = Stage> {
  readonly stage: S
  readonly name: string
  readonly rounding: Rounding
  readonly values: readonly Value[]
  /** indices into values */
  readonly inputs: readonly number[]
  /** indices into values; the first is the primary output. Float32 outputs of an integer network (softmax) are for reading, not for equality. */
  readonly outputs: readonly number[]
  /** in execution order */
  readonly nodes: readonly Node[]
  /** absent: one step, nothing is kept */
  readonly time?: NetworkTime
  /** class names of the primary output, or empty */
  readonly labels: readonly string[]
  /** free text: where the network came from, how it was quantized */
  readonly metadata: Readonly<Record<string, string>>
}

/** Number of elements of a shape; 1 for []. */
export const elementCount = (shape: Shape): number => shape.reduce((product, size) => product * size, 1)

const BYTES_PER_ELEMENT: Readonly<Record<Exclude<ValueKind, 'binary'>, number>> = {
  float32: 4,
  int8: 1,
  uint8: 1,
  int32: 4,
  level: 1,
  membrane: 4,
}

/** Spikes of a shape. */
export const spikes = (shape: Shape): LevelType => ({ kind: 'level', shape, levels: 1 })

/** The states of a network; none where it does not run over time. */
export const statesOf = (network: Network): readonly number[] => network.time?.states ?? []

/** Time steps of a run. */
export const stepsOf = (network: Network): number => network.time?.steps ?? 1

/** Bytes a value takes in memory. */
export const byteLength = (type: ValueType): number =>
  type.kind === 'binary' ? 4 * Math.ceil(elementCount(type.shape) / 32) : elementCount(type.shape) * BYTES_PER_ELEMENT[type.kind]

const ARRAYS = {
  float32: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int32: Int32Array,
  binary: Uint32Array,
  level: Uint8Array,
  membrane: Int32Array,
} as const

/** The typed array class that holds a kind's elements. */
export const arrayClass = (kind: ValueKind): (typeof ARRAYS)[ValueKind] => ARRAYS[kind]

/** Length of the typed array that holds a value (words for binary, elements otherwise). */
export const arrayLength = (type: ValueType): number => (type.kind === 'binary' ? Math.ceil(elementCount(type.shape) / 32) : elementCount(type.shape))

/** A zero-filled array for `samples` values of a type. */
export const allocate = (type: ValueType, samples = 1): ElementArray => new ARRAYS[type.kind](arrayLength(type) * samples)

/** True for int8, uint8 and int32. */
export const isQuantized = (type: ValueType): type is QuantizedType => type.kind === 'int8' || type.kind === 'uint8' || type.kind === 'int32'

/** A per-tensor quantized type; a zero point of -0 (rounding gives it) becomes 0, as files store it. */
export const perTensor = (kind: QuantizedType['kind'], shape: Shape, scale: number, zeroPoint: number): QuantizedType => ({
  kind,
  shape,
  scales: [Math.fround(scale)],
  zeroPoint: zeroPoint + 0,
  channelAxis: null,
})

/** A symmetric per-channel quantized type. */
export const perChannel = (kind: QuantizedType['kind'], shape: Shape, scales: readonly number[], channelAxis: number): QuantizedType => ({
  kind,
  shape,
  scales: scales.map(Math.fround),
  zeroPoint: 0,
  channelAxis,
})

/** The scale of a channel: the one scale of a per-tensor type, or the channel's own. */
export const channelScale = (type: QuantizedType, channel: number): number => (type.scales.length === 1 ? type.scales[0] : type.scales[channel]) ?? Number.NaN

/** True where both types store the same numbers for the same reals: kind, scale and zero point. */
export const hasEqualQuantization = (a: ValueType, b: ValueType): boolean => {
  if (a.kind === 'level' && b.kind === 'level') return a.levels === b.levels
  if (!isQuantized(a) || !isQuantized(b)) return a.kind === b.kind
  return a.kind === b.kind && a.zeroPoint === b.zeroPoint && a.scales.length === b.scales.length && a.scales.every((s, i) => s === b.scales[i])
}

/** "int8[28,28,1] scale 0.0039 zero point -128", for printing and for messages. */
export const describeType = (type: ValueType): string => {
  const base = `${type.kind}[${type.shape.join(',')}]`
  if (type.kind === 'level') return `${base} 0..${type.levels}`
  if (!isQuantized(type)) return base
  return type.channelAxis === null
    ? `${base} scale ${Number((type.scales[0] ?? 0).toPrecision(6))} zero point ${type.zeroPoint}`
    : `${base} ${type.scales.length} scales on axis ${type.channelAxis}`
}
