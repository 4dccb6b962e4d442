// Writing NIR: what was read, exported and read again is the same network, and what has no NIR form is refused by name.

import { describe, expect, test } from 'vitest'
import { nirExporter } from '#exporters/nir/index.js'
import { readNir } from '#src/formats/nir.js'
import { importNir, importNirDocument, type NirOptions } from '#src/importers/nir/index.js'
import type { Network } from '#src/network/types.js'
import { floatSpiking } from '../../../helpers/spiking-networks.js'

const path = (name: string): string => new URL(`../../../../../shared/data/nir/${name}.nir`, import.meta.url).pathname
const read = async (bytes: Uint8Array, name: string, options: NirOptions): Promise<Network<'float'>> =>
  importNirDocument(await readNir(bytes, name), name, name, options)
/** Versions of the format apart. */
const plain = ({ metadata, ...network }: Network<'float'>) => ({ ...network, metadata: { ...metadata, nir: '' } })

const CASES: readonly (readonly [string, NirOptions])[] = [
  ['lif_norse', { steps: 20 }],
  ['lif_norse', { steps: 20, integrator: 'exact' }],
  ['cnn_sinabs', { steps: 20 }],
  ['braille_noDelay_noBias_subtract', { steps: 20, reset: 'subtract' }],
  ['braille_noDelay_noBias_subtract', { steps: 20, reset: 'subtract', integrator: 'exp-euler' }],
]

describe('a graph that was read, written and read again', () => {
  test.each(CASES)('%s %o is the same network', async (name, options) => {
    const first = await importNir(path(name), options)
    const second = await read(await nirExporter.export(first), name, options)
    expect(plain(second)).toEqual(plain(first))
  })

  test('the document of the Braille network keeps its nodes and edges', async () => {
    const { readFileSync } = await import('node:fs')
    const original = await readNir(readFileSync(path('braille_noDelay_noBias_subtract')), 'x')
    const network = importNirDocument(original, 'x', 'x', { steps: 3, reset: 'subtract' })
    const again = await readNir(await nirExporter.export(network), 'x')
    const sorted = (edges: readonly (readonly [string, string])[]): string[] => [...new Set(edges.map((edge) => edge.join(' -> ')))].sort()
    expect(sorted(again.graph.edges)).toEqual(sorted(original.graph.edges))
    expect(Object.fromEntries(Object.entries(again.graph.nodes).map(([name, node]) => [name, node.type]))).toEqual(
      Object.fromEntries(Object.entries(original.graph.nodes).map(([name, node]) => [name, node.type])),
    )
  })
})

describe('refusals', () => {
  test('units that fire on reaching their threshold, and inputs that are no recordings', async () => {
    await expect(nirExporter.export(floatSpiking(1))).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })

  test('options', async () => {
    const network = await importNir(path('lif_norse'), { steps: 2 })
    for (const options of [{ step: '1' }, { dt: 'x' }, { integrator: 'heun' }])
      await expect(nirExporter.export(network, options as never)).rejects.toMatchObject({ code: 'USAGE' })
  })
})
