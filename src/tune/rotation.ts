// Rotations of the template, one a particle and step: uniform ones from Gaussians, and biased ones whose first column is the particle's last
// descent direction. Matrices are row major; a rotated vertex is R u.

import { STREAMS } from '../random.js'
import { gaussians, uniforms } from './gaussian.js'
import { determinant, thinQr, transpose } from './linear-algebra.js'

const negateColumn = (matrix: Float64Array, size: number, column: number): void => {
  for (let i = 0; i < size; i++) matrix[i * size + column] = -(matrix[i * size + column] as number)
}

/** A plane rotation by an angle in radians. */
export const planeRotation = (angle: number): Float64Array => Float64Array.of(Math.cos(angle), -Math.sin(angle), Math.sin(angle), Math.cos(angle)) // [2, 2]

/** The rotation of a Gaussian matrix: Q of its QR, column j times the sign of R_jj (0 counts as +), column 0 negated where det < 0. */
export const rotationOf = (gaussian: Float64Array, size: number): Float64Array => {
  const { q, diagonal } = thinQr(transpose(gaussian, size), size, size)
  const rotation = transpose(q, size)
  diagonal.forEach((r, j) => {
    if (r < 0) negateColumn(rotation, size, j)
  })
  if (determinant(rotation, size) < 0) negateColumn(rotation, size, 0)
  return rotation
}

/** The direction scaled to norm 1; norms below 1e-10 count as 1e-10. */
export const unitDirection = (direction: Float64Array): Float64Array => {
  const norm = Math.max(Math.sqrt(direction.reduce((sum, x) => sum + x * x, 0)), 1e-10)
  return direction.map((x) => x / norm)
}

/** A rotation with the unit vector as its first column: QR of the matrix with column 0 replaced, column 0 signed like `unit`, the last column negated where det < 0. */
export const biasRotation = (rotation: Float64Array, unit: Float64Array, size: number): Float64Array => {
  const columns = transpose(rotation, size)
  columns.set(unit)
  const biased = transpose(thinQr(columns, size, size).q, size)
  let dot = 0
  for (let i = 0; i < size; i++) dot += (biased[i * size] as number) * (unit[i] as number)
  if (dot < 0) negateColumn(biased, size, 0)
  if (determinant(biased, size) < 0) negateColumn(biased, size, size - 1)
  return biased
}

/** The random rotation of a particle in a step: dimension 1 is +-1 free (+1), 2 a uniform angle, more a uniform element of SO(d). */
export const randomRotation = (seed: number, step: number, particle: number, size: number): Float64Array => {
  if (size === 1) return Float64Array.of(1)
  const block = particle * Math.ceil((size * size) / 4)
  if (size === 2) return planeRotation(2 * Math.PI * (uniforms(1, seed, step, STREAMS.rotation, block)[0] as number))
  return rotationOf(gaussians(size * size, seed, step, STREAMS.rotation, block), size)
}
