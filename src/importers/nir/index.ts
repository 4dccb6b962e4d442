// Reads a NIR graph (docs/spiking.md, NIR) as a float network over time: the recording [steps, ...] goes in, the spikes of each output unit are counted.

import { basename } from 'node:path'
import { unsupported, usage } from '../../errors.js'
import { readBytes } from '../../files.js'
import { type NirDocument, readNir } from '../../formats/nir.js'
import { createBuilder, type NetworkBuilder } from '../../network/builder.js'
import { LINEAR } from '../../network/emission.js'
import { elementCount, MAX_STEPS, type Network, type Shape } from '../../network/types.js'
import { CONVERT, type Context, denseWeights, float32, type Rules, type Source } from './convert.js'
import { INTEGRATORS, type Integrator, simulatorOf } from './discretize.js'
import { type FlatNode, flattenGraph } from './graph.js'
import { ourShape } from './layout.js'

export { INTEGRATORS, type Integrator, simulatorOf } from './discretize.js'

export interface NirOptions {
  /** time steps of a run, 1 to 65535; default 100 */
  readonly steps?: number
  /** length of a step in the unit of the file's time constants; default 1e-4 (seconds), or 1 where the graph has no time constants */
  readonly dt?: number
  /** default euler */
  readonly integrator?: Integrator
  /** what a spike does to the membrane; default zero (to v_reset) */
  readonly reset?: 'zero' | 'subtract'
  /** 1: what units give arrives at the next layer one step later, as in Lava; default 0 */
  readonly delay?: 0 | 1
}

const UNITS = new Set(['LIF', 'IF', 'CubaLIF', 'LI', 'CubaLI', 'I', 'Threshold'])
const HAS_TAU = new Set(['LIF', 'LI', 'CubaLIF', 'CubaLI', 'Delay'])
const DENSE = new Set(['Linear', 'Affine'])

interface Draft {
  readonly b: NetworkBuilder<'float'>
  readonly path: string
  readonly rules: Rules
  readonly delay: 0 | 1
  readonly nodes: ReadonlyMap<string, FlatNode>
  readonly sources: Map<string, Source>
  /** states that carry a unit's spikes into the next step */
  readonly carried: Map<string, Source>
  /** what states take over at the end of a step */
  readonly carries: Carry[]
}

interface Carry {
  readonly state: number
  readonly name: string
  readonly from: number
}

const contextOf = ({ b, path, rules, carries }: Draft, node: FlatNode): Context => ({
  b,
  path,
  rules,
  name: node.name,
  node,
  carry: (state, name, from) => {
    carries.push({ state, name, from })
  },
})

/** Adds the carries behind everything that reads states: a state that another carry reads is overwritten after it. */
const addCarries = ({ b, carries }: Draft): void => {
  const waiting = new Set(carries)
  while (waiting.size > 0) {
    const next = [...waiting].find((carry) => ![...waiting].some((other) => other !== carry && other.from === carry.state))
    if (next === undefined) throw unsupported('delays form a cycle by themselves.', 'A cycle needs a unit in it.')
    b.addTo(next.state, { kind: 'carry', name: next.name, inputs: [next.from] })
    waiting.delete(next)
  }
}

const sourceOf = ({ sources }: Draft, name: string, reader: FlatNode): Source => {
  const source = sources.get(name)
  if (source === undefined) throw unsupported(`"${reader.name}" reads "${name}", which has no input of its own.`, 'Every node but Input needs one.')
  return source
}

/** The state in which a unit's spikes of the step before are read; its shape is known once the unit's input is. */
const carriedSource = (draft: Draft, name: string, shape: Shape): Source => {
  const known = draft.carried.get(name)
  if (known !== undefined) return known
  const made = { value: draft.b.state(`${name}_before`, ourShape(shape)), nirShape: shape }
  draft.carried.set(name, made)
  return made
}

const isUsedOnce = ({ nodes }: Draft, name: string): boolean =>
  [...nodes.values()].filter(({ sources, delayed }) => sources.includes(name) || delayed.includes(name)).length === 1

/** The NIR shape of a unit in a cycle, before it is converted: its parameters say it. */
const unitShape = (node: FlatNode): Shape => {
  const longest = Object.values(node.fields).reduce<Shape>(
    (best, field) => (typeof field !== 'string' && field.shape.length > best.length ? field.shape : best),
    [],
  )
  return longest.length === 0 ? [1] : longest
}

const sourcesOf = (draft: Draft, node: FlatNode): readonly Source[] => [
  ...node.sources.map((name) => sourceOf(draft, name, node)),
  ...node.delayed.map((name) => carriedSource(draft, name, unitShape(draft.nodes.get(name) as FlatNode))),
]

