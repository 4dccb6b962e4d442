// How long and how fast to train: plain data, and the learning rate it gives at each step.

export interface Schedule {
  readonly epochs: number
  /** samples a step */
  readonly batchSize: number
  readonly learningRate: LearningRate
  /** default: adam */
  readonly optimizer?: OptimizerSettings
  readonly augmentation?: Augmentation
  /** share of each target spread evenly over the classes, 0..1; default 0 */
  readonly labelSmoothing?: number
  /** stop after so many epochs without a better validation accuracy; default: never */
  readonly patienceEpochs?: number
}

export interface LearningRate {
  /** one-cycle: rises to the peak and falls to zero; cosine: falls from the peak to zero; constant: stays at it */
  readonly kind: 'one-cycle' | 'cosine' | 'constant'
  readonly peak: number
  /** share of the steps that one-cycle takes to reach the peak, 0..1; default 0.25 */
  readonly warmup?: number
}

export type OptimizerSettings =
  | { readonly kind: 'adam'; readonly beta1?: number; readonly beta2?: number; readonly epsilon?: number; readonly weightDecay?: number }
  | { readonly kind: 'momentum'; readonly momentum?: number; readonly weightDecay?: number }

/** Random changes of training images [height, width, channels]. */
export interface Augmentation {
  /** each image moves by -shiftPixels..shiftPixels in both directions, zeros come in; default 0 */
  readonly shiftPixels?: number
  /** every other image is mirrored left to right; default false */
  readonly flipsHorizontally?: boolean
}

/** The learning rate of a step, 0..steps - 1. */
export const learningRateAt = ({ kind, peak, warmup = 0.25 }: LearningRate, step: number, steps: number): number => {
  if (kind === 'constant') return peak
  const rise = kind === 'one-cycle' ? warmup * steps : 0
  if (step < rise) return peak * (0.04 + (0.96 * (1 - Math.cos((Math.PI * (step + 1)) / (rise + 1)))) / 2)
  return (peak * (1 + Math.cos((Math.PI * (step - rise)) / (steps - rise)))) / 2
}
