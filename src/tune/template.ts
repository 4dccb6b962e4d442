// Polytopes whose vertices PolyStep moves to: every vertex has norm 1 (docs/polystep.md, "The method").

import { usage } from '../errors.js'

export type TemplateKind = 'orthoplex' | 'simplex' | 'cube'

export interface Template {
  readonly kind: TemplateKind
  readonly dimension: number
  readonly vertexCount: number
  readonly vertices: Float64Array // [vertexCount, dimension]
}

/** +e_i, then -e_i: 2d vertices. */
const orthoplex = (d: number): Float64Array => {
  const out = new Float64Array(2 * d * d)
  for (let i = 0; i < d; i++) {
    out[i * d + i] = 1
    out[(d + i) * d + i] = -1
  }
  return out
}

/** The regular simplex as e_1..e_d and a last vertex on the diagonal, centred and scaled to norm 1: d + 1 vertices. */
const simplex = (d: number): Float64Array => {
  const out = new Float64Array((d + 1) * d)
  const last = (1 + Math.sqrt(d + 1)) / d
  const centre = (1 + last) / (d + 1)
  for (let v = 0; v <= d; v++) for (let i = 0; i < d; i++) out[v * d + i] = (v === d ? last : v === i ? 1 : 0) - centre
  const norm = Math.sqrt(d * (last - centre) ** 2)
  return out.map((x) => x / norm)
}

/** Bit i of the vertex's index makes coordinate i negative; scaled to norm 1: 2^d vertices. */
const cube = (d: number): Float64Array =>
  Float64Array.from({ length: 2 ** d * d }, (_, at) => (((Math.floor(at / d) >> (at % d)) & 1) === 1 ? -1 : 1) / Math.sqrt(d))

const BUILDERS: Readonly<Record<TemplateKind, (dimension: number) => Float64Array>> = { orthoplex, simplex, cube }

/** The template of a kind in 1..64 dimensions (cube: 1..12). @throws USAGE */
export const template = (kind: TemplateKind, dimension: number): Template => {
  const most = kind === 'cube' ? 12 : 64
  if (!Number.isInteger(dimension) || dimension < 1 || dimension > most) {
    throw usage(`a ${kind} of ${dimension} dimensions is not possible, 1 to ${most} are.`, 'Choose another particle dimension; 2 and 8 are usual.')
  }
  const vertices = BUILDERS[kind](dimension)
  return { kind, dimension, vertexCount: vertices.length / dimension, vertices }
}
