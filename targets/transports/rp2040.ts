// A Raspberry Pi Pico in this process: rp2040js runs the firmware image, its UART0 is the line. Programming flash, which rp2040js lacks, is done
// here when the firmware calls the boot ROM for it.

import type { RP2040 } from 'rp2040js'
import type { OpenTransport, TransportListener } from '#src/contracts/transport.js'
import { failedEmulator, missingTool } from '#src/errors.js'
import { BOOT2_ADDRESS, BOOT2_BYTES, bootRom, isBootable, ROM_FUNCTIONS, type RomFunction } from './boot-rom.js'

const RAM_ADDRESS = 0x20000000
const FLASH_MASK = 0xffffff
const CYCLE_NANOS = 8
/** Instructions between two looks at the event loop: a few milliseconds. */
const SLICE_INSTRUCTIONS = 40_000
/** Instructions between two looks at the bytes that wait for the UART. */
const FEED_INTERVAL = 32
const WATCHDOG = 0x40058
const UART_FLAGS = 0x18
const RECEIVE_EMPTY = 0x10
const RECEIVE_FULL = 0x40

const loadPackage = async (): Promise<typeof import('rp2040js')> => {
  try {
    return await import('rp2040js')
  } catch (error) {
    throw missingTool('the npm package rp2040js', 'emulate rpi-pico', 'Run "npm install" in the project again.', error)
  }
}

/** What the ROM's flash functions do: erase(offset, count) and program(offset, address, count). */
const flashWork = (mcu: RP2040): Readonly<Partial<Record<RomFunction, (r0: number, r1: number, r2: number) => void>>> => ({
  RE: (offset, count) => mcu.flash.fill(0xff, offset & FLASH_MASK, (offset & FLASH_MASK) + count),
  RP: (offset, address, count) => {
    for (let i = 0; i < count; i++) {
      const at = (offset + i) & FLASH_MASK
      mcu.flash[at] = (mcu.flash[at] as number) & mcu.readUint8(address + i)
    }
  },
})

/** Starts the chip as its ROM does: the second stage is copied to RAM and called with a return address of 0. */
const boot = (mcu: RP2040): void => {
  const { core } = mcu
  mcu.sram.set(mcu.flash.subarray(0, BOOT2_BYTES), BOOT2_ADDRESS - RAM_ADDRESS)
  core.reset()
  Object.assign(core, { PM: false, IPSR: 0, waiting: false, pendingInterrupts: 0, enabledInterrupts: 0, pendingSystick: false, VTOR: 0 })
  core.LR = 0
  core.SP = BOOT2_ADDRESS
  core.PC = BOOT2_ADDRESS
}

/** The chip with its UART: bytes in, bytes out, and work in slices. */
interface Chip {
  /** Bytes for the UART; `taken` is called when the last went in. */
  readonly feed: (bytes: Uint8Array, taken: () => void) => void
  /** Runs some milliseconds; true where there is more to do, false where the chip sleeps until a byte comes. */
  readonly runSlice: () => boolean
  /** Bytes sent since the last call. */
  readonly takeSent: () => Uint8Array
}

