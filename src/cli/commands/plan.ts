// spikeport plan: what a network needs before it is on a board: RAM and flash to the byte, multiply-accumulates, layer by layer.

import type { Command } from 'commander'
import { plan } from '../../plan/index.js'
import { processIo, table, thousands } from '../io.js'
import { openInteger } from '../networks.js'
import { finish } from '../options.js'

const run = async (source: string, options: { json?: boolean }): Promise<void> => {
  const io = processIo(options.json === true)
  const result = plan(await openInteger(source))
  io.json(result)
  const rows = result.nodes.map((node) => [
    node.name,
    node.kind,
    node.shape.join('x'),
    thousands(node.macs),
    thousands(node.constantBytes),
    thousands(node.liveBytes),
    node.offset,
  ])
  io.print(table(['layer', 'operator', 'output', 'MACs', 'constants', 'live bytes', 'arena offset'], rows))
  io.print()
  io.print(
    `arena ${thousands(result.arenaBytes)} bytes (${thousands(result.idealBytes)} where buffers never overlap), flash ${thousands(result.flashBytes)} bytes, ${thousands(result.macs)} MACs`,
  )
}

export const registerPlan = (program: Command): void => {
  finish(
    program
      .command('plan')
      .description('show memory and work of an integer network, layer by layer, exact to the byte')
      .argument('<network>', 'an integer .net file, or the name of a shipped model')
      .action(run),
    'spikeport plan digits.int8.net',
  )
}
