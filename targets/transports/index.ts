// How to reach a board: by a port that the user names, or in its emulator.

import { fileURLToPath } from 'node:url'
import type { Board } from '#src/contracts/board.js'
import type { OpenTransport } from '#src/contracts/transport.js'
import { missingTransport } from '#src/errors.js'
import { readBytes } from '#src/files.js'
import { openQemu } from './qemu.js'
import { openRp2040 } from './rp2040.js'
import { openSerial } from './serial.js'
import { openTcp } from './tcp.js'

export interface ConnectOptions {
  /** "/dev/ttyACM0", "COM3", "tcp:127.0.0.1:4000" */
  readonly port?: string
  /** use the board's emulator; default false */
  readonly emulate?: boolean
  /** default: the board's */
  readonly baudRate?: number
  /** firmware image for the emulator; default: the shipped one */
  readonly image?: string
}

/** Path of the shipped firmware image of a board. @throws DEVICE_NO_TRANSPORT where none is shipped */
export const shippedImage = (board: Board): string => {
  if (board.firmware === null) throw missingTransport(board.id, 'has no shipped firmware image', 'Build one: docs/bring-your-own-board.md.')
  const file = `firmware-stubs/images/${board.firmware}.bin`
  const here = import.meta.url
  return fileURLToPath(new URL(here.includes('/dist/targets/') ? `../../../${file}` : `../../${file}`, here))
}

const openEmulator = async (board: Board, imagePath: string | undefined): Promise<OpenTransport> => {
  const { emulator } = board
  if (emulator === null) {
    const note = 'Connect it and name its port with --port, or try the same network on an emulated board: --board rpi-pico --emulate.'
    throw missingTransport(board.id, 'has no emulator', note)
  }
  const image = imagePath ?? shippedImage(board)
  if (emulator.kind === 'qemu') return openQemu(board.id, emulator, image, board.baudRate)
  return openRp2040(board.id, await readBytes(image))
}

/**
 * The line to a board.
 * @throws USAGE, DEVICE_NO_TRANSPORT; the line itself throws when it is opened
 * @example
 * const device = await connectDevice(board, await transportFor(board, { emulate: true }))
 */
export const transportFor = async (board: Board, options: ConnectOptions): Promise<OpenTransport> => {
  if (options.emulate === true) return openEmulator(board, options.image)
  if (options.port === undefined) {
    throw missingTransport(board.id, 'needs a port', 'Name it with --port ("spikeport ports" lists them), or use --emulate.')
  }
  return options.port.startsWith('tcp:') ? openTcp(options.port, board.id) : openSerial(options.port, board.id, options.baudRate ?? board.baudRate)
}
