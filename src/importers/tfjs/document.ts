// What model.json says about the graph, checked: a Sequential or functional model, nested ones too, as calls of layers on values.
// Reads the forms of TensorFlow.js 4, tensorflowjs_converter (Keras 2) and Keras 3. Knows nothing of what a layer computes.

import { type MalformedFileError, malformedFile, unsupported } from '../../errors.js'
import type { Shape } from '../../network/types.js'
import { MAX_AXIS } from '../../network/window.js'

export type JsonObject = Readonly<Record<string, unknown>>

/** One layer of the file. */
export interface Layer {
  readonly className: string
  readonly name: string
  readonly config: JsonObject
  /** names of the models around it, outermost first; empty at the top */
  readonly scope: readonly string[]
  /** the file, for messages */
  readonly path: string
}

/** Where a value comes from: the `tensor`-th output of the `call`-th call of a layer. */
export interface Reference {
  readonly layer: string
  readonly call: number
  readonly tensor: number
}

/** A layer, or a whole model used as one, applied to values. */
export interface Call {
  readonly body: { readonly layer: Layer } | { readonly graph: Graph }
  readonly self: Pick<Reference, 'layer' | 'call'>
  readonly inputs: readonly Reference[]
}

export interface GraphInput {
  readonly reference: Reference
  /** the layer that declares its shape */
  readonly layer: Layer
  readonly name: string
}

export interface Graph {
  readonly name: string
  readonly inputs: readonly GraphInput[]
  readonly calls: readonly Call[]
  readonly outputs: readonly Reference[]
}

const MAX_NESTING = 16
const NESTED = ['Sequential', 'Functional', 'Model'] as const

export const isObject = (x: unknown): x is JsonObject => x !== null && typeof x === 'object' && !Array.isArray(x)
const isIndex = (x: unknown): x is number => Number.isInteger(x) && (x as number) >= 0

