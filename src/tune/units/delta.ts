// What differs from the cached forward pass: a sparse list of changed elements of one value, reused from probe to probe.

/** Changed elements of a value; the first `count` entries are valid. Indices do not repeat. */
export interface Delta {
  count: number
  readonly indices: Int32Array
  /** the new stored elements */
  readonly elements: Int32Array
}

/** An empty list for a value of so many elements. */
export const createDelta = (length: number): Delta => ({ count: 0, indices: new Int32Array(length), elements: new Int32Array(length) })

/** Appends a changed element. */
export const pushDelta = (delta: Delta, index: number, element: number): void => {
  delta.indices[delta.count] = index
  delta.elements[delta.count] = element
  delta.count++
}
