// verify(): the rules every network keeps. Run on whatever comes from outside (files, importers) and after every pass; what passes
// can be evaluated, planned and exported without further checks.

import { invalidNetwork } from '../errors.js'
import { constantsOf, whereOf } from './operator.js'
import { isOperatorKind, type Node, operatorOf } from './operators/index.js'
import {
  arrayClass,
  arrayLength,
  elementCount,
  isQuantized,
  MAX_STEPS,
  type Network,
  type Stage,
  type Tensor,
  type Value,
  type ValueKind,
  type ValueType,
} from './types.js'
import { MAX_AXIS } from './window.js'

/** The largest number of elements of one value: the flash format stores 32-bit byte counts, four bytes an element at most. */
export const MAX_ELEMENTS = 2 ** 28

const KINDS_OF_STAGE: Readonly<Record<Stage, readonly ValueKind[]>> = {
  float: ['float32'],
  integer: ['float32', 'int8', 'uint8', 'int32', 'binary', 'level', 'membrane'],
}

const VALUE_KINDS: readonly ValueKind[] = KINDS_OF_STAGE.integer
const ZERO_POINTS: Readonly<Record<'int8' | 'uint8' | 'int32', readonly [number, number]>> = { int8: [-128, 127], uint8: [0, 255], int32: [0, 0] }

/** Refuses a type whose shape, scales, zero point or levels are not well formed. */
export const checkType = (type: ValueType, where: string): void => {
  if (type === null || typeof type !== 'object' || !VALUE_KINDS.includes(type.kind))
    throw invalidNetwork(where, `unknown type ${JSON.stringify((type as { kind?: unknown } | null)?.kind)}`)
  const { shape } = type
  if (!Array.isArray(shape) || shape.length > 4 || !shape.every((size) => Number.isInteger(size) && size >= 1 && size <= MAX_AXIS)) {
    throw invalidNetwork(where, `shape ${JSON.stringify(shape)} is not a list of at most 4 integers from 1 to ${MAX_AXIS}`)
  }
  if (elementCount(shape) > MAX_ELEMENTS) throw invalidNetwork(where, `${elementCount(shape)} elements, at most ${MAX_ELEMENTS} are possible`)
  if (type.kind === 'level' && !(Number.isInteger(type.levels) && type.levels >= 1 && type.levels <= 255))
    throw invalidNetwork(where, `levels ${type.levels} is not an integer from 1 to 255`)
  if (isQuantized(type)) checkQuantization(type, where)
}

const checkQuantization = (type: Extract<ValueType, { scales: unknown }>, where: string): void => {
  const { scales, zeroPoint, channelAxis, shape } = type
  if (!Array.isArray(scales) || !scales.every((s) => typeof s === 'number' && Number.isFinite(s) && s > 0 && Math.fround(s) === s)) {
    throw invalidNetwork(where, 'scales must be positive float32 numbers')
  }
  if (channelAxis !== null && !(Number.isInteger(channelAxis) && channelAxis >= 0 && channelAxis < shape.length))
    throw invalidNetwork(where, `channel axis ${channelAxis} is outside [${shape.join(',')}]`)
  const channels = channelAxis === null ? 1 : shape[channelAxis]
  if (scales.length !== channels) throw invalidNetwork(where, `${scales.length} scales for ${channels} channels`)
  const [low, high] = ZERO_POINTS[type.kind]
  if (!(Number.isInteger(zeroPoint) && zeroPoint >= low && zeroPoint <= high))
    throw invalidNetwork(where, `zero point ${zeroPoint} is not an integer from ${low} to ${high}`)
}

const checkConstant = (tensor: Tensor, where: string): void => {
  checkType(tensor.type, where)
  if (!(tensor.data instanceof arrayClass(tensor.type.kind))) throw invalidNetwork(where, `a ${tensor.type.kind} constant is stored in the wrong array`)
  if (tensor.data.length !== arrayLength(tensor.type))
    throw invalidNetwork(where, `a constant has ${tensor.data.length} elements, its shape takes ${arrayLength(tensor.type)}`)
  const usedBits = elementCount(tensor.type.shape) % 32
  if (tensor.type.kind === 'binary' && usedBits !== 0 && (tensor.data.at(-1) as number) >>> usedBits !== 0)
    throw invalidNetwork(where, 'the spare bits of a binary constant must be 0')
}

const checkName = (name: unknown, what: string, seen: Set<string>): void => {
  if (typeof name !== 'string' || name === '') throw invalidNetwork(what, 'a name is missing')
  if (seen.has(name)) throw invalidNetwork(`${what} "${name}"`, 'the name is used twice')
  seen.add(name)
}

/** Each state is written once a step: in place by the node that keeps it, or as a node's output. */
const checkStates = (node: Node, [fewest, most]: readonly [number, number], defined: Set<number>, states: ReadonlySet<number>): void => {
  const own: unknown = node.states ?? []
  if (!Array.isArray(own) || own.length < fewest || own.length > most)
    throw invalidNetwork(
      whereOf(node),
      `has ${Array.isArray(own) ? own.length : 'no list of'} states, expected ${fewest === most ? fewest : `${fewest} to ${most}`}`,
    )
  for (const state of own) {
    if (!states.has(state)) throw invalidNetwork(whereOf(node), `keeps value ${state}, which is not among the network's states`)
    if (defined.has(state)) throw invalidNetwork(whereOf(node), `keeps value ${state}, which another node writes`)
    if (node.inputs.includes(state) || node.output === state) throw invalidNetwork(whereOf(node), `keeps value ${state} and reads or writes it too`)
    defined.add(state)
  }
}

