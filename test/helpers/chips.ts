// Chips in emulation: builds firmware-stubs/bench with a chip's kernels, lays networks with inputs and expected outputs into the emulator's memory,
// and reads back what differs, the instructions of each node and the stack. Used by test/boards and bench/chips.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { eventnetBytes } from '#src/eventnet/index.js'
import { evaluate } from '#src/network/evaluate.js'
import type { ElementArray, Network } from '#src/network/types.js'
import { planArena } from '#src/plan/arena.js'

const FIRMWARE = resolve(import.meta.dirname, '../../firmware-stubs')

/** Operator codes of firmware-stubs/shared/operators.def, as rows.h names them. */
export type OperatorRow =
  | 'DENSE'
  | 'CONV2D'
  | 'DEPTHWISE'
  | 'DEPTHWISE_UNIT'
  | 'AVERAGE_POOL'
  | 'MAX_POOL'
  | 'ADD'
  | 'CONCAT'
  | 'RESHAPE'
  | 'RELU'
  | 'SOFTMAX'
  | 'GENERAL_DENSE'
  | 'GENERAL_CONV2D'
  | 'GENERAL_DEPTHWISE'
  | 'GENERAL_MAX_POOL'

export interface Chip {
  readonly name: string
  /** folder of firmware-stubs/core with the kernels; null: the plain ones */
  readonly kernels: string | null
  /** files of core/blocked that the chip links */
  readonly blocked: readonly string[]
  readonly machine: string
  readonly compiler: 'arm-none-eabi' | 'riscv64-unknown-elf'
  readonly flags: readonly string[]
  readonly script: string
  readonly startup: string
  readonly batchAddress: number
  /** with -icount shift=3 */
  readonly instructionsPerTick: number
}

const MPS2 = { compiler: 'arm-none-eabi', script: 'mps2.ld', startup: 'cortex-m.c', batchAddress: 0x21000000, instructionsPerTick: 5 } as const
/** Files of core/blocked that each folder of kernels uses, as the firmware images link them. */
const BLOCKED = JSON.parse(readFileSync(join(FIRMWARE, 'core/kernel-sets.json'), 'utf8')) as Readonly<
  Record<'armv6m' | 'dsp' | 'mve' | 'rv32', readonly string[]>
>

export const CHIPS = {
  m0plus: { ...MPS2, name: 'Cortex-M0+', kernels: 'armv6m', blocked: BLOCKED.armv6m, machine: 'mps2-an385', flags: ['-mcpu=cortex-m0plus', '-mthumb'] },
  m4f: {
    ...MPS2,
    name: 'Cortex-M4F',
    kernels: 'dsp',
    blocked: BLOCKED.dsp,
    machine: 'mps2-an386',
    flags: ['-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=hard', '-mfpu=fpv4-sp-d16'],
  },
  m7: {
    ...MPS2,
    name: 'Cortex-M7',
    kernels: 'dsp',
    blocked: BLOCKED.dsp,
    machine: 'mps2-an500',
    batchAddress: 0x60000000,
    flags: ['-mcpu=cortex-m7', '-mthumb', '-mfloat-abi=hard', '-mfpu=fpv5-d16'],
  },
  m55: {
    name: 'Cortex-M55',
    kernels: 'mve',
    blocked: BLOCKED.mve,
    machine: 'mps3-an547',
    compiler: 'arm-none-eabi',
    flags: ['-mcpu=cortex-m55', '-mthumb', '-mfloat-abi=hard'],
    script: 'mps3-an547.ld',
    startup: 'cortex-m.c',
    batchAddress: 0x10018000,
    instructionsPerTick: 31.25 / 8,
  },
  rv32: {
    name: 'RV32IMC',
    kernels: 'rv32',
    blocked: BLOCKED.rv32,
    machine: 'virt',
    compiler: 'riscv64-unknown-elf',
    flags: ['-march=rv32imac', '-mabi=ilp32', '-msmall-data-limit=0', '-mcmodel=medany'],
    script: 'riscv32-virt.ld',
    startup: 'riscv.c',
    batchAddress: 0x80400000,
    instructionsPerTick: 1 / 8,
  },
} as const satisfies Record<string, Chip>

export type ChipName = keyof typeof CHIPS

