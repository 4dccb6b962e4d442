// The contract of an operator: one file in operators/ fills it in. Everything that depends on an operator's kind inside the network
// package goes through these functions; verify() calls the checks on every node, evaluate assumes a verified network.

import { invalidNetwork } from '../errors.js'
import {
  byteLength,
  type ElementArray,
  elementCount,
  isQuantized,
  type NodeBase,
  type Rounding,
  type Shape,
  type Stage,
  type Tensor,
  type ValueKind,
  type ValueType,
} from './types.js'
import type { Geometry } from './window.js'

/** Types around one node. */
export interface NodeTypes {
  readonly inputs: readonly ValueType[]
  readonly output: ValueType
  /** of the states that the node updates */
  readonly states: readonly ValueType[]
  /** the network's */
  readonly rounding: Rounding
}

/** What a node costs: multiply-accumulates (or additions of a pool or add) a sample, and bytes of its constants. */
export interface Cost {
  readonly macs: number
  readonly constantBytes: number
}

export interface Operator<N extends NodeBase<string>> {
  readonly kind: N['kind']
  /** number of inputs; 'many' is two or more */
  readonly inputs: number | 'many'
  /** fewest and most states that the node updates; absent: none */
  readonly states?: readonly [number, number]
  /** float: exists only before quantization */
  readonly stages: readonly Stage[]
  /** Refuses attributes and constants that are not well formed; node may come from an untrusted file. Called first. */
  readonly checkAttributes: (node: N) => void
  /** The output shape; refuses input shapes that do not fit. */
  readonly outputShape: (node: N, inputs: readonly Shape[]) => Shape
  /** Refuses value types that do not go together (shapes are checked by then). */
  readonly checkTypes: (node: N, types: NodeTypes, stage: Stage) => void
  /** The definition: output elements of one sample from input elements of one sample; `states` are the node's own, updated in place. */
  readonly evaluate: (node: N, inputs: readonly ElementArray[], types: NodeTypes, states: readonly ElementArray[]) => ElementArray
  readonly macs: (node: N, types: NodeTypes) => number
  /**
   * Per input: by how many bytes the output must start in front of the input for the two to overlap in memory, so that every byte is
   * written after its last read (docs/arithmetic.md, memory order); null: they must not overlap.
   */
  readonly overlap: (node: N, types: NodeTypes) => readonly (number | null)[]
}

/** Names a node in messages. */
export const whereOf = (node: NodeBase<string>): string => `${node.kind} "${node.name}"`

const isTensorData = (data: unknown): data is ElementArray => ArrayBuffer.isView(data) && !(data instanceof DataView)

/** Refuses a constant that is missing, of another kind or shape, or holds NaN or infinity. `null` in shape accepts any size there. */
export const checkTensor = (
  tensor: Tensor | null | undefined,
  kinds: readonly ValueKind[],
  shape: readonly (number | null)[],
  name: string,
  where: string,
): void => {
  if (tensor === null || tensor === undefined || typeof tensor !== 'object' || tensor.type === undefined || !isTensorData(tensor.data)) {
    throw invalidNetwork(where, `${name} are missing`)
  }
  const { type, data } = tensor
  if (!kinds.includes(type.kind)) throw invalidNetwork(where, `${name} are ${type.kind}, expected ${kinds.join(' or ')}`)
  if (type.shape.length !== shape.length || type.shape.some((size, i) => shape[i] !== null && shape[i] !== size)) {
    throw invalidNetwork(where, `${name} have shape [${type.shape.join(',')}], expected [${shape.map((s) => s ?? '*').join(',')}]`)
  }
  if (type.kind === 'float32' && !data.every(Number.isFinite)) {
    throw invalidNetwork(where, `${name} hold ${data.find((x) => !Number.isFinite(x))}, every weight must be a finite number`)
  }
}

/** Kinds that weights may have: float32 in the float stage, int8 or packed +1 and -1 in the integer stage. */
export const WEIGHT_KINDS: readonly ValueKind[] = ['float32', 'int8', 'binary']

const KINDS_OF_WEIGHTS: Readonly<Record<Stage, readonly ValueKind[]>> = { float: ['float32'], integer: ['int8', 'binary'] }

