// Raspberry Pi Pico: RP2040, one of its two Cortex-M0+ cores, 264 KB of RAM, 2 MB of flash. docs/boards/rpi-pico.md

import type { Board } from '#src/contracts/board.js'

export const rpiPico: Board = {
  id: 'rpi-pico',
  name: 'Raspberry Pi Pico (RP2040)',
  core: 'cortex-m0plus',
  clockHz: 125_000_000,
  memory: {
    firmware: { address: 0x10000000, bytes: 0x20000 },
    slots: [
      { address: 0x10022000, bytes: 0xef000 },
      { address: 0x10111000, bytes: 0xef000 },
    ],
    eraseBlockBytes: 4096,
    ram: { address: 0x20000000, bytes: 0x42000 },
    arenaBytes: 248_000,
  },
  abilities: { hasFpu: false, simd: null },
  baudRate: 115_200,
  firmware: 'rpi-pico',
  flashMethods: [
    { kind: 'uf2', familyId: 0xe48bff56, driveLabel: 'RPI-RP2', bootMode: 'hold BOOTSEL while plugging the board in' },
    {
      kind: 'command',
      tool: 'openocd',
      arguments: ['-f', 'interface/cmsis-dap.cfg', '-f', 'target/rp2040.cfg', '-c', 'adapter speed 5000', '-c', 'program {image} {address} verify reset exit'],
      install: 'Debian: apt-get install openocd',
    },
  ],
  emulator: { kind: 'rp2040js' },
  usbIds: ['2e8a:0003', '2e8a:000a', '2e8a:000c'],
  provenBy: 'emulator',
}