/** Text for a value of the file in a message, kept short. */
export const show = (x: unknown): string => {
  const text = stringify(x)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

const stringify = (x: unknown): string => {
  try {
    return JSON.stringify(x) ?? 'missing'
  } catch {
    return 'a deeply nested list' // beyond the stack
  }
}

/** A layer's name as messages and nodes show it, with the models around it. */
export const fullName = ({ scope, name }: Layer): string => [...scope, name].join('/')

/** FILE_MALFORMED that names the layer. */
export const brokenLayer = (layer: Layer, what: string): MalformedFileError =>
  malformedFile(layer.path, null, `layer "${fullName(layer)}" (${layer.className}) ${what}`)

/** UNSUPPORTED that names the layer. */
export const refusedLayer = (layer: Layer, what: string, remedy: string): Error =>
  unsupported(`layer "${fullName(layer)}" (${layer.className}) ${what}.`, remedy)

interface Place {
  readonly path: string
  readonly scope: readonly string[]
}

const readLayer = (x: unknown, { path, scope }: Place): Layer => {
  const entry = isObject(x) ? x : {}
  const config = isObject(entry.config) ? entry.config : {}
  const className = entry.class_name
  const name = entry.name ?? config.name
  if (typeof className !== 'string' || typeof name !== 'string' || name === '')
    throw malformedFile(path, null, `a layer without class_name or name: ${show(x)}`)
  return { className, name, config, scope, path }
}

/** The shape a layer declares for the model's input, without the batch axis; null where it declares none. */
export const declaredShape = (layer: Layer): Shape | null => {
  const shape = layer.config.batch_input_shape ?? layer.config.batch_shape ?? layer.config.build_input_shape
  if (shape === undefined || shape === null) return null
  if (!Array.isArray(shape) || shape.length === 0) throw brokenLayer(layer, `declares the input shape ${show(shape)}, expected a list`)
  return shape.slice(1).map((size: unknown) => {
    if (size === null || size === -1)
      throw refusedLayer(layer, `takes inputs of no fixed size, ${show(shape)}`, 'Build the model with a fixed input shape; only the batch size may be open.')
    if (!isIndex(size) || size < 1 || size > MAX_AXIS)
      throw brokenLayer(layer, `declares the input shape ${show(shape)}, sizes are integers from 1 to ${MAX_AXIS}`)
    return size
  })
}

const readReference = (x: unknown, where: string, path: string): Reference => {
  const [layer, call, tensor] = Array.isArray(x) ? (x as unknown[]) : []
  if (typeof layer !== 'string' || !isIndex(call) || !isIndex(tensor))
    throw malformedFile(path, null, `${where} holds ${show(x)}, expected [layer, call, tensor]`)
  return { layer, call, tensor }
}

/** One reference, a list of them, or an object of named ones. */
const readReferences = (x: unknown, where: string, path: string): Reference[] => {
  const list: unknown = isObject(x) ? Object.values(x) : x
  if (!Array.isArray(list)) throw malformedFile(path, null, `${where} is ${show(x)}, expected a list`)
  return typeof list[0] === 'string' ? [readReference(list, where, path)] : list.map((item) => readReference(item, where, path))
}

/** Keras 3: every "keras_history" inside the arguments of a call, in order. */
const findHistories = (x: unknown, where: string, path: string, depth = 0): Reference[] => {
  if (x === null || typeof x !== 'object' || depth > MAX_NESTING) return []
  if (isObject(x) && Array.isArray(x.keras_history)) return [readReference(x.keras_history, where, path)]
  return Object.values(x).flatMap((item: unknown) => findHistories(item, where, path, depth + 1))
}

const readInbound = (entry: unknown, layer: Layer): Reference[] => {
  const where = `inbound_nodes of layer "${fullName(layer)}"`
  return isObject(entry) ? findHistories(entry, where, layer.path) : readReferences(entry, where, layer.path)
}

const inputReference = (layer: string): Reference => ({ layer, call: 0, tensor: 0 })
const isNested = (className: string): boolean => (NESTED as readonly string[]).includes(className)
const innerPlace = (layer: Layer): Place => ({ path: layer.path, scope: [...layer.scope, layer.name] })

const bodyOf = (layer: Layer): Call['body'] => (isNested(layer.className) ? { graph: readGraph(layer, innerPlace(layer)) } : { layer })

const refuseTwins = (layers: readonly Layer[], path: string): void => {
  const seen = new Set<string>()
  for (const { name } of layers) {
    if (seen.has(name)) throw malformedFile(path, null, `two layers are called "${name}"`)
    seen.add(name)
  }
}

/** The layer that declares the input of a Sequential without InputLayer: its first layer, or the first of a model there. */
const firstDeclaring = (layer: Layer, body: Call['body']): Layer => {
  if (declaredShape(layer) !== null || 'layer' in body) return layer
  return body.graph.inputs[0]?.layer ?? layer
}

const readSequential = (model: Layer, layers: readonly Layer[]): Graph => {
  const [first] = layers
  if (first === undefined) throw malformedFile(model.path, null, `model "${model.name}" has no layers`)
  const hasInput = first.className === 'InputLayer'
  const bodies = layers.map(bodyOf)
  const declaring =
    declaredShape(first) === null && declaredShape(model) !== null ? { ...first, config: model.config } : firstDeclaring(first, bodies[0] as Call['body'])
  const input: GraphInput = hasInput
    ? { reference: inputReference(first.name), layer: first, name: fullName(first) }
    : { reference: inputReference(`${first.name}_input`), layer: declaring, name: `${fullName(first)}_input` }
  let previous = input.reference
  const calls: Call[] = []
  layers.forEach((layer, i) => {
    if (i === 0 && hasInput) return
    calls.push({ body: bodies[i] as Call['body'], self: { layer: layer.name, call: 0 }, inputs: [previous] })
    previous = inputReference(layer.name)
  })
  return { name: model.name, inputs: [input], calls, outputs: [previous] }
}

/**
 * Files count the calls of a nested model from 0 or from 1 (its own construction is call 0); this finds which names count from 1:
 * those with a reference to call n among n calls.
 */
const countedFromOne = (references: readonly Reference[], callsOf: ReadonlyMap<string, number>): ReadonlySet<string> =>
  new Set(references.filter(({ layer, call }) => call === callsOf.get(layer)).map(({ layer }) => layer))

const readFunctional = (model: Layer, layers: readonly Layer[], entries: readonly unknown[]): Graph => {
  const { path, config } = model
  const raw = layers.flatMap((layer, i): Call[] => {
    if (layer.className === 'InputLayer') return []
    const inbound = (entries[i] as JsonObject).inbound_nodes
    if (!Array.isArray(inbound)) throw brokenLayer(layer, 'has no list inbound_nodes')
    const body = bodyOf(layer)
    return inbound.map((entry, call) => ({ body, self: { layer: layer.name, call }, inputs: readInbound(entry, layer) }))
  })
  const outputs = readReferences(config.output_layers, `output_layers of model "${model.name}"`, path)
  const nested = layers.filter(({ className }) => isNested(className)).map(({ name }) => name)
  const callsOf = new Map(nested.map((name) => [name, raw.filter(({ self }) => self.layer === name).length]))
  const shifted = countedFromOne([...outputs, ...raw.flatMap(({ inputs }) => inputs)], callsOf)
  const fix = (reference: Reference): Reference => (shifted.has(reference.layer) ? { ...reference, call: reference.call - 1 } : reference)
  const layerOf = new Map(layers.map((layer) => [layer.name, layer]))
  const inputs = readReferences(config.input_layers, `input_layers of model "${model.name}"`, path).map((reference): GraphInput => {
    const layer = layerOf.get(reference.layer)
    if (layer?.className !== 'InputLayer')
      throw malformedFile(path, null, `input_layers of model "${model.name}" names "${reference.layer}", which is no InputLayer`)
    return { reference: inputReference(layer.name), layer, name: fullName(layer) }
  })
  return { name: model.name, inputs, calls: raw.map((call) => ({ ...call, inputs: call.inputs.map(fix) })), outputs: outputs.map(fix) }
}

const readGraph = (model: Layer, place: Place): Graph => {
  if (place.scope.length > MAX_NESTING) throw malformedFile(place.path, null, `models are nested more than ${MAX_NESTING} deep`)
  const entries = model.config.layers
  if (!Array.isArray(entries)) throw malformedFile(place.path, null, `model "${model.name}" has no list of layers`)
  const layers = entries.map((entry) => readLayer(entry, place))
  refuseTwins(layers, place.path)
  return model.className === 'Sequential' ? readSequential(model, layers) : readFunctional(model, layers, entries)
}

const GRAPH_MODEL_REMEDY =
  'A GraphModel holds TensorFlow operations without layers. Save the LayersModel instead: model.save(...) in TensorFlow.js, or tensorflowjs_converter --input_format keras --output_format tfjs_layers_model model.h5 folder.'

/** The graph of a parsed model.json; `path` is for messages. @throws FILE_MALFORMED, and UNSUPPORTED for a GraphModel */
export const readModelGraph = (json: unknown, path: string): Graph => {
  if (!isObject(json) || !isObject(json.modelTopology)) throw malformedFile(path, null, 'not a tfjs model.json (modelTopology is missing)')
  const topology = json.modelTopology
  if (json.format === 'graph-model' || Array.isArray(topology.node)) throw unsupported(`${path} holds a GraphModel.`, GRAPH_MODEL_REMEDY)
  const root = isObject(topology.model_config) ? topology.model_config : topology
  // Sequential models of old Keras have their layers as the config itself
  const config = Array.isArray(root.config) ? { layers: root.config } : root.config
  if (typeof root.class_name !== 'string' || !isObject(config)) throw malformedFile(path, null, 'modelTopology has no class_name or config')
  if (!isNested(root.class_name)) {
    throw unsupported(`${path} holds a model of class ${show(root.class_name)}.`, 'Build it as a Sequential or functional model of standard layers.')
  }
  const name = typeof config.name === 'string' && config.name !== '' ? config.name : 'model'
  return readGraph({ className: root.class_name, name, config, scope: [], path }, { path, scope: [] })
}
