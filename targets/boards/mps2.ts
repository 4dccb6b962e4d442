// Arm's MPS2 FPGA board with three of its images: Cortex-M3, M4F and M7. They differ in the core only.

import type { Board } from '#src/contracts/board.js'

const mps2 = (id: string, core: Board['core'], hasFpu: boolean): Board => ({
  id,
  name: `Arm MPS2, image ${id.slice(5).toUpperCase()} (${core})`,
  core,
  clockHz: 25_000_000,
  memory: {
    firmware: { address: 0, bytes: 0x80000 },
    slots: [
      { address: 0x102000, bytes: 0x100000 },
      { address: 0x202000, bytes: 0x100000 },
    ],
    eraseBlockBytes: 4096,
    ram: { address: 0x20000000, bytes: 0x100000 },
    arenaBytes: 1_035_000,
  },
  abilities: { hasFpu, simd: core === 'cortex-m3' ? null : 'dsp' },
  baudRate: 115_200,
  firmware: id,
  flashMethods: [],
  emulator: { kind: 'qemu', program: 'qemu-system-arm', machine: id, imageOption: '-kernel', ticksPerInstruction: 6.4 },
  usbIds: [],
  provenBy: 'emulator',
})

export const mps2An385 = mps2('mps2-an385', 'cortex-m3', false)
export const mps2An386 = mps2('mps2-an386', 'cortex-m4f', true)
export const mps2An500 = mps2('mps2-an500', 'cortex-m7', true)
