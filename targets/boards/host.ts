// The firmware as a process on this machine: for tests, and for work on the protocol.

import type { Board } from '#src/contracts/board.js'

export const host: Board = {
  id: 'host',
  name: 'a process on this machine',
  core: 'host',
  clockHz: 1_000_000_000,
  memory: {
    firmware: { address: 0, bytes: 0 },
    slots: [
      { address: 0x2000, bytes: 0x100000 },
      { address: 0x102000, bytes: 0x100000 },
    ],
    eraseBlockBytes: 4096,
    ram: { address: 0, bytes: 4 * 1024 * 1024 },
    arenaBytes: 4 * 1024 * 1024,
  },
  abilities: { hasFpu: true, simd: null },
  baudRate: 115_200,
  firmware: null,
  flashMethods: [],
  emulator: null,
  usbIds: [],
  provenBy: 'process',
}
