// The weights of a tfjs model: the manifest checked against the shards, weights found by layer and name, decoded to float32.
// Quantized shards (uint8, uint16, float16) are decoded as TensorFlow.js decodes them.

import { malformedFile, unsupported } from '../../errors.js'
import { decodeElements, decodeHalf, type NumericArray } from '../../formats/numeric-array.js'
import { elementCount, type Float32Type, type Shape, type Tensor } from '../../network/types.js'
import { brokenLayer, isObject, type Layer, show } from './document.js'

/** How a weight's bytes stand for numbers. */
interface Storage {
  readonly bytes: number
  readonly decode: (bytes: Uint8Array) => NumericArray
}

interface Spec {
  readonly name: string
  readonly shape: Shape
  readonly storage: Storage
  readonly byteLength: number
}

/** A group of the manifest: its shards, concatenated, hold its weights one after the other. */
export interface WeightGroup {
  readonly paths: readonly string[]
  readonly weights: readonly Spec[]
}

interface StoredWeight {
  readonly spec: Spec
  readonly bytes: Uint8Array
}

export interface WeightStore {
  /** The float32 constant of a layer by the last part of its name ("kernel"); null in `shape` accepts any size there. @throws FILE_MALFORMED where it is missing, of another shape or not finite */
  readonly get: (layer: Layer, name: string, shape: readonly (number | null)[]) => Tensor<Float32Type>
}

const PLAIN: Readonly<Record<string, Storage>> = {
  float32: { bytes: 4, decode: (bytes) => decodeElements(bytes, 'f4', true) },
  int32: { bytes: 4, decode: (bytes) => decodeElements(bytes, 'i4', true) },
  bool: { bytes: 1, decode: (bytes) => bytes },
}

const affine = (bytes: number, kind: 'u1' | 'u2', scale: number, min: number, isInteger: boolean): Storage => ({
  bytes,
  decode: (data) => Float32Array.from(decodeElements(data, kind, true), (q) => (isInteger ? Math.round(q * scale + min) : q * scale + min)),
})

const quantizedStorage = (quantization: unknown, dtype: unknown, weight: string, path: string): Storage => {
  const { dtype: stored, scale, min } = isObject(quantization) ? quantization : {}
  if (stored === 'float16' && dtype === 'float32') return { bytes: 2, decode: (bytes) => decodeHalf(decodeElements(bytes, 'u2', true) as Uint16Array) }
  if ((stored !== 'uint8' && stored !== 'uint16') || !Number.isFinite(scale) || !Number.isFinite(min)) {
    throw malformedFile(path, null, `weight "${weight}" has the quantization ${show(quantization)}, expected uint8 or uint16 with scale and min, or float16`)
  }
  const [bytes, kind] = stored === 'uint8' ? ([1, 'u1'] as const) : ([2, 'u2'] as const)
  return affine(bytes, kind, scale as number, min as number, dtype === 'int32')
}

const readSpec = (x: unknown, path: string): Spec => {
  const { name, shape, dtype, quantization } = isObject(x) ? x : {}
  if (typeof name !== 'string' || !Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw malformedFile(path, null, `the weights manifest holds ${show(x)}, expected name, shape and dtype`)
  }
  const plain = typeof dtype === 'string' && Object.hasOwn(PLAIN, dtype) ? PLAIN[dtype] : undefined
  if (plain === undefined)
    throw unsupported(`${path}: weight "${name}" has type ${show(dtype)}.`, 'Weights must be float32, int32 or bool, or quantized to uint8, uint16 or float16.')
  const storage = quantization === undefined || quantization === null ? plain : quantizedStorage(quantization, dtype, name, path)
  return { name, shape: shape as number[], storage, byteLength: elementCount(shape as number[]) * storage.bytes }
}

/** Shards lie in the model's folder or below; anything else is refused, a model file must not name other files. */
const checkShardPath = (shard: unknown, path: string): string => {
  const isInside = typeof shard === 'string' && shard !== '' && !/^[/\\]|^[a-z][a-z0-9+.-]*:|\\|\0/i.test(shard) && !shard.split('/').includes('..')
  if (!isInside)
    throw malformedFile(
      path,
      null,
      `the weights manifest names the shard ${show(shard)}, shards must lie in the model's folder`,
      'Put the shards beside model.json and name them there without a folder.',
    )
  return shard.replace(/^(\.\/)+/, '')
}

const readGroup = (x: unknown, path: string): WeightGroup => {
  const { paths, weights } = isObject(x) ? x : {}
  if (!Array.isArray(paths) || !Array.isArray(weights)) throw malformedFile(path, null, `the weights manifest holds ${show(x)}, expected paths and weights`)
  return { paths: paths.map((shard) => checkShardPath(shard, path)), weights: weights.map((weight) => readSpec(weight, path)) }
}

