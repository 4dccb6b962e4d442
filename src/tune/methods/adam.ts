// Adam (Kingma and Ba 2015) as a pure update, for methods that estimate a direction.

export interface AdamState {
  readonly first: Float64Array
  readonly second: Float64Array
}

export const startAdam = (count: number): AdamState => ({ first: new Float64Array(count), second: new Float64Array(count) })

const BETA_1 = 0.9
const BETA_2 = 0.999
const EPSILON = 1e-8

/** The change of the iterate (already negated: add it) for a descent gradient at step 0, 1, ..., and the new state. */
export const adamStep = (
  { first, second }: AdamState,
  gradient: Float64Array,
  step: number,
  learningRate: number,
): { change: Float64Array; adam: AdamState } => {
  const m = first.map((x, i) => BETA_1 * x + (1 - BETA_1) * (gradient[i] as number))
  const v = second.map((x, i) => BETA_2 * x + (1 - BETA_2) * (gradient[i] as number) ** 2)
  const m1 = 1 - BETA_1 ** (step + 1)
  const v1 = 1 - BETA_2 ** (step + 1)
  const change = m.map((x, i) => (-learningRate * (x / m1)) / (Math.sqrt((v[i] as number) / v1) + EPSILON))
  return { change, adam: { first: m, second: v } }
}
