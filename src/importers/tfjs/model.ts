// From a parsed model.json and its weights to a float network, without files and without TensorFlow.js: layers in the order in
// which their inputs become known, nested models unrolled in place, everything unsupported collected into one error.

import { malformedFile, UnsupportedError, unsupported } from '../../errors.js'
import { createBuilder, type NetworkBuilder } from '../../network/builder.js'
import type { Network } from '../../network/types.js'
import { MAX_AXIS } from '../../network/window.js'
import { plainSource, readValue, type Source } from './context.js'
import {
  type Call,
  declaredShape,
  fullName,
  type Graph,
  type GraphInput,
  isObject,
  type Layer,
  type Reference,
  readModelGraph,
  refusedLayer,
} from './document.js'
import { ruleOf } from './layers.js'
import { openWeights, readManifest, type WeightStore } from './weights.js'

export interface ImportOptions {
  /** how messages call the file; default "model.json" */
  readonly path?: string
  /** class names of the first output; default: userDefinedMetadata.labels of the file, or none */
  readonly labels?: readonly string[]
}

interface Work {
  readonly builder: NetworkBuilder<'float'>
  readonly weights: WeightStore
  readonly problems: UnsupportedError[]
  /** name -> how many times it was asked for */
  readonly names: Map<string, number>
  readonly path: string
  /** calls converted so far */
  calls: number
}

/** Nested models multiply: a small file can stand for any number of layers. */
const MAX_CALLS = 65536

/** A value, or null where it comes from something unsupported. */
type Known = Source | null

const keyOf = ({ layer, call, tensor }: Reference): string => `${call} ${tensor} ${layer}`

/** The name itself where it is free, else with a counter. */
const uniqueName = (names: Map<string, number>, name: string): string => {
  let count = names.get(name) ?? 0
  let unique = count === 0 ? name : `${name}_${count}`
  while (count > 0 && names.has(unique)) unique = `${name}_${++count}`
  names.set(name, count + 1)
  if (unique !== name) names.set(unique, 1)
  return unique
}

/** Runs a step; an unsupported layer is noted and gives null. */
const attempt = <T>(work: Work, step: () => T): T | null => {
  try {
    return step()
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error
    if (!work.problems.some(({ message }) => message === error.message)) work.problems.push(error)
    return null
  }
}

/** Networks store sizes in 16 bits. */
const refuseLongAxes = (work: Work, layer: Layer, source: Source): Source => {
  const shape = work.builder.shapeOf(source.value)
  if (shape.some((size) => size > MAX_AXIS)) {
    throw refusedLayer(
      layer,
      `gives the shape [${shape.join(',')}], no axis may be longer than ${MAX_AXIS}`,
      'Use smaller inputs, or pool in front of this layer.',
    )
  }
  return source
}

const convertLayer = (work: Work, layer: Layer, sources: readonly Known[]): Known =>
  attempt(work, () => {
    const rule = ruleOf(layer)
    rule.check(layer)
    if (!sources.every((source) => source !== null)) return null
    const nodeName = (suffix?: string): string => uniqueName(work.names, suffix === undefined ? fullName(layer) : `${fullName(layer)}/${suffix}`)
    return refuseLongAxes(work, layer, rule.convert({ layer, sources, nodeName, builder: work.builder, weights: work.weights }))
  })

/** The outputs of a call; most layers have one. */
const convertCall = (work: Work, { body, inputs, self }: Call, known: ReadonlyMap<string, Known>): readonly Known[] => {
  const sources = inputs.map((reference) => known.get(keyOf(reference)) ?? null)
  if (++work.calls > MAX_CALLS) throw malformedFile(work.path, null, `more than ${MAX_CALLS} layers once nested models are unrolled`)
  if ('layer' in body) return [convertLayer(work, body.layer, sources)]
  if (sources.length !== body.graph.inputs.length)
    throw malformedFile(work.path, null, `model "${self.layer}" takes ${body.graph.inputs.length} inputs and is given ${sources.length}`)
  return convertGraph(work, body.graph, sources)
}