const createChip = async (image: Uint8Array, options: Rp2040Options): Promise<Chip> => {
  const { RP2040: Mcu, LogLevel, ConsoleLogger } = await loadPackage()
  const mcu = new Mcu()
  mcu.logger = Object.assign(new ConsoleLogger(LogLevel.Error, false), { error: () => {} })
  if (options.flash !== undefined) mcu.flash.set(options.flash)
  mcu.flash.set(image)
  mcu.bootrom.set(bootRom())

  const work = flashWork(mcu)
  mcu.onBreak = (number) => {
    const name = ROM_FUNCTIONS[number]
    const [r0, r1, r2] = mcu.core.registers as unknown as [number, number, number]
    if (name === undefined) throw new Error(`breakpoint ${number} at ${mcu.core.PC.toString(16)}`)
    work[name]?.(r0, r1, r2)
  }

  const uart = mcu.uart[0] as (typeof mcu.uart)[number]
  const sent: number[] = []
  uart.onByte = (byte) => void sent.push(byte)
  const hasFlag = (flag: number): boolean => (uart.readUint32(UART_FLAGS) & flag) !== 0

  let isRestarting = false
  const watchdog = (mcu.peripherals as Record<number, { onWatchdogTrigger?: () => void }>)[WATCHDOG]
  if (watchdog !== undefined) {
    watchdog.onWatchdogTrigger = () => {
      isRestarting = true
    }
  }

  const waiting: { readonly bytes: Uint8Array; readonly taken: () => void; at: number }[] = []
  const refill = (): void => {
    for (let first = waiting[0]; first !== undefined && !hasFlag(RECEIVE_FULL); first = waiting[0]) {
      uart.feedByte(first.bytes[first.at++] as number)
      if (first.at === first.bytes.length) waiting.shift()?.taken()
    }
  }
  const isAsleep = (): boolean => mcu.core.waiting && waiting.length === 0 && hasFlag(RECEIVE_EMPTY)
  const { clock } = mcu as unknown as { clock: { tick: (nanos: number) => void } }

  const runSlice = (): boolean => {
    for (let i = 0; i < SLICE_INSTRUCTIONS; i++) {
      if (i % FEED_INTERVAL === 0 && waiting.length > 0) refill()
      if (mcu.core.waiting && isAsleep()) return false
      mcu.core.waiting = false
      clock.tick(mcu.core.executeInstruction() * CYCLE_NANOS)
      if (isRestarting) {
        isRestarting = false
        boot(mcu)
      }
    }
    return true
  }

  boot(mcu)
  return {
    feed: (bytes, taken) => void waiting.push({ bytes: bytes.slice(), taken, at: 0 }),
    runSlice,
    takeSent: () => Uint8Array.from(sent.splice(0)),
  }
}

/** Runs a chip between the other work of this process, as long as it has something to do. */
const runChip = (chip: Chip, listener: TransportListener, fail: (what: string) => void) => {
  let isRunning = false
  let isStopped = false
  const turn = (): void => {
    isRunning = false
    if (isStopped) return
    try {
      isRunning = chip.runSlice()
    } catch (error) {
      isStopped = true
      fail(error instanceof Error ? error.message : String(error))
      return
    }
    const sent = chip.takeSent()
    if (sent.length > 0) listener.onBytes(sent)
    if (isRunning) setImmediate(turn)
  }
  return {
    wake: (): void => {
      if (isRunning || isStopped) return
      isRunning = true
      setImmediate(turn)
    },
    stop: (): void => {
      isStopped = true
    },
  }
}

export interface Rp2040Options {
  /** flash content from an earlier run; default: erased, but for the image */
  readonly flash?: Uint8Array
}

/** Opens a Pico in this process with a raw firmware image. @throws DEVICE_EMULATOR_FAILED where the image would not boot */
export const openRp2040 =
  (board: string, image: Uint8Array, options: Rp2040Options = {}): OpenTransport =>
  async (listener) => {
    const place = { board, port: 'rp2040js' }
    if (!isBootable(image)) throw failedEmulator(place, 'the image has no valid second boot stage')
    const chip = await createChip(image, options)
    const release = new Set<() => void>()
    let isOpen = true
    const end = (error: Parameters<TransportListener['onClose']>[0]): void => {
      if (!isOpen) return
      isOpen = false
      runner.stop()
      for (const resolve of release) resolve()
      listener.onClose(error)
    }
    const runner = runChip(chip, listener, (what) => end(failedEmulator(place, what)))
    runner.wake()
    return {
      port: 'rp2040js',
      baudRate: null,
      isEmulated: true,
      write: (bytes) =>
        new Promise((resolve) => {
          if (!isOpen || bytes.length === 0) return resolve()
          release.add(resolve)
          chip.feed(bytes, () => {
            release.delete(resolve)
            resolve()
          })
          runner.wake()
        }),
      close: async () => end(null),
    }
  }
