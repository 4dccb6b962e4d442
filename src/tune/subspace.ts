// Where a method searches: parameters = origin + A coordinates. Full space (A = 1), one Gaussian projection (dense), or one block a tensor
// as the reference's "hybrid" has it (docs/polystep.md, "Subspaces"). A never changes during a run.

import { usage } from '../errors.js'
import { randomWords, STREAMS } from '../random.js'
import { gaussians } from './gaussian.js'
import { thinQr } from './linear-algebra.js'

/** A run of parameters that belong together: a matrix [rows, columns], or a vector where rows is 1. */
export interface ParameterTensor {
  readonly name: string
  /** index of the first parameter */
  readonly start: number
  readonly rows: number
  readonly columns: number
}

export interface Subspace {
  readonly kind: 'full' | 'dense' | 'hybrid'
  readonly parameters: number
  readonly coordinates: number
  /** parameters += A coordinates, for the coordinates first..first + values.length - 1; those past the end (padding) do nothing. */
  readonly addTo: (parameters: Float64Array, first: number, values: Float64Array) => void
}

/** The search space of all parameters; coordinates are the parameters themselves. */
export const fullSpace = (parameters: number): Subspace => ({
  kind: 'full',
  parameters,
  coordinates: parameters,
  addTo: (out, first, values) => {
    const count = Math.min(values.length, parameters - first)
    for (let i = 0; i < count; i++) out[first + i] = (out[first + i] as number) + (values[i] as number)
  },
})

/** One block of A: the parameters of a tensor from a run of coordinates. */
interface Block {
  readonly start: number
  readonly parameters: number
  readonly firstCoordinate: number
  readonly coordinates: number
  readonly addColumn: (out: Float64Array, column: number, value: number) => void
}

/** A dense block given column after column. */
const denseBlock = (start: number, parameters: number, firstCoordinate: number, columns: Float64Array): Block => ({
  start,
  parameters,
  firstCoordinate,
  coordinates: columns.length / parameters,
  addColumn: (out, column, value) => {
    const at = column * parameters
    for (let i = 0; i < parameters; i++) out[start + i] = (out[start + i] as number) + value * (columns[at + i] as number)
  },
})

/** A block that passes its parameters through. */
const identityBlock = (start: number, parameters: number, firstCoordinate: number): Block => ({
  start,
  parameters,
  firstCoordinate,
  coordinates: parameters,
  addColumn: (out, column, value) => {
    out[start + column] = (out[start + column] as number) + value
  },
})

/** A sparse block: each coordinate adds +-1 / sqrt(n) to n = floor(sqrt(parameters)) parameters drawn with replacement. */
const sparseBlock = (start: number, parameters: number, firstCoordinate: number, coordinates: number, seed: number, tensor: number): Block => {
  const count = Math.max(1, Math.floor(Math.sqrt(parameters)))
  const scale = 1 / Math.sqrt(count)
  return {
    start,
    parameters,
    firstCoordinate,
    coordinates,
    addColumn: (out, column, value) => {
      for (let i = 0; i < count; i += 2) {
        const [place0, sign0, place1, sign1] = randomWords(seed, tensor, STREAMS.subspace, column * Math.ceil(count / 2) + i / 2)
        const add = (place: number, sign: number): void => {
          const at = start + Math.floor((place / 4294967296) * parameters)
          out[at] = (out[at] as number) + ((sign & 1) === 1 ? value : -value) * scale
        }
        add(place0, sign0)
        if (i + 1 < count) add(place1, sign1)
      }
    },
  }
}

const blockSpace = (kind: 'dense' | 'hybrid', parameters: number, blocks: readonly Block[]): Subspace => {
  const coordinates = blocks.reduce((sum, block) => sum + block.coordinates, 0)
  return {
    kind,
    parameters,
    coordinates,
    addTo: (out, first, values) => {
      for (const block of blocks) {
        const from = Math.max(first, block.firstCoordinate)
        const to = Math.min(first + values.length, block.firstCoordinate + block.coordinates)
        for (let c = from; c < to; c++) {
          const value = values[c - first] as number
          if (value !== 0) block.addColumn(out, c - block.firstCoordinate, value)
        }
      }
    },
  }
}

/** One Gaussian projection of all parameters, columns N(0, 1 / coordinates). */
export const denseSubspace = (parameters: number, coordinates: number, seed: number): Subspace => {
  if (!(coordinates >= 1 && coordinates <= parameters)) {
    throw usage(`a subspace of ${coordinates} dimensions in ${parameters} parameters is not possible.`, 'Choose from 1 to the number of parameters.')
  }
  const columns = gaussians(parameters * coordinates, seed, 0, STREAMS.subspace).map((x) => x / Math.sqrt(coordinates))
  return blockSpace('dense', parameters, [denseBlock(0, parameters, 0, columns)])
}

export interface HybridOptions {
  readonly rank: number
  readonly seed: number
  /** Tensors whose projection would take more than this many bytes at 4 bytes an element become sparse; default 1e9, the reference's. */
  readonly sparseAboveBytes?: number
  /** The projection of a tensor, column after column [coordinates][parameters], in place of a drawn one. */
  readonly projection?: (tensor: ParameterTensor, coordinates: number) => Float64Array
}

const drawProjection = (parameters: number, coordinates: number, seed: number, tensor: number): Float64Array => {
  const gaussian = gaussians(parameters * coordinates, seed, tensor, STREAMS.subspace)
  if (parameters < coordinates) return gaussian.map((x) => x / Math.sqrt(coordinates))
  return thinQr(gaussian, parameters, coordinates).q
}

/**
 * One block a tensor: a matrix gets min(rank, rows, columns) * (rows + columns) coordinates by orthonormal columns (Gaussian / sqrt(coordinates) where
 * wider than tall, sparse where too large), a vector passes through.
 */
export const hybridSubspace = (tensors: readonly ParameterTensor[], options: HybridOptions): Subspace => {
  const { rank, seed, sparseAboveBytes = 1e9, projection } = options
  let first = 0
  let end = 0
  const blocks = tensors.map((tensor, index): Block => {
    const parameters = tensor.rows * tensor.columns
    const coordinates = tensor.rows === 1 ? parameters : Math.min(rank, tensor.rows, tensor.columns) * (tensor.rows + tensor.columns)
    const at = first
    first += coordinates
    end = Math.max(end, tensor.start + parameters)
    if (tensor.rows === 1) return identityBlock(tensor.start, parameters, at)
    if (projection !== undefined) return denseBlock(tensor.start, parameters, at, projection(tensor, coordinates))
    if (parameters * coordinates * 4 > sparseAboveBytes) return sparseBlock(tensor.start, parameters, at, coordinates, seed, index)
    return denseBlock(tensor.start, parameters, at, drawProjection(parameters, coordinates, seed, index))
  })
  return blockSpace('hybrid', end, blocks)
}
