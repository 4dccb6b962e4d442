// What tuning makes small: a loss of one sample's scores, of which a probe's loss is the mean over the mini-batch. Scores are reals
// (scale times stored integer). The integer form of the cross-entropy is in units/cross-entropy.ts.

import { usage } from '../errors.js'

export interface Objective {
  readonly name: string
  /** scores of one sample, and which sample of the data it is */
  readonly loss: (scores: Float64Array, sample: number) => number
}

const logSumExp = (scores: Float64Array): number => {
  const largest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  return largest + Math.log(scores.reduce((sum, x) => sum + Math.exp(x - largest), 0))
}

/** Index of the largest score, the first one on ties. */
export const argmax = (scores: ArrayLike<number>): number => {
  let best = 0
  for (let c = 1; c < scores.length; c++) if ((scores[c] as number) > (scores[best] as number)) best = c
  return best
}

const labelOf = (labels: ArrayLike<number>, sample: number, scores: Float64Array): number => {
  const label = labels[sample] ?? -1
  if (label < 0 || label >= scores.length)
    throw usage(`sample ${sample} has label ${labels[sample]}, the network has ${scores.length} scores.`, 'Number the classes from 0.')
  return label
}

/** Cross-entropy of softmax(scores) with the label; `smoothing` of the target, 0..1, is spread over all classes. */
export const crossEntropy = (labels: ArrayLike<number>, { smoothing = 0 }: { readonly smoothing?: number } = {}): Objective => ({
  name: 'cross-entropy',
  loss: (scores, sample) => {
    const label = scores[labelOf(labels, sample, scores)] as number
    const target = smoothing === 0 ? label : (1 - smoothing) * label + (smoothing / scores.length) * scores.reduce((a, b) => a + b, 0)
    return logSumExp(scores) - target
  },
})

/** 0 for a right answer, 1 for a wrong one: its mean is the error rate. */
export const errorRate = (labels: ArrayLike<number>): Objective => ({
  name: 'error-rate',
  loss: (scores, sample) => (argmax(scores) === labelOf(labels, sample, scores) ? 0 : 1),
})

/** max(0, margin - (score of the label - best other score)). */
export const marginLoss = (labels: ArrayLike<number>, { margin = 1 }: { readonly margin?: number } = {}): Objective => ({
  name: 'margin',
  loss: (scores, sample) => {
    const label = labelOf(labels, sample, scores)
    const other = scores.reduce((best, x, c) => (c === label ? best : Math.max(best, x)), Number.NEGATIVE_INFINITY)
    return Math.max(0, margin - ((scores[label] as number) - other))
  },
})

/** Squared distance of spike counts to `right` spikes of the label's unit and `wrong` of the others. */
export const spikeCountLoss = (labels: ArrayLike<number>, { right, wrong }: { readonly right: number; readonly wrong: number }): Objective => ({
  name: 'spike-count',
  loss: (scores, sample) => {
    const label = labelOf(labels, sample, scores)
    return scores.reduce((sum, count, c) => sum + (count - (c === label ? right : wrong)) ** 2, 0) / scores.length
  },
})

/** Mean squared error to targets [samples, scores]. */
export const meanSquaredError = (targets: ArrayLike<number>): Objective => ({
  name: 'mean-squared-error',
  loss: (scores, sample) => scores.reduce((sum, x, c) => sum + (x - (targets[sample * scores.length + c] as number)) ** 2, 0) / scores.length,
})

export interface DistillationOptions {
  /** softens both distributions; default 1 */
  readonly temperature?: number
  /** part of the loss that follows the labels instead, 0..1; default 0 */
  readonly labelWeight?: number
  readonly labels?: ArrayLike<number>
}

/** Cross-entropy to a teacher's distribution softmax(scores / temperature), times temperature squared (Hinton et al. 2015). */
export const distillation = (teacher: ArrayLike<number>, options: DistillationOptions = {}): Objective => {
  const { temperature = 1, labelWeight = 0, labels } = options
  if (labelWeight > 0 && labels === undefined) throw usage('distillation has a label weight and no labels.', 'Pass labels, or leave labelWeight out.')
  return {
    name: 'distillation',
    loss: (scores, sample) => {
      const wanted = scores.map((_, c) => (teacher[sample * scores.length + c] as number) / temperature)
      const softened = scores.map((x) => x / temperature)
      const wantedTotal = logSumExp(wanted)
      const total = logSumExp(softened)
      const soft = softened.reduce((sum, x, c) => sum + Math.exp((wanted[c] as number) - wantedTotal) * (total - x), 0) * temperature ** 2
      if (labels === undefined || labelWeight === 0) return soft
      return (1 - labelWeight) * soft + labelWeight * (logSumExp(scores) - (scores[labelOf(labels, sample, scores)] as number))
    },
  }
}

/** Any function of the scores. */
export const customObjective = (name: string, loss: Objective['loss']): Objective => ({ name, loss })
