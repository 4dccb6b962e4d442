// spikeport ports: the serial ports of this machine, and which board each is likely to be.

import type { Command } from 'commander'
import { BOARDS, listPorts } from '#targets/index.js'
import { processIo, table } from '../io.js'
import { finish } from '../options.js'

const run = async (options: { json?: boolean }): Promise<void> => {
  const io = processIo(options.json === true)
  const ports = await listPorts(BOARDS)
  for (const port of ports) io.json(port)
  if (ports.length === 0) io.print('no serial ports; plug a board in, or use --emulate')
  else
    io.print(
      table(
        ['port', 'board', 'USB id', 'manufacturer', 'serial number'],
        ports.map((port) => [port.path, port.boards.join(' or '), port.usbId ?? '', port.manufacturer ?? '', port.serialNumber ?? '']),
      ),
    )
}

export const registerPorts = (program: Command): void => {
  finish(program.command('ports').description('list serial ports and the boards they may be').action(run), 'spikeport ports')
}
