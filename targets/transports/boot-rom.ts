// The few parts of the RP2040's boot ROM that our firmware calls, for the emulator: the table of functions and, behind each, a breakpoint that
// hands over to the emulator. Written from the RP2040 datasheet, section 2.8.3; it holds no code of the real ROM.

import { crc32Mpeg2 } from '../flash/boot2.js'

/** ROM functions by their two-letter codes; the breakpoint's number is the position in this list. */
export const ROM_FUNCTIONS = ['IF', 'EX', 'RE', 'RP', 'FC', 'UB'] as const
export type RomFunction = (typeof ROM_FUNCTIONS)[number]

const TABLE_POINTER = 0x14
const TABLE = 0x40
const CODE = 0x80
const BREAKPOINT = 0xbe00
const RETURN = 0x4770

/** Words of the ROM, to be copied to address 0. */
export const bootRom = (): Uint32Array => {
  const rom = new Uint16Array(256)
  rom[0x10 / 2] = 0x754d // "Mu"
  rom[0x12 / 2] = 0x0101
  rom[TABLE_POINTER / 2] = TABLE
  ROM_FUNCTIONS.forEach((name, i) => {
    rom[TABLE / 2 + 2 * i] = name.charCodeAt(0) | (name.charCodeAt(1) << 8)
    rom[TABLE / 2 + 2 * i + 1] = (CODE + 4 * i) | 1
    rom[CODE / 2 + 2 * i] = BREAKPOINT | i
    rom[CODE / 2 + 2 * i + 1] = RETURN
  })
  return new Uint32Array(rom.buffer)
}

/** Where the ROM copies the second stage to, and starts it. */
export const BOOT2_ADDRESS = 0x20041f00
export const BOOT2_BYTES = 256

/** True where the ROM would start an image: its first 252 bytes and their checksum fit. */
export const isBootable = (image: Uint8Array): boolean =>
  image.length > BOOT2_BYTES && crc32Mpeg2(image.subarray(0, 252)) === new DataView(image.buffer, image.byteOffset).getUint32(252, true)
