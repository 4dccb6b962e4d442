// Arm's MPS3 FPGA board, image AN547: Cortex-M55 with Helium.

import type { Board } from '#src/contracts/board.js'

export const mps3An547: Board = {
  id: 'mps3-an547',
  name: 'Arm MPS3, image AN547 (cortex-m55)',
  core: 'cortex-m55',
  clockHz: 32_000_000,
  memory: {
    firmware: { address: 0, bytes: 0x80000 },
    slots: [
      { address: 0x1002000, bytes: 0xff000 },
      { address: 0x1101000, bytes: 0xff000 },
    ],
    eraseBlockBytes: 4096,
    ram: { address: 0x20000000, bytes: 0x80000 },
    arenaBytes: 512_000,
  },
  abilities: { hasFpu: true, simd: 'mve' },
  baudRate: 115_200,
  firmware: 'mps3-an547',
  flashMethods: [],
  emulator: { kind: 'qemu', program: 'qemu-system-arm', machine: 'mps3-an547', imageOption: '-kernel', ticksPerInstruction: 8.192 },
  usbIds: [],
  provenBy: 'emulator',
}
