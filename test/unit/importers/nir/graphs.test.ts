// Small NIR graphs, node by node: every primitive against its equation, nested graphs, cycles, and what is refused by name.

import { describe, expect, test } from 'vitest'
import { SpikeportError } from '#src/errors.js'
import { type NirArray, type NirDocument, type NirField, type NirGraph, type NirNode, readNir, writeNir } from '#src/formats/nir.js'
import { importNirDocument, type NirOptions } from '#src/importers/nir/index.js'
import { evaluate } from '#src/network/evaluate.js'

const array = (data: readonly number[], shape: readonly number[] = [data.length]): NirArray => ({ shape, dtype: 'float64', data })
const whole = (...data: number[]): NirArray => ({ shape: [data.length], dtype: 'int64', data })
const node = (type: string, fields: Record<string, NirField> = {}): NirNode => ({ type, fields })
const input = (...shape: number[]): NirNode => node('Input', { shape: whole(...shape) })
const output = (...shape: number[]): NirNode => node('Output', { shape: whole(...shape) })

const graph = (nodes: Record<string, NirNode | NirGraph>, edges: readonly (readonly [string, string])[]): NirGraph => ({
  type: 'NIRGraph',
  nodes,
  edges,
  metadata: {},
})
const chain = (shape: number[], ...inner: NirNode[]): NirDocument => {
  const names = ['in', ...inner.map((_, i) => `n${i}`), 'out']
  const nodes = Object.fromEntries(names.map((name, i) => [name, i === 0 ? input(...shape) : (inner[i - 1] ?? output(1))]))
  return {
    version: '1.0',
    graph: graph(
      nodes,
      names.slice(1).map((name, i) => [names[i] as string, name]),
    ),
  }
}

/** The last step of the first output, for a recording. */
const lastOf = (document: NirDocument, recording: readonly number[], options: NirOptions): number[] => {
  const network = importNirDocument(document, 'x', 'x.nir', options)
  return Array.from(evaluate(network, [Float32Array.from(recording)])[network.outputs[1] as number] as Float32Array)
}

const errorOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof SpikeportError) return `${error.code}: ${error.message}`
    throw error
  }
  throw new Error('nothing was refused')
}

