// Test networks under rounding 'tflite', and the golden pairs of the public .tflite models, which lie beside the repository.

import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { SpikeportError } from '#src/errors.js'
import { importTfliteBytes } from '#src/importers/tflite/index.js'
import type { Node } from '#src/network/operators/index.js'
import { type Network, perTensor, type QuantizedType, type Value, type ValueType } from '#src/network/types.js'
import { verify } from '#src/network/verify.js'

/** Operators whose output has the quantization of their input under rounding 'tflite'. */
const KEEPS: readonly Node['kind'][] = ['averagePool', 'globalAveragePool', 'maxPool', 'globalMaxPool', 'flatten', 'reshape', 'relu']

const outputType = (node: Node, inputs: readonly ValueType[], declared: ValueType): ValueType => {
  const [input] = inputs as [QuantizedType]
  if (node.kind === 'softmax') return perTensor('int8', declared.shape, 1 / 256, -128)
  return KEEPS.includes(node.kind) ? { ...input, shape: declared.shape } : declared
}

/** The network under rounding 'tflite', with the types that this asks for; null where that rounding does not take it. */
export const asTflite = (network: Network<'integer'>): Network<'integer'> | null => {
  const types = network.values.map(({ type }) => type)
  for (const node of network.nodes) {
    types[node.output] = outputType(
      node,
      node.inputs.map((value) => types[value] as ValueType),
      types[node.output] as ValueType,
    )
  }
  const values: Value[] = network.values.map((value, i) => ({ ...value, type: types[i] as ValueType }))
  try {
    return verify({ ...network, rounding: 'tflite', values })
  } catch (error) {
    if (error instanceof SpikeportError) return null
    throw error
  }
}

const DATA = resolve(import.meta.dirname, '../../../shared/data')

/** Golden folder -> model file. */
const MODELS = {
  hello_world_int8: 'hello_world_int8',
  micro_speech_quantized: 'micro_speech_quantized',
  kws: 'mlperf_tiny_kws_ref_model',
  ic: 'mlperf_tiny_pretrainedResnet_quant',
} as const

export type GoldenName = keyof typeof MODELS
export const GOLDEN_NAMES = Object.keys(MODELS) as readonly GoldenName[]

export interface Golden {
  readonly network: Network<'integer'>
  readonly count: number
  /** stored integers of all items, one after the other */
  readonly inputs: Int8Array
  readonly outputs: Int8Array
  /** CRC-32 of each operator's output, by item; null where the item has none */
  readonly layers: readonly (readonly number[] | null)[]
  /** each operator's output for item 0 */
  readonly firstLayers: readonly Int8Array[]
}

interface GoldenIndex {
  readonly count: number
  readonly items: readonly { readonly layer_crc32?: readonly number[] }[]
}

const readInt8 = (path: string): Int8Array => new Int8Array(new Uint8Array(readFileSync(path)).buffer)

export const modelPath = (name: GoldenName): string => resolve(DATA, 'models', `${MODELS[name]}.tflite`)

/** A public model and its golden pairs, made with TensorFlow Lite Micro. */
export const readGolden = (name: GoldenName): Golden => {
  const folder = resolve(DATA, 'golden', name)
  const { count, items } = JSON.parse(readFileSync(resolve(folder, 'index.json'), 'utf8')) as GoldenIndex
  return {
    network: importTfliteBytes(readFileSync(modelPath(name)), modelPath(name)) as Network<'integer'>,
    count,
    inputs: readInt8(resolve(folder, 'inputs.bin')),
    outputs: readInt8(resolve(folder, 'outputs.bin')),
    layers: items.map(({ layer_crc32: layers }) => layers ?? null),
    firstLayers: readdirSync(resolve(folder, 'layers_00'))
      .sort()
      .map((file) => readInt8(resolve(folder, 'layers_00', file))),
  }
}
