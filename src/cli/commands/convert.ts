// spikeport convert: a network with ReLUs as a spiking one, thresholds balanced over sample inputs.

import { type Command, Option } from 'commander'
import { convertToSpiking } from '../../convert/spiking.js'
import { saveNetwork } from '../../network/net-file.js'
import { calibrate } from '../../quantize/index.js'
import { simplify } from '../../simplify/index.js'
import { processIo, thousands } from '../io.js'
import { openFloat } from '../networks.js'
import { count, finish, real, writeResult } from '../options.js'
import { readSamples } from '../samples.js'

interface Options {
  readonly calibrate: string
  readonly samples: number
  readonly percentile: number
  readonly steps: number
  readonly output: string
  readonly json?: boolean
}

const run = async (source: string, options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const float = simplify(await openFloat(source))
  const samples = await readSamples(options.calibrate, float, { limit: options.samples, split: 'train' })
  const calibration = { count: samples.count, inputs: [samples.values as Float32Array] }
  const spiking = convertToSpiking(float, calibrate(float, calibration, 'percentile', options.percentile), { steps: options.steps })
  const bytes = saveNetwork(spiking)
  await writeResult(options.output, bytes, io)
  io.json({ output: options.output, bytes: bytes.length, steps: options.steps, samples: samples.count })
  if (options.output !== '-')
    io.print(
      `${options.output}: spiking, ${options.steps} steps, ${thousands(bytes.length)} bytes; next: spikeport quantize ${options.output} --scheme spiking`,
    )
}

export const registerConvert = (program: Command): void => {
  finish(
    program
      .command('convert')
      .description('turn a float network with ReLUs into a spiking one; no training')
      .argument('<network>', 'a float .net file or a model.json')
      .addOption(new Option('--to <kind>', 'what to turn it into').choices(['spiking']).default('spiking'))
      .requiredOption('--calibrate <data>', 'samples for the thresholds: .npy, idx, images, mnist, fashion-mnist')
      .option('--samples <n>', 'how many of them', count(1), 256)
      .option('--percentile <p>', 'share of activations that a threshold covers, 50..100', real, 99)
      .option('--steps <n>', 'time steps of a run', count(1), 64)
      .requiredOption('-o, --output <file>', 'the .net file to write; - is stdout')
      .action(run),
    'spikeport convert digits.net --to spiking --calibrate mnist --steps 64 -o digits.snn.net',
  )
}