const checkNode = (network: Network, node: Node, defined: Set<number>, states: ReadonlySet<number>): void => {
  const where = whereOf(node)
  if (!isOperatorKind(node.kind)) throw invalidNetwork(where, 'unknown operator')
  const operator = operatorOf(node)
  if (!operator.stages.includes(network.stage)) throw invalidNetwork(where, `does not exist in the ${network.stage} stage`)
  const arity = Array.isArray(node.inputs) ? node.inputs.length : -1
  if (operator.inputs === 'many' ? arity < 2 : arity !== operator.inputs) throw invalidNetwork(where, `has ${arity} inputs, expected ${operator.inputs}`)
  for (const input of node.inputs)
    if (!(defined.has(input) || states.has(input))) throw invalidNetwork(where, `reads value ${input}, which nothing before it computes`)
  if (defined.has(node.output)) throw invalidNetwork(where, `writes value ${node.output}, which exists already`)
  checkStates(node, operator.states ?? [0, 0], defined, states)
  const output = Number.isInteger(node.output) ? network.values[node.output] : undefined
  if (output === undefined) throw invalidNetwork(where, `writes value ${node.output}, the network has ${network.values.length}`)
  for (const tensor of constantsOf(node)) checkConstant(tensor, where)
  operator.checkAttributes(node)
  const typeAt = (i: number): ValueType => (network.values[i] as Value).type
  const types = { inputs: node.inputs.map(typeAt), output: output.type, states: (node.states ?? []).map(typeAt), rounding: network.rounding }
  const shape = operator.outputShape(
    node,
    types.inputs.map((t) => t.shape),
  )
  if (shape.length !== output.type.shape.length || shape.some((size, i) => size !== output.type.shape[i])) {
    throw invalidNetwork(where, `gives [${shape.join(',')}], its output is declared [${output.type.shape.join(',')}]`)
  }
  operator.checkTypes(node, types, network.stage)
  defined.add(node.output)
}

const checkStructure = (network: Network): void => {
  if (network.stage !== 'float' && network.stage !== 'integer') throw invalidNetwork('network', `unknown stage ${JSON.stringify(network.stage)}`)
  if (network.rounding !== 'single' && network.rounding !== 'tflite') throw invalidNetwork('network', `unknown rounding ${JSON.stringify(network.rounding)}`)
  if (typeof network.name !== 'string') throw invalidNetwork('network', 'the name is missing')
  for (const list of ['values', 'inputs', 'outputs', 'nodes', 'labels'] as const)
    if (!Array.isArray(network[list])) throw invalidNetwork('network', `${list} is not a list`)
  if (!network.labels.every((label) => typeof label === 'string')) throw invalidNetwork('network', 'labels must be strings')
  const { metadata } = network
  if (metadata === null || typeof metadata !== 'object' || !Object.values(metadata).every((text) => typeof text === 'string'))
    throw invalidNetwork('network', 'metadata must be strings')
}

/** Refuses a number of steps or a list of states that is not well formed; the states as a set. */
const checkTime = ({ time, values, inputs }: Network): ReadonlySet<number> => {
  if (time === undefined) return new Set()
  if (time === null || typeof time !== 'object' || !Array.isArray(time.states)) throw invalidNetwork('network', 'the states are not a list')
  if (!(Number.isInteger(time.steps) && time.steps >= 1 && time.steps <= MAX_STEPS))
    throw invalidNetwork('network', `${time.steps} time steps, a run takes 1 to ${MAX_STEPS}`)
  const isState = (state: unknown): boolean => Number.isInteger(state) && values[state as number] !== undefined && !inputs.includes(state as number)
  if (!time.states.every(isState) || new Set(time.states).size !== time.states.length)
    throw invalidNetwork('network', `states [${time.states.join(',')}] are not distinct values beside the inputs`)
  return new Set(time.states)
}

const checkValues = (network: Network): void => {
  const names = new Set<string>()
  network.values.forEach((value, i) => {
    checkName(value?.name, `value ${i}`, names)
    checkType(value.type, `value "${value.name}"`)
    if (!KINDS_OF_STAGE[network.stage].includes(value.type.kind))
      throw invalidNetwork(`value "${value.name}"`, `${value.type.kind} does not exist in the ${network.stage} stage`)
    if (isQuantized(value.type) && value.type.channelAxis !== null) throw invalidNetwork(`value "${value.name}"`, 'only constants are quantized per channel')
  })
}

/**
 * Checks every rule of a network and returns it.
 * @throws NETWORK_INVALID or ACCUMULATOR_OVERFLOW, naming the node or value
 */
export const verify = <S extends Stage>(network: Network<S>): Network<S> => {
  checkStructure(network)
  checkValues(network)
  const defined = new Set<number>()
  for (const input of network.inputs) {
    if (!Number.isInteger(input) || network.values[input] === undefined || defined.has(input))
      throw invalidNetwork('network', `input ${input} is not a value or is listed twice`)
    defined.add(input)
  }
  const states = checkTime(network)
  const names = new Set<string>()
  for (const node of network.nodes) {
    checkName(node?.name, 'node', names)
    checkNode(network, node, defined, states)
  }
  const unused = network.values.findIndex((_, i) => !defined.has(i))
  if (unused >= 0) throw invalidNetwork(`value "${network.values[unused]?.name}"`, 'nothing computes it')
  if (network.inputs.length === 0 || network.outputs.length === 0) throw invalidNetwork('network', 'has no input or no output')
  if (new Set(network.outputs).size !== network.outputs.length) throw invalidNetwork('network', 'lists an output twice')
  for (const output of network.outputs) if (!defined.has(output)) throw invalidNetwork('network', `output ${output} is not a value`)
  return network
}
