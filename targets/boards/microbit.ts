// BBC micro:bit v1: nRF51822, Cortex-M0, 16 KB of RAM, 256 KB of flash. docs/boards/microbit.md

import type { Board } from '#src/contracts/board.js'

export const microbit: Board = {
  id: 'microbit',
  name: 'BBC micro:bit v1 (nRF51822)',
  core: 'cortex-m0',
  clockHz: 16_000_000,
  memory: {
    firmware: { address: 0, bytes: 0xc000 },
    slots: [
      { address: 0xc800, bytes: 0x19c00 },
      { address: 0x26400, bytes: 0x19c00 },
    ],
    eraseBlockBytes: 1024,
    ram: { address: 0x20000000, bytes: 0x4000 },
    arenaBytes: 12_000,
  },
  abilities: { hasFpu: false, simd: null },
  baudRate: 115_200,
  firmware: 'microbit',
  flashMethods: [
    { kind: 'drive', driveLabel: 'MICROBIT' },
    { kind: 'command', tool: 'pyocd', arguments: ['flash', '-t', 'nrf51', '--base-address', '{address}', '{image}'], install: 'pip install pyocd' },
  ],
  emulator: { kind: 'qemu', program: 'qemu-system-arm', machine: 'microbit', imageOption: '-kernel', ticksPerInstruction: 4.096 },
  usbIds: ['0d28:0204'],
  provenBy: 'emulator',
}
