// What lif and li share: the membrane and, where there is one, the synaptic current, step by step (docs/spiking.md, neurons).

import { invalidNetwork } from '../../errors.js'
import { checkTensor, whereOf } from '../operator.js'
import { type ElementArray, elementCount, type NodeBase, type Shape, type Stage, type Tensor, type ValueType } from '../types.js'

/**
 * A layer of units that integrate their input. Parameters have one element (for all units), one a channel (the last axis) or one a unit.
 * Float stage, once a step, x the input and v the membrane:
 *     i = i + currentLeak (0 - i) + currentGain x     (only with a current; otherwise i = x)
 *     u = v + leak (0 - v) + gain i + drive
 * Integer stage, all int32, L = 2^15:
 *     a = (x + 2^(shift - 1)) >> shift                (shift 0: a = x)
 *     i = clamp(((i (L - currentLeak)) >> 15) + a)    (only with a current; otherwise i = a)
 *     u = clamp(((v (L - leak)) >> 15) + i + drive)   clamp: -65535..65535
 * lif then fires and resets, li gives u.
 */
export interface NeuronBase<Kind extends string> extends NodeBase<Kind> {
  /** the membrane, then the current where there is one */
  readonly states: readonly number[]
  /** share of the membrane that a step loses, 1 - beta: float32 0..1, or int32 0..32768 (times 2^-15) */
  readonly leak: Tensor // [1 | channels | units]
  /** float stage: what the input counts, null: 1; integer stage: null */
  readonly gain: Tensor | null
  /** added to the membrane every step; null: 0 */
  readonly drive: Tensor | null
  /** share of the synaptic current that a step loses; null: no current */
  readonly currentLeak: Tensor | null
  /** float stage: what the input adds to the current, null: 1; integer stage: null */
  readonly currentGain: Tensor | null
  /** integer stage: sums are divided by 2^shift, halves up; 0..16 */
  readonly shift: number
}

/** The largest magnitude of an integer membrane, current, drive or threshold. */
export const MEMBRANE_LIMIT = 65535
/** An integer leak of 1. */
export const LEAK_UNIT = 32768
export const MAX_SHIFT = 16

/** A parameter: its name in messages, its tensor, and the numbers it may hold in each stage. */
export interface Parameter {
  readonly name: string
  readonly tensor: Tensor | null
  readonly float: readonly [number, number]
  readonly integer: readonly [number, number]
}

const ANY: readonly [number, number] = [-Infinity, Infinity]
const NONE: readonly [number, number] = [1, 0]

const parametersOf = (node: NeuronBase<string>): readonly Parameter[] => [
  { name: 'leak', tensor: node.leak, float: [0, 1], integer: [0, LEAK_UNIT] },
  { name: 'gain', tensor: node.gain, float: ANY, integer: NONE },
  { name: 'drive', tensor: node.drive, float: ANY, integer: [-MEMBRANE_LIMIT, MEMBRANE_LIMIT] },
  { name: 'currentLeak', tensor: node.currentLeak, float: [0, 1], integer: [0, LEAK_UNIT] },
  { name: 'currentGain', tensor: node.currentGain, float: ANY, integer: NONE },
]

/** Refuses attributes that are not well formed; the stage's own limits come with checkNeuronTypes. */
export const checkNeuron = (node: NeuronBase<string>): void => {
  for (const { name, tensor } of parametersOf(node)) {
    if (name === 'leak' || tensor !== null) checkTensor(tensor, ['float32', 'int32'], [null], `${name} values`, whereOf(node))
  }
  if (!(Number.isInteger(node.shift) && node.shift >= 0 && node.shift <= MAX_SHIFT))
    throw invalidNetwork(whereOf(node), `shift ${node.shift} is not an integer from 0 to ${MAX_SHIFT}`)
  const expected = node.currentLeak === null ? 1 : 2
  if (node.states.length !== expected)
    throw invalidNetwork(whereOf(node), `has ${node.states.length} states, its ${expected === 1 ? 'membrane' : 'membrane and current'} take ${expected}`)
  if (node.currentLeak === null && node.currentGain !== null) throw invalidNetwork(whereOf(node), 'has a gain of the current, but no current')
}

