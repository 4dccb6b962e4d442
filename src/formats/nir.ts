// NIR files (Neuromorphic Intermediate Representation, HDF5) as plain documents: graphs of nodes with fields and edges. Knows the container and no
// node's meaning; reading a file that this wrote gives the same document.

import type { Dataset, Group, File as H5File } from 'h5wasm'
import { malformedFile } from '../errors.js'
import { createHdf5, isHdf5, withHdf5 } from './hdf5.js'

/** Numbers of a field: a scalar has shape []. */
export interface NirArray {
  readonly shape: readonly number[]
  readonly dtype: 'float32' | 'float64' | 'int64'
  /** row major; int64 as numbers */
  readonly data: readonly number[]
}

export type NirField = NirArray | string

export interface NirNode {
  /** "LIF", "Affine", ... */
  readonly type: string
  readonly fields: Readonly<Record<string, NirField>>
}

export interface NirGraph {
  readonly type: 'NIRGraph'
  readonly nodes: Readonly<Record<string, NirNode | NirGraph>>
  /** from node to node, in file order */
  readonly edges: readonly (readonly [string, string])[]
  readonly metadata: Readonly<Record<string, NirField>>
}

export interface NirDocument {
  /** of the NIR package that wrote the file */
  readonly version: string
  readonly graph: NirGraph
}

export const isNirGraph = (node: NirNode | NirGraph): node is NirGraph => node.type === 'NIRGraph'

/** Nested graphs deeper than this are refused. */
const MAX_DEPTH = 32
const MAX_ELEMENTS = 2 ** 28

interface Reader {
  readonly path: string
}

const isGroup = (entity: unknown): entity is Group => entity !== null && typeof entity === 'object' && 'keys' in entity
const isDataset = (entity: unknown): entity is Dataset => entity !== null && typeof entity === 'object' && 'shape' in entity && 'dtype' in entity

const child = (group: Group, name: string, where: string, { path }: Reader): Group | Dataset => {
  const entity = group.get(name)
  if (!(isGroup(entity) || isDataset(entity))) throw malformedFile(path, null, `${where} has no "${name}"`)
  return entity as Group | Dataset
}

const DTYPES: readonly (readonly [RegExp, NirArray['dtype']])[] = [
  [/^[<>|]?f$|^[<>|]?e$/, 'float32'],
  [/^[<>|]?d$/, 'float64'],
  [/^[<>|]?[bBhHiIlLqQ?]$/, 'int64'],
]

const readField = (dataset: Dataset, where: string, { path }: Reader): NirField => {
  const shape = dataset.shape ?? []
  const count = shape.reduce((a, b) => a * b, 1)
  if (count > MAX_ELEMENTS) throw malformedFile(path, null, `${where} has ${count} elements, at most ${MAX_ELEMENTS} are possible`)
  const value: unknown = dataset.value
  if (typeof value === 'string') return value
  const dtype = typeof dataset.dtype === 'string' ? DTYPES.find(([pattern]) => pattern.test(dataset.dtype as string))?.[1] : undefined
  const numbers = ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<number | bigint>, Number) : [Number(value)]
  if (dtype === undefined || numbers.length !== count)
    throw malformedFile(path, null, `${where} holds ${String(dataset.dtype)}, which is neither text nor numbers`)
  return { shape, dtype, data: numbers }
}

const textAt = (group: Group, name: string, where: string, reader: Reader): string => {
  const entity = child(group, name, where, reader)
  const value = isDataset(entity) ? readField(entity, `${where}/${name}`, reader) : null
  if (typeof value !== 'string') throw malformedFile(reader.path, null, `${where}/${name} is not text`)
  return value
}

const readEdges = (group: Group, where: string, reader: Reader): readonly (readonly [string, string])[] => {
  const entity = child(group, 'edges', where, reader)
  const value: unknown = isDataset(entity) ? entity.value : null
  const names: unknown[] = Array.isArray(value) ? value.flat() : []
  if ((isDataset(entity) && (entity.shape ?? [0])[0] === 0) || names.length === 0) return []
  if (names.length % 2 !== 0 || !names.every((name) => typeof name === 'string'))
    throw malformedFile(reader.path, null, `${where}/edges is not a list of pairs of names`)
  return Array.from({ length: names.length / 2 }, (_, i) => [names[2 * i] as string, names[2 * i + 1] as string] as const)
}

