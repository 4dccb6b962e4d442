// spikeport reset: restarts a board, or brings it into its bootloader.

import type { Command } from 'commander'
import { type DeviceOptions, withDevice, withDeviceOptions } from '../devices.js'
import { processIo } from '../io.js'
import { finish } from '../options.js'

interface Options extends DeviceOptions {
  readonly bootloader?: boolean
  readonly json?: boolean
}

const run = async (options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const kind = options.bootloader === true ? 'bootloader' : 'restart'
  await withDevice(options, async (device) => {
    await device.reset(kind)
    io.json({ board: device.board.id, port: device.port, reset: kind })
    io.print(
      kind === 'restart' ? `${device.board.id} (${device.port}) was restarted and answers` : `${device.board.id} (${device.port}) was sent into its bootloader`,
    )
  })
}

export const registerReset = (program: Command): void => {
  const command = program.command('reset').description('restart a board').option('--bootloader', 'start the bootloader instead, for "spikeport flash"')
  finish(withDeviceOptions(command).action(run), 'spikeport reset --board rpi-pico --port /dev/ttyACM0')
}