/** Refuses a parameter of the wrong kind, length or range. */
export const checkParameter = ({ name, tensor, float, integer }: Parameter, shape: Shape, stage: Stage, where: string): void => {
  if (tensor === null) return
  const units = elementCount(shape)
  const kind = stage === 'float' ? 'float32' : 'int32'
  if (tensor.type.kind !== kind) throw invalidNetwork(where, `${name} values are ${tensor.type.kind}, this stage takes ${kind}`)
  if (![1, shape.at(-1) ?? 1, units].includes(tensor.data.length))
    throw invalidNetwork(where, `${tensor.data.length} ${name} values for ${units} units of ${shape.at(-1) ?? 1} channels`)
  const [low, high] = stage === 'float' ? float : integer
  const wrong = (tensor.data as Float32Array).find((x) => !(x >= low && x <= high))
  if (wrong !== undefined) throw invalidNetwork(where, low > high ? `${name} has no integer form` : `${name} ${wrong} is outside ${low}..${high}`)
}

const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, i) => size === b[i])

/** Refuses types that a neuron does not take. */
export const checkNeuronTypes = (
  node: NeuronBase<string>,
  { inputs: [input], states }: { readonly inputs: readonly ValueType[]; readonly states: readonly ValueType[] },
  stage: Stage,
): void => {
  const where = whereOf(node)
  if (input === undefined) return
  for (const parameter of parametersOf(node)) checkParameter(parameter, input.shape, stage, where)
  if (stage === 'float' && node.shift !== 0) throw invalidNetwork(where, `shift ${node.shift} belongs to the integer stage`)
  const stateKind = stage === 'float' ? 'float32' : 'membrane'
  for (const state of states) {
    if (state.kind !== stateKind || !sameShape(state.shape, input.shape))
      throw invalidNetwork(where, `keeps ${state.kind}[${state.shape.join(',')}], expected ${stateKind}[${input.shape.join(',')}]`)
  }
  const isInput = stage === 'float' ? input.kind === 'float32' : input.kind === 'int32' || input.kind === 'level'
  if (!isInput) throw invalidNetwork(where, `the input is ${input.kind}, expected ${stage === 'float' ? 'float32' : 'int32 sums or level'}`)
}

/** Parameter `tensor` of unit i, or a default. */
export const parameterAt = (tensor: Tensor | null, i: number, absent: number): number =>
  tensor === null ? absent : (tensor.data[i % tensor.data.length] as number)

const clampMembrane = (x: number): number => Math.min(Math.max(x, -MEMBRANE_LIMIT), MEMBRANE_LIMIT)

/** floor(state (2^15 - leak) / 2^15): the product fits int32 for membranes. */
const decayed = (state: number, leak: number): number => (state * (LEAK_UNIT - leak)) >> 15

/** Arithmetic shift with halves up; x may be any int32. */
const shifted = (x: number, shift: number): number => (shift === 0 ? x : Math.floor((x + 2 ** (shift - 1)) / 2 ** shift))

const integerInput = (node: NeuronBase<string>, i: number, x: number, current: ElementArray | undefined): number => {
  const sum = shifted(x, node.shift)
  if (current === undefined) return sum
  current[i] = clampMembrane(decayed(current[i] as number, parameterAt(node.currentLeak, i, 0)) + sum)
  return current[i] as number
}

const floatInput = (node: NeuronBase<string>, i: number, x: number, current: ElementArray | undefined): number => {
  if (current === undefined) return x
  const before = current[i] as number
  current[i] = before - parameterAt(node.currentLeak, i, 0) * before + parameterAt(node.currentGain, i, 1) * x
  return current[i] as number
}

/** The membrane u of unit i in this step, before a reset; updates the current, not the membrane. */
export const integrate = (node: NeuronBase<string>, i: number, x: number, states: readonly ElementArray[], stage: Stage): number => {
  const [membrane, current] = states as [ElementArray, ElementArray | undefined]
  const v = membrane[i] as number
  const leak = parameterAt(node.leak, i, 0)
  const drive = parameterAt(node.drive, i, 0)
  if (stage === 'integer') return clampMembrane(decayed(v, leak) + integerInput(node, i, x, current) + drive)
  return v - leak * v + parameterAt(node.gain, i, 1) * floatInput(node, i, x, current) + drive
}
