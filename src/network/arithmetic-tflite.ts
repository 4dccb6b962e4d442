// Rounding 'tflite' of docs/arithmetic.md in plain numbers: the fixed-point steps of TensorFlow Lite Micro's reference kernels (double rounding).
// Where TensorFlow Lite's own int32 steps would overflow, which C leaves undefined, these saturate; everywhere else the bytes are the same.

import { clamp } from './arithmetic.js'

/** A real factor as q * 2^(shift - 31): q is 0 or 2^30 <= q < 2^31, -31 <= shift. */
export interface Multiplier {
  readonly q: number
  readonly shift: number
}

export const INT32_MAX = 2 ** 31 - 1
const INT32_MIN = -(2 ** 31)
/** The largest shift a multiplier may have: beyond it an int32 sum cannot be shifted. */
export const MAX_SHIFT = 30

/** Round half away from zero, |x| < 2^52 (TfLiteRound). */
export const roundHalfAway = (x: number): number => Math.sign(x) * Math.floor(Math.abs(x) + 0.5)

/** real = mantissa * 2^exponent with 0.5 <= mantissa < 1, for a normal real > 0 (C's frexp). */
const frexp = (real: number): readonly [mantissa: number, exponent: number] => {
  let exponent = Math.floor(Math.log2(real)) + 1
  let mantissa = real / 2 ** exponent
  while (mantissa >= 1) [mantissa, exponent] = [mantissa / 2, exponent + 1]
  while (mantissa < 0.5) [mantissa, exponent] = [mantissa * 2, exponent - 1]
  return [mantissa, exponent]
}

/** A finite real >= 0 as a multiplier; below 2^-32 it is 0 (QuantizeMultiplier). */
export const multiplierOf = (real: number): Multiplier => {
  if (real === 0) return { q: 0, shift: 0 }
  const [mantissa, exponent] = frexp(real)
  const rounded = roundHalfAway(mantissa * 2 ** 31)
  const [q, shift] = rounded === 2 ** 31 ? [2 ** 30, exponent + 1] : [rounded, exponent]
  return shift < -31 ? { q: 0, shift: 0 } : { q, shift }
}

/** floor((a * b + 2^30) / 2^31) for int32 a and b, exact in float64: srdhm, SaturatingRoundingDoublingHighMul. */
export const doublingHighMultiply = (a: number, b: number): number => {
  if (a === INT32_MIN && b === INT32_MIN) return INT32_MAX
  const high = Math.floor(a / 65536) * b // |high| < 2^46
  const low = (a - Math.floor(a / 65536) * 65536) * b + 2 ** 30
  const whole = Math.floor(high / 32768)
  return whole + Math.floor(((high - whole * 32768) * 65536 + low) / 2 ** 31)
}

/** x / 2^exponent, half away from zero, 0 <= exponent <= 31: rdbp, RoundingDivideByPOT. */
export const divideByPowerOfTwo = (x: number, exponent: number): number => (exponent === 0 ? x : roundHalfAway(x / 2 ** exponent))

const saturate = (x: number): number => clamp(x, INT32_MIN, INT32_MAX)

/** rdbp(srdhm(x << max(shift, 0), q), max(-shift, 0)), the left shift saturating (MultiplyByQuantizedMultiplier). */
export const multiplyBy = (x: number, { q, shift }: Multiplier): number =>
  divideByPowerOfTwo(doublingHighMultiply(saturate(x * 2 ** Math.max(shift, 0)), q), Math.max(-shift, 0))

/** Rounding 'tflite': clamp(multiplyBy(sum, multiplier) + zeroPoint, low, high). */
export const requantizeFixed = (sum: number, multiplier: Multiplier, zeroPoint: number, low: number, high: number): number =>
  clamp(multiplyBy(sum, multiplier) + zeroPoint, low, high)

/** The mean of `count` integers with this sum, half away from zero; the zero point stays in (AveragePool). */
export const averageFixed = (sum: number, count: number): number => Math.trunc((sum + (sum > 0 ? 1 : -1) * Math.floor(count / 2)) / count)

/** Bits by which the inputs of an add are shifted left before they are scaled. */
export const ADD_SHIFT = 20

/** The three multipliers of a residual add; all are below 1 where the network verified. */
export interface AddMultipliers {
  readonly a: Multiplier
  readonly b: Multiplier
  readonly output: Multiplier
}

/** Multipliers of an add of scales sa and sb into sy (add_common.cc), before each is turned into q and shift: [a, b, output]. */
export const addFactors = (sa: number, sb: number, sy: number): readonly [number, number, number] => {
  const twice = 2 * Math.max(sa, sb)
  return [sa / twice, sb / twice, twice / (2 ** ADD_SHIFT * sy)]
}

