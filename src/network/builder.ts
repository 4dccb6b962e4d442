// Puts a network together node by node: names the value of each node after the node, infers its shape by the operator's rule and
// gives it type float32 unless told otherwise. Importers and tests use it; build() verifies.

import { type Node, operatorOf } from './operators/index.js'
import type { Network, Rounding, Shape, Stage, Value, ValueType } from './types.js'
import { verify } from './verify.js'

type WithoutOutput<N> = N extends Node ? Omit<N, 'output'> : never
/** A node whose output value does not exist yet. */
export type NodeSpec = WithoutOutput<Node>

export interface BuildOptions {
  readonly name: string
  readonly outputs: readonly number[]
  readonly labels?: readonly string[]
  readonly metadata?: Readonly<Record<string, string>>
  /** default 'single' */
  readonly rounding?: Rounding
  /** time steps of a run; default 1 */
  readonly steps?: number
}

export interface NetworkBuilder<S extends Stage> {
  /** Adds an input; a shape stands for float32. Returns the index of its value. */
  readonly input: (name: string, type: Shape | ValueType) => number
  /** Adds a state; a shape stands for float32. Returns the index of its value. */
  readonly state: (name: string, type: Shape | ValueType) => number
  /** Adds a node after all it reads; `type` is the output's, default float32 of the inferred shape. Returns the index of its value. @throws NETWORK_INVALID */
  readonly add: (spec: NodeSpec, type?: ValueType) => number
  /** Time steps of a run, where build() states none; false where others were set before. */
  readonly setSteps: (steps: number) => boolean
  /** Adds a node that writes a state, as its last value of this step. @throws NETWORK_INVALID */
  readonly addTo: (state: number, spec: NodeSpec) => void
  readonly shapeOf: (value: number) => Shape
  /** The verified network. @throws NETWORK_INVALID */
  readonly build: (options: BuildOptions) => Network<S>
}

const isShape = (type: Shape | ValueType): type is Shape => Array.isArray(type)
const float32 = (shape: Shape): ValueType => ({ kind: 'float32', shape })

/** An empty network of a stage, to be filled. */
export const createBuilder = <S extends Stage>(stage: S): NetworkBuilder<S> => {
  const values: Value[] = []
  const inputs: number[] = []
  const states: number[] = []
  const nodes: Node[] = []
  let stepsSet: number | null = null
  const shapeOf = (value: number): Shape => values[value]?.type.shape ?? []
  const push = (name: string, type: ValueType): number => values.push({ name, type }) - 1
  return {
    shapeOf,
    input: (name, type) => {
      const value = push(name, isShape(type) ? float32(type) : type)
      inputs.push(value)
      return value
    },
    state: (name, type) => {
      const value = push(name, isShape(type) ? float32(type) : type)
      states.push(value)
      return value
    },
    setSteps: (steps) => {
      const isNew = stepsSet === null || stepsSet === steps
      stepsSet = steps
      return isNew
    },
    addTo: (state, spec) => {
      nodes.push({ ...spec, output: state } as Node)
    },
    add: (spec, type) => {
      const node = { ...spec, output: values.length } as Node
      const operator = operatorOf(node)
      operator.checkAttributes(node)
      const shape = operator.outputShape(node, spec.inputs.map(shapeOf))
      nodes.push(node)
      return push(spec.name, type ?? float32(shape))
    },
    build: ({ name, outputs, labels = [], metadata = {}, rounding = 'single', steps = stepsSet ?? 1 }) =>
      verify<S>({
        stage,
        name,
        rounding,
        values: [...values],
        inputs: [...inputs],
        outputs,
        nodes: [...nodes],
        labels,
        metadata,
        ...(states.length > 0 || steps > 1 ? { time: { steps, states: [...states] } } : {}),
      }),
  }
}
