// The ports of this machine, and which board each most likely is.

import type { Board } from '#src/contracts/board.js'
import { listSerialPorts, type SerialPortInfo } from './transports/serial.js'

export interface PortInfo extends SerialPortInfo {
  /** ids of boards with this USB id; empty: unknown */
  readonly boards: readonly string[]
}

/** Serial ports with the boards they may be, those first. @throws TOOL_MISSING */
export const listPorts = async (boards: readonly Board[]): Promise<readonly PortInfo[]> => {
  const ports = (await listSerialPorts()).map((port) => ({
    ...port,
    boards: boards.filter((board) => port.usbId !== null && board.usbIds.includes(port.usbId)).map((board) => board.id),
  }))
  return ports.sort((a, b) => b.boards.length - a.boards.length || a.path.localeCompare(b.path))
}
