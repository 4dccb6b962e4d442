// A board in QEMU as a child process. Its UART is a pseudo terminal, opened with the same serial transport as a real board's port.

import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Emulator } from '#src/contracts/board.js'
import type { OpenTransport } from '#src/contracts/transport.js'
import { failedEmulator, missingTool } from '#src/errors.js'
import { spawnWatched } from './children.js'
import { openSerial } from './serial.js'

type Qemu = Extract<Emulator, { kind: 'qemu' }>

/** One instruction takes 2^8 ns of the guest's time: its counter then counts instructions exactly. */
const INSTRUCTION_SHIFT = 8
const START_MILLIS = 20_000
/** exit code of the shell */
const NO_SUCH_PROGRAM = 127

const PACKAGES: Readonly<Record<string, string>> = {
  'qemu-system-arm': 'On Debian: apt-get install --no-install-recommends qemu-system-arm',
  'qemu-system-riscv32': 'On Debian: apt-get install --no-install-recommends qemu-system-misc',
}

/** Waits for the first line that `pick` makes something of. */
const firstLine = <T>(child: ChildProcess, program: string, board: string, pick: (line: string) => T | null): Promise<T> =>
  new Promise((resolve, reject) => {
    const place = { board, port: program }
    let complaint = ''
    const timer = setTimeout(() => reject(failedEmulator(place, 'it did not start')), START_MILLIS)
    const settle = (finish: () => void): void => {
      clearTimeout(timer)
      finish()
    }
    const reason = (code: number | null) =>
      code === NO_SUCH_PROGRAM
        ? missingTool(program, `emulate ${board}`, PACKAGES[program] ?? '')
        : failedEmulator(place, complaint.trim().split('\n').at(-1) || 'it ended at once')
    child.once('error', (error) => settle(() => reject(failedEmulator(place, error.message))))
    child.once('exit', (code) => settle(() => reject(reason(code))))
    child.stderr?.on('data', (text) => {
      complaint += String(text)
    })
    const look = (line: string): void => {
      const found = pick(line)
      if (found !== null) settle(() => resolve(found))
    }
    for (const stream of [child.stdout, child.stderr]) if (stream !== null) createInterface({ input: stream }).on('line', look)
  })

const programArguments = (qemu: Qemu, image: string): string[] => [
  ...['-M', qemu.machine, '-nographic', '-monitor', 'none', '-S', '-qmp', 'stdio', '-serial', 'pty'],
  ...['-icount', `shift=${INSTRUCTION_SHIFT}`, qemu.imageOption, image],
]

const commands = (...names: readonly string[]): string => names.map((name) => `${JSON.stringify({ execute: name })}\n`).join('')

/** Starts a board in QEMU with a raw firmware image. @throws TOOL_MISSING, DEVICE_EMULATOR_FAILED */
export const openQemu =
  (board: string, qemu: Qemu, image: string, baudRate: number): OpenTransport =>
  async (listener) => {
    const { child, end } = spawnWatched(qemu.program, programArguments(qemu, image))
    try {
      const pty = await firstLine(child, qemu.program, board, (line) => /char device redirected to (\S+)/.exec(line)?.[1] ?? null)
      const serial = await openSerial(pty, board, baudRate)(listener)
      child.stdin?.write(commands('qmp_capabilities', 'cont'))
      const close = async (): Promise<void> => {
        await serial.close()
        await end()
      }
      return { ...serial, port: `${qemu.program} -M ${qemu.machine}`, baudRate: null, isEmulated: true, close }
    } catch (error) {
      await end()
      throw error
    }
  }