/** The chip with plain kernels only: what the fast ones are compared with. */
export const withPlainKernels = (chip: Chip): Chip => ({ ...chip, kernels: null, blocked: [] })

const COMMON_FLAGS = [
  ...['-std=c11', '-Wall', '-Wextra', '-Wconversion', '-Wdouble-promotion', '-Werror', '-ffp-contract=off', '-fno-fast-math', '-DNDEBUG'],
  ...['-ffunction-sections', '-fdata-sections', '-fno-strict-aliasing', '-ffreestanding'],
]
const KERNEL_FLAGS = ['-O2']
/** Walks over images; the inner loops that they call are elsewhere or assembly. */
const DRIVERS = ['blocked/average_pool', 'blocked/conv2d', 'blocked/dense', 'blocked/depthwise', 'dsp/depthwise']
const OTHER_FLAGS = ['-Os']

const cFiles = (folder: string): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.c'))
    .sort()
    .map((file) => join(folder, file))

/** A table of the operators that a network uses, as exporters write it: no room for those it does not use. */
const tableSource = (rows: readonly OperatorRow[]): string => `#include "rows.h"
static const operator_t OPERATORS[] = {${rows.map((row) => `ROW_${row}`).join(', ')}};
const operator_t *operator_find(uint16_t code) {
  switch (code) {
${rows.map((row, i) => `    case OPERATOR_${row.replace('_UNIT', '')}: return &OPERATORS[${i}];`).join('\n')}
    default: return NULL;
  }
}
uint32_t operator_batch_rows(void) { return 1; }
`

export interface Image {
  readonly chip: Chip
  readonly path: string
  /** vectors, code, read-only and initialized data */
  readonly codeBytes: number
}

const run = (command: string, args: readonly string[]): string => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

const COUNTED = /^\.(vectors|text|rodata|ARM\.exidx|init_array|data)$/

/** Bytes of flash without model: the sections that anchors of other engines count. */
const sizeOf = (chip: Chip, path: string): number => {
  const lines = run(`${chip.compiler}-size`, ['-A', path]).split('\n')
  return lines.map((line) => line.trim().split(/\s+/)).reduce((sum, [name, bytes]) => (COUNTED.test(name ?? '') ? sum + Number(bytes) : sum), 0)
}

/** Builds the runner with every operator, or with the rows of one network only. */
export const buildImage = (chip: Chip, folder: string, rows: readonly OperatorRow[] | null = null): Image => {
  const out = join(folder, `${chip.machine}-${chip.kernels ?? 'plain'}-${rows === null ? 'all' : rows.join('-')}`)
  mkdirSync(out, { recursive: true })
  const core = join(FIRMWARE, 'core')
  const kernels = chip.kernels === null ? [] : cFiles(join(core, chip.kernels)).filter((file) => basename(file) !== 'operators.c')
  const shared = chip.blocked.map((name) => join(core, 'blocked', `${name}.c`))
  const own = cFiles(core).filter((file) => basename(file) !== 'operators.c')
  const table = join(out, 'table.c')
  if (rows !== null) writeFileSync(table, tableSource(rows))
  const tableFile = rows !== null ? table : join(core, chip.kernels ?? '.', 'operators.c')
  const bench = ['main.c', 'machine-memory.c', chip.startup].map((file) => join(FIRMWARE, 'bench', file))
  const compile = (file: string, flags: readonly string[]): string => {
    const object = join(out, `${basename(dirname(file))}-${basename(file, '.c')}.o`)
    run(`${chip.compiler}-gcc`, [...chip.flags, ...COMMON_FLAGS, ...flags, '-I', join(core, chip.kernels ?? '.'), '-c', file, '-o', object])
    return object
  }
  const objects = [
    ...[...kernels, ...shared].map((file) =>
      compile(file, DRIVERS.includes(`${basename(dirname(file))}/${basename(file, '.c')}`) ? OTHER_FLAGS : KERNEL_FLAGS),
    ),
    ...[...own, ...bench].map((file) => compile(file, basename(file) === 'spike_add.c' ? KERNEL_FLAGS : OTHER_FLAGS)),
    compile(tableFile, OTHER_FLAGS),
  ]
  const path = join(out, 'image.elf')
  const script = [
    '-T',
    join(FIRMWARE, 'bench', chip.script),
    '-L',
    join(FIRMWARE, 'bench'),
    '-Wl,--gc-sections',
    '-Wl,--no-warn-rwx-segments',
    `-Wl,--defsym=batch_start=${chip.batchAddress}`,
  ]
  run(`${chip.compiler}-gcc`, [...chip.flags, '-nostdlib', '-static', ...script, ...objects, '-lgcc', '-o', path])
  return { chip, path, codeBytes: sizeOf(chip, path) }
}

