// Emissions: what a layer does with its accumulators (accumulate, then emit: docs/arithmetic.md). A new emission is a member of
// the union and a row of each table here; accumulators do not know about it.

import { invalidNetwork } from '../errors.js'
import { packSigns } from './accumulate.js'
import { requantize, requantizeScale } from './arithmetic.js'
import { MAX_SHIFT, type Multiplier, multiplierOf, requantizeFixed } from './arithmetic-tflite.js'
import { allocate, channelScale, type ElementArray, isQuantized, type QuantizedType, type Rounding, type Stage, type Tensor, type ValueType } from './types.js'

/** Float stage: clamp(sum, min, max); null is unbounded. ReLU is min 0, ReLU6 is min 0 max 6. */
export interface ClampEmission {
  readonly kind: 'clamp'
  readonly min: number | null
  readonly max: number | null
}

/** Integer stage: int8 by scale and zero point, bounded by the stored integers min and max. */
export interface RequantizeEmission {
  readonly kind: 'requantize'
  readonly min: number
  readonly max: number
}

/** Integer stage: the raw int32 accumulators (class scores). */
export interface NoEmission {
  readonly kind: 'none'
}

/** Integer stage: how many of its channel's thresholds a sum reaches (level), or whether it reaches the only one (level 0..1, or binary +1). */
export interface ThresholdsEmission {
  readonly kind: 'thresholds'
  readonly thresholds: Tensor // int32 [channels, levels], ascending
}

export type Emission = ClampEmission | RequantizeEmission | NoEmission | ThresholdsEmission
export type EmissionKind = Emission['kind']

/** The identity emission of the float stage. */
export const LINEAR: ClampEmission = { kind: 'clamp', min: null, max: null }

/** What an emission reads beside the sums. */
export interface EmitContext {
  readonly input: ValueType
  /** type of the weights; null for layers without weights */
  readonly weights: QuantizedType | null
  readonly output: ValueType
  /** channels are the fastest axis of the sums */
  readonly channels: number
  readonly rounding: Rounding
  /** see MultiplierRule; default 'convolution' */
  readonly multiplierRule?: MultiplierRule
}

/**
 * How rounding 'tflite' multiplies the scales of input and weights: in double, but by a fully connected layer with one scale in float32
 * (TensorFlow Lite's two helper functions differ).
 */
export type MultiplierRule = 'convolution' | 'dense'

interface EmissionRule<E extends Emission> {
  readonly stage: Stage
  readonly check: (emission: E, output: ValueType, channels: number, where: string) => void
  readonly emit: (emission: E, sums: Float64Array, context: EmitContext) => ElementArray
}

/** m[c] of a layer: one factor per output channel. */
export const requantizeScales = (input: QuantizedType, weights: QuantizedType, output: QuantizedType, channels: number): Float32Array =>
  Float32Array.from({ length: channels }, (_, c) => requantizeScale(channelScale(input, 0), channelScale(weights, c), channelScale(output, 0)))

const productOf = (input: number, weights: QuantizedType, c: number, rule: MultiplierRule): number =>
  rule === 'dense' && weights.channelAxis === null ? Math.fround(input * channelScale(weights, c)) : input * channelScale(weights, c)

/** Rounding 'tflite': the real factor (double)sx * sw[c] / sy of each output channel. */
export const requantizeFactors = (input: QuantizedType, weights: QuantizedType, output: QuantizedType, channels: number, rule: MultiplierRule): number[] =>
  Array.from({ length: channels }, (_, c) => productOf(channelScale(input, 0), weights, c, rule) / channelScale(output, 0))

/** Rounding 'tflite': one multiplier per output channel. */
export const requantizeMultipliers = (...layer: Parameters<typeof requantizeFactors>): Multiplier[] => requantizeFactors(...layer).map(multiplierOf)

/** Refuses factors of rounding 'tflite' that are not finite, or that reach 2^`most`. */
export const checkFixedFactors = (factors: readonly number[], where: string, most: number = MAX_SHIFT): void => {
  for (const factor of factors) {
    if (!(Number.isFinite(factor) && multiplierOf(factor).shift <= most))
      throw invalidNetwork(where, `the scales of input, weights and output give the factor ${factor}, rounding "tflite" takes factors below ${2 ** most}`)
  }
}

/** Refuses factors that overflowed float32 (very large scales over very small ones): 0 times infinity has no integer. */
export const checkFactors = (factors: ArrayLike<number>, where: string): void => {
  for (let i = 0; i < factors.length; i++) {
    if (!Number.isFinite(factors[i]))
      throw invalidNetwork(where, `the scales of input, weights and output give the factor ${factors[i]}, it must be a finite number`)
  }
}

/** Refuses a requantizing layer whose factors its rounding cannot hold. */
export const checkRequantizeScales = (emission: Emission, context: EmitContext, where: string): void => {
  const { input, weights, output, channels, rounding, multiplierRule = 'convolution' } = context
  if (emission.kind !== 'requantize' || !isQuantized(output)) return
  if (!isQuantized(input) || weights === null) throw invalidNetwork(where, `requantize takes sums of int8 inputs and int8 weights, the input is ${input.kind}`)
  if (rounding === 'tflite') checkFixedFactors(requantizeFactors(input, weights, output, channels, multiplierRule), where)
  else checkFactors(requantizeScales(input, weights, output, channels), where)
}

