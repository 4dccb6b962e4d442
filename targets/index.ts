// The boards, and how to reach them: one line a board.

import type { Board } from '#src/contracts/board.js'
import { usage } from '#src/errors.js'
import { esp32C3 } from './boards/esp32-c3.js'
import { host } from './boards/host.js'
import { microbit } from './boards/microbit.js'
import { mps2An385, mps2An386, mps2An500 } from './boards/mps2.js'
import { mps3An547 } from './boards/mps3-an547.js'
import { netduinoplus2 } from './boards/netduinoplus2.js'
import { nrf52840Dk } from './boards/nrf52840-dk.js'
import { nucleoL4r5zi } from './boards/nucleo-l4r5zi.js'
import { riscv32Virt } from './boards/riscv32-virt.js'
import { rpiPico } from './boards/rpi-pico.js'
import { rpiPico2 } from './boards/rpi-pico2.js'

export { type CameraAddress, parseCameraAddress } from './cameras/address.js'
export { cameraFor } from './cameras/index.js'
export { openPty, type Pty } from './cameras/pty.js'
export { boardsThatFit, type Fit, fitOn } from './fit.js'
export { type FlashOptions, type FlashReport, flashBoard } from './flash/index.js'
export { decodeUf2, encodeUf2 } from './flash/uf2.js'
export { listPorts, type PortInfo } from './ports.js'
export { type ConnectOptions, transportFor } from './transports/index.js'

/** Every board spikeport knows, by id. */
export const BOARDS: readonly Board[] = [
  rpiPico,
  microbit,
  mps2An385,
  mps2An386,
  mps2An500,
  mps3An547,
  netduinoplus2,
  riscv32Virt,
  nrf52840Dk,
  nucleoL4r5zi,
  esp32C3,
  rpiPico2,
  host,
]

/** The board of an id. @throws USAGE */
export const boardOf = (id: string): Board => {
  const board = BOARDS.find((candidate) => candidate.id === id)
  if (board === undefined) throw usage(`there is no board "${id}".`, `Known boards: ${BOARDS.map((known) => known.id).join(', ')}.`)
  return board
}
