// QEMU's RISC-V machine "virt" as a small RV32IMC chip.

import type { Board } from '#src/contracts/board.js'

export const riscv32Virt: Board = {
  id: 'riscv32-virt',
  name: 'QEMU virt (RV32IMC)',
  core: 'rv32imc',
  clockHz: 160_000_000,
  memory: {
    firmware: { address: 0x80000000, bytes: 0x100000 },
    slots: [
      { address: 0x80102000, bytes: 0x100000 },
      { address: 0x80202000, bytes: 0x100000 },
    ],
    eraseBlockBytes: 4096,
    ram: { address: 0x80400000, bytes: 0x100000 },
    arenaBytes: 1_035_000,
  },
  abilities: { hasFpu: false, simd: null },
  baudRate: 115_200,
  firmware: 'riscv32-virt',
  flashMethods: [],
  emulator: { kind: 'qemu', program: 'qemu-system-riscv32', machine: 'virt', imageOption: '-bios', ticksPerInstruction: 256 },
  usbIds: [],
  provenBy: 'emulator',
}