export const addMultipliers = (sa: number, sb: number, sy: number): AddMultipliers => {
  const [a, b, output] = addFactors(sa, sb, sy)
  return { a: multiplierOf(a), b: multiplierOf(b), output: multiplierOf(output) }
}

/** a and b have their zero points subtracted, so they are within -255..255. */
export const addFixed = (a: number, b: number, m: AddMultipliers, zeroPoint: number, low: number, high: number): number =>
  requantizeFixed(multiplyBy(a * 2 ** ADD_SHIFT, m.a) + multiplyBy(b * 2 ** ADD_SHIFT, m.b), m.output, zeroPoint, low, high)

/** Integer bits of a scaled score difference, of the sum of exponentials. */
const DIFFERENCE_BITS = 5
const SUM_BITS = 12

/** What softmax needs of its input's scale: differences below `least` count as exp = 0. */
export interface SoftmaxScale extends Multiplier {
  readonly least: number
}

/** The factor of PreprocessSoftmaxScaling: must be above 1 (an input scale above 2^-26). */
export const softmaxFactor = (scale: number): number => Math.min(scale * 2 ** (31 - DIFFERENCE_BITS), INT32_MAX)

export const softmaxScale = (scale: number): SoftmaxScale => {
  const { q, shift } = multiplierOf(softmaxFactor(scale))
  return { q, shift, least: 0 - Math.floor(((2 ** DIFFERENCE_BITS - 1) * 2 ** (31 - DIFFERENCE_BITS)) / 2 ** shift) }
}

/** Taylor's series of exp at -1/8 for -1/4 <= x < 0; x and the result have 31 fraction bits. */
const expOfQuarter = (x: number): number => {
  const mul = doublingHighMultiply
  const d = x + 2 ** 28
  const square = mul(d, d)
  const cube = mul(square, d)
  const fourth = divideByPowerOfTwo(mul(square, square), 2)
  const rest = divideByPowerOfTwo(mul(fourth + cube, 715827883) + square, 1)
  return 1895147668 + mul(1895147668, d + rest)
}

/** exp(-2^k) for k = -2..4 with 31 fraction bits. */
const EXP_POWERS = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242] as const

/** exp(x) with 31 fraction bits; x <= 0 has 26 (gemmlowp's exp_on_negative_values). */
export const expFixed = (x: number): number => {
  if (x === 0) return INT32_MAX
  const quarter = 2 ** 24
  const modulo = (x & (quarter - 1)) - quarter
  const remainder = modulo - x
  return EXP_POWERS.reduce<number>(
    (result, factor, k) => ((remainder & (1 << (24 + k))) === 0 ? result : doublingHighMultiply(result, factor)),
    expOfQuarter(modulo * 32),
  )
}

/** 1 / (1 + x) with 31 fraction bits for 0 <= x < 1 of 31 fraction bits, by three steps of Newton's iteration (gemmlowp). */
const reciprocalOfOnePlus = (x: number): number => {
  const mul = doublingHighMultiply
  const half = Math.trunc((x + INT32_MAX + 1) / 2)
  let y = 1515870810 + mul(half, -1010580540)
  for (let i = 0; i < 3; i++) y += saturate(mul(y, 2 ** 29 - mul(half, y)) * 4)
  return saturate(y * 2)
}

/** Softmax of int8 scores: int8 with scale 1/256 and zero point -128 (reference_ops::Softmax). At most 4095 scores, so that the sum fits. */
export const softmaxFixed = (scores: ArrayLike<number>, start: number, count: number, scale: SoftmaxScale): Int8Array => {
  let largest = -128
  for (let i = 0; i < count; i++) largest = Math.max(largest, scores[start + i] as number)
  const exponentials = Array.from({ length: count }, (_, i) => {
    const difference = (scores[start + i] as number) - largest
    return difference < scale.least ? null : expFixed(doublingHighMultiply(saturate(difference * 2 ** scale.shift), scale.q))
  })
  const sum = exponentials.reduce<number>((total, e) => total + (e === null ? 0 : divideByPowerOfTwo(e, SUM_BITS)), 0)
  const headroom = Math.clz32(sum)
  const reciprocal = reciprocalOfOnePlus(sum * 2 ** headroom - 2 ** 31)
  const bits = SUM_BITS - headroom + 23
  return Int8Array.from(exponentials, (e) => (e === null ? -128 : clamp(divideByPowerOfTwo(doublingHighMultiply(reciprocal, e), bits) - 128, -128, 127)))
}
