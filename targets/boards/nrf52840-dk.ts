// Nordic nRF52840 DK: Cortex-M4F, 256 KB of RAM, 1 MB of flash. Data for planning; its port is not written, nothing ran on silicon.

import type { Board } from '#src/contracts/board.js'

export const nrf52840Dk: Board = {
  id: 'nrf52840-dk',
  name: 'Nordic nRF52840 DK',
  core: 'cortex-m4f',
  clockHz: 64_000_000,
  memory: {
    firmware: { address: 0, bytes: 0x20000 },
    slots: [
      { address: 0x22000, bytes: 0x6f000 },
      { address: 0x91000, bytes: 0x6f000 },
    ],
    eraseBlockBytes: 4096,
    ram: { address: 0x20000000, bytes: 0x40000 },
    arenaBytes: 245_000,
  },
  abilities: { hasFpu: true, simd: 'dsp' },
  baudRate: 115_200,
  firmware: null,
  flashMethods: [
    { kind: 'command', tool: 'pyocd', arguments: ['flash', '-t', 'nrf52840', '--base-address', '{address}', '{image}'], install: 'pip install pyocd' },
    {
      kind: 'command',
      tool: 'openocd',
      arguments: ['-f', 'interface/jlink.cfg', '-c', 'transport select swd', '-f', 'target/nrf52.cfg', '-c', 'program {image} {address} verify reset exit'],
      install: 'Debian: apt-get install openocd',
    },
  ],
  emulator: null,
  usbIds: ['1366:1015', '1366:1051', '1366:0105'],
  provenBy: 'not run on silicon',
}
