// Integer network + memory plan -> flash document: what exporters/eventnet writes and runtimes/wasm loads. Nothing here knows the core.

import type { ArenaPlan } from '../contracts/plan.js'
import { unsupported } from '../errors.js'
import {
  type ConstantAt,
  type EventnetDocument,
  type EventnetNames,
  type EventnetNode,
  type EventnetValue,
  encodeEventnet,
  FOREVER,
  MAX_ARENA_BYTES,
  MAX_NODES,
  MAX_PORTS,
  MAX_VALUES,
} from '../formats/eventnet/index.js'
import { packSigns } from '../network/accumulate.js'
import { evaluate } from '../network/evaluate.js'
import { nodeTypes, typeOf } from '../network/graph.js'
import { constantsOf, whereOf } from '../network/operator.js'
import type { Node } from '../network/operators/index.js'
import {
  allocate,
  byteLength,
  type ElementArray,
  elementCount,
  isQuantized,
  type Network,
  type Rounding,
  statesOf,
  stepsOf,
  type ValueType,
} from '../network/types.js'
import { LOWER, type LowerContext } from './lower.js'

/** Which weights and biases go to the tunable section: none, those of the last node that has any, or all. */
export type Tunable = 'none' | 'last' | 'all'

export interface EventnetOptions {
  /** default 'none' */
  readonly tunable?: Tunable
  /** leaves names and labels out; default true keeps them */
  readonly names?: boolean
  /** stores one input and its exact outputs, computed by the definition; default false */
  readonly selfTest?: boolean
}

/** Codes of the header's rounding field. */
const ROUNDING_CODES: Readonly<Record<Rounding, number>> = { single: 0, tflite: 1 }

/** Kinds of values that the core runs so far. */
const RUNNABLE: readonly ValueType['kind'][] = ['int8', 'int32', 'float32', 'level', 'binary', 'membrane']