/** Converts calls in file order; one whose inputs are not known yet waits for the first missing. */
const convertGraph = (work: Work, graph: Graph, sources: readonly Known[]): readonly Known[] => {
  const known = new Map(graph.inputs.map(({ reference }, i) => [keyOf(reference), sources[i] ?? null]))
  const waiting = new Map<string, Call[]>()
  for (const first of graph.calls) {
    const ready = [first]
    for (let call = ready.pop(); call !== undefined; call = ready.pop()) {
      const missing = call.inputs.map(keyOf).find((key) => !known.has(key))
      if (missing !== undefined) {
        waiting.set(missing, [...(waiting.get(missing) ?? []), call])
        continue
      }
      const { self } = call
      convertCall(work, call, known).forEach((result, tensor) => {
        const key = keyOf({ ...self, tensor })
        known.set(key, result)
        ready.push(...(waiting.get(key) ?? []).reverse())
        waiting.delete(key)
      })
    }
  }
  const [stuck] = [...waiting.values()].flat()
  if (stuck !== undefined) throw malformedFile(work.path, null, `layer "${stuck.self.layer}" reads a value that nothing computes, or its own output`)
  return graph.outputs.map((reference) => {
    const result = known.get(keyOf(reference))
    if (result === undefined)
      throw malformedFile(
        work.path,
        null,
        `model "${graph.name}" names the output "${reference.layer}" (call ${reference.call}, tensor ${reference.tensor}), which nothing computes`,
      )
    return result
  })
}

const addInput = (work: Work, { layer, name }: GraphInput): Known =>
  attempt(work, () => {
    const shape = declaredShape(layer)
    if (shape === null) throw refusedLayer(layer, 'states no input shape', 'Give the first layer an inputShape, or build the model before saving it.')
    return plainSource(work.builder.input(uniqueName(work.names, name), shape))
  })

/** One error for all that is unsupported. */
const combined = (name: string, problems: readonly UnsupportedError[]): UnsupportedError => {
  const [first] = problems
  if (first !== undefined && problems.length === 1) return first
  const list = problems.map(({ message }) => message.replace(/^layer /, '').replace(/\.$/, '')).join('; ')
  return unsupported(
    `${problems.length} layers of "${name}" are not supported: ${list}.`,
    [...new Set(problems.map(({ note }) => note))].join(' '),
  ) as UnsupportedError
}

/** An output may be behind a softmax, not behind a padding. */
const outputValue = (source: Source): number => readValue({ ...source, softmaxBy: null })

/** Refuses class names that are not one for each value of the first output. */
const checkLabels = (labels: readonly string[], classes: number, path: string): readonly string[] => {
  if (labels.length > 0 && labels.length !== classes) {
    throw malformedFile(
      path,
      null,
      `${labels.length} class names for an output of ${classes} values`,
      'Correct labels.txt or metadata.json beside the model, or remove it.',
    )
  }
  return labels
}

const readLabels = (json: unknown): readonly string[] => {
  const metadata = isObject(json) && isObject(json.userDefinedMetadata) ? json.userDefinedMetadata : {}
  return Array.isArray(metadata.labels) && metadata.labels.every((label) => typeof label === 'string') ? metadata.labels : []
}

const metadataOf = (json: unknown): Readonly<Record<string, string>> => {
  const origin = isObject(json) ? [json.generatedBy, json.convertedBy].filter((x) => typeof x === 'string').join(', ') : ''
  return { importedFrom: origin === '' ? 'tfjs layers model' : `tfjs layers model (${origin})` }
}

/**
 * Turns a tfjs LayersModel into a float network; works in browsers.
 * @param modelJson the parsed model.json, or the artifacts that tf.io.withSaveHandler gets
 * @param shards gives the bytes of a shard by its path in the manifest, or all weight data in one piece
 * @param name the network's name
 * @throws FILE_MALFORMED, UNSUPPORTED naming every unsupported layer, NETWORK_INVALID
 * @example
 * await model.save(tf.io.withSaveHandler(async (artifacts) => {
 *   network = importTfjsModel(artifacts, new Uint8Array(artifacts.weightData as ArrayBuffer), 'digits')
 *   return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
 * }))
 */
export const importTfjsModel = (
  modelJson: unknown,
  shards: Uint8Array | ((path: string) => Uint8Array),
  name: string,
  options: ImportOptions = {},
): Network<'float'> => {
  const { path = 'model.json', labels = readLabels(modelJson) } = options
  const graph = readModelGraph(modelJson, path)
  const weights = openWeights(readManifest(modelJson, path), shards, path)
  const work: Work = { builder: createBuilder('float'), weights, problems: [], names: new Map(), path, calls: 0 }
  const sources = graph.inputs.map((input) => addInput(work, input))
  const results = convertGraph(work, graph, sources)
  const outputs = attempt(work, () => results.map((source) => (source === null ? -1 : outputValue(source))))
  if (outputs === null || work.problems.length > 0) throw combined(name, work.problems)
  const classes = work.builder.shapeOf(outputs[0] ?? -1).at(-1) ?? 1
  return work.builder.build({ name, outputs, labels: checkLabels(labels, classes, path), metadata: metadataOf(modelJson) })
}
