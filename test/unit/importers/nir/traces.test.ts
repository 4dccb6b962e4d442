// NIR graphs against what published simulators gave for them, and against plain loops written from the equations.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { wasmSession } from '#runtimes/wasm/index.js'
import { type NirArray, type NirNode, readNir, writeNir } from '#src/formats/nir.js'
import { importNir, importNirDocument, type NirOptions } from '#src/importers/nir/index.js'
import { evaluate, evaluateStep, startValues } from '#src/network/evaluate.js'
import { typeOf } from '#src/network/graph.js'
import type { Node } from '#src/network/operators/index.js'
import type { ElementArray, Network } from '#src/network/types.js'
import { quantizeSimplified } from '#src/quantize/index.js'
import { simplify } from '#src/simplify/index.js'
import { binnedTestRecordings, largestAt } from '../../../helpers/nmnist.js'
import { testRandom } from '../../../helpers/random.js'

const DATA = new URL('../../../../../shared/data/nir/', import.meta.url)
const path = (name: string): string => new URL(name, DATA).pathname
const columns = (name: string): number[][] => {
  const rows = readFileSync(path(name), 'utf8').trim().split('\n')
  return [0, 1, 2].map((c) => rows.map((row) => Number(row.split(',')[c])))
}

const valueNamed = (network: Network, name: string): number => network.values.findIndex((value) => value.name === name)

interface Trace {
  readonly membrane: number[]
  readonly spikesAt: number[]
}

const INPUT = columns('lif_norse.csv')[0] as number[]

/** What an input counts on the membrane by Euler's rule. */
const GAIN = Math.fround(1e-4 / 0.0025)

const traceOf = async (options: NirOptions, leak?: number): Promise<Trace> => {
  const imported = await importNir(path('lif_norse.nir'), { ...options, steps: INPUT.length })
  const withLeak = (node: Node): Node => (node.kind === 'lif' && leak !== undefined ? { ...node, leak: { ...node.leak, data: Float32Array.of(leak) } } : node)
  const network = { ...imported, nodes: imported.nodes.map(withLeak) }
  const values = startValues(network)
  const [membrane, spikes] = [valueNamed(network, '1_membrane'), valueNamed(network, '1')]
  const trace: Trace = { membrane: [], spikesAt: [] }
  INPUT.forEach((_, step) => {
    evaluateStep(network, values, [Float32Array.from(INPUT)])
    trace.membrane.push((values[membrane] as ElementArray)[0] as number)
    if ((values[spikes] as ElementArray)[0] === 1) trace.spikesAt.push(step)
  })
  return trace
}

const spikesOf = (flags: readonly number[]): number[] => flags.flatMap((flag, step) => (flag !== 0 ? [step] : []))

/** The largest error over the largest magnitude of the expected trace, where it is not 0. */
const worstRelative = (got: readonly number[], expected: readonly number[]): number =>
  Math.max(...expected.map((x, i) => (x === 0 ? Math.abs(got[i] as number) / Math.max(...expected.map(Math.abs)) : Math.abs(((got[i] as number) - x) / x))))

describe('one LIF unit', () => {
  test('euler, reset to zero: the trace of Norse within 3e-7, its spikes exactly', async () => {
    const [, membrane, flags] = columns('lif_norse.csv') as [number[], number[], number[]]
    const trace = await traceOf({ integrator: 'euler' })
    expect(trace.spikesAt).toEqual(spikesOf(flags))
    expect(worstRelative(trace.membrane, membrane)).toBeLessThan(3e-7)
  })

  test('the trace of snnTorch, which does not scale its input and rounds beta: within 3e-7 of its largest value', async () => {
    const [, membrane, flags] = columns('lif_snntorch.csv') as [number[], number[], number[]]
    const trace = await traceOf({ integrator: 'euler' }, 1 - Math.fround(1 - 1e-4 / 0.0025))
    expect(trace.spikesAt).toEqual(spikesOf(flags))
    const largest = Math.max(...membrane.map(Math.abs))
    expect(Math.max(...membrane.map((v, step) => Math.abs((trace.membrane[step] as number) / GAIN - v))) / largest).toBeLessThan(3e-7)
  })

  test('exact: the spikes of the continuous solution', async () => {
    const [, , flags] = columns('lif_exact.csv') as [number[], number[], number[]]
    expect((await traceOf({ integrator: 'exact' })).spikesAt).toEqual(spikesOf(flags))
  })

  test('a delay of one step: spikes arrive one later, as in Lava', async () => {
    const network = await importNir(path('lif_norse.nir'), { steps: INPUT.length, delay: 1 })
    const values = startValues(network)
    const seen = valueNamed(network, '1_before')
    const at: number[] = []
    INPUT.forEach((_, step) => {
      const before = (values[seen] as ElementArray)[0]
      evaluateStep(network, values, [Float32Array.from(INPUT)])
      if (before === 1) at.push(step)
    })
    expect(at).toEqual([461, 511, 711, 761])
  })
})