const bytesOf = (data: ElementArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** Collects constants of one section, each at a multiple of 16 bytes, so that chips can load them with wide reads. */
const collectSection = (section: ConstantAt['section']) => {
  const parts: { readonly offset: number; readonly bytes: Uint8Array }[] = []
  let end = 0
  return {
    store: (data: ElementArray): ConstantAt => {
      const offset = Math.ceil(end / 16) * 16
      parts.push({ offset, bytes: bytesOf(data) })
      end = offset + data.byteLength
      return { section, offset }
    },
    bytes: (): Uint8Array => {
      const all = new Uint8Array(end)
      for (const part of parts) all.set(part.bytes, part.offset)
      return all
    },
  }
}

/** Refuses what the format cannot hold, before anything is made. */
const checkLimits = (network: Network<'integer'>, plan: ArenaPlan): void => {
  const limits: readonly (readonly [string, number, number])[] = [
    ['nodes', network.nodes.length, MAX_NODES],
    ['values', network.values.length, MAX_VALUES],
    ['inputs', network.inputs.length, MAX_PORTS],
    ['outputs', network.outputs.length, MAX_PORTS],
    ['bytes of arena', plan.arenaBytes, MAX_ARENA_BYTES],
  ]
  for (const [what, count, most] of limits) {
    if (count > most) throw unsupported(`network "${network.name}" has ${count} ${what}, an .evn file holds ${most}.`, 'Split the network.')
  }
  for (const { name, type } of network.values) {
    if (!RUNNABLE.includes(type.kind))
      throw unsupported(`value "${name}" is ${type.kind}, which the core does not run yet.`, `Kinds that it runs: ${RUNNABLE.join(', ')}.`)
  }
  for (const node of network.nodes) {
    const row = LOWER[node.kind]
    if ('unsupported' in row) throw unsupported(`${whereOf(node)} ${row.unsupported}.`, 'Leave it out or quantize the network again.')
    if (node.inputs.length > MAX_PORTS)
      throw unsupported(`${whereOf(node)} has ${node.inputs.length} inputs, an .evn file holds ${MAX_PORTS}.`, 'Join them in steps.')
  }
}

const eventnetValue = (network: Network, value: number, offset: number): EventnetValue => {
  const { type } = network.values[value] as { type: ValueType }
  const isState = statesOf(network).includes(value)
  const first = isState ? 0 : network.nodes.findIndex((node) => node.output === value) + 1
  const lastReader = network.nodes.reduce((last, node, i) => (node.inputs.includes(value) ? i + 1 : last), first)
  return {
    kind: type.kind,
    shape: type.shape,
    scale: isQuantized(type) ? (type.scales[0] as number) : 0,
    zeroPoint: isQuantized(type) ? type.zeroPoint : 0,
    levels: type.kind === 'level' ? type.levels : 0,
    byteCount: byteLength(type),
    first,
    last: isState || network.outputs.includes(value) || (network.time !== undefined && network.inputs.includes(value)) ? FOREVER : lastReader,
    isState,
    offset,
  }
}

const namesOf = (network: Network): EventnetNames => ({
  network: network.name,
  values: network.values.map((value) => value.name),
  nodes: network.nodes.map((node) => node.name),
  labels: network.labels,
})

/** A fixed input that exercises every code: element i is (37 i + 11) mod 256 - 128 (int32 and float32 alike); levels and signs are made of it. */
const selfTestInput = (type: ValueType): ElementArray => {
  const codes = Float64Array.from({ length: elementCount(type.shape) }, (_, i) => ((37 * i + 11) % 256) - 128)
  if (type.kind === 'binary') return packSigns(codes)
  return allocate(type).map((_, i) => (type.kind === 'level' ? ((codes[i] as number) + 128) % (type.levels + 1) : (codes[i] as number))) as ElementArray
}

const selfTestOf = (network: Network<'integer'>): EventnetDocument['selfTest'] => {
  const inputs = network.inputs.map((value) => selfTestInput(typeOf(network, value)))
  const values = evaluate(network, inputs)
  return { inputs: inputs.map(bytesOf), outputs: network.outputs.map((value) => bytesOf(values[value] as ElementArray)) }
}

const lowerNode = (network: Network, node: Node, context: Pick<LowerContext, 'store' | 'storeTunable'>): EventnetNode => {
  const row = LOWER[node.kind] as {
    lower: (node: Node, context: LowerContext) => Omit<EventnetNode, 'inputs' | 'output' | 'chunks'> & { chunks?: readonly number[] }
  }
  return {
    chunks: [],
    ...row.lower(node, { ...context, types: nodeTypes(network, node), runsOverTime: network.time !== undefined }),
    inputs: node.inputs,
    output: node.output,
  }
}

/**
 * The flash document of a verified integer network.
 * @throws UNSUPPORTED by node or value name before anything is made
 */
export const eventnetDocument = (network: Network<'integer'>, plan: ArenaPlan, options: EventnetOptions = {}): EventnetDocument => {
  checkLimits(network, plan)
  const constants = collectSection('constants')
  const tunable = collectSection('tunable')
  const weighted = network.nodes.filter((node) => constantsOf(node).length > 0)
  const isTunable = (node: Node): boolean => options.tunable === 'all' || (options.tunable === 'last' && node === weighted.at(-1))
  const nodes = network.nodes.map((node) => lowerNode(network, node, { store: constants.store, storeTunable: (isTunable(node) ? tunable : constants).store }))
  return {
    rounding: ROUNDING_CODES[network.rounding],
    steps: stepsOf(network),
    arenaBytes: plan.arenaBytes,
    values: network.values.map((_, value) => eventnetValue(network, value, plan.offsets[value] as number)),
    inputs: network.inputs,
    outputs: network.outputs,
    nodes,
    constants: constants.bytes(),
    tunable: tunable.bytes(),
    names: options.names === false ? null : namesOf(network),
    selfTest: options.selfTest === true ? selfTestOf(network) : null,
  }
}

/** The bytes of an .evn file. @throws as eventnetDocument */
export const eventnetBytes = (network: Network<'integer'>, plan: ArenaPlan, options: EventnetOptions = {}): Uint8Array =>
  encodeEventnet(eventnetDocument(network, plan, options))
