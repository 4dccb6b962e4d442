// Options by which commands name a board, and connecting to it: a port, the one port that has it, or its emulator.

import type { Command } from 'commander'
import { connectDevice, type Device } from '#runtimes/device/index.js'
import { BOARDS, boardOf, type ConnectOptions, listPorts, transportFor } from '#targets/index.js'
import type { Board } from '../contracts/board.js'
import { missingTransport, usage } from '../errors.js'
import { count } from './options.js'

export interface DeviceOptions {
  readonly board: string
  readonly port?: string
  readonly emulate?: boolean
  readonly baud?: number
  readonly image?: string
}

/** Adds --board, --port, --emulate, --baud and --image. */
export const withDeviceOptions = (command: Command): Command =>
  command
    .requiredOption('--board <id>', `one of ${BOARDS.map(({ id }) => id).join(', ')}`)
    .option('--port <port>', 'serial port or tcp:host:port (default: the one port with this board)')
    .option('--emulate', 'use an emulator of the board instead of a port')
    .option('--baud <rate>', 'baud rate of the port (default: the firmware of the board)', count(1))
    .option('--image <file>', 'with --emulate: another firmware image than the shipped one')

/** The port that has the board, by its USB id. @throws DEVICE_NO_TRANSPORT where none or several do */
const findPort = async (board: Board): Promise<string> => {
  const ports = (await listPorts(BOARDS)).filter((port) => port.boards.includes(board.id)).map((port) => port.path)
  if (ports.length === 1) return ports[0] as string
  const found = ports.length === 0 ? 'is on no port that says so' : `is on several ports: ${ports.join(', ')}`
  throw missingTransport(board.id, found, 'Name the port with --port ("spikeport ports" lists them), or use --emulate.')
}

const connectOptions = async (board: Board, options: DeviceOptions): Promise<ConnectOptions> => {
  if (options.emulate === true && options.port !== undefined) throw usage('--emulate and --port exclude each other.', 'Leave one of them out.')
  if (options.emulate === true) return { emulate: true, ...(options.image !== undefined && { image: options.image }) }
  return { port: options.port ?? (await findPort(board)), ...(options.baud !== undefined && { baudRate: options.baud }) }
}

/** Connects to a board, runs `work`, closes the line whatever happens. @throws DeviceError, USAGE */
export const withDevice = async <T>(options: DeviceOptions, work: (device: Device) => Promise<T>): Promise<T> => {
  const board = boardOf(options.board)
  const device = await connectDevice(board, await transportFor(board, await connectOptions(board, options)))
  try {
    return await work(device)
  } finally {
    await device.close()
  }
}

/** True for names of --on that mean a board: "rpi-pico" (its emulator) or "rpi-pico@/dev/ttyACM0". */
export const isBoardName = (name: string): boolean => BOARDS.some(({ id }) => id === name.split('@', 1)[0])

/** Connects to a board named as in --on. The caller closes it. */
export const openBoard = async (name: string): Promise<Device> => {
  const at = name.indexOf('@')
  const board = boardOf(at < 0 ? name : name.slice(0, at))
  return connectDevice(board, await transportFor(board, at < 0 ? { emulate: true } : { port: name.slice(at + 1) }))
}