const readFields = (group: Group, skip: readonly string[], where: string, reader: Reader): Record<string, NirField> => {
  const fields: Record<string, NirField> = {}
  for (const name of group.keys()) {
    const entity = group.get(name)
    if (!skip.includes(name) && isDataset(entity) && !isGroup(entity)) fields[name] = readField(entity, `${where}/${name}`, reader)
  }
  return fields
}

const readGraph = (group: Group, where: string, depth: number, reader: Reader): NirGraph => {
  if (depth > MAX_DEPTH) throw malformedFile(reader.path, null, `graphs are nested deeper than ${MAX_DEPTH}`)
  const list = child(group, 'nodes', where, reader)
  if (!isGroup(list)) throw malformedFile(reader.path, null, `${where}/nodes is not a group`)
  const nodes: Record<string, NirNode | NirGraph> = {}
  for (const name of list.keys()) {
    const at = `${where}/nodes/${name}`
    const node = child(list, name, `${where}/nodes`, reader)
    if (!isGroup(node)) throw malformedFile(reader.path, null, `${at} is not a group`)
    const type = textAt(node, 'type', at, reader)
    nodes[name] = type === 'NIRGraph' ? readGraph(node, at, depth + 1, reader) : { type, fields: readFields(node, ['type'], at, reader) }
  }
  const metadata = group.keys().includes('metadata') ? group.get('metadata') : null
  return {
    type: 'NIRGraph',
    nodes,
    edges: readEdges(group, where, reader),
    metadata: isGroup(metadata) ? readFields(metadata, [], `${where}/metadata`, reader) : {},
  }
}

const readFile = (file: H5File, reader: Reader): NirDocument => {
  const node = file.get('node')
  if (!isGroup(node)) throw malformedFile(reader.path, null, 'not a NIR file (it has no group "node")')
  const type = textAt(node, 'type', 'node', reader)
  if (type !== 'NIRGraph') throw malformedFile(reader.path, null, `the root node is ${type}, expected NIRGraph`)
  const version = file.keys().includes('version') ? textAt(file, 'version', 'the file', reader) : ''
  return { version, graph: readGraph(node, 'node', 0, reader) }
}

/**
 * Reads the bytes of a NIR file, contiguous or compressed; `path` is for messages.
 * @throws FILE_MALFORMED
 */
export const readNir = async (bytes: Uint8Array, path: string): Promise<NirDocument> => {
  if (!isHdf5(bytes)) throw malformedFile(path, 0, 'not a NIR file (the HDF5 signature is missing)')
  try {
    return await withHdf5(bytes, path, (file) => readFile(file, { path }))
  } catch (error) {
    if (error instanceof Error && error.name === 'SpikeportError') throw error
    throw malformedFile(path, null, `the HDF5 library stopped: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const H5_TYPES: Readonly<Record<NirArray['dtype'], string>> = { float32: '<f', float64: '<d', int64: '<q' }

const elementsOf = ({ dtype, data }: NirArray): Float32Array | Float64Array | BigInt64Array =>
  dtype === 'float32' ? Float32Array.from(data) : dtype === 'float64' ? Float64Array.from(data) : BigInt64Array.from(data, BigInt)

const writeField = (group: Group, name: string, field: NirField): void => {
  if (typeof field === 'string') group.create_dataset({ name, data: field })
  else group.create_dataset({ name, data: elementsOf(field) as never, shape: [...field.shape], dtype: H5_TYPES[field.dtype] })
}

const writeGraph = (group: Group, graph: NirGraph): void => {
  group.create_dataset({ name: 'type', data: 'NIRGraph' })
  if (graph.edges.length > 0) group.create_dataset({ name: 'edges', data: graph.edges.flat() as never, shape: [graph.edges.length, 2] })
  const nodes = group.create_group('nodes')
  for (const [name, node] of Object.entries(graph.nodes)) {
    const own = nodes.create_group(name)
    if (isNirGraph(node)) writeGraph(own, node)
    else {
      own.create_dataset({ name: 'type', data: node.type })
      for (const [field, value] of Object.entries(node.fields)) writeField(own, field, value)
    }
  }
  if (Object.keys(graph.metadata).length > 0) {
    const metadata = group.create_group('metadata')
    for (const [field, value] of Object.entries(graph.metadata)) writeField(metadata, field, value)
  }
}

/** The bytes of a NIR file (HDF5, not compressed). */
export const writeNir = (document: NirDocument): Promise<Uint8Array> =>
  createHdf5((file) => {
    file.create_dataset({ name: 'version', data: document.version })
    writeGraph(file.create_group('node'), document.graph)
  })
