// encode: numbers as spikes over time (docs/spiking.md, encoders): rate (Bernoulli draws of the counter-based generator), latency (one spike, the earlier the
// larger), delta (a spike up or down where the input has moved by a threshold). The same spikes in every engine.

import { invalidNetwork } from '../../errors.js'
import { randomWords, STREAMS } from '../../random.js'
import { checkTensor, type NodeTypes, neverOverlaps, noMacs, type Operator, whereOf } from '../operator.js'
import { allocate, type ElementArray, elementCount, isQuantized, MAX_STEPS, type NodeBase, type Stage, type Tensor, type ValueType } from '../types.js'

export type EncodeCode = 'rate' | 'latency' | 'delta'
export const ENCODE_CODES: readonly EncodeCode[] = ['rate', 'latency', 'delta']

/**
 * rate: in step t element i spikes where word < p 2^32; word is word i mod 4 of Philox(seed, t, STREAMS.encode, floor(i / 4)). p is the input, 0..1.
 * latency: in step round((1 - p) (steps - 1)), never where p <= 0.
 * delta: with r the reference (0 at first) and k = trunc((x - r) / threshold): r += k threshold; channel 0 spikes where k > 0, channel 1 where k < 0.
 */
export interface EncodeNode extends NodeBase<'encode'> {
  readonly code: EncodeCode
  /** rate and latency: the number of the step, one element; delta: the references, as many elements as the input */
  readonly states: readonly number[]
  /** rate: 0..2^32 - 1 */
  readonly seed: number
  /** latency, float stage: time steps of a run */
  readonly steps: number
  /** delta, above 0: in real units, or in stored steps of the input */
  readonly threshold: number
  /** integer stage: what each stored value stands for (index value + 128 of int8, the value of a level); rate: p 2^32 as unsigned 32 bits, all ones is always; latency: the step, -1 never */
  readonly table: Tensor | null // int32 [256]
}

const ALWAYS = 0xffffffff

/** p as a threshold of 32-bit words; all ones stands for always. */
export const rateThreshold = (p: number): number => (p >= 1 ? ALWAYS : p > 0 ? Math.floor(p * 2 ** 32) : 0)

/** The step of a latency code, or -1. */
export const latencyStep = (p: number, steps: number): number => (p > 0 ? Math.round((1 - Math.min(p, 1)) * (steps - 1)) : -1)

const hasReference = ({ code }: EncodeNode): boolean => code === 'delta'

/** Index of a stored value in the table. */
const tableIndex = (stored: number, type: ValueType): number => (type.kind === 'int8' ? stored + 128 : stored)

const thresholdOf = (node: EncodeNode, x: number, type: ValueType): number =>
  node.table === null ? rateThreshold(x) : (node.table.data[tableIndex(x, type)] as number) >>> 0

const evaluateRate = (node: EncodeNode, data: ElementArray, { inputs: [type], output }: NodeTypes, counter: ElementArray): ElementArray => {
  const out = allocate(output)
  let words: readonly number[] = []
  for (let i = 0; i < out.length; i++) {
    if (i % 4 === 0) words = randomWords(node.seed, counter[0] as number, STREAMS.encode, i / 4)
    const threshold = thresholdOf(node, data[i] as number, type as ValueType)
    out[i] = (words[i % 4] as number) < threshold || threshold === ALWAYS ? 1 : 0
  }
  counter[0] = (counter[0] as number) + 1
  return out
}

const evaluateLatency = (node: EncodeNode, data: ElementArray, { inputs: [type], output }: NodeTypes, counter: ElementArray): ElementArray => {
  const out = allocate(output)
  for (let i = 0; i < out.length; i++) {
    const x = data[i] as number
    const step = node.table === null ? latencyStep(x, node.steps) : (node.table.data[tableIndex(x, type as ValueType)] as number)
    out[i] = step === counter[0] ? 1 : 0
  }
  counter[0] = (counter[0] as number) + 1
  return out
}

