// What happens to probe losses before they become weights: the mean over the probes of a vertex, a penalty for losses that are not finite,
// an optional scale.

/** 'none' leaves costs, 'mean' and 'max' divide by the mean or the largest |cost|, a positive number divides by itself. */
export type CostScale = 'none' | 'mean' | 'max' | number

/** Mean over the K probes of each vertex: losses [particles * vertices, K] -> costs [particles * vertices]. */
export const meanOverProbes = (losses: Float64Array, probesPerVertex: number): Float64Array => {
  const costs = new Float64Array(losses.length / probesPerVertex)
  for (let v = 0; v < costs.length; v++) {
    let sum = 0
    for (let k = 0; k < probesPerVertex; k++) sum += losses[v * probesPerVertex + k] as number
    costs[v] = sum / probesPerVertex
  }
  return costs
}

/** NaN, inf and -inf become max(2 max |finite cost| + 1, 1e6). */
export const penalizeNonFinite = (costs: Float64Array): Float64Array => {
  if (costs.every(Number.isFinite)) return costs
  const largest = costs.reduce((most, c) => (Number.isFinite(c) ? Math.max(most, Math.abs(c)) : most), 0)
  const penalty = Math.max(2 * largest + 1, 1e6)
  return costs.map((c) => (Number.isFinite(c) ? c : penalty))
}

const scaleOf = (costs: Float64Array, scale: Exclude<CostScale, 'none'>): number => {
  if (typeof scale === 'number') return scale
  const sizes = costs.map(Math.abs)
  const size = scale === 'mean' ? mean(sizes) : sizes.reduce((a, b) => Math.max(a, b), 0)
  return Math.max(size, 1e-10)
}

/** Costs divided by their scale; divisors below 1e-10 count as 1e-10. */
export const scaleCosts = (costs: Float64Array, scale: CostScale): Float64Array => {
  if (scale === 'none') return costs
  const divisor = scaleOf(costs, scale)
  return costs.map((c) => c / divisor)
}

/** The arithmetic mean; NaN of nothing. */
export const mean = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0) / values.length
