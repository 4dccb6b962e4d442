// Scores of all features of a bank for one context, the work that FEAST spends its time on: each a plain form, and a fast one that takes
// four features a pass over the context and gives the same bits.

/** scores[n] = sum over k of weights[n][k] context[k], integers. */
export const plainFixedScores = (weights: Int8Array, context: Int32Array, scores: Int32Array): void => {
  const { length } = context
  for (let n = 0; n < scores.length; n++) {
    let sum = 0
    for (let k = 0; k < length; k++) sum += (weights[n * length + k] as number) * (context[k] as number)
    scores[n] = sum
  }
}

/** The same, four features at a time. */
export const fixedScores = (weights: Int8Array, context: Int32Array, scores: Int32Array): void => {
  const { length } = context
  let n = 0
  for (; n + 4 <= scores.length; n += 4) {
    const a = n * length
    const b = a + length
    const c = b + length
    const d = c + length
    let sumA = 0
    let sumB = 0
    let sumC = 0
    let sumD = 0
    for (let k = 0; k < length; k++) {
      const value = context[k] as number
      sumA = (sumA + Math.imul(weights[a + k] as number, value)) | 0
      sumB = (sumB + Math.imul(weights[b + k] as number, value)) | 0
      sumC = (sumC + Math.imul(weights[c + k] as number, value)) | 0
      sumD = (sumD + Math.imul(weights[d + k] as number, value)) | 0
    }
    scores[n] = sumA
    scores[n + 1] = sumB
    scores[n + 2] = sumC
    scores[n + 3] = sumD
  }
  for (; n < scores.length; n++) {
    let sum = 0
    for (let k = 0; k < length; k++) sum = (sum + Math.imul(weights[n * length + k] as number, context[k] as number)) | 0
    scores[n] = sum
  }
}

/** scores[n] = sum over k of weights[n][k] context[k], in the order of k. */
export const plainFloatScores = (weights: Float64Array, context: Float64Array, scores: Float64Array): void => {
  const { length } = context
  for (let n = 0; n < scores.length; n++) {
    let sum = 0
    for (let k = 0; k < length; k++) sum += (weights[n * length + k] as number) * (context[k] as number)
    scores[n] = sum
  }
}

/** The same, four features at a time; each sum keeps its order, so the bits are the same. */
export const floatScores = (weights: Float64Array, context: Float64Array, scores: Float64Array): void => {
  const { length } = context
  let n = 0
  for (; n + 4 <= scores.length; n += 4) {
    const a = n * length
    const b = a + length
    const c = b + length
    const d = c + length
    let sumA = 0
    let sumB = 0
    let sumC = 0
    let sumD = 0
    for (let k = 0; k < length; k++) {
      const value = context[k] as number
      sumA += (weights[a + k] as number) * value
      sumB += (weights[b + k] as number) * value
      sumC += (weights[c + k] as number) * value
      sumD += (weights[d + k] as number) * value
    }
    scores[n] = sumA
    scores[n + 1] = sumB
    scores[n + 2] = sumC
    scores[n + 3] = sumD
  }
  for (; n < scores.length; n++) {
    let sum = 0
    for (let k = 0; k < length; k++) sum += (weights[n * length + k] as number) * (context[k] as number)
    scores[n] = sum
  }
}
