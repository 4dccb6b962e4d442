// What a board is: data only (targets/boards). How to reach it is a Transport, how to program it one of the flash methods below.

/** A range of memory. */
export interface MemoryRegion {
  readonly address: number
  readonly bytes: number
}

/** How the chip gets its firmware; the mechanisms are in targets/flash. */
export type FlashMethod =
  /** copy the .uf2 file onto the drive that the board shows in boot mode */
  | { readonly kind: 'uf2'; readonly familyId: number; readonly driveLabel: string; readonly bootMode: string }
  /** write the raw image with an external program; {image}, {port} and {address} are put in */
  | { readonly kind: 'command'; readonly tool: string; readonly arguments: readonly string[]; readonly install: string }
  /** copy the raw image onto the drive that the board's debug chip shows */
  | { readonly kind: 'drive'; readonly driveLabel: string }

/** What stands in for the board without hardware. */
export type Emulator =
  | { readonly kind: 'rp2040js' }
  | {
      readonly kind: 'qemu'
      /** qemu-system-arm or qemu-system-riscv32 */
      readonly program: string
      readonly machine: string
      /** how the raw image is named on the command line: before it */
      readonly imageOption: '-kernel' | '-bios'
      /** counter ticks of one instruction under -icount shift=8 */
      readonly ticksPerInstruction: number
    }

export interface Board {
  /** kebab-case; the firmware says the same in its hello */
  readonly id: string
  readonly name: string
  readonly core: 'host' | 'cortex-m0' | 'cortex-m0plus' | 'cortex-m3' | 'cortex-m4f' | 'cortex-m7' | 'cortex-m33' | 'cortex-m55' | 'rv32imc'
  readonly clockHz: number
  readonly memory: {
    /** the firmware's own region */
    readonly firmware: MemoryRegion
    /** a network takes one of them, less one erase block */
    readonly slots: readonly [MemoryRegion, MemoryRegion]
    /** of a slot's bookkeeping; a network may have slot bytes - eraseBlockBytes */
    readonly eraseBlockBytes: number
    readonly ram: MemoryRegion
    /** RAM that firmware data, buffers and stack leave for a network's arena */
    readonly arenaBytes: number
  }
  readonly abilities: {
    readonly hasFpu: boolean
    /** 'dsp': Cortex-M SIMD in registers; 'mve': Helium */
    readonly simd: 'dsp' | 'mve' | null
  }
  /** default of --baud */
  readonly baudRate: number
  /** name of the shipped image under firmware-stubs/images, without extension; null: none is shipped */
  readonly firmware: string | null
  readonly flashMethods: readonly FlashMethod[]
  readonly emulator: Emulator | null
  /** USB vendor and product ids ("2e8a:000a") by which "spikeport ports" recognizes it */
  readonly usbIds: readonly string[]
  /** where the port is proven: 'emulator', 'process', or nowhere yet */
  readonly provenBy: 'emulator' | 'process' | 'not run on silicon'
}

/** The longest network that a board's slots take, in bytes. */
export const networkCapacityBytes = (board: Board): number => board.memory.slots[0].bytes - board.memory.eraseBlockBytes
