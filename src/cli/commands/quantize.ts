// spikeport quantize: a float network as an integer one, with what it cost layer by layer.

import { type Command, Option } from 'commander'
import { saveNetwork } from '../../network/net-file.js'
import { CALIBRATION_METHODS, type CalibrationMethod, quantizationReport, quantizeSimplified, SCHEMES, type SchemeName } from '../../quantize/index.js'
import { simplify } from '../../simplify/index.js'
import { percent, processIo, table, thousands } from '../io.js'
import { openFloat } from '../networks.js'
import { count, finish, real, writeResult } from '../options.js'
import { readSamples } from '../samples.js'

interface Options {
  readonly scheme: SchemeName
  readonly calibrate: string
  readonly samples: number
  readonly method: CalibrationMethod
  readonly percentile: number
  readonly scale?: number
  readonly output: string
  readonly json?: boolean
}

const run = async (source: string, options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const float = simplify(await openFloat(source))
  const samples = await readSamples(options.calibrate, float, {
    limit: options.samples,
    split: 'train',
    ...(options.scale === undefined ? {} : { scale: options.scale }),
  })
  const calibration = { count: samples.count, inputs: [samples.values as Float32Array] }
  const integer = quantizeSimplified(float, { scheme: options.scheme, method: options.method, percentile: options.percentile, calibration })
  const report = quantizationReport(float, integer, calibration)
  const bytes = saveNetwork(integer)
  await writeResult(options.output, bytes, io)
  io.json({ output: options.output, bytes: bytes.length, scheme: options.scheme, method: options.method, samples: samples.count, layers: report })
  if (options.output === '-') return
  io.print(
    table(
      ['value', 'type', 'signal to noise', 'saturated', 'agreement'],
      report.map((row) =>
        row.agreement === null
          ? [row.name, row.type, `${row.signalToNoiseDb.toFixed(1)} dB`, percent(row.saturated), '']
          : [row.name, row.type, '', '', percent(row.agreement)],
      ),
    ),
  )
  io.print(`\n${options.output}: ${options.scheme}, ${thousands(bytes.length)} bytes, calibrated on ${samples.count} samples (${options.method})`)
}

export const registerQuantize = (program: Command): void => {
  finish(
    program
      .command('quantize')
      .description('quantize a float network; prints the signal-to-quantization-noise ratio of every layer')
      .argument('<network>', 'a float .net file or a model.json')
      .addOption(new Option('--scheme <name>', 'how to quantize').choices(Object.keys(SCHEMES)).default('int8'))
      .requiredOption('--calibrate <data>', 'samples that the board will see: .npy, idx, images, mnist, fashion-mnist')
      .option('--samples <n>', 'how many samples to calibrate on', count(1), 256)
      .addOption(new Option('--method <name>', 'how a range is chosen').choices(CALIBRATION_METHODS).default('minmax'))
      .option('--percentile <p>', 'for --method percentile: share of values kept on each side, 50..100', real, 99.99)
      .option('--scale <factor>', 'factor on byte data (default 1/255)', real)
      .requiredOption('-o, --output <file>', 'the .net file to write; - is stdout')
      .action(run),
    'spikeport quantize digits.net --scheme int8 --calibrate train.npy -o digits.int8.net',
  )
}
