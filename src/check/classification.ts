// Classification results: predicted classes, accuracy and the confusion matrix.

import type { ElementArray } from '../network/types.js'

/** The index of the largest score of each sample; the first of equals. */
export const argmax = (scores: ElementArray, classes: number): Int32Array =>
  Int32Array.from({ length: scores.length / classes }, (_, sample) => {
    let best = 0
    for (let c = 1; c < classes; c++) if ((scores[sample * classes + c] as number) > (scores[sample * classes + best] as number)) best = c
    return best
  })

export interface ClassificationSummary {
  readonly count: number
  readonly correct: number
  /** 0..1 */
  readonly accuracy: number
  /** confusion[true class][predicted class] */
  readonly confusion: readonly (readonly number[])[]
}

/** Compares predicted classes with labels. */
export const summarize = (predicted: Int32Array, labels: ArrayLike<number>, classes: number): ClassificationSummary => {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  let correct = 0
  for (let i = 0; i < predicted.length; i++) {
    const row = confusion[labels[i] as number]
    if (row !== undefined) row[predicted[i] as number] = (row[predicted[i] as number] as number) + 1
    if (predicted[i] === labels[i]) correct++
  }
  return { count: predicted.length, correct, accuracy: predicted.length === 0 ? 0 : correct / predicted.length, confusion }
}