describe('primitives', () => {
  test('Affine, Linear and Scale', () => {
    const affine = node('Affine', { weight: array([1, 2, 3, 4, 5, 6], [2, 3]), bias: array([10, 20]) })
    expect(lastOf(chain([3], affine), [1, 1, 2], { steps: 1 })).toEqual([19, 41])
    const linear = node('Linear', { weight: array([1, 2, 3, 4, 5, 6], [2, 3]) })
    expect(lastOf(chain([3], linear, node('Scale', { scale: array([0.5, 2]) })), [1, 1, 2], { steps: 1 })).toEqual([4.5, 42])
  })

  test('Conv2d, SumPool2d, AvgPool2d and Flatten keep the order of channels first', () => {
    // one channel becomes two: itself and its double
    const conv = node('Conv2d', {
      weight: array([1, 2], [2, 1, 1, 1]),
      bias: array([0, 0]),
      stride: whole(1, 1),
      padding: whole(0, 0),
      dilation: whole(1, 1),
      groups: whole(1),
    })
    const flatten = node('Flatten', { start_dim: whole(0), end_dim: whole(-1) })
    const pick = node('Linear', { weight: array([1, 10, 100, 1000, 0, 0, 0, 0, 0, 0, 0, 0, 1, 10, 100, 1000], [2, 8]) })
    // channels first: a b c d, then 2a 2b 2c 2d
    expect(lastOf(chain([1, 2, 2], conv, flatten, pick), [1, 2, 3, 4], { steps: 1 })).toEqual([4321, 8642])
    const pool = (type: string): NirNode => node(type, { kernel_size: whole(2, 2), stride: whole(2, 2), padding: whole(0, 0) })
    expect(lastOf(chain([1, 2, 2], pool('SumPool2d')), [1, 2, 3, 4], { steps: 1 })).toEqual([10])
    expect(lastOf(chain([1, 2, 2], pool('AvgPool2d')), [1, 2, 3, 4], { steps: 1 })).toEqual([2.5])
  })

  test('Conv1d, with padding "same" and of each channel by itself', () => {
    const conv = node('Conv1d', {
      weight: array([1, 10, 100], [1, 1, 3]),
      bias: array([0]),
      stride: whole(1),
      padding: 'same',
      dilation: whole(1),
      groups: whole(1),
    })
    expect(lastOf(chain([1, 4], conv), [1, 2, 3, 4], { steps: 1 })).toEqual([210, 321, 432, 43])
    const depthwise = node('Conv2d', {
      weight: array([2, 3], [2, 1, 1, 1]),
      bias: array([0, 1]),
      stride: whole(1, 1),
      padding: 'valid',
      dilation: whole(1, 1),
      groups: whole(2),
    })
    const flat = lastOf(chain([2, 1, 2], depthwise), [1, 5, 2, 6], { steps: 1 }) // channels last: (1, 5), (2, 6)
    expect(flat).toEqual([2, 16, 4, 19])
  })

  test('I, LI, CubaLI: the last of four steps', () => {
    const ones = [1, 1, 1, 1]
    expect(lastOf(chain([1], node('I', { r: array([2]) })), ones, { steps: 4, dt: 0.5 })).toEqual([4])
    const li = node('LI', { tau: array([2]), r: array([1]), v_leak: array([0]) })
    expect(lastOf(chain([1], li), ones, { steps: 4, dt: 1 })[0]).toBeCloseTo(1 - 0.5 ** 4, 6)
    expect(lastOf(chain([1], li), ones, { steps: 4, dt: 1, integrator: 'exact' })[0]).toBeCloseTo(1 - Math.exp(-2), 6)
    const rest = node('LI', { tau: array([2]), r: array([1]), v_leak: array([3]) })
    expect(lastOf(chain([1], rest), [0, 0, 0, 0], { steps: 4, dt: 1 })[0]).toBeCloseTo(3 * (1 - 0.5 ** 4), 6)
    const cuba = node('CubaLI', { tau_syn: array([2]), tau_mem: array([4]), r: array([1]), v_leak: array([0]), w_in: array([2]) })
    let [i, v] = [0, 0]
    for (let t = 0; t < 4; t++) {
      i += 0.5 * (2 - i)
      v += 0.25 * (i - v)
    }
    expect(lastOf(chain([1], cuba), ones, { steps: 4, dt: 1 })[0]).toBeCloseTo(v, 6)
  })

  test('IF fires above its threshold, not at it; v_reset is 0 where it is missing', () => {
    const unit = (fields: Record<string, NirField>): NirNode => node('IF', { r: array([1]), v_threshold: array([2]), ...fields })
    const count = (document: NirDocument, reset: 'zero' | 'subtract'): number => {
      const network = importNirDocument(document, 'x', 'x', { steps: 6, reset })
      return (evaluate(network, [new Float32Array(6).fill(1)])[network.outputs[0] as number] as Float32Array)[0] as number
    }
    expect(count(chain([1], unit({})), 'zero')).toBe(2) // 1 2 3! 1 2 3!
    expect(count(chain([1], unit({})), 'subtract')).toBe(2) // 1 2 3! (1) 2 3! (1) 2
    expect(count(chain([1], unit({ v_reset: array([1]) })), 'zero')).toBe(2) // 1 2 3! (1) 2 3!
    expect(count(chain([1], unit({ v_reset: array([2]) })), 'zero')).toBe(4) // 1 2 3! (2) 3! 3! 3!
  })

  test('Threshold and Delay', () => {
    expect(lastOf(chain([3], node('Threshold', { threshold: array([0.5]) })), [0.4, 0.5, 0.6], { steps: 1 })).toEqual([0, 0, 1])
    expect(lastOf(chain([1], node('Delay', { delay: array([2e-4]) })), [7, 8, 9, 10], { steps: 4 })).toEqual([8])
    expect(lastOf(chain([1], node('Delay', { delay: array([0]) })), [7, 8], { steps: 2 })).toEqual([8])
  })

  test('nested graphs and repeated edges', () => {
    const inner = graph({ a: input(1), double: node('Linear', { weight: array([2], [1, 1]) }), b: output(1) }, [
      ['a', 'double'],
      ['a', 'double'],
      ['double', 'b'],
    ])
    const nested = graph({ in: input(1), inner, out: output(1) }, [
      ['in', 'inner'],
      ['inner', 'out'],
    ])
    expect(lastOf({ version: '', graph: nested }, [3], { steps: 1 })).toEqual([6])
  })

  test('a sum of two layers is one layer over both inputs', () => {
    const branches = graph(
      {
        in: input(2),
        a: node('Linear', { weight: array([1, 2], [1, 2]) }),
        b: node('Affine', { weight: array([3, 4], [1, 2]), bias: array([5]) }),
        u: node('I', { r: array([1]) }),
        out: output(1),
      },
      [
        ['in', 'a'],
        ['in', 'b'],
        ['a', 'u'],
        ['b', 'u'],
        ['u', 'out'],
      ],
    )
    expect(lastOf({ version: '', graph: branches }, [1, 10], { steps: 1, dt: 1 })).toEqual([69])
  })
})

