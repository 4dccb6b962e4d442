// An ONNX graph while it is being written: nodes, constants, and for every network value the ONNX names that hold it, by layout.
// Layouts are made on demand, so a Transpose stands only where an operator needs one. Activations are uint8: int8 value + 128,
// levels as they are, signs as 0 and 2 (zero point 1).

import type { OnnxArray, OnnxAttribute, OnnxElement, OnnxNode, OnnxTensor } from '../formats/onnx.js'
import { typeOf } from '../network/graph.js'
import { elementCount, isQuantized, type Network, type Shape, type ValueKind, type ValueType } from '../network/types.js'
import { asImage } from '../network/window.js'
import type { OnnxOptions } from './options.js'

/**
 * plain: the network's own order, [N, ...shape]. channelsFirst: [N, C, H, W] of an image [h, w, c] or a signal [w, c] (height 1).
 * flattened: [N, C * H * W], an image flattened channels first, for dense layers that permute their columns.
 */
export type Layout = 'plain' | 'channelsFirst' | 'flattened'

export interface Place {
  readonly name: string
  readonly layout: Layout
}

export interface Draft {
  readonly network: Network<'integer'>
  readonly options: OnnxOptions
  readonly nodes: readonly OnnxNode[]
  readonly initializers: readonly OnnxTensor[]
  /** Where a value is, first the place its producer wrote. */
  readonly placesOf: (value: number) => readonly Place[]
  /** Adds a constant and returns its name, an unused one near `key`; the same key twice is the same constant. */
  readonly constant: (key: string, element: OnnxElement, dims: readonly number[], data: OnnxArray) => string
  /** Adds a node with one output, an unused name near `name`, and returns that name. */
  readonly node: (operator: string, name: string, inputs: readonly string[], attributes?: Readonly<Record<string, OnnxAttribute>>, domain?: string) => string
  /** The same, writing a value of the network in a layout. */
  readonly write: (
    operator: string,
    value: number,
    layout: Layout,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    domain?: string,
  ) => string
  /** The name of a value in a layout; converts it once where it is not there yet. */
  readonly read: (value: number, layout: 'plain' | 'channelsFirst') => string
  /** Adds the node that gives an output its final name. */
  readonly finish: (operator: string, name: string, inputs: readonly string[]) => string
  /** Keeps a name for an input of the model. */
  readonly claim: (name: string) => void
  /** Declares where a value is. */
  readonly place: (value: number, place: Place) => void
}

export const int = (value: number): OnnxAttribute => ({ type: 'int', value })
export const ints = (value: readonly number[]): OnnxAttribute => ({ type: 'ints', value })

/** How a kind's elements are stored in ONNX. */
const STORED: Readonly<Record<ValueKind, OnnxElement>> = {
  float32: 'float32',
  int8: 'uint8',
  uint8: 'uint8',
  int32: 'int32',
  binary: 'uint8',
  level: 'uint8',
  membrane: 'int32',
}

/** The element type that stores a value. The qdq form computes int32 sums as real numbers. */
export const storedElement = (network: Network, value: number, options: OnnxOptions): OnnxElement => {
  const { kind } = typeOf(network, value)
  return options.form === 'qdq' && kind === 'int32' ? 'float32' : STORED[kind]
}

/** True for a value the model's user sees as real numbers though the network stores integers. */
export const isShownAsReal = (type: ValueType, option: 'float32' | 'uint8'): boolean => option === 'float32' && isAffine(type)

/** Dimensions behind the batch axis in a layout. */
export const layoutShape = (shape: Shape, layout: Layout): readonly number[] => {
  if (layout === 'plain') return shape
  if (layout === 'flattened') return [elementCount(shape)]
  const [height, width, channels] = asImage(shape, 'a value')
  return [channels, height, width]
}

const SUFFIX: Readonly<Record<Layout, string>> = { plain: '/nhwc', channelsFirst: '/nchw', flattened: '/flat' }

