// Opening engines by the names of --on, and closing them whatever happens.

import { type Device, deviceRuntime } from '#runtimes/device/index.js'
import { openRuntime } from '#runtimes/index.js'
import type { Engine } from '../check/index.js'
import { usage } from '../errors.js'
import type { Network } from '../network/types.js'
import { isBoardName, openBoard } from './devices.js'

/** Loads a network on every engine of a comma-separated list ("rpi-pico" is that board's emulator, "rpi-pico@/dev/ttyACM0" the board), runs `work`, closes them all. */
export const withEngines = async <T>(list: string, network: Network<'integer'>, work: (engines: readonly Engine[]) => Promise<T>): Promise<T> => {
  const names = list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (names.length === 0) throw usage('--on names no engine.', 'For example --on reference,wasm,onnx.')
  const engines: Engine[] = []
  const devices: Device[] = []
  const runtimeOf = async (name: string) => {
    if (!isBoardName(name)) return openRuntime(name)
    const device = await openBoard(name)
    devices.push(device)
    return deviceRuntime(device)
  }
  try {
    for (const name of names) engines.push({ name, session: await (await runtimeOf(name)).load(network) })
    return await work(engines)
  } finally {
    for (const { session } of engines) await session.close()
    for (const device of devices) await device.close()
  }
}
