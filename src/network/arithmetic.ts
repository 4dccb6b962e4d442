// The exact scalar arithmetic of docs/arithmetic.md in plain numbers: float32 steps by Math.fround, integers exact in float64.
// Every engine gives what these functions give; a SIMD kernel is tested against them.

/** 1.5 * 2^52: adding and subtracting it rounds a float64 of magnitude below 2^51 to an integer, ties to even. */
const ROUND_SHIFT = 6755399441055744

/** Round to the nearest integer, ties to even (rne), for |x| < 2^51. */
export const roundHalfEven = (x: number): number => x + ROUND_SHIFT - ROUND_SHIFT

/** Clamp to [low, high]; low <= high. */
export const clamp = (x: number, low: number, high: number): number => (x < low ? low : x > high ? high : x)

/** m = fl32(fl32(sx * sw) / sy): the requantization factor, rounded in float32 in that order. */
export const requantizeScale = (inputScale: number, weightScale: number, outputScale: number): number =>
  Math.fround(Math.fround(inputScale * weightScale) / outputScale)

/** m = fl32(sx / fl32(sy * count)): the factor of an average over `count` valid taps. */
export const averageScale = (inputScale: number, outputScale: number, count: number): number => Math.fround(inputScale / Math.fround(outputScale * count))

/** Rounding 'single': clamp(rne(fl32(fl32(acc) * scale)) + zeroPoint, low, high). */
export const requantize = (accumulator: number, scale: number, zeroPoint: number, low: number, high: number): number =>
  clamp(roundHalfEven(Math.fround(Math.fround(accumulator) * scale)) + zeroPoint, low, high)

/** The integer that stands for a real: clamp(rne(fl32(real / scale)) + zeroPoint, low, high), ONNX QuantizeLinear's rule. NaN gives the zero point. */
export const quantizeReal = (real: number, scale: number, zeroPoint: number, low: number, high: number): number => {
  const scaled = Math.fround(Math.fround(real) / scale)
  return Number.isNaN(scaled) ? zeroPoint : clamp(roundHalfEven(clamp(scaled, -(2 ** 33), 2 ** 33)) + zeroPoint, low, high)
}

/**
 * Residual add of int8 a and b: ra = fl32(sa / sc), rb = fl32(sb / sc),
 * clamp(rne(fl32(fl32((a - za) ra) + fl32((b - zb) rb))) + zc, low, high); arguments a and b have their zero points subtracted.
 */
export const addRequantize = (a: number, ra: number, b: number, rb: number, zeroPoint: number, low: number, high: number): number =>
  clamp(roundHalfEven(Math.fround(Math.fround(a * ra) + Math.fround(b * rb))) + zeroPoint, low, high)

const LOG2_E = Math.fround(Math.LOG2E)
const LN2_HIGH = 0.693359375
const LN2_LOW = Math.fround(-2.1219444e-4)
/** Minimax coefficients of (exp(r) - 1 - r) / r^2 on [-ln2/2, ln2/2], highest power first (Cephes expf). */
const EXP_COEFFICIENTS = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1].map(Math.fround)

/**
 * exp(x) for x <= 0 as a fixed sequence of float32 operations, so that C, wasm and TypeScript agree to the bit; 0 below -87.
 * Range reduction x = n ln2 + r with ln2 in two parts, then a polynomial of degree 7; relative error below 2e-7.
 */
export const expFloat32 = (x: number): number => {
  if (x < -87) return 0
  const n = roundHalfEven(Math.fround(x * LOG2_E))
  const r = Math.fround(Math.fround(x - Math.fround(n * LN2_HIGH)) - Math.fround(n * LN2_LOW))
  let p = EXP_COEFFICIENTS[0] as number
  for (let i = 1; i < EXP_COEFFICIENTS.length; i++) p = Math.fround(Math.fround(p * r) + (EXP_COEFFICIENTS[i] as number))
  const y = Math.fround(Math.fround(Math.fround(p * Math.fround(r * r)) + r) + 1)
  return Math.fround(y * 2 ** n)
}

/** Softmax of int8 scores in float32, sums in index order: e_i = exp(fl32(scale (q_i - max))), p_i = fl32(e_i / sum). */
export const softmaxFloat32 = (scores: ArrayLike<number>, start: number, count: number, scale: number): Float32Array => {
  let largest = -Infinity
  for (let i = 0; i < count; i++) largest = Math.max(largest, scores[start + i] as number)
  const out = new Float32Array(count)
  let sum = 0
  for (let i = 0; i < count; i++) {
    const e = expFloat32(Math.fround(scale * ((scores[start + i] as number) - largest)))
    out[i] = e
    sum = Math.fround(sum + e)
  }
  for (let i = 0; i < count; i++) out[i] = Math.fround((out[i] as number) / sum)
  return out
}
