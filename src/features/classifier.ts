// Simple classifiers that judge features: ridge regression on one-hot labels (in its dual form, by Cholesky) and nearest class mean,
// with k-fold validation. For evaluation, not for deployment.

import { inputMismatch } from '../errors.js'
import { permutation, STREAMS } from '../random.js'

/** Vectors with labels 0..classes - 1. */
export interface LabelledVectors {
  readonly vectors: readonly Float64Array[]
  readonly labels: ArrayLike<number>
  readonly classes: number
}

/** Tells the class of a vector. */
export type Classifier = (vector: Float64Array) => number
export type Trainer = (data: LabelledVectors) => Classifier

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}

const largest = (scores: ArrayLike<number>): number => {
  let best = 0
  for (let i = 1; i < scores.length; i++) if ((scores[i] as number) > (scores[best] as number)) best = i
  return best
}

/** Replaces the lower triangle of a positive definite matrix by its Cholesky factor. */
const factorise = (rows: readonly Float64Array[]): void => {
  for (const [i, row] of rows.entries()) {
    for (let j = 0; j <= i; j++) {
      const other = rows[j] as Float64Array
      let sum = row[j] as number
      for (let k = 0; k < j; k++) sum -= (row[k] as number) * (other[k] as number)
      row[j] = i === j ? Math.sqrt(sum) : sum / (other[j] as number)
    }
  }
}

/** Solves L L' x = b in place. */
const solve = (rows: readonly Float64Array[], b: Float64Array): void => {
  for (const [i, row] of rows.entries()) {
    let sum = b[i] as number
    for (let k = 0; k < i; k++) sum -= (row[k] as number) * (b[k] as number)
    b[i] = sum / (row[i] as number)
  }
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i] as Float64Array
    const value = (b[i] as number) / (row[i] as number)
    b[i] = value
    for (let k = 0; k < i; k++) b[k] = (b[k] as number) - (row[k] as number) * value
  }
}

/** Ridge regression on labels +1 and -1 with the given penalty (above 0). */
export const ridge =
  (penalty: number): Trainer =>
  ({ vectors, labels, classes }) => {
    const rows = vectors.map((a, i) => Float64Array.from({ length: i + 1 }, (_, j) => dot(a, vectors[j] as Float64Array) + 1 + (i === j ? penalty : 0)))
    factorise(rows)
    const planes = Array.from({ length: classes }, (_, label) => {
      const shares = Float64Array.from(vectors, (_, i) => (labels[i] === label ? 1 : -1))
      solve(rows, shares)
      const plane = new Float64Array(vectors[0]?.length ?? 0)
      for (const [i, vector] of vectors.entries())
        for (let k = 0; k < plane.length; k++) plane[k] = (plane[k] as number) + (shares[i] as number) * (vector[k] as number)
      return { plane, bias: shares.reduce((sum, share) => sum + share, 0) }
    })
    return (vector) => largest(planes.map(({ plane, bias }) => dot(plane, vector) + bias))
  }

/** The class whose mean vector points most nearly the same way. */
export const nearestMean: Trainer = ({ vectors, labels, classes }) => {
  const means = Array.from({ length: classes }, () => new Float64Array(vectors[0]?.length ?? 0))
  for (const [i, vector] of vectors.entries()) {
    const mean = means[labels[i] as number] as Float64Array
    for (let k = 0; k < mean.length; k++) mean[k] = (mean[k] as number) + (vector[k] as number)
  }
  for (const mean of means) {
    const length = Math.sqrt(dot(mean, mean)) || 1
    for (let k = 0; k < mean.length; k++) mean[k] = (mean[k] as number) / length
  }
  return (vector) => largest(means.map((mean) => dot(mean, vector)))
}

/** How many of the test vectors a classifier gets right, 0..1. */
export const accuracyOf = (classify: Classifier, { vectors, labels }: LabelledVectors): number =>
  vectors.filter((vector, i) => classify(vector) === labels[i]).length / vectors.length

const pick = ({ vectors, labels, classes }: LabelledVectors, numbers: readonly number[]): LabelledVectors => ({
  vectors: numbers.map((i) => vectors[i] as Float64Array),
  labels: numbers.map((i) => labels[i] as number),
  classes,
})

/**
 * Share of right answers over all vectors, each judged by a classifier that was trained without its fold; the order is drawn from
 * the seed. @throws INPUT_MISMATCH where there are fewer vectors than folds or not one label a vector
 */
export const crossValidate = (data: LabelledVectors, train: Trainer, folds: number, seed: number): number => {
  const { length } = data.vectors
  if (length < folds || data.labels.length !== length)
    throw inputMismatch(
      `${length} vectors with ${data.labels.length} labels cannot make ${folds} folds.`,
      'Pass one label a vector and at least one vector a fold.',
    )
  const order = [...permutation(length, seed, 0, STREAMS.split)]
  let right = 0
  for (let fold = 0; fold < folds; fold++) {
    const test = pick(
      data,
      order.filter((_, i) => i % folds === fold),
    )
    const classify = train(
      pick(
        data,
        order.filter((_, i) => i % folds !== fold),
      ),
    )
    right += accuracyOf(classify, test) * test.vectors.length
  }
  return right / length
}
