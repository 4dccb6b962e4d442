// spikeport profile: what each layer of a network costs on a board: instructions (in QEMU), cycles or time, per layer and per multiply-accumulate.

import type { Command } from 'commander'
import { deviceRuntime, type ProfileReport, profileNetwork } from '#runtimes/device/index.js'
import { type DeviceOptions, withDevice, withDeviceOptions } from '../devices.js'
import { type Io, processIo, table, thousands } from '../io.js'
import { openInteger } from '../networks.js'
import { finish } from '../options.js'

interface Options extends DeviceOptions {
  readonly json?: boolean
}

const perMac = (count: number, macs: number): string => (macs === 0 ? '' : (count / macs).toFixed(2))

const print = (io: Io, report: ProfileReport): void => {
  const rows = report.rows.map((row) => [
    row.name,
    row.kind,
    thousands(row.macs),
    thousands(row.count),
    perMac(row.count, row.macs),
    `${((100 * row.count) / report.totalCount).toFixed(1)} %`,
  ])
  rows.push(['total', '', thousands(report.totalMacs), thousands(report.totalCount), perMac(report.totalCount, report.totalMacs), ''])
  io.print(table(['layer', 'operator', 'MACs', report.unit, `${report.unit}/MAC`, 'share'], rows))
  io.print()
  const time = report.timeMicros === null ? '' : `, ${thousands(Math.round(report.timeMicros))} microseconds`
  io.print(
    `one inference on ${report.board}: ${thousands(report.totalCount)} ${report.unit}${time}${report.stackBytes === null ? '' : `; most stack in use ${thousands(report.stackBytes)} bytes`}`,
  )
}

const run = async (source: string, options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const network = await openInteger(source)
  await withDevice(options, async (device) => {
    await deviceRuntime(device).load(network)
    const report = await profileNetwork(device, network)
    io.json(report)
    print(io, report)
  })
}

export const registerProfile = (program: Command): void => {
  const command = program
    .command('profile')
    .description('measure a network on a board, layer by layer')
    .argument('<network>', 'an integer .net file, or the name of a shipped model')
  finish(withDeviceOptions(command).action(run), 'spikeport profile mnist-cnn --board mps2-an386 --emulate')
}