const zeroPointOf = (type: ValueType | undefined): number => (type !== undefined && isQuantized(type) ? type.zeroPoint : 0)

const evaluateDelta = (node: EncodeNode, data: ElementArray, { inputs: [type], output }: NodeTypes, reference: ElementArray): ElementArray => {
  const out = allocate(output)
  const zero = zeroPointOf(type)
  for (let i = 0; i < data.length; i++) {
    const moved = Math.trunc(((data[i] as number) - zero - (reference[i] as number)) / node.threshold)
    reference[i] = (reference[i] as number) + moved * node.threshold
    out[2 * i] = moved > 0 ? 1 : 0
    out[2 * i + 1] = moved < 0 ? 1 : 0
  }
  return out
}

const EVALUATE = { rate: evaluateRate, latency: evaluateLatency, delta: evaluateDelta } as const

const checkState = (node: EncodeNode, input: ValueType, state: ValueType | undefined, stage: Stage): void => {
  const kind = stage === 'float' ? 'float32' : 'int32'
  const elements = hasReference(node) ? elementCount(input.shape) : 1
  if (state?.kind !== kind || elementCount(state.shape) !== elements)
    throw invalidNetwork(whereOf(node), `keeps ${state?.kind}[${state?.shape.join(',')}], expected ${elements} of ${kind}`)
}

export const encode: Operator<EncodeNode> = {
  kind: 'encode',
  inputs: 1,
  states: [1, 1],
  stages: ['float', 'integer'],
  checkAttributes: (node) => {
    const where = whereOf(node)
    if (!ENCODE_CODES.includes(node.code)) throw invalidNetwork(where, `unknown code ${JSON.stringify(node.code)}`)
    if (!(Number.isInteger(node.seed) && node.seed >= 0 && node.seed < 2 ** 32))
      throw invalidNetwork(where, `seed ${node.seed} is not an integer from 0 to 2^32 - 1`)
    if (!(Number.isInteger(node.steps) && node.steps >= 1 && node.steps <= MAX_STEPS))
      throw invalidNetwork(where, `steps ${node.steps} is not an integer from 1 to ${MAX_STEPS}`)
    if (!(node.threshold > 0 && Number.isFinite(node.threshold))) throw invalidNetwork(where, `threshold ${node.threshold} is not a number above 0`)
    if (node.table !== null) checkTensor(node.table, ['int32'], [256], 'table entries', where)
  },
  outputShape: (node, [input = []]) => {
    if (!hasReference(node)) return input
    if (input.length > 3) throw invalidNetwork(whereOf(node), `the input has ${input.length} dimensions, with a channel for up and down four would be too few`)
    return [...input.slice(0, -1), 2 * (input.at(-1) ?? 1)]
  },
  checkTypes: (node, { inputs: [input], output, states: [state] }, stage) => {
    const where = whereOf(node)
    if (input === undefined) return
    const isInput = stage === 'float' ? input.kind === 'float32' : input.kind === 'int8' || input.kind === 'level'
    if (!isInput) throw invalidNetwork(where, `the input is ${input.kind}, expected ${stage === 'float' ? 'float32' : 'int8 or level'}`)
    const isOutput = stage === 'float' ? output.kind === 'float32' : output.kind === 'level' && output.levels === 1
    if (!isOutput) throw invalidNetwork(where, `gives ${output.kind}, expected ${stage === 'float' ? 'float32' : 'level 0..1'}`)
    if ((node.table !== null) !== (stage === 'integer' && !hasReference(node))) throw invalidNetwork(where, `has ${node.table === null ? 'no' : 'a'} table`)
    if (stage === 'integer' && hasReference(node) && !(Number.isInteger(node.threshold) && node.threshold <= 65535))
      throw invalidNetwork(where, `threshold ${node.threshold} is not an integer from 1 to 65535`)
    checkState(node, input, state, stage)
  },
  evaluate: (node, [data], types, [state]) => EVALUATE[node.code](node, data as ElementArray, types, state as ElementArray),
  macs: noMacs,
  overlap: neverOverlaps,
}
