// The cross-entropy of stored integer scores in integers only, so that incremental losses equal full evaluation bit for bit and a chip without
// an FPU computes the same. Logits on a grid of 2^-10, exponentials in Q15, the logarithm in Q16 rounded to 2^-12 (docs/polystep.md, "Integers until the loss").

import { usage } from '../../errors.js'

/** One nat in units of the loss. */
export const LOSS_ONE = 4096
/** One nat in units of a logit. */
const LOGIT_ONE = 1024
/** Logit differences from here on have exp = 0 in Q15. */
const EXP_END = 12 * LOGIT_ONE
/** Differences count as at most this, so that losses stay far within int32. */
const LARGEST_DIFFERENCE = 2 ** 22
const LN2_Q16 = 45426

/** exp(-i / 32) in Q30, i = 0..383, and exp(-j / 1024) in Q15, j = 0..31: the two tables a chip stores. */
export const EXP_HIGH = Float64Array.from({ length: EXP_END / 32 }, (_, i) => Math.round(2 ** 30 * Math.exp(-i / 32)))
export const EXP_LOW = Float64Array.from({ length: 32 }, (_, j) => Math.round(2 ** 15 * Math.exp(-j / LOGIT_ONE)))
/** ln(1 + i / 256) in Q16, i = 0..256. */
export const LOG_TABLE = Int32Array.from({ length: 257 }, (_, i) => Math.round(65536 * Math.log(1 + i / 256)))

/** exp(-t / 1024) in Q15: (high * low + 2^29) >> 30. All products tabulated here, 24 KB for speed. */
const EXP = Int32Array.from({ length: EXP_END }, (_, t) => Math.floor(((EXP_HIGH[t >> 5] as number) * (EXP_LOW[t & 31] as number) + 2 ** 29) / 2 ** 30))

/** ln(sum / 2^15) in Q12 of an integer 2^15 <= sum < 2^31, linear between 256 points of each octave. */
export const logQ12 = (sum: number): number => {
  const octave = 31 - Math.clz32(sum)
  const fraction = (sum << (31 - octave)) & 0x7fffffff
  const at = fraction >>> 23
  const low = LOG_TABLE[at] as number
  const between = (((LOG_TABLE[at + 1] as number) - low) * ((fraction >>> 7) & 0xffff)) >>> 16
  return ((octave - 15) * LN2_Q16 + low + between + 8) >> 4
}

/** The largest number of classes whose exponentials fit the sum. */
export const MOST_CLASSES = 32768

export interface IntegerCrossEntropyOptions {
  /** real value of one step of the stored scores */
  readonly scale: number
  /** part of the target that is spread over all classes, in 256ths: 26 is about 0.1; default 0 */
  readonly smoothing256?: number
}

/** A loss in 1 / LOSS_ONE nats of stored scores and a label. */
export type IntegerLoss = (scores: Int32Array, label: number) => number

/** (difference * factor + half) >> shift turns score differences into logits of LOGIT_ONE; factor below 2^16, so the product fits 48 bits. */
export const logitFactor = (scale: number): { readonly factor: number; readonly shift: number } => {
  const real = scale * LOGIT_ONE
  if (!(real > 0 && real < 65536)) throw usage(`scores of scale ${scale} cannot be brought to a logit grid.`, 'Use scores whose scale is above 0 and below 64.')
  const shift = Math.min(46, Math.max(0, 15 - Math.floor(Math.log2(real))))
  return { factor: Math.round(real * 2 ** shift), shift }
}

/** The integer cross-entropy. @throws USAGE where the scale fits no logit grid */
export const integerCrossEntropy = ({ scale, smoothing256 = 0 }: IntegerCrossEntropyOptions): IntegerLoss => {
  const { factor, shift } = logitFactor(scale)
  const half = shift === 0 ? 0 : 2 ** (shift - 1)
  const unit = 2 ** -shift
  return (scores, label) => {
    const classes = scores.length
    let largest = scores[0] as number
    for (let c = 1; c < classes; c++) if ((scores[c] as number) > largest) largest = scores[c] as number
    let sum = 0
    let ofLabel = 0
    let total = 0
    for (let c = 0; c < classes; c++) {
      const t = Math.min(LARGEST_DIFFERENCE, Math.floor(((largest - (scores[c] as number)) * factor + half) * unit))
      if (t < EXP_END) sum += EXP[t] as number
      if (c === label) ofLabel = t
      total += t
    }
    const target = smoothing256 === 0 ? 4 * ofLabel : Math.floor((4 * ((256 - smoothing256) * ofLabel * classes + smoothing256 * total)) / (256 * classes))
    return logQ12(sum) + target
  }
}