/** Refuses weights that are not float32 in the float stage, or binary or symmetric int8 (per tensor, or per channel along `axis`) in the integer stage, and a bias that is not float32 or int32. */
export const checkWeightTypes = (weights: Tensor, bias: Tensor | null, axis: number, stage: Stage, where: string): void => {
  const biasKind = stage === 'float' ? 'float32' : 'int32'
  if (!KINDS_OF_WEIGHTS[stage].includes(weights.type.kind))
    throw invalidNetwork(
      where,
      `weights are ${weights.type.kind}, ${stage === 'float' ? 'a' : 'an'} ${stage} network takes ${KINDS_OF_WEIGHTS[stage].join(' or ')}`,
    )
  if (bias !== null && bias.type.kind !== biasKind)
    throw invalidNetwork(where, `the bias is ${bias.type.kind}, ${stage === 'float' ? 'a' : 'an'} ${stage} network takes ${biasKind}`)
  if (!isQuantized(weights.type)) return
  if (weights.type.zeroPoint !== 0) throw invalidNetwork(where, `weights have zero point ${weights.type.zeroPoint}, they must be symmetric (0)`)
  if (weights.type.channelAxis !== null && weights.type.channelAxis !== axis) {
    throw invalidNetwork(where, `weights are quantized along axis ${weights.type.channelAxis}, expected ${axis}`)
  }
}

/** Refuses an input of a sum, or of what moves elements of any kind, that is not float32 (float stage) or int8, level or binary (integer stage). */
export const checkSumInput = (type: ValueType, stage: Stage, where: string): void => {
  if (stage === 'integer' && (type.kind === 'level' || type.kind === 'binary')) return
  checkInputKind(type, stage, where)
}

/** Refuses an operator's input that is not float32 (float stage) or per-tensor int8 (integer stage). */
export const checkInputKind = (type: ValueType, stage: Stage, where: string): void => {
  const expected = stage === 'float' ? 'float32' : 'int8'
  if (type.kind !== expected)
    throw invalidNetwork(where, `the input is ${type.kind}, ${stage === 'float' ? 'a' : 'an'} ${stage} network's ${where.split(' ')[0]} takes ${expected}`)
}

const isTensor = (x: unknown): x is Tensor => x !== null && typeof x === 'object' && 'data' in x && 'type' in x

/** Every tensor among a node's attributes and its emission's. */
export const constantsOf = (node: NodeBase<string>): readonly Tensor[] => {
  const { emission } = node as { readonly emission?: unknown }
  const ofEmission: readonly unknown[] = emission !== null && typeof emission === 'object' ? Object.values(emission) : []
  return [...Object.values(node), ...ofEmission].filter(isTensor)
}

/** Bytes of a node's constants. */
export const constantBytes = (node: NodeBase<string>): number => constantsOf(node).reduce((sum, t) => sum + byteLength(t.type), 0)

/** overlap of an operator that needs all its inputs until its last output element. */
export const neverOverlaps = (_: unknown, types: NodeTypes): readonly null[] => types.inputs.map(() => null)

/** overlap of an elementwise operator: output element i is written when input elements i have been read. */
export const overlapsElementwise = (_: unknown, types: NodeTypes): readonly (number | null)[] =>
  types.inputs.map((input) => (byteLength(input) === byteLength(types.output) ? 0 : null))

/**
 * overlap of a window that moves over rows in order, null where elements are packed (rows do not end at bytes): while output row y is computed, input rows from y * stride - padTop on are still
 * read, so the output's row y must end where that input row starts, or before.
 */
export const rowOverlap = (g: Geometry, { inputs: [input], output }: NodeTypes): number | null => {
  if (input === undefined || input.kind === 'binary' || output.kind === 'binary') return null
  const inputRow = byteLength(input) / g.inputHeight
  const outputRow = byteLength(output) / g.outputHeight
  let distance = 0
  for (let y = 0; y < g.outputHeight; y++) {
    distance = Math.max(distance, (y + 1) * outputRow - Math.max(0, y * g.strideY - g.padTop) * inputRow)
  }
  return distance
}

/** macs of an operator that moves or compares bytes. */
export const noMacs = (): number => 0

/** macs of an elementwise operator: one an output element. */
export const oneMacAnElement = (_: unknown, types: NodeTypes): number => elementCount(types.output.shape)
