// What an exported C folder holds: the files a network needs and no others, text that a network cannot break, and refusals.

import { describe, expect, test } from 'vitest'
import { cExporter } from '#exporters/c/index.js'
import { SpikeportError } from '#src/errors.js'
import { INTEGER_OPERATORS, kwsNetwork, mlpNetwork, networkBuilder, operatorNetwork } from '../../helpers/networks.js'

const SETS = ['plain', 'armv6m', 'dsp', 'mve', 'rv32']
const text = (files: ReturnType<typeof cExporter.export>, path: string): string => files[path] as string
const coreFiles = (files: ReturnType<typeof cExporter.export>): string[] => Object.keys(files).filter((path) => /^core\/.*\.c$/.test(path))

const errorOf = (call: () => unknown): SpikeportError => {
  try {
    call()
  } catch (error) {
    if (error instanceof SpikeportError) return error
    throw error
  }
  throw new Error('no error')
}

describe('an exported folder', () => {
  test('has the kernels of its operators and no others', () => {
    expect(coreFiles(cExporter.export(mlpNetwork(1)))).toEqual(['core/emission.c', 'core/op_dense.c', 'core/verify.c'])
    expect(coreFiles(cExporter.export(mlpNetwork(1), { kernels: 'dsp' }))).toEqual(['core/blocked/dense.c', 'core/dsp/dense.c', 'core/emission.c'])
  })

  test.each(SETS)('names a kernel for every operator (%s)', (kernels) => {
    for (const kind of INTEGER_OPERATORS) {
      const files = cExporter.export(operatorNetwork(kind, 1), { kernels })
      expect(text(files, 'model.c')).toMatch(/KERNELS\[MODEL_NODE_COUNT\] = \{\n {4}\w+, \/\*/)
      expect(coreFiles(files).length).toBeGreaterThan(0)
    }
  })

  test.each(SETS)('has every file that its files include (%s)', (kernels) => {
    const files = cExporter.export(kwsNetwork(1), { kernels })
    for (const [path, content] of Object.entries(files)) {
      for (const [, include] of String(content).matchAll(/^#include "([^"]+)"/gm)) {
        const beside = new URL(include as string, `file:///${path}`).pathname.slice(1)
        expect(
          [beside, `core/${kernels}/${include}`].some((candidate) => candidate in files),
          `${path} includes ${include}`,
        ).toBe(true)
      }
    }
  })

  test('takes the general depthwise kernel where a layer needs it', () => {
    const make = (dilation: number) => {
      const b = networkBuilder('d', 1)
      return b.build([b.depthwise(b.input([9, 9, 8], { zeroPoint: 0, scale: 1 / 64 }), 1, { kernel: [3, 3], dilation: [dilation, dilation] })])
    }
    expect(text(cExporter.export(make(1), { kernels: 'dsp' }), 'model.c')).toContain('depthwise_unit,')
    expect(text(cExporter.export(make(2), { kernels: 'dsp' }), 'model.c')).toContain('depthwise_blocked,')
  })

  test('takes the plain kernel where the chip has none for the rounding', () => {
    const files = cExporter.export({ ...mlpNetwork(1), rounding: 'tflite' }, { kernels: 'dsp' })
    expect(coreFiles(files)).toContain('core/op_dense.c')
    expect(text(files, 'model.c')).toContain('dense_s8,')
  })

  test('says whose its sources are', () => {
    const files = cExporter.export(mlpNetwork(1))
    expect(text(files, 'LICENSE')).toContain('Apache License')
    for (const path of Object.keys(files).filter((name) => /^(core|shared)\//.test(name)))
      expect(text(files, path)).toMatch(/^\/\* SPDX-License-Identifier: Apache-2\.0 \*\/\n\/\* From spikeport \d/)
  })

  test('is not broken by names', () => {
    const network = mlpNetwork(1)
    const evil = '*/ int main; /* ??/\\\n"é'
    const files = cExporter.export({
      ...network,
      name: evil,
      labels: network.labels.map(() => evil),
      values: network.values.map((value, i) => ({ ...value, name: `${evil}${i}` })),
      nodes: network.nodes.map((node, i) => ({ ...node, name: `${evil}${i}` })),
    })
    for (const path of ['model.h', 'model.c']) expect(text(files, path).replace(/\/\*[\s\S]*?\*\//g, ''), path).not.toContain('int main')
  })

  test('is the same each time', () => expect(cExporter.export(kwsNetwork(1), { kernels: 'dsp' })).toEqual(cExporter.export(kwsNetwork(1), { kernels: 'dsp' })))

  test('refuses settings that it does not have', () => {
    expect(errorOf(() => cExporter.export(mlpNetwork(1), { speed: '11' })).message).toBe('the c format has no option speed.')
    expect(errorOf(() => cExporter.export(mlpNetwork(1), { kernels: 'avx' })).message).toBe('option kernels is "avx".')
    expect(errorOf(() => cExporter.export(mlpNetwork(1), { kernels: 'toString' })).code).toBe('USAGE')
  })
})
