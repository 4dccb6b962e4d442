// Entropic optimal transport between particles (mass 1/P each) and vertices (1/V each) in the log domain, with warm duals. With a finite
// `relaxation` the vertex marginal is only penalized by a Kullback-Leibler term of that weight (the reference's "kl1" has 1).

export interface Duals {
  readonly particles: Float64Array // [P]
  readonly vertices: Float64Array // [V]
  readonly epsilon: number
}

export interface SinkhornOptions {
  /** default 2000 */
  readonly maxIterations?: number
  /** largest error of a marginal, looked at every 10 iterations; default 1e-6 */
  readonly tolerance?: number
  /** weight of the Kullback-Leibler penalty on the vertex marginal; default Infinity: the marginal is exact */
  readonly relaxation?: number
}

export interface TransportPlan {
  readonly plan: Float64Array // [P, V]
  readonly duals: Duals
  readonly converged: boolean
  readonly iterations: number
}

/** log(sum exp(values)), from the `count` numbers that `at` gives. */
const logSumExp = (count: number, at: (i: number) => number): number => {
  let largest = -Infinity
  for (let i = 0; i < count; i++) largest = Math.max(largest, at(i))
  let sum = 0
  for (let i = 0; i < count; i++) sum += Math.exp(at(i) - largest)
  return largest + Math.log(sum)
}

const planOf = (costs: Float64Array, f: Float64Array, g: Float64Array, epsilon: number): Float64Array =>
  costs.map((c, at) => Math.exp(((f[Math.floor(at / g.length)] as number) + (g[at % g.length] as number) - c) / epsilon))

/** The largest error of the two marginals; a relaxed vertex marginal is not counted. */
const marginalError = (plan: Float64Array, particles: number, vertices: number, isRelaxed: boolean): number => {
  const rows = new Float64Array(particles)
  const columns = new Float64Array(vertices)
  plan.forEach((mass, at) => {
    const i = Math.floor(at / vertices)
    rows[i] = (rows[i] as number) + mass
    columns[at % vertices] = (columns[at % vertices] as number) + mass
  })
  const rowError = rows.reduce((most, mass) => Math.max(most, Math.abs(mass - 1 / particles)), 0)
  return isRelaxed ? rowError : columns.reduce((most, mass) => Math.max(most, Math.abs(mass - 1 / vertices)), rowError)
}

/** Duals of the previous step: rescaled to this epsilon, clamped to 10 max |cost|. */
const warm = (duals: Duals | null, epsilon: number, limit: number, particles: number, vertices: number): [Float64Array, Float64Array] => {
  if (duals === null) return [new Float64Array(particles), new Float64Array(vertices)]
  const rescale = (x: number): number => Math.min(Math.max((x * epsilon) / duals.epsilon, -limit), limit)
  return [duals.particles.map(rescale), duals.vertices.map(rescale)]
}

/** Transport plan of costs [P, V] at a temperature epsilon > 0. One particle moves nowhere: its plan is uniform. */
export const sinkhorn = (costs: Float64Array, vertices: number, epsilon: number, duals: Duals | null, options: SinkhornOptions = {}): TransportPlan => {
  const { maxIterations = 2000, tolerance = 1e-6, relaxation = Number.POSITIVE_INFINITY } = options
  const particles = costs.length / vertices
  const least = costs.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const shifted = costs.map((c) => c - least)
  const [f, g] = warm(duals, epsilon, 10 * shifted.reduce((a, b) => Math.max(a, b), 0), particles, vertices)
  const damping = relaxation === Number.POSITIVE_INFINITY ? 1 : relaxation / (relaxation + epsilon)
  const rowAt =
    (i: number) =>
    (j: number): number =>
      ((g[j] as number) - (shifted[i * vertices + j] as number)) / epsilon
  const columnAt =
    (j: number) =>
    (i: number): number =>
      ((f[i] as number) - (shifted[i * vertices + j] as number)) / epsilon
  let converged = false
  let iterations = 0
  while (iterations < maxIterations && !converged) {
    for (let i = 0; i < particles; i++) f[i] = epsilon * (-Math.log(particles) - logSumExp(vertices, rowAt(i)))
    for (let j = 0; j < vertices; j++) g[j] = damping * epsilon * (-Math.log(vertices) - logSumExp(particles, columnAt(j)))
    iterations++
    if (iterations % 10 === 0) converged = marginalError(planOf(shifted, f, g, epsilon), particles, vertices, damping < 1) < tolerance
  }
  return { plan: planOf(shifted, f, g, epsilon), duals: { particles: f, vertices: g, epsilon }, converged, iterations }
}
