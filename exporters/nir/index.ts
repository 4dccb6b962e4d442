// The NIR exporter: a float network over time as a NIR file, which Norse, snnTorch, sinabs, Lava and others read (docs/spiking.md, NIR).

import type { FloatExporter } from '#src/contracts/exporter.js'
import { usage } from '#src/errors.js'
import { writeNir } from '#src/formats/nir.js'
import { nirGraph } from './graph.js'
import { rulesOf } from './rules.js'

const NIR_VERSION = '1.0.7'
const OPTION_HELP = {
  dt: 'length of a step in seconds; default: what the network was read with, or 1e-4',
  integrator: 'euler, exact or exp-euler; default: what the network was read with, or euler',
} as const

/**
 * Float networks over time as NIR files.
 * @throws UNSUPPORTED by node name, USAGE for options
 * @example
 * await writeFile('digits.nir', await nirExporter.export(network))
 */
export const nirExporter: FloatExporter = {
  name: 'nir',
  extension: '.nir',
  description: 'a NIR graph of a float network over time, for Norse, snnTorch, sinabs, Lava and others',
  stages: ['float'],
  options: OPTION_HELP,
  export: async (network, options = {}) => {
    const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTION_HELP, name))
    if (unknown !== undefined) throw usage(`the nir format has no option ${unknown}.`, `Its options are ${Object.keys(OPTION_HELP).join(', ')}.`)
    const reset = network.nodes.find((node) => node.kind === 'lif')?.reset ?? 'zero'
    return writeNir({ version: NIR_VERSION, graph: nirGraph(network, rulesOf({ ...network.metadata, ...options }, reset)) })
  },
}