const clampRule: EmissionRule<ClampEmission> = {
  stage: 'float',
  check: ({ min, max }, output, _, where) => {
    for (const bound of [min, max]) {
      if (bound !== null && !Number.isFinite(bound)) throw invalidNetwork(where, `the emission's bound ${bound} is not a finite number`)
    }
    if (min !== null && max !== null && min > max) throw invalidNetwork(where, `the emission's bounds ${min}..${max} are empty`)
    if (output.kind !== 'float32') throw invalidNetwork(where, `a float emission gives float32, the output is ${output.kind}`)
  },
  emit: ({ min, max }, sums, { output }) => {
    const out = allocate(output)
    const low = min ?? -Infinity
    const high = max ?? Infinity
    for (let i = 0; i < sums.length; i++) out[i] = Math.min(Math.max(sums[i] as number, low), high)
    return out
  },
}

const requantizeRule: EmissionRule<RequantizeEmission> = {
  stage: 'integer',
  check: ({ min, max }, output, _, where) => {
    if (output.kind !== 'int8') throw invalidNetwork(where, `requantize gives int8, the output is ${output.kind}`)
    if (!Number.isInteger(min) || !Number.isInteger(max) || min < -128 || max > 127 || min > max) {
      throw invalidNetwork(where, `requantize bounds ${min}..${max} are not integers within -128..127`)
    }
  },
  emit: ({ min, max }, sums, { input, weights, output, channels, rounding, multiplierRule = 'convolution' }) => {
    if (!isQuantized(input) || weights === null || !isQuantized(output)) throw new Error('requantize without scales passed verify()')
    if (rounding === 'tflite') {
      const multipliers = requantizeMultipliers(input, weights, output, channels, multiplierRule)
      const { zeroPoint } = output
      return Int8Array.from(sums, (sum, i) => requantizeFixed(sum, multipliers[i % channels] as Multiplier, zeroPoint, min, max))
    }
    const scales = requantizeScales(input, weights, output, channels)
    const out = allocate(output)
    for (let i = 0; i < sums.length; i++) {
      out[i] = requantize(sums[i] as number, scales[i % channels] as number, output.zeroPoint, min, max)
    }
    return out
  },
}

const noneRule: EmissionRule<NoEmission> = {
  stage: 'integer',
  check: (_, output, __, where) => {
    if (output.kind !== 'int32') throw invalidNetwork(where, `an emission of none gives int32, the output is ${output.kind}`)
  },
  emit: (_, sums) => Int32Array.from(sums),
}

const isAscending = (data: ElementArray, count: number): boolean => data.every((t, i) => i % count === 0 || t >= (data[i - 1] as number))

const checkThresholds = ({ thresholds }: ThresholdsEmission, output: ValueType, channels: number, where: string): void => {
  if (output.kind !== 'level' && output.kind !== 'binary') throw invalidNetwork(where, `thresholds give level or binary, the output is ${output.kind}`)
  const levels = output.kind === 'level' ? output.levels : 1
  const { type, data } = thresholds ?? {}
  const isShaped = type?.kind === 'int32' && type.shape.length === 2 && type.shape[0] === channels && type.shape[1] === levels
  if (!isShaped || !(data instanceof Int32Array)) throw invalidNetwork(where, `thresholds must be int32 [${channels},${levels}]`)
  if (data.length !== channels * levels || !isAscending(data, levels)) throw invalidNetwork(where, 'the thresholds of a channel must not descend')
}

/** How many of `count` ascending thresholds from `start` on are at most `sum`. */
const thresholdsReached = (thresholds: ElementArray, start: number, count: number, sum: number): number => {
  let reached = 0
  while (reached < count && sum >= (thresholds[start + reached] as number)) reached++
  return reached
}

const thresholdsRule: EmissionRule<ThresholdsEmission> = {
  stage: 'integer',
  check: checkThresholds,
  emit: ({ thresholds }, sums, { output, channels }) => {
    const count = thresholds.data.length / channels
    const reached = Uint8Array.from(sums, (sum, i) => thresholdsReached(thresholds.data, (i % channels) * count, count, sum))
    return output.kind === 'binary' ? packSigns(Float32Array.from(reached, (one) => 2 * one - 1)) : reached
  },
}

const RULES: { readonly [K in EmissionKind]: EmissionRule<Extract<Emission, { kind: K }>> } = {
  clamp: clampRule,
  requantize: requantizeRule,
  none: noneRule,
  thresholds: thresholdsRule,
}

const ruleOf = (kind: unknown): EmissionRule<Emission> | undefined =>
  typeof kind === 'string' && Object.hasOwn(RULES, kind) ? (RULES[kind as EmissionKind] as EmissionRule<Emission>) : undefined

/** Refuses an emission that is malformed, of the wrong stage, or does not give the output's type. */
export const checkEmission = (emission: Emission, output: ValueType, channels: number, stage: Stage, where: string): void => {
  const rule = ruleOf((emission as { kind?: unknown } | null | undefined)?.kind)
  if (rule === undefined) throw invalidNetwork(where, 'the emission is missing or of an unknown kind')
  if (rule.stage !== stage) throw invalidNetwork(where, `a ${emission.kind} emission belongs to the ${rule.stage} stage`)
  rule.check(emission, output, channels, where)
}

/** Turns a layer's sums (channels fastest) into its output elements. */
export const emit = (emission: Emission, sums: Float64Array, context: EmitContext): ElementArray =>
  (RULES[emission.kind] as EmissionRule<Emission>).emit(emission, sums, context)
