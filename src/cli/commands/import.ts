// spikeport import: a TensorFlow.js LayersModel as a float network, or a .tflite model as it is: float or integer.

import type { Command } from 'commander'
import { importTfjs } from '../../importers/tfjs/index.js'
import { importTflite } from '../../importers/tflite/index.js'
import { networkMacs } from '../../network/graph.js'
import { saveNetwork } from '../../network/net-file.js'
import { processIo, thousands } from '../io.js'
import { finish, writeResult } from '../options.js'

interface Options {
  readonly output: string
  readonly json?: boolean
}

const run = async (model: string, options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const network = model.endsWith('.tflite') ? await importTflite(model) : await importTfjs(model)
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
      .description('read a TensorFlow.js model (model.json and its weight shards) or a .tflite model into a .net file')
      .argument('<model>', 'model.json, the folder that holds it, or a .tflite file')
      .requiredOption('-o, --output <file>', 'the .net file to write; - is stdout')
      .action(run),
    'spikeport import digits/model.json -o digits.net',
  )
}
