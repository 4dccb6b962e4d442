// Raspberry Pi Pico 2: RP2350, one of its Cortex-M33 cores, 520 KB of RAM, 4 MB of flash. Data for planning; its port is not written, nothing
// ran on silicon.

import type { Board } from '#src/contracts/board.js'

export const rpiPico2: Board = {
  id: 'rpi-pico2',
  name: 'Raspberry Pi Pico 2 (RP2350)',
  core: 'cortex-m33',
  clockHz: 150_000_000,
  memory: {
    firmware: { address: 0x10000000, bytes: 0x20000 },
    slots: [
      { address: 0x10022000, bytes: 0x1ef000 },
      { address: 0x10211000, bytes: 0x1ef000 },
    ],
    eraseBlockBytes: 4096,
    ram: { address: 0x20000000, bytes: 0x82000 },
    arenaBytes: 510_000,
  },
  abilities: { hasFpu: true, simd: 'dsp' },
  baudRate: 115_200,
  firmware: null,
  flashMethods: [{ kind: 'uf2', familyId: 0xe48bff59, driveLabel: 'RP2350', bootMode: 'hold BOOTSEL while plugging the board in' }],
  emulator: null,
  usbIds: ['2e8a:000f', '2e8a:0009'],
  provenBy: 'not run on silicon',
}
