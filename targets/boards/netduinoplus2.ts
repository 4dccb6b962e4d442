// Netduino Plus 2 as QEMU has it: STM32F405RG, Cortex-M4F; the slots lie in the upper part of its 128 KB of SRAM. docs/boards/netduinoplus2.md

import type { Board } from '#src/contracts/board.js'

export const netduinoplus2: Board = {
  id: 'netduinoplus2',
  name: 'Netduino Plus 2 (STM32F405RG, cortex-m4f)',
  core: 'cortex-m4f',
  clockHz: 168_000_000,
  memory: {
    firmware: { address: 0x08000000, bytes: 0x20000 },
    slots: [
      { address: 0x20006800, bytes: 0xcc00 },
      { address: 0x20013400, bytes: 0xcc00 },
    ],
    eraseBlockBytes: 1024,
    ram: { address: 0x20000000, bytes: 0x6000 },
    arenaBytes: 16_000,
  },
  abilities: { hasFpu: true, simd: 'dsp' },
  baudRate: 115_200,
  firmware: 'netduinoplus2',
  flashMethods: [],
  emulator: { kind: 'qemu', program: 'qemu-system-arm', machine: 'netduinoplus2', imageOption: '-kernel', ticksPerInstruction: 43.008 },
  usbIds: [],
  provenBy: 'emulator',
}