export interface Case {
  readonly network: Network<'integer'>
  readonly inputs: readonly ElementArray[]
  /** what the expected outputs are computed from; default: the inputs */
  readonly expectedFor?: readonly ElementArray[]
}

const padded = (parts: readonly Uint8Array[], alignment: number): Uint8Array => {
  const sizes = parts.map((part) => Math.ceil(part.length / alignment) * alignment)
  const all = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0))
  let at = 0
  parts.forEach((part, i) => {
    all.set(part, at)
    at += sizes[i] as number
  })
  return all
}

const bytesOf = (data: ElementArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

const words = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)

const caseBytes = ({ network, inputs, expectedFor = inputs }: Case): Uint8Array => {
  const values = evaluate(network, expectedFor)
  const file = eventnetBytes(network, planArena(network), { names: false })
  const given = padded(inputs.map(bytesOf), 4)
  const expected = padded(
    network.outputs.map((value) => bytesOf(values[value] as ElementArray)),
    4,
  )
  return padded([words(file.length, given.length, expected.length, 0), file, given, expected], 16)
}

const MAGIC = 0x48435442

/** What the emulated program reads: firmware-stubs/bench/batch.h. */
export const batchBytes = (cases: readonly Case[], reportsNodes: boolean): Uint8Array =>
  padded([words(MAGIC, cases.length, reportsNodes ? 1 : 0, 0), ...cases.map(caseBytes)], 16)

export interface RunResult {
  readonly passed: number
  /** lines about what failed, as printed: load C STATUS, differs C OUTPUT BYTE */
  readonly failures: readonly string[]
  /** instructions[case][node]; empty unless asked for */
  readonly instructions: readonly (readonly number[])[]
  readonly stackBytes: number
}

/** Runs an image over cases in the emulator; throws with its output where it does not end by itself. */
export const runImage = (
  image: Image,
  cases: readonly Case[],
  options: { readonly reportsNodes?: boolean; readonly timeoutMillis?: number } = {},
): RunResult => {
  const { chip } = image
  const folder = mkdtempSync(join(tmpdir(), 'spikeport-chips-'))
  try {
    const batch = join(folder, 'batch.bin')
    writeFileSync(batch, batchBytes(cases, options.reportsNodes === true))
    const emulator = chip.compiler === 'arm-none-eabi' ? 'qemu-system-arm' : 'qemu-system-riscv32'
    const machine = ['-M', chip.machine, ...(chip.machine === 'virt' ? ['-bios', 'none'] : []), '-display', 'none', '-monitor', 'none', '-serial', 'none']
    const loader = ['-device', `loader,file=${batch},addr=0x${chip.batchAddress.toString(16)},force-raw=on`]
    const args = [...machine, '-semihosting-config', 'enable=on,target=native', '-icount', 'shift=3', '-kernel', image.path, ...loader]
    const result = spawnSync(emulator, args, { encoding: 'utf8', timeout: options.timeoutMillis ?? 120_000 })
    const lines = `${result.stdout}\n${result.stderr}`
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
    const passed = lines.find((line) => line.startsWith('passed '))
    if (passed === undefined) throw new Error(`${emulator} -M ${chip.machine} ended with ${result.status ?? result.signal}: ${lines.slice(-3).join(' | ')}`)
    const instructions: number[][] = cases.map(() => [])
    for (const line of lines) {
      const [word, index, node, ticks] = line.split(/\s+/)
      if (word === 'node') (instructions[Number(index)] as number[])[Number(node)] = Math.round(Number(ticks) * chip.instructionsPerTick)
    }
    const stack = lines.find((line) => line.startsWith('stack '))
    return {
      passed: Number(passed.split(/\s+/)[1]),
      failures: lines.filter((line) => line.startsWith('load ') || line.startsWith('differs ')),
      instructions,
      stackBytes: Number(stack?.split(/\s+/)[1]),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
