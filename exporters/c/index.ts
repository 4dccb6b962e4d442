// The C exporter: a folder with a network as C11 sources, the kernels it needs and a self-test. docs/c-export.md is the page for its reader, and lies in
// the folder as README.md.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Exporter, Folder } from '#src/contracts/exporter.js'
import { unsupported, usage } from '#src/errors.js'
import { eventnetDocument } from '#src/eventnet/index.js'
import { type EventnetDocument, type EventnetNode, encodeEventnet } from '#src/formats/eventnet/index.js'
import type { Network, Rounding } from '#src/network/types.js'
import { packageRoot } from '#src/package-root.js'
import { planArena } from '#src/plan/arena.js'
import { cmakeLists } from './build.js'
import { dataHeader, dataSource, type Model, mainSource, modelHeader, modelSource, selfTestHeader } from './model.js'
import { type Core, type KernelSet, neededFiles, readCore } from './sources.js'

const OPTION_HELP = {
  kernels: 'plain (default, any machine), armv6m (Cortex-M0, M0+, M3), dsp (Cortex-M4F, M7, M33), mve (Cortex-M55), rv32 (RV32IM)',
} as const

const SETS: Readonly<Record<KernelSet, KernelSet>> = { plain: 'plain', armv6m: 'armv6m', dsp: 'dsp', mve: 'mve', rv32: 'rv32' }

const parseSet = (options: Readonly<Record<string, string>>): KernelSet => {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTION_HELP, name))
  if (unknown !== undefined) throw usage(`the c format has no option ${unknown}.`, `Its options are ${Object.keys(OPTION_HELP).join(', ')}.`)
  const set = options['kernels'] ?? 'plain'
  if (!Object.hasOwn(SETS, set)) throw usage(`option kernels is "${set}".`, `Possible: ${Object.keys(SETS).join(', ')}.`)
  return set as KernelSet
}

/** "averagePool" -> "AVERAGE_POOL", as the tables of operators name it. */
const rowName = (operator: string): string => operator.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()

/** A geometry that depthwise_unit() runs in every kernel set: a subset of each one's depthwise_is_unit(). */
const isUnitDepthwise = ({ operator, fields }: EventnetNode): boolean => {
  const field = (name: string): number => fields[name] as number
  const isPlainShape = field('dilationX') === 1 && field('inputChannels') === field('outputChannels') && field('outputChannels') >= 4
  return operator === 'depthwise' && isPlainShape && field('kernelHeight') <= 6 && field('kernelWidth') <= 5
}

/** The kernel of each node: the set's own where it has one for the network's rounding, otherwise the plain one. */
const kernelsOf = ({ own, plain, set }: Core, { nodes }: EventnetDocument, rounding: Rounding): readonly string[] => {
  const allUnit = nodes.every((node) => node.operator !== 'depthwise' || isUnitDepthwise(node))
  return nodes.map(({ operator }) => {
    const row = rowName(operator)
    const rows = [...(operator === 'depthwise' && allUnit ? [own['DEPTHWISE_UNIT']] : []), own[row], plain[row]]
    const kernel = rows.find((candidate) => candidate?.roundings.includes(rounding))
    if (kernel === undefined)
      throw unsupported(`the kernels "${set}" have none for ${operator} with rounding ${rounding}.`, 'Quantize with rounding single, or report it.')
    return kernel.run
  })
}

const packageVersion = (): string => (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version

/** A copied source says whose it is and under which license. */
const withLicense = (path: string, text: string, version: string): string =>
  `/* SPDX-License-Identifier: Apache-2.0 */\n/* From spikeport ${version}, firmware-stubs/${path}. */\n${text}`

const coreFiles = (core: Core, kernels: readonly string[], version: string): Folder =>
  Object.fromEntries(neededFiles(core, [...new Set(kernels)]).map((path) => [path, withLicense(path, core.texts[path] as string, version)]))

const modelOf = (network: Network<'integer'>, core: Core): Model => {
  const document = eventnetDocument(network, planArena(network), { names: false, selfTest: true })
  if (document.nodes.length === 0) throw unsupported(`network "${network.name}" has no node.`, 'There is nothing to export as C.')
  const bytes = encodeEventnet({ ...document, selfTest: null })
  return { network, document, bytes, kernels: kernelsOf(core, document, network.rounding), header: core.header, version: packageVersion() }
}

const modelFiles = (model: Model): Folder => ({
  'model.h': modelHeader(model),
  'model.c': modelSource(model),
  'network-data.h': dataHeader(model),
  'network-data.c': dataSource(model),
  'self-test.h': selfTestHeader(model),
  'main.c': mainSource(model),
})

const exportC = (network: Network<'integer'>, options: Readonly<Record<string, string>> = {}): Folder => {
  const core = readCore(parseSet(options))
  const model = modelOf(network, core)
  const sources = { ...modelFiles(model), ...coreFiles(core, model.kernels, model.version) }
  return {
    ...sources,
    'CMakeLists.txt': cmakeLists(core.set, Object.keys(sources)),
    'README.md': readFileSync(join(packageRoot(), 'docs/c-export.md'), 'utf8'),
    LICENSE: readFileSync(join(packageRoot(), 'LICENSE'), 'utf8'),
  }
}

/**
 * Integer networks as C11 sources: a folder that any C compiler builds.
 * @example
 * for (const [path, content] of Object.entries(cExporter.export(network, { kernels: 'dsp' }))) console.log(path, content.length)
 */
export const cExporter: Exporter<Folder> = {
  name: 'c',
  extension: '/',
  description: 'a folder of C11 sources: the network, the kernels it needs, a self-test',
  stages: ['integer'],
  options: OPTION_HELP,
  export: exportC,
}
