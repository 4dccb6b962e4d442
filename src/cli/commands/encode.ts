// spikeport encode: a spike encoder in front of a float network.

import { type Command, Option } from 'commander'
import { type EncodeOptions, encode } from '../../encode/index.js'
import { saveNetwork } from '../../network/net-file.js'
import { ENCODE_CODES, type EncodeCode } from '../../network/operators/encode.js'
import { simplify } from '../../simplify/index.js'
import { processIo, thousands } from '../io.js'
import { openFloat } from '../networks.js'
import { count, finish, real, writeResult } from '../options.js'

interface Options {
  readonly kind: EncodeCode
  readonly steps?: number
  readonly seed?: number
  readonly threshold?: number
  readonly output: string
  readonly json?: boolean
}

const run = async (source: string, { kind, output, json, ...rest }: Options): Promise<void> => {
  const io = processIo(json === true)
  const options: EncodeOptions = { code: kind, ...rest }
  const network = encode(simplify(await openFloat(source)), options)
  const bytes = saveNetwork(network)
  await writeResult(output, bytes, io)
  io.json({ output, bytes: bytes.length, kind, steps: network.time?.steps })
  if (output !== '-')
    io.print(`${output}: ${kind} code, ${network.time?.steps} steps, ${thousands(bytes.length)} bytes; next: spikeport quantize ${output} --scheme spiking`)
}

export const registerEncode = (program: Command): void => {
  finish(
    program
      .command('encode')
      .description('put a spike encoder in front of a float network over time')
      .argument('<network>', 'a float .net file or a model.json')
      .addOption(
        new Option('--kind <code>', 'rate: random spikes; latency: one spike, the earlier the larger; delta: changes of a recording')
          .choices([...ENCODE_CODES])
          .default('rate'),
      )
      .option('--steps <n>', 'time steps of a run (default: as the network has, or 15)', count(1))
      .option('--seed <n>', 'of rate (default 1)', count(0))
      .option('--threshold <x>', 'of delta, in real units (default 0.1)', real)
      .requiredOption('-o, --output <file>', 'the .net file to write; - is stdout')
      .action(run),
    'spikeport encode digits.snn.net --kind rate --steps 30 -o digits.rate.net',
  )
}
