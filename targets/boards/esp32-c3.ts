// Espressif ESP32-C3: RV32IMC at 160 MHz, 400 KB of RAM, 4 MB of flash. Data for planning; its port is not written, nothing ran on silicon.

import type { Board } from '#src/contracts/board.js'

export const esp32C3: Board = {
  id: 'esp32-c3',
  name: 'Espressif ESP32-C3',
  core: 'rv32imc',
  clockHz: 160_000_000,
  memory: {
    firmware: { address: 0, bytes: 0x100000 },
    slots: [
      { address: 0x102000, bytes: 0x100000 },
      { address: 0x202000, bytes: 0x100000 },
    ],
    eraseBlockBytes: 4096,
    ram: { address: 0x3fc80000, bytes: 0x60000 },
    arenaBytes: 300_000,
  },
  abilities: { hasFpu: false, simd: null },
  baudRate: 115_200,
  firmware: null,
  flashMethods: [
    {
      kind: 'command',
      tool: 'esptool.py',
      arguments: ['--chip', 'esp32c3', '--port', '{port}', '--baud', '460800', 'write_flash', '{address}', '{image}'],
      install: 'pip install esptool',
    },
  ],
  emulator: null,
  usbIds: ['303a:1001'],
  provenBy: 'not run on silicon',
}
