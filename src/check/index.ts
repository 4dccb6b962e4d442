// Are all engines equal? Runs one batch everywhere, compares output bytes with the first engine, and where they differ finds the first
// value, element and channel that does.

import type { Batch, Outputs, Session } from '../contracts/runtime.js'
import { exactOutputs, producerOf, typeOf } from '../network/graph.js'
import { arrayLength, type ElementArray, type Network, type Value } from '../network/types.js'

/** An engine under comparison. */
export interface Engine {
  readonly name: string
  readonly session: Session
}

/** The first element that differs, in execution order. */
export interface Difference {
  readonly engine: string
  readonly sample: number
  /** the value's name, and the node that computes it */
  readonly value: string
  readonly node: string
  /** index along the last axis */
  readonly channel: number
  /** flat index into the value */
  readonly element: number
  readonly expected: number
  readonly actual: number
}

export interface EngineResult {
  readonly engine: string
  readonly bytes: number
  readonly differing: number
  /** null where nothing differs */
  readonly first: Difference | null
}

const bytesOf = (array: ElementArray): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

const countDifferences = (a: ElementArray, b: ElementArray): number => {
  const [x, y] = [bytesOf(a), bytesOf(b)]
  let count = Math.abs(x.length - y.length)
  for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) count++
  return count
}

const firstIndex = (a: ElementArray, b: ElementArray): number => {
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return i
  return -1
}

const sampleOf = (network: Network, batch: Batch, sample: number): readonly ElementArray[] =>
  network.inputs.map((value, i) => {
    const length = arrayLength(typeOf(network, value))
    return (batch.inputs[i] as ElementArray).slice(sample * length, (sample + 1) * length)
  })

const describe = (network: Network, engine: string, sample: number, value: number, expected: ElementArray, actual: ElementArray): Difference => {
  const element = firstIndex(expected, actual)
  return {
    engine,
    sample,
    value: (network.values[value] as Value).name,
    node: producerOf(network, value)?.name ?? 'input',
    channel: element % (typeOf(network, value).shape.at(-1) ?? 1),
    element,
    expected: expected[element] as number,
    actual: actual[element] as number,
  }
}

/** Compares every value that both engines can show; falls back to the output where the engine keeps nothing. */
const locate = async (network: Network<'integer'>, truth: Engine, engine: Engine, batch: Batch, sample: number): Promise<Difference | null> => {
  const inputs = sampleOf(network, batch, sample)
  const expected = await truth.session.trace?.(inputs)
  const actual = await engine.session.trace?.(inputs)
  if (expected === undefined || actual === undefined) return null
  for (const node of network.nodes) {
    const [x, y] = [expected[node.output], actual[node.output]]
    const isReading = typeOf(network, node.output).kind === 'float32'
    if (x && y && !isReading && firstIndex(x, y) >= 0) return describe(network, engine.name, sample, node.output, x, y)
  }
  return null
}

const firstDifferingSample = (network: Network<'integer'>, expected: Outputs, actual: Outputs, count: number): { sample: number; output: number } | null => {
  for (let sample = 0; sample < count; sample++) {
    for (const output of exactOutputs(network)) {
      const length = arrayLength(typeOf(network, network.outputs[output] as number))
      const part = (array: ElementArray | undefined): ElementArray => (array as ElementArray).subarray(sample * length, (sample + 1) * length)
      if (firstIndex(part(expected[output]), part(actual[output])) >= 0) return { sample, output }
    }
  }
  return null
}

const locateOrDescribe = async (
  network: Network<'integer'>,
  truth: Engine,
  engine: Engine,
  batch: Batch,
  expected: Outputs,
  actual: Outputs,
): Promise<Difference | null> => {
  const where = firstDifferingSample(network, expected, actual, batch.count)
  if (where === null) return null
  const located = await locate(network, truth, engine, batch, where.sample)
  if (located !== null) return located
  const value = network.outputs[where.output] as number
  const length = arrayLength(typeOf(network, value))
  const part = (array: ElementArray | undefined): ElementArray => (array as ElementArray).subarray(where.sample * length, (where.sample + 1) * length)
  return describe(network, engine.name, where.sample, value, part(expected[where.output]), part(actual[where.output]))
}

/**
 * Runs a batch on every engine and compares the exact outputs (all but softmax readings) with the first engine's, byte for byte.
 * @param outputs called with each engine's outputs, for accuracies
 */
export const compareEngines = async (
  network: Network<'integer'>,
  engines: readonly Engine[],
  batch: Batch,
  outputs?: (engine: string, outputs: Outputs) => void,
): Promise<readonly EngineResult[]> => {
  const [truth, ...others] = engines
  if (truth === undefined) return []
  const expected = await truth.session.run(batch)
  outputs?.(truth.name, expected)
  const positions = exactOutputs(network)
  const bytes = positions.reduce((sum, i) => sum + (expected[i] as ElementArray).byteLength, 0)
  const results: EngineResult[] = [{ engine: truth.name, bytes, differing: 0, first: null }]
  for (const engine of others) {
    const actual = await engine.session.run(batch)
    outputs?.(engine.name, actual)
    const differing = positions.reduce((sum, i) => sum + countDifferences(expected[i] as ElementArray, actual[i] as ElementArray), 0)
    const first = differing === 0 ? null : await locateOrDescribe(network, truth, engine, batch, expected, actual)
    results.push({ engine: engine.name, bytes, differing, first })
  }
  return results
}