/** Dense layers whose outputs are only summed are one dense layer over their inputs joined. */
const mergedDense = (draft: Draft, node: FlatNode): Source => {
  const parts = node.sources.map((name) => draft.nodes.get(name) as FlatNode)
  const inputs = parts.map((part) => sourcesOf(draft, part)[0] as Source)
  const layers = parts.map((part, i) => denseWeights(contextOf(draft, part), inputs[i] as Source))
  const outputs = layers[0]?.outputs as number
  if (!layers.every((layer) => layer.outputs === outputs))
    throw unsupported(`"${node.name}" sums layers of ${layers.map((layer) => layer.outputs).join(' and ')} units.`, 'Sums need equal shapes.')
  const widths = inputs.map(({ nirShape }) => elementCount(nirShape))
  const width = widths.reduce((a, b) => a + b, 0)
  const weights = new Float32Array(outputs * width)
  let at = 0
  layers.forEach((layer, i) => {
    const own = widths[i] as number
    for (let o = 0; o < outputs; o++) weights.set(layer.weights.subarray(o * own, (o + 1) * own), o * width + at)
    at += own
  })
  const biases = layers.flatMap(({ bias }) => (bias === null ? [] : [bias]))
  const bias =
    biases.length === 0
      ? null
      : float32(
          [outputs],
          Float32Array.from({ length: outputs }, (_, o) => biases.reduce((sum, { data }) => sum + (data[o] as number), 0)),
        )
  const name = parts.map((part) => part.name).join('+')
  const flats = inputs.map(({ value }, i) =>
    draft.b.shapeOf(value).length === 1 ? value : draft.b.add({ kind: 'flatten', name: `${parts[i]?.name}_flat`, inputs: [value] }),
  )
  const joined = draft.b.add({ kind: 'concat', name: `${name}_inputs`, inputs: flats, axis: 0 })
  return {
    value: draft.b.add({ kind: 'dense', name, inputs: [joined], weights: float32([outputs, width], weights), bias, emission: LINEAR }),
    nirShape: [outputs],
  }
}

/** Layers that wait to be merged into the sum that alone reads them. */
const isMerged = (draft: Draft, node: FlatNode): boolean => {
  const reader = [...draft.nodes.values()].find(({ sources }) => sources.includes(node.name))
  return DENSE.has(node.type) && reader !== undefined && canMerge(draft, reader)
}

const canMerge = (draft: Draft, reader: FlatNode): boolean =>
  reader.sources.length > 1 &&
  reader.delayed.length === 0 &&
  reader.sources.every((name) => {
    const part = draft.nodes.get(name) as FlatNode
    return DENSE.has(part.type) && isUsedOnce(draft, name) && part.sources.length + part.delayed.length === 1
  })

const inputOf = (draft: Draft, node: FlatNode): Source => {
  if (canMerge(draft, node)) return mergedDense(draft, node)
  const [first, ...others] = sourcesOf(draft, node)
  if (first === undefined) throw unsupported(`${node.type} "${node.name}" has no input.`, 'Every node but Input needs an edge that leads to it.')
  let { value } = first
  others.forEach((other, i) => {
    if (elementCount(first.nirShape) !== elementCount(other.nirShape))
      throw unsupported(`"${node.name}" sums [${first.nirShape.join(',')}] and [${other.nirShape.join(',')}].`, 'Sums need equal shapes.')
    value = draft.b.add({ kind: 'add', name: `${node.name}_sum${i + 1}`, inputs: [value, other.value], emission: LINEAR })
  })
  return { ...first, value }
}

const convertNode = (draft: Draft, node: FlatNode): void => {
  if (node.type === 'Input' && node.sources.length === 0) return
  if (isMerged(draft, node)) return
  const convert = CONVERT[node.type]
  if (convert === undefined) throw unsupported(`${node.type} "${node.name}" is not known.`, `NIR nodes that can be read: ${Object.keys(CONVERT).join(', ')}.`)
  const source = convert(contextOf(draft, node), inputOf(draft, node))
  const isLate = draft.delay === 1 && UNITS.has(node.type)
  const carried = draft.carried.get(node.name) ?? (isLate ? carriedSource(draft, node.name, source.nirShape) : undefined)
  draft.sources.set(node.name, isLate && carried !== undefined ? carried : source)
  if (carried === undefined) return
  const [expected, got] = [draft.b.shapeOf(carried.value), draft.b.shapeOf(source.value)]
  if (expected.join() !== got.join())
    throw unsupported(
      `${node.type} "${node.name}" gives [${got.join(',')}], its parameters have [${expected.join(',')}].`,
      'Units in a cycle need parameters of their full shape.',
    )
  draft.carries.push({ state: carried.value, name: `${node.name}_carry`, from: source.value })
}

