// The little linear algebra PolyStep needs: Householder QR with LAPACK's sign convention and the determinant of a small matrix.

/** The orthonormal factor of a thin QR and the diagonal of R. */
export interface Orthonormal {
  readonly q: Float64Array // [columns][rows], column after column
  readonly diagonal: Float64Array // [columns]
}

/** Turns column k of `a` from row k on into a Householder vector (v[0] = 1 implied) and returns [beta, tau]; LAPACK dlarfg. */
const reflector = (a: Float64Array, at: number, length: number): readonly [number, number] => {
  let tail = 0
  for (let i = 1; i < length; i++) tail += (a[at + i] as number) ** 2
  const alpha = a[at] as number
  if (tail === 0) return [alpha, 0]
  const beta = alpha >= 0 ? -Math.sqrt(alpha * alpha + tail) : Math.sqrt(alpha * alpha + tail)
  for (let i = 1; i < length; i++) a[at + i] = (a[at + i] as number) / (alpha - beta)
  return [beta, (beta - alpha) / beta]
}

/** Applies I - tau v v^T to the `length` elements at `x`; v[0] is 1, the others lie in `v`. */
const reflect = (target: Float64Array, x: number, v: Float64Array, at: number, length: number, tau: number): void => {
  let dot = target[x] as number
  for (let i = 1; i < length; i++) dot += (v[at + i] as number) * (target[x + i] as number)
  dot *= tau
  target[x] = (target[x] as number) - dot
  for (let i = 1; i < length; i++) target[x + i] = (target[x + i] as number) - dot * (v[at + i] as number)
}

/** Thin QR of a matrix given column after column, rows >= columns. The argument is left as it is. */
export const thinQr = (matrix: Float64Array, rows: number, columns: number): Orthonormal => {
  const a = matrix.slice()
  const taus = new Float64Array(columns)
  const diagonal = new Float64Array(columns)
  for (let k = 0; k < columns; k++) {
    const at = k * rows + k
    const [beta, tau] = reflector(a, at, rows - k)
    taus[k] = tau
    diagonal[k] = beta
    for (let j = k + 1; j < columns; j++) reflect(a, j * rows + k, a, at, rows - k, tau)
  }
  const q = new Float64Array(rows * columns)
  for (let j = 0; j < columns; j++) {
    q[j * rows + j] = 1
    for (let k = columns - 1; k >= 0; k--) reflect(q, j * rows + k, a, k * rows + k, rows - k, taus[k] as number)
  }
  return { q, diagonal }
}

/** Determinant of a square matrix (rows or columns first: the same), by elimination with row pivots. */
export const determinant = (matrix: Float64Array, size: number): number => {
  const a = matrix.slice()
  let product = 1
  for (let k = 0; k < size; k++) {
    let pivot = k
    for (let i = k + 1; i < size; i++) if (Math.abs(a[i * size + k] as number) > Math.abs(a[pivot * size + k] as number)) pivot = i
    const head = a[pivot * size + k] as number
    if (head === 0) return 0
    if (pivot !== k) {
      product = -product
      for (let j = 0; j < size; j++) {
        const held = a[k * size + j] as number
        a[k * size + j] = a[pivot * size + j] as number
        a[pivot * size + j] = held
      }
    }
    product *= head
    for (let i = k + 1; i < size; i++) {
      const factor = (a[i * size + k] as number) / head
      for (let j = k; j < size; j++) a[i * size + j] = (a[i * size + j] as number) - factor * (a[k * size + j] as number)
    }
  }
  return product
}

/** Transpose of a square matrix. */
export const transpose = (matrix: Float64Array, size: number): Float64Array => {
  const out = new Float64Array(size * size)
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) out[j * size + i] = matrix[i * size + j] as number
  return out
}
