// spikeport flash: puts the spikeport firmware on a board, so that networks can be deployed to it.

import type { Command } from 'commander'
import { boardOf, flashBoard } from '#targets/index.js'
import { processIo, thousands } from '../io.js'
import { finish } from '../options.js'

interface Options {
  readonly board: string
  readonly method?: string
  readonly port?: string
  readonly drive?: string
  readonly image?: string
  readonly output?: string
  readonly json?: boolean
}

const run = async ({ board: id, json, ...options }: Options): Promise<void> => {
  const io = processIo(json === true)
  const board = boardOf(id)
  const report = await flashBoard(board, options)
  io.json({ board: id, ...report })
  io.print(`${id}: ${thousands(report.bytes)} bytes by ${report.method}: ${report.what}`)
  if (board.provenBy === 'not run on silicon') io.note(`note: nobody has reported this on a real ${id} yet`)
}

export const registerFlash = (program: Command): void => {
  finish(
    program
      .command('flash')
      .description('put the firmware on a board')
      .requiredOption('--board <id>', 'a board of "spikeport list boards"')
      .option('--method <name>', 'uf2, drive, or a program (openocd, pyocd, st-flash, esptool.py); default: the first of the board')
      .option('--port <port>', 'serial port, for programs that need it')
      .option('--drive <folder>', 'where the drive of the board is mounted (default: looked for)')
      .option('--image <file>', 'another raw image than the shipped one')
      .option('-o, --output <file>', 'write the file that belongs on the drive here, and stop')
      .action(run),
    'spikeport flash --board rpi-pico\nspikeport flash --board rpi-pico -o rpi-pico.uf2',
  )
}
