// The objectives of the incremental engine: integer losses of stored scores, in 1 / LOSS_ONE, so that sums over a batch are exact. Cross-entropy is in
// integers throughout; the others round one float64 expression, the same on every machine.

import { type IntegerLoss, integerCrossEntropy, LOSS_ONE } from './cross-entropy.js'

export type ScoreObjective = 'cross-entropy' | 'accuracy' | 'margin' | 'mse'

export interface ScoreLossOptions {
  /** real value of one step of the stored scores */
  readonly scale: number
  readonly zeroPoint: number
  /** for cross-entropy: part of the target spread over all classes, in 256ths */
  readonly smoothing256: number
}

/** Scores count as right only beyond all others by this much, in real units. */
const MARGIN = 1

const otherBest = (scores: Int32Array, label: number): number => {
  let best = Number.NEGATIVE_INFINITY
  for (let c = 0; c < scores.length; c++) if (c !== label && (scores[c] as number) > best) best = scores[c] as number
  return best
}

/** 1 for a wrong sample, 0 for a right one; ties go to the first class, as argmax does. */
const errorLoss: IntegerLoss = (scores, label) => {
  const own = scores[label] as number
  for (let c = 0; c < scores.length; c++) {
    const score = scores[c] as number
    if (score > own || (score === own && c < label)) return LOSS_ONE
  }
  return 0
}

/** max(0, MARGIN - (score of the label - best other score)). */
const marginLoss =
  (scale: number): IntegerLoss =>
  (scores, label) =>
    Math.max(0, Math.round(LOSS_ONE * (MARGIN - scale * ((scores[label] as number) - otherBest(scores, label)))))

/** Mean squared distance to 1 for the label and 0 for the other classes. */
const squaredLoss =
  (scale: number, zeroPoint: number): IntegerLoss =>
  (scores, label) => {
    let sum = 0
    for (let c = 0; c < scores.length; c++) sum += (scale * ((scores[c] as number) - zeroPoint) - (c === label ? 1 : 0)) ** 2
    return Math.round((LOSS_ONE * sum) / scores.length)
  }

/** The loss of each objective. */
export const SCORE_LOSSES: Readonly<Record<ScoreObjective, (options: ScoreLossOptions) => IntegerLoss>> = {
  'cross-entropy': ({ scale, smoothing256 }) => integerCrossEntropy({ scale, smoothing256 }),
  accuracy: () => errorLoss,
  margin: ({ scale }) => marginLoss(scale),
  mse: ({ scale, zeroPoint }) => squaredLoss(scale, zeroPoint),
}
