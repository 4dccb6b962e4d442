// From costs to weights: how much of each vertex a particle takes. Rows of the result sum to 1; a transport plan is weights / particles.

import { type Duals, type SinkhornOptions, sinkhorn } from './sinkhorn.js'

/** How costs become weights. softmax is the published rule; the others are for comparison. */
export type WeightRule =
  | { readonly kind: 'softmax' }
  | { readonly kind: 'greedy' }
  /** equal weights on the `count` cheapest vertices */
  | { readonly kind: 'top'; readonly count: number }
  /** softmax at a temperature of its own */
  | { readonly kind: 'tempered'; readonly temperature: number }
  | ({ readonly kind: 'sinkhorn' } & SinkhornOptions)

export interface Weights {
  readonly weights: Float64Array // [particles, vertices]
  /** what the next step's rule may start from */
  readonly duals: Duals | null
}

/** Softmax of -cost / epsilon in each row of `vertices` costs. */
export const softmaxWeights = (costs: Float64Array, vertices: number, epsilon: number): Float64Array => {
  const out = new Float64Array(costs.length)
  for (let row = 0; row < costs.length; row += vertices) {
    let least = Number.POSITIVE_INFINITY
    for (let j = 0; j < vertices; j++) least = Math.min(least, costs[row + j] as number)
    let sum = 0
    for (let j = 0; j < vertices; j++) {
      const weight = Math.exp((least - (costs[row + j] as number)) / epsilon)
      out[row + j] = weight
      sum += weight
    }
    for (let j = 0; j < vertices; j++) out[row + j] = (out[row + j] as number) / sum
  }
  return out
}

/** 1 / count on the `count` cheapest vertices of each row, the first ones on ties. */
export const topWeights = (costs: Float64Array, vertices: number, count: number): Float64Array => {
  const out = new Float64Array(costs.length)
  for (let row = 0; row < costs.length; row += vertices) {
    const order = Array.from({ length: vertices }, (_, j) => j).sort((a, b) => (costs[row + a] as number) - (costs[row + b] as number) || a - b)
    for (const j of order.slice(0, count)) out[row + j] = 1 / Math.min(count, vertices)
  }
  return out
}

/** Plan rows divided by their realized sums (at least 1e-12). */
export const rowWeights = (plan: Float64Array, vertices: number): Float64Array => {
  const out = new Float64Array(plan.length)
  for (let row = 0; row < plan.length; row += vertices) {
    let sum = 0
    for (let j = 0; j < vertices; j++) sum += plan[row + j] as number
    for (let j = 0; j < vertices; j++) out[row + j] = (plan[row + j] as number) / Math.max(sum, 1e-12)
  }
  return out
}

const transportWeights = (rule: SinkhornOptions, costs: Float64Array, vertices: number, epsilon: number, duals: Duals | null): Weights => {
  if (costs.length === vertices) return { weights: new Float64Array(vertices).fill(1 / vertices), duals: null }
  const result = sinkhorn(costs, vertices, epsilon, duals, rule)
  return { weights: rowWeights(result.plan, vertices), duals: result.duals }
}

type Solve<K extends WeightRule['kind']> = (
  rule: Extract<WeightRule, { kind: K }>,
  costs: Float64Array,
  vertices: number,
  epsilon: number,
  duals: Duals | null,
) => Weights

const RULES: { readonly [K in WeightRule['kind']]: Solve<K> } = {
  softmax: (_, costs, vertices, epsilon) => ({ weights: softmaxWeights(costs, vertices, epsilon), duals: null }),
  greedy: (_, costs, vertices) => ({ weights: topWeights(costs, vertices, 1), duals: null }),
  top: ({ count }, costs, vertices) => ({ weights: topWeights(costs, vertices, count), duals: null }),
  tempered: ({ temperature }, costs, vertices) => ({ weights: softmaxWeights(costs, vertices, temperature), duals: null }),
  sinkhorn: transportWeights,
}

/** Weights of costs [particles, vertices] by a rule. */
export const weightsOf = (rule: WeightRule, costs: Float64Array, vertices: number, epsilon: number, duals: Duals | null): Weights =>
  (RULES[rule.kind] as Solve<WeightRule['kind']>)(rule as never, costs, vertices, epsilon, duals)