describe('refusals', () => {
  const lif = node('LIF', { tau: array([1]), r: array([1]), v_leak: array([0]), v_threshold: array([1]) })
  const importOf = (document: NirDocument) => () => importNirDocument(document, 'x', 'x.nir', {})
  const loop = (inner: NirNode): NirDocument => ({
    version: '',
    graph: graph({ in: input(1), a: inner, w: node('Linear', { weight: array([1], [1, 1]) }), out: output(1) }, [
      ['in', 'a'],
      ['a', 'w'],
      ['w', 'a'],
      ['a', 'out'],
    ]),
  })

  test.each([
    ['an unknown node', chain([1], node('Hodgkin')), 'UNSUPPORTED: Hodgkin "n0" is not known.'],
    [
      'weights that do not fit',
      chain([3], node('Linear', { weight: array([1, 2], [1, 2]) })),
      'UNSUPPORTED: Linear "n0" has weights [1,2] and reads 3 numbers.',
    ],
    ['NaN', chain([1], node('Linear', { weight: array([Number.NaN], [1, 1]) })), 'FILE_MALFORMED: x.nir: Linear "n0": weight holds NaN.'],
    [
      'a time constant of 0',
      chain([1], { ...lif, fields: { ...lif.fields, tau: array([0]) } }),
      'FILE_MALFORMED: x.nir: LIF "n0": tau is 0, it must be above 0.',
    ],
    [
      'a step longer than a time constant',
      chain([1], { ...lif, fields: { ...lif.fields, tau: array([1e-5]) } }),
      'UNSUPPORTED: LIF "n0": a step of 0.0001 is longer than tau, 0.00001.',
    ],
    ['a missing threshold', chain([1], node('IF', { r: array([1]) })), 'FILE_MALFORMED: x.nir: IF "n0" has no v_threshold.'],
    ['a cycle without delay', loop(node('Scale', { scale: array([1]) })), 'UNSUPPORTED: "a" lies in a cycle without a spiking unit or a Delay.'],
    [
      'groups',
      chain([4, 1, 1], node('Conv2d', { weight: array([1, 1, 1, 1], [2, 2, 1, 1]), groups: whole(2) })),
      'UNSUPPORTED: Conv2d "n0" has 2 groups over 4 channels and weights [2,2,1,1].',
    ],
    ['no output', { version: '', graph: graph({ in: input(1) }, []) }, 'UNSUPPORTED: the graph has no Output.'],
    [
      'an edge to nowhere',
      { version: '', graph: graph({ in: input(1), out: output(1) }, [['in', 'gone']]) },
      'UNSUPPORTED: an edge names "gone", which is not a node of the graph.',
    ],
  ])('%s', (_, document, message) => {
    expect(errorOf(importOf(document as NirDocument))).toBe(message)
  })

  test('a cycle through a spiking unit is read', () => {
    expect(importOf(loop(lif))).not.toThrow()
  })

  test('options out of range', () => {
    for (const options of [{ steps: 0 }, { dt: -1 }, { integrator: 'heun' as never }])
      expect(errorOf(() => importNirDocument(chain([1], lif), 'x', 'x', options))).toContain('USAGE')
  })
})

test('truncated and mutated files are read or refused', async () => {
  const bytes = await writeNir(chain([1], node('LIF', { tau: array([1]), r: array([1]), v_leak: array([0]), v_threshold: array([1]) })))
  expect(bytes.length).toBeGreaterThan(100)
  const damaged = [new Uint8Array(0), bytes.slice(0, 7), bytes.slice(0, 200), bytes.slice(0, bytes.length - 1)]
  for (const cut of damaged) {
    await readNir(cut, 'x.nir').catch((error: unknown) => {
      expect(error).toBeInstanceOf(SpikeportError)
    })
  }
})
