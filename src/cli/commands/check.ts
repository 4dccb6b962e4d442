// spikeport check: do all engines give the same bytes? Exit code 1 where they do not, with the first layer, channel and element that differs.

import type { Command } from 'commander'
import { compareEngines, type EngineResult } from '../../check/index.js'
import { testInputs } from '../../check/inputs.js'
import type { Batch } from '../../contracts/runtime.js'
import type { Network } from '../../network/types.js'
import { withEngines } from '../engines.js'
import { type Io, processIo, thousands } from '../io.js'
import { openInteger } from '../networks.js'
import { count, finish, real } from '../options.js'
import { readSamples, toBatch } from '../samples.js'

interface Options {
  readonly on: string
  readonly data?: string
  readonly limit: number
  readonly scale?: number
  readonly seed: number
  readonly json?: boolean
}

const inputs = async (network: Network<'integer'>, options: Options): Promise<Batch> => {
  if (options.data === undefined) return testInputs(network, options.limit, options.seed)
  return toBatch(
    network,
    await readSamples(options.data, network, { limit: options.limit, split: 'test', ...(options.scale === undefined ? {} : { scale: options.scale }) }),
  )
}

const printResult = (io: Io, result: EngineResult, truth: string): void => {
  io.print(`${result.engine}: ${thousands(result.differing)} of ${thousands(result.bytes)} output bytes differ from ${truth}`)
  const first = result.first
  if (first === null) return
  io.print(
    `  first: sample ${first.sample}, layer "${first.node}", channel ${first.channel}, element ${first.element}: ${first.actual} instead of ${first.expected}`,
  )
}

const run = async (source: string, options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const network = await openInteger(source)
  const batch = await inputs(network, options)
  await withEngines(options.on, network, async (engines) => {
    const results = await compareEngines(network, engines, batch)
    const truth = results[0]?.engine ?? ''
    for (const result of results) io.json({ ...result, samples: batch.count })
    for (const result of results.slice(1)) printResult(io, result, truth)
    if (results.length === 1) io.print(`${truth}: ran ${batch.count} samples, nothing to compare with`)
    if (results.some(({ differing }) => differing > 0)) process.exitCode = 1
  })
}

export const registerCheck = (program: Command): void => {
  finish(
    program
      .command('check')
      .description('run the same inputs on several engines and compare every output byte with the first one')
      .argument('<network>', 'an integer .net file, or the name of a shipped model')
      .option('--on <engines>', 'comma-separated: reference, wasm, onnx', 'reference,wasm,onnx')
      .option('--data <data>', 'samples: .npy, idx, images, mnist, fashion-mnist (default: generated inputs with extremes)')
      .option('--limit <n>', 'how many samples', count(1), 20)
      .option('--scale <factor>', 'factor on byte data (default 1/255)', real)
      .option('--seed <n>', 'seed of generated inputs', count(0), 1)
      .action(run),
    'spikeport check digits.int8.net --on reference,wasm,onnx',
  )
}
