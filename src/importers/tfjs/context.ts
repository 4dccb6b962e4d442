// What a layer's conversion works with: the values it reads, the weights, the network being built; and the small steps that
// several layers share.

import type { NetworkBuilder, NodeSpec } from '../../network/builder.js'
import type { Float32Type, Shape, Tensor } from '../../network/types.js'
import type { Padding } from '../../network/window.js'
import { brokenLayer, type Layer, refusedLayer } from './document.js'
import type { WeightStore } from './weights.js'

/** A value, and what stands between it and its reader: a zero padding that the reader must take over, or a softmax that only people may read. */
export interface Source {
  readonly value: number
  readonly padding: { readonly sides: Padding; readonly by: Layer } | null
  readonly softmaxBy: Layer | null
}

export interface Context {
  readonly layer: Layer
  readonly sources: readonly Source[]
  readonly builder: NetworkBuilder<'float'>
  readonly weights: WeightStore
  /** a node name that is not taken yet: the layer's, with a suffix where it becomes several nodes */
  readonly nodeName: (suffix?: string) => string
}

export type Convert = (context: Context) => Source

export const plainSource = (value: number): Source => ({ value, padding: null, softmaxBy: null })

/** Refuses a value with a pending zero padding or behind a softmax. */
export const readValue = ({ value, padding, softmaxBy }: Source): number => {
  if (padding !== null)
    throw refusedLayer(
      padding.by,
      'is not followed by a convolution with padding valid',
      'Let the zero padding stand directly in front of a convolution with padding "valid", or use padding "same".',
    )
  if (softmaxBy !== null) throw refusedLayer(softmaxBy, 'applies softmax before the last layer', 'Use softmax as the last layer only.')
  return value
}

/** The one source of a layer with one input. */
export const onlySource = ({ layer, sources }: Context): Source => {
  const [source] = sources
  if (source === undefined || sources.length !== 1) throw brokenLayer(layer, `reads ${sources.length} values, expected 1`)
  return source
}

/** The shape behind a source, refused where its rank is not as expected. */
export const shapeOfRank = ({ layer, builder }: Context, source: Source, rank: number): Shape => {
  const shape = builder.shapeOf(source.value)
  if (shape.length !== rank) throw brokenLayer(layer, `gets the shape [${shape.join(',')}], expected ${rank} dimensions`)
  return shape
}

/** Appends a node under the layer's name. */
export const addNode = ({ builder, nodeName }: Context, spec: (name: string) => NodeSpec, suffix?: string): number => builder.add(spec(nodeName(suffix)))

/** Appends the softmax of a layer that has one. */
export const withSoftmax = (context: Context, value: number, isSoftmax: boolean, suffix?: string): Source => {
  if (!isSoftmax) return plainSource(value)
  return { value: addNode(context, (name) => ({ kind: 'softmax', name, inputs: [value] }), suffix), padding: null, softmaxBy: context.layer }
}

/** [rows, columns] -> [columns, rows], row major: tfjs keeps outputs last, networks first. */
export const transposed = ({ data }: Tensor, rows: number, columns: number): Float32Array => {
  const out = new Float32Array(rows * columns)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c] as number
  return out
}

export const float32Tensor = (shape: Shape, data: Float32Array): Tensor<Float32Type> => ({ type: { kind: 'float32', shape }, data })
