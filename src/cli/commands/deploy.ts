// spikeport deploy: puts a network onto a board that runs the spikeport firmware, makes it the active one and lets the board test itself.

import type { Command } from 'commander'
import { type Device, deviceFile, type LoadResult } from '#runtimes/device/index.js'
import type { Network } from '../../network/types.js'
import { type DeviceOptions, withDevice, withDeviceOptions } from '../devices.js'
import { type Io, processIo, thousands } from '../io.js'
import { openInteger } from '../networks.js'
import { finish } from '../options.js'

interface Options extends DeviceOptions {
  readonly json?: boolean
}

const load = async (io: Io, device: Device, bytes: Uint8Array): Promise<LoadResult> => {
  const progress = io.progress('load', bytes.length)
  try {
    return await device.load(bytes, { onProgress: (stored) => progress.update(stored) })
  } finally {
    progress.stop()
  }
}

const describe = (result: LoadResult, bytes: number): string => {
  if (result.wasActive) return 'was on the board already'
  return result.resumedAt === 0
    ? `${thousands(bytes)} bytes loaded`
    : `${thousands(bytes)} bytes loaded, from byte ${thousands(result.resumedAt)} on, where a load had stopped`
}

const deploy = async (io: Io, device: Device, network: Network<'integer'>): Promise<void> => {
  const bytes = deviceFile(network)
  const result = await load(io, device, bytes)
  await device.selfTest()
  const info = await device.info()
  io.json({ board: device.board.id, port: device.port, network: network.name, bytes: bytes.length, ...result, arenaBytes: info?.arenaBytes, slot: info?.slot })
  io.print(`${network.name}: ${describe(result, bytes.length)}`)
  io.print(
    `${device.board.id} (${device.port}) runs it: arena ${thousands(info?.arenaBytes ?? 0)} bytes, slot ${info?.slot}; the board's self-test gave the expected bytes`,
  )
}

const run = async (source: string, options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const network = await openInteger(source)
  await withDevice(options, (device) => deploy(io, device, network))
}

export const registerDeploy = (program: Command): void => {
  const command = program
    .command('deploy')
    .description('load a network onto a board and make it the active one')
    .argument('<network>', 'an integer .net file, or the name of a shipped model')
  finish(
    withDeviceOptions(command).action(run),
    'spikeport deploy digits.int8.net --board rpi-pico --port /dev/ttyACM0\nspikeport deploy mnist-cnn --board rpi-pico --emulate',
  )
}
