// spikeport import: a TensorFlow.js LayersModel as a float network, or a .tflite model as it is: float or integer.

import { type Command, Option } from 'commander'
import { usage } from '../../errors.js'
import { INTEGRATORS, importNir, type NirOptions } from '../../importers/nir/index.js'
import { importTfjs } from '../../importers/tfjs/index.js'
import { importTflite } from '../../importers/tflite/index.js'
import { networkMacs } from '../../network/graph.js'
import { saveNetwork } from '../../network/net-file.js'
import type { Network } from '../../network/types.js'
import { withRounding } from '../../quantize/rounding.js'
import { processIo, thousands } from '../io.js'
import { count, finish, real, writeResult } from '../options.js'

interface Options extends NirOptions {
  readonly output: string
  readonly rounding?: string
  readonly json?: boolean
}

const readModel = async (model: string, { json: _, output: __, rounding: ___, ...nir }: Options): Promise<Network> => {
  if (model.endsWith('.nir')) return importNir(model, nir)
  const [given] = Object.keys(nir)
  if (given !== undefined) throw usage(`--${given} is for .nir files, ${model} is none.`, 'Leave it out.')
  return model.endsWith('.tflite') ? importTflite(model) : importTfjs(model)
}

const run = async (model: string, options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const network = withRounding(await readModel(model, options), options.rounding)
  const bytes = saveNetwork(network)
  await writeResult(options.output, bytes, io)
  io.json({ output: options.output, name: network.name, nodes: network.nodes.length, macs: networkMacs(network), bytes: bytes.length })
  if (options.output !== '-')
    io.print(`${options.output}: "${network.name}", ${network.nodes.length} layers, ${thousands(networkMacs(network))} MACs, ${thousands(bytes.length)} bytes`)
}

export const registerImport = (program: Command): void => {
  finish(
    program
      .command('import')
      .description('read a TensorFlow.js model (model.json and its weight shards), a .tflite model or a NIR graph into a .net file')
      .argument('<model>', 'model.json, the folder that holds it, a .tflite or a .nir file')
      .requiredOption('-o, --output <file>', 'the .net file to write; - is stdout')
      .option('--steps <count>', 'NIR: time steps of a run (default 100)', count(1))
      .option('--dt <time>', 'NIR: length of a step in the unit of the time constants, seconds in most files (default 1e-4; 1 without time constants)', real)
      .addOption(new Option('--integrator <rule>', 'NIR: how time constants become steps (default euler)').choices([...INTEGRATORS]))
      .addOption(new Option('--reset <kind>', 'NIR: what a spike does to the membrane (default zero)').choices(['zero', 'subtract']))
      .addOption(
        new Option('--delay <steps>', 'NIR: steps until a spike arrives at the next layer (default 0)').choices(['0', '1']).argParser((text) => Number(text)),
      )
      .option('--rounding <name>', 'single: an int8 .tflite model rounds as all other networks, for ONNX; default: as its origin')
      .action(run),
    'spikeport import digits/model.json -o digits.net\nspikeport import cnn.nir --steps 300 -o cnn.net',
  )
}
