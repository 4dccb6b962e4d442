// ST NUCLEO-L4R5ZI: Cortex-M4F at 120 MHz, 640 KB of RAM, 2 MB of flash (the MLPerf Tiny board). Data for planning; its port is not written,
// nothing ran on silicon.

import type { Board } from '#src/contracts/board.js'

export const nucleoL4r5zi: Board = {
  id: 'nucleo-l4r5zi',
  name: 'ST NUCLEO-L4R5ZI',
  core: 'cortex-m4f',
  clockHz: 120_000_000,
  memory: {
    firmware: { address: 0x08000000, bytes: 0x20000 },
    slots: [
      { address: 0x08022000, bytes: 0xef000 },
      { address: 0x08111000, bytes: 0xef000 },
    ],
    eraseBlockBytes: 4096,
    ram: { address: 0x20000000, bytes: 0xa0000 },
    arenaBytes: 630_000,
  },
  abilities: { hasFpu: true, simd: 'dsp' },
  baudRate: 115_200,
  firmware: null,
  flashMethods: [
    { kind: 'command', tool: 'st-flash', arguments: ['--reset', 'write', '{image}', '{address}'], install: 'Debian: apt-get install stlink-tools' },
    {
      kind: 'command',
      tool: 'openocd',
      arguments: ['-f', 'interface/stlink.cfg', '-f', 'target/stm32l4x.cfg', '-c', 'program {image} {address} verify reset exit'],
      install: 'Debian: apt-get install openocd',
    },
    { kind: 'drive', driveLabel: 'NOD_L4R5ZI' },
  ],
  emulator: null,
  usbIds: ['0483:374b', '0483:374e'],
  provenBy: 'not run on silicon',
}