/** Starts a draft; places and nodes are added by the functions of the object returned. */
export const createDraft = (network: Network<'integer'>, options: OnnxOptions): Draft => {
  const nodes: OnnxNode[] = []
  const initializers = new Map<string, OnnxTensor>()
  const places = new Map<number, Place[]>()
  const reserved = new Set(network.values.map((value) => value.name))
  const used = new Set<string>()
  const nodeNames = new Set<string>()
  const producerNames = new Map(network.nodes.map((node) => [node.output, node.name]))

  const unused = (name: string): string => {
    let candidate = name
    for (let i = 1; used.has(candidate) || reserved.has(candidate); i++) candidate = `${name}_${i}`
    return candidate
  }
  /** A value's own name goes to its first place; an output's to the place that the user sees. */
  const placeName = (value: number, layout: Layout): string => {
    const { name, type } = network.values[value] as { name: string; type: ValueType }
    const isOutput = network.outputs.includes(value)
    const isOwn = !used.has(name) && (!isOutput || (layout === 'plain' && !isShownAsReal(type, options.output)))
    return isOwn ? name : unused(isOutput && layout === 'plain' ? `${name}/quantized` : name + SUFFIX[layout])
  }
  const unusedNodeName = (name: string): string => {
    let candidate = name
    for (let i = 1; nodeNames.has(candidate); i++) candidate = `${name}_${i}`
    nodeNames.add(candidate)
    return candidate
  }
  const push = (
    operator: string,
    output: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>>,
    domain: string,
    name = output,
  ): string => {
    used.add(output)
    nodes.push({ operator, domain, name: unusedNodeName(name), inputs, outputs: [output], attributes })
    return output
  }
  /** The node that first writes a value bears the network node's name, a later conversion its output's. */
  const writerName = (value: number, output: string): string => (places.has(value) ? output : (producerNames.get(value) ?? output))
  const place = (value: number, where: Place): void => {
    used.add(where.name)
    places.set(value, [...(places.get(value) ?? []), where])
  }

  const draft: Draft = {
    network,
    options,
    nodes,
    get initializers() {
      return [...initializers.values()]
    },
    placesOf: (value) => places.get(value) ?? [],
    constant: (key, element, dims, data) => {
      const known = initializers.get(key)
      if (known !== undefined) return known.name
      const name = unused(key)
      initializers.set(key, { name, element, dims, data })
      used.add(name)
      return name
    },
    node: (operator, name, inputs, attributes = {}, domain = '') => push(operator, unused(name), inputs, attributes, domain),
    write: (operator, value, layout, inputs, attributes = {}, domain = '') => {
      const output = placeName(value, layout)
      const name = push(operator, output, inputs, attributes, domain, writerName(value, output))
      place(value, { name, layout })
      return name
    },
    read: (value, layout) => {
      const there = draft.placesOf(value).find((p) => p.layout === layout)
      if (there !== undefined) return there.name
      const [first] = draft.placesOf(value)
      if (first === undefined) throw new Error(`value ${value} is read before it is written`)
      return (layout === 'channelsFirst' ? toChannelsFirst : toPlain)(draft, value, first.name)
    },
    claim: (name) => void used.add(name),
    finish: (operator, name, inputs) => push(operator, used.has(name) ? unused(name) : name, inputs, {}, ''),
    place,
  }
  return draft
}

/** A Reshape target that keeps the batch axis. */
export const shapeConstant = (draft: Draft, shape: readonly number[]): string =>
  draft.constant(`shape/${shape.join('x')}`, 'int64', [shape.length + 1], BigInt64Array.from([0, ...shape], BigInt))

/** True where channels first and channels last are the same bytes. */
const isOneLine = (shape: Shape): boolean => shape.at(-1) === 1 || shape.at(-1) === elementCount(shape)

const toChannelsFirst = (draft: Draft, value: number, name: string): string => {
  const { shape } = typeOf(draft.network, value)
  const target = shapeConstant(draft, layoutShape(shape, 'channelsFirst'))
  if (isOneLine(shape)) return draft.write('Reshape', value, 'channelsFirst', [name, target])
  if (shape.length === 3) return draft.write('Transpose', value, 'channelsFirst', [name], { perm: ints([0, 3, 1, 2]) })
  const turned = draft.node('Transpose', `${name}/ncw`, [name], { perm: ints([0, 2, 1]) })
  return draft.write('Reshape', value, 'channelsFirst', [turned, target])
}

const toPlain = (draft: Draft, value: number, name: string): string => {
  const { shape } = typeOf(draft.network, value)
  if (isOneLine(shape)) return draft.write('Reshape', value, 'plain', [name, shapeConstant(draft, shape)])
  if (shape.length === 3) return draft.write('Transpose', value, 'plain', [name], { perm: ints([0, 2, 3, 1]) })
  const [width, channels] = shape as [number, number]
  const line = draft.node('Reshape', `${name}/ncw`, [name, shapeConstant(draft, [channels, width])])
  return draft.write('Transpose', value, 'plain', [line], { perm: ints([0, 2, 1]) })
}

/** The layout in which an operator that works on any layout reads its inputs: channels first where one of them is there already. */
export const commonLayout = (draft: Draft, values: readonly number[]): 'plain' | 'channelsFirst' =>
  values.some((value) => draft.placesOf(value)[0]?.layout === 'channelsFirst') ? 'channelsFirst' : 'plain'

/** True for values whose stored integers q stand for scale * (q - zero point): quantized ones, levels (scale 1) and signs (scale 1, zero point 1). */
export const isAffine = (type: ValueType): boolean => isQuantized(type) || type.kind === 'level' || type.kind === 'binary'

/** The scale of a value that isAffine(). */
export const storedScale = (type: ValueType): number => (isQuantized(type) ? (type.scales[0] as number) : 1)

/** Zero point of the stored numbers. */
export const storedZeroPoint = (type: ValueType): number => {
  if (!isQuantized(type)) return type.kind === 'binary' ? 1 : 0
  return type.kind === 'int8' ? type.zeroPoint + 128 : type.zeroPoint
}

/** Names of a value's scale and zero point constants; zeroPoint is null for int32, which ONNX wants without one. */
export const quantizationOf = (draft: Draft, value: number): { readonly scale: string; readonly zeroPoint: string | null } => {
  const { name } = draft.network.values[value] as { name: string }
  const type = typeOf(draft.network, value)
  const scale = draft.constant(`${name}/scale`, 'float32', [], Float32Array.of(storedScale(type)))
  if (type.kind === 'int32') return { scale, zeroPoint: null }
  return { scale, zeroPoint: draft.constant(`${name}/zero_point`, 'uint8', [], Uint8Array.of(storedZeroPoint(type))) }
}

/** A scalar constant named after its value, shared by all who use it. */
export const scalar = (draft: Draft, element: 'float32' | 'uint8' | 'int8', value: number): string => {
  const data = element === 'float32' ? Float32Array.of(value) : element === 'uint8' ? Uint8Array.of(value) : Int8Array.of(value)
  return draft.constant(`${element}/${value}`, element, [], data)
}