const addInput = (draft: Draft, node: FlatNode, steps: number): void => {
  const field = node.fields.shape
  if (field === undefined || typeof field === 'string' || !field.data.every((n) => Number.isInteger(n) && n >= 1))
    throw unsupported(`Input "${node.name}" has no shape of whole numbers.`, 'Write the file again with the tool that made it.')
  if (field.data.length > 3) throw unsupported(`Input "${node.name}" has shape [${field.data.join(',')}].`, 'At most channels, height and width can be read.')
  const shape = ourShape(field.data)
  const recording = draft.b.input(node.name, [steps, ...shape])
  const counter = draft.b.state(`${node.name}_step`, [1])
  draft.sources.set(node.name, {
    value: draft.b.add({ kind: 'timeSlice', name: `${node.name}_now`, inputs: [recording], states: [counter] }),
    nirShape: field.data,
  })
}

/** An output that is a state is copied while it holds this step's value: the carries come last. */
const withoutState = ({ b, carries, carried }: Draft, name: string, value: number): number => {
  const isState = carries.some(({ state }) => state === value) || [...carried.values()].some((source) => source.value === value)
  return isState ? b.add({ kind: 'reshape', name: `${name}_now`, inputs: [value], shape: b.shapeOf(value) }) : value
}

/** Counts what an output gives over the steps. */
const addCount = ({ b }: Draft, name: string, value: number): number => {
  const nothing = { gain: null, drive: null, currentLeak: null, currentGain: null, shift: 0 } as const
  return b.add({
    kind: 'li',
    name: `${name}_count`,
    inputs: [value],
    states: [b.state(`${name}_counted`, b.shapeOf(value))],
    leak: float32([1], Float32Array.of(0)),
    ...nothing,
  })
}

const checkOptions = ({ steps = 100, dt, integrator = 'euler' }: NirOptions): void => {
  if (!(Number.isInteger(steps) && steps >= 1 && steps <= MAX_STEPS)) throw usage(`${steps} time steps.`, `A run takes 1 to ${MAX_STEPS}.`)
  if (dt !== undefined && !(Number.isFinite(dt) && dt > 0))
    throw usage(`a step of ${dt}.`, 'Give a number above 0, in the unit of the time constants (NIR files: seconds).')
  if (!INTEGRATORS.includes(integrator)) throw usage(`unknown integrator "${integrator}".`, `The integrators are ${INTEGRATORS.join(', ')}.`)
}

/**
 * A NIR document as a float network: input [steps, ...] channels last, outputs the sums of each output over all steps, then its last step.
 * @throws UNSUPPORTED by node name, FILE_MALFORMED for fields that hold no usable numbers, USAGE for options out of range
 */
export const importNirDocument = (document: NirDocument, name: string, path: string, options: NirOptions = {}): Network<'float'> => {
  checkOptions(options)
  const { steps = 100, integrator = 'euler', reset = 'zero', delay = 0 } = options
  const flat = flattenGraph(document.graph)
  const dt = options.dt ?? (flat.some(({ type }) => HAS_TAU.has(type)) ? 1e-4 : 1)
  const draft: Draft = {
    b: createBuilder('float'),
    path,
    rules: { dt, integrator, reset },
    delay,
    nodes: new Map(flat.map((node) => [node.name, node])),
    sources: new Map(),
    carried: new Map(),
    carries: [],
  }
  for (const node of flat) if (node.type === 'Input' && node.sources.length === 0) addInput(draft, node, steps)
  for (const node of flat) convertNode(draft, node)
  const ends = flat.filter(({ name: own, type }) => type === 'Output' && !flat.some(({ sources }) => sources.includes(own)))
  if (ends.length === 0) throw unsupported('the graph has no Output.', 'Write the file again with the tool that made it.')
  const last = ends.map((node) => withoutState(draft, node.name, sourceOf(draft, node.name, node).value))
  const counts = ends.map((node, i) => addCount(draft, node.name, last[i] as number))
  addCarries(draft)
  const metadata = { nir: document.version, dt: String(dt), integrator, reset, delay: String(delay), simulator: simulatorOf(integrator, reset, delay) }
  return draft.b.build({ name, outputs: [...new Set([...counts, ...last])], steps, metadata })
}

/**
 * Reads a NIR file.
 * @throws FILE_UNREADABLE, FILE_MALFORMED, and as importNirDocument
 * @example const network = await importNir('cnn_sinabs.nir', { steps: 300 })
 */
export const importNir = async (path: string, options: NirOptions = {}): Promise<Network<'float'>> =>
  importNirDocument(await readNir(await readBytes(path), path), basename(path).replace(/\.nir$/i, '') || 'model', path, options)
