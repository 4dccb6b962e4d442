// spikeport plan: what a network needs before it is on a board: RAM and flash to the byte, multiply-accumulates, layer by layer; and whether
// it fits a board, or which boards it would fit.

import type { Command } from 'commander'
import { BOARDS, boardOf, boardsThatFit, type Fit, fitOn } from '#targets/index.js'
import { doesNotFit } from '../../errors.js'
import { type Plan, plan } from '../../plan/index.js'
import { type Io, processIo, table, thousands } from '../io.js'
import { openInteger } from '../networks.js'
import { finish } from '../options.js'

interface Options {
  readonly board?: string
  readonly json?: boolean
}

const printPlan = (io: Io, result: Plan): void => {
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

const heaviestLayer = ({ nodes }: Plan): string => {
  const [heaviest] = [...nodes].sort((a, b) => b.constantBytes - a.constantBytes)
  return `the constants of layer "${heaviest?.name}" alone take ${heaviest?.constantBytes} bytes`
}

/** Refuses a board that is too small, naming the tensor that takes most and the boards that would do. @throws DOES_NOT_FIT */
const refuse = (result: Plan, fit: Fit): never => {
  const isRam = fit.freeRamBytes < 0
  const [needed, free] = isRam ? [result.arenaBytes, fit.freeRamBytes] : [result.flashBytes, fit.freeFlashBytes]
  const others = boardsThatFit(result, BOARDS).map(({ id }) => id)
  const culprit = isRam
    ? `during layer "${fit.largestLayer}" the tensor "${fit.largestTensor}" alone takes ${fit.largestTensorBytes} bytes`
    : heaviestLayer(result)
  throw doesNotFit(
    result.name,
    fit.board,
    isRam ? 'RAM' : 'flash',
    needed,
    needed + free,
    `${culprit}. It fits ${others.length === 0 ? 'no board of the list' : others.join(', ')}.`,
  )
}

const run = async (source: string, options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const board = options.board === undefined ? null : boardOf(options.board)
  const result = plan(await openInteger(source))
  const fit = board === null ? null : fitOn(result, board)
  io.json(fit === null ? result : { ...result, fit })
  printPlan(io, result)
  if (fit === null) return
  if (!fit.fits) refuse(result, fit)
  io.print(`fits ${fit.board}: ${thousands(fit.freeRamBytes)} bytes of RAM and ${thousands(fit.freeFlashBytes)} bytes of its network slot stay free`)
}

export const registerPlan = (program: Command): void => {
  finish(
    program
      .command('plan')
      .description('show memory and work of an integer network, layer by layer, exact to the byte')
      .argument('<network>', 'an integer .net file, or the name of a shipped model')
      .option('--board <id>', 'does it fit this board, and if not, which would do? (spikeport list boards)')
      .action(run),
    'spikeport plan digits.int8.net --board rpi-pico',
  )
}