describe('the file of a graph', () => {
  test.each(['lif_norse', 'cnn_sinabs', 'braille_noDelay_noBias_subtract'])('%s: reading what was written gives the same document', async (name) => {
    const document = await readNir(readFileSync(path(`${name}.nir`)), name)
    expect(await readNir(await writeNir(document), name)).toEqual(document)
  })
})

/** The recurrent Braille network written out from NIR's equations, in float64 with the parameters' float32 discretization left out. */
const simulateBraille = async (inputs: Float32Array, steps: number): Promise<number[]> => {
  const { graph } = await readNir(readFileSync(path('braille_noDelay_noBias_subtract.nir')), 'braille')
  const numbers = (node: string, field: string): readonly number[] => ((graph.nodes[node] as NirNode).fields[field] as NirArray).data
  const [fc1, rec, fc2] = [numbers('fc1', 'weight'), numbers('lif1.w_rec', 'weight'), numbers('fc2', 'weight')]
  const layer = (name: string, size: number) => {
    const get = (field: string): readonly number[] => numbers(name, field)
    const [i, v] = [new Float64Array(size), new Float64Array(size)]
    return (x: Float64Array): Float64Array =>
      x.map((_, k) => {
        const [alpha, beta] = [1e-4 / (get('tau_syn')[k] as number), 1e-4 / (get('tau_mem')[k] as number)]
        i[k] = (i[k] as number) + alpha * ((get('w_in')[k] as number) * (x[k] as number) - (i[k] as number))
        v[k] = (v[k] as number) + beta * ((get('r')[k] as number) * (i[k] as number) - (v[k] as number))
        const spike = (v[k] as number) > (get('v_threshold')[k] as number) ? 1 : 0
        v[k] = (v[k] as number) - spike * (get('v_threshold')[k] as number)
        return spike
      })
  }
  const product = (w: readonly number[], x: ArrayLike<number>, out: number): Float64Array =>
    Float64Array.from({ length: out }, (_, o) => Array.from(x).reduce((sum, y, i) => sum + y * (w[o * x.length + i] as number), 0))
  const [hidden, last] = [layer('lif1.lif', 40), layer('lif2', 7)]
  let before: Float64Array = new Float64Array(40)
  const counts = new Array<number>(7).fill(0)
  for (let t = 0; t < steps; t++) {
    const [own, fed] = [product(fc1, inputs.subarray(12 * t, 12 * t + 12), 40), product(rec, before, 40)]
    before = hidden(own.map((x, k) => x + (fed[k] as number)))
    last(product(fc2, before, 7)).forEach((spike, k) => {
      counts[k] = (counts[k] as number) + spike
    })
  }
  return counts
}

test('the recurrent Braille network gives what its equations give', async () => {
  const steps = 200
  const random = testRandom(1)
  const inputs = Float32Array.from({ length: 12 * steps }, () => (random.chance(0.2) ? 1 : 0))
  const network = await importNir(path('braille_noDelay_noBias_subtract.nir'), { steps, reset: 'subtract' })
  const counts = Array.from(evaluate(network, [inputs])[network.outputs[0] as number] as Float32Array)
  const expected = await simulateBraille(inputs, steps)
  expect(expected.reduce((a, b) => a + b, 0)).toBeGreaterThan(10)
  expect(counts).toEqual(expected)
})

describe('cnn_sinabs on N-MNIST', () => {
  const STEPS = 300
  test('float and integer networks agree, and wasm gives the bytes of the definition', async () => {
    const float = await importNir(path('cnn_sinabs.nir'), { steps: STEPS })
    const recordings = binnedTestRecordings(20, STEPS)
    const [first] = recordings as [(typeof recordings)[number]]
    const integer = quantizeSimplified(simplify(float), { scheme: 'spiking', calibration: { count: 1, inputs: [Float32Array.from(first.counts)] } })
    const session = await wasmSession(integer)
    const answers = await Promise.all(recordings.map(async ({ counts }) => largestAt((await session.run({ count: 1, inputs: [counts] }))[0] as Int32Array)))
    expect(answers).toEqual(recordings.map(({ label }) => label))
    const reals = evaluate(float, [Float32Array.from(first.counts)])[float.outputs[0] as number] as Float32Array
    expect(largestAt(reals)).toBe(first.label)
    const whole = evaluate(integer, [first.counts])
    const outputs = await session.run({ count: 1, inputs: [first.counts] })
    integer.outputs.forEach((value, i) => {
      expect(outputs[i]).toEqual(whole[value])
    })
    expect(typeOf(integer, integer.outputs[0] as number).kind).toBe('membrane')
  })
})

test('a graph that is read twice with the same options is the same network', async () => {
  const document = await readNir(readFileSync(path('braille_noDelay_noBias_subtract.nir')), 'x')
  expect(importNirDocument(document, 'x', 'x', { steps: 5 })).toEqual(importNirDocument(document, 'x', 'x', { steps: 5 }))
})