/** The weight groups of a parsed model.json, or of the artifacts that a save handler gets (weightSpecs). */
export const readManifest = (json: unknown, path: string): readonly WeightGroup[] => {
  const { weightsManifest, weightSpecs } = isObject(json) ? json : {}
  if (weightsManifest === undefined && Array.isArray(weightSpecs)) return [readGroup({ paths: ['weights.bin'], weights: weightSpecs }, path)]
  if (!Array.isArray(weightsManifest)) throw malformedFile(path, null, 'weightsManifest is missing', 'Save the model with its weights.')
  return weightsManifest.map((group) => readGroup(group, path))
}

const concatenate = (chunks: readonly Uint8Array[]): Uint8Array => {
  const [only] = chunks
  if (only !== undefined && chunks.length === 1) return only
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    out.set(chunk, at)
    at += chunk.length
  }
  return out
}

const groupBytes = ({ weights }: WeightGroup): number => weights.reduce((sum, { byteLength }) => sum + byteLength, 0)

const splitGroup = (group: WeightGroup, data: Uint8Array, path: string): StoredWeight[] => {
  const needed = groupBytes(group)
  if (needed !== data.length) {
    const shards = `${group.paths.length > 0 ? group.paths.join(', ') : 'no shard'} ${group.paths.length > 1 ? 'hold' : 'holds'}`
    throw malformedFile(
      path,
      null,
      `the weights take ${needed} bytes, ${shards} ${data.length}`,
      'model.json and its shards do not belong together, or a shard is cut off; copy or save them again.',
    )
  }
  let at = 0
  return group.weights.map((spec) => {
    const bytes = data.subarray(at, at + spec.byteLength)
    at += spec.byteLength
    return { spec, bytes }
  })
}

/** How well a manifest name fits a layer's weight: 0 best, null not at all. Names may carry scopes ("block/conv/kernel", "conv/conv/kernel:0") and counters ("kernel_1"). */
const fitOf = (candidate: string, layer: Layer, name: string): number | null => {
  const parts = candidate.replace(/:\d+$/, '').split('/')
  const last = parts.pop() as string
  if (last !== name && !(last.startsWith(`${name}_`) && /^\d+$/.test(last.slice(name.length + 1)))) return null
  const prefix = parts.join('/')
  const counter = last === name ? 0 : 1
  if (prefix === [...layer.scope, layer.name].join('/')) return counter
  if (prefix === layer.name) return 2 + counter
  if (prefix.endsWith(`/${layer.name}`)) return 4 + counter
  return prefix.startsWith(`${layer.name}/`) || prefix.includes(`/${layer.name}/`) ? 6 + counter : null
}

const findWeight = (stored: readonly StoredWeight[], layer: Layer, name: string): StoredWeight => {
  let best: StoredWeight[] = []
  let bestFit = Infinity
  for (const weight of stored) {
    const fit = fitOf(weight.spec.name, layer, name)
    if (fit === null || fit > bestFit) continue
    best = fit < bestFit ? [weight] : [...best, weight]
    bestFit = fit
  }
  const [found] = best
  if (found === undefined) throw brokenLayer(layer, `has no weight "${layer.name}/${name}" in the weights manifest`)
  if (best.length > 1) throw brokenLayer(layer, `could own several weights: ${show(best.map(({ spec }) => spec.name))}`)
  return found
}

const decodeWeight = ({ spec, bytes }: StoredWeight, layer: Layer): Float32Array => {
  const numbers = spec.storage.decode(bytes)
  const data = numbers instanceof Float32Array ? numbers : Float32Array.from(numbers)
  const broken = data.findIndex((x, i) => !Number.isFinite(x) || (numbers instanceof Int32Array && x !== numbers[i]))
  if (broken >= 0)
    throw brokenLayer(layer, `has the weight "${spec.name}" with ${numbers[broken]} at index ${broken}, every weight must be a finite float32 number`)
  return data
}

/** Constants are decoded once, however often a layer is called. */
const storeOf = (stored: readonly StoredWeight[]): WeightStore => {
  const decoded = new Map<StoredWeight, Tensor<Float32Type>>()
  const get: WeightStore['get'] = (layer, name, shape) => {
    const weight = findWeight(stored, layer, name)
    const { spec } = weight
    if (spec.shape.length !== shape.length || spec.shape.some((size, i) => size !== (shape[i] ?? size))) {
      throw brokenLayer(
        layer,
        `has the weight "${spec.name}" of shape [${spec.shape.join(',')}], its settings and its input need [${shape.map((size) => size ?? '*').join(',')}]`,
      )
    }
    const tensor = decoded.get(weight) ?? { type: { kind: 'float32', shape: spec.shape }, data: decodeWeight(weight, layer) }
    decoded.set(weight, tensor)
    return tensor
  }
  return { get }
}

/** Opens the weights: `shards` gives a shard's bytes by its path, or is the data of all groups in one piece. */
export const openWeights = (groups: readonly WeightGroup[], shards: Uint8Array | ((path: string) => Uint8Array), path: string): WeightStore => {
  if (typeof shards === 'function') return storeOf(groups.flatMap((group) => splitGroup(group, concatenate(group.paths.map(shards)), path)))
  return storeOf(splitGroup({ paths: ['the weight data'], weights: groups.flatMap(({ weights }) => weights) }, shards, path))
}
