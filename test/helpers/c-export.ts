// Exported C folders under test: written to disk, built with strict warnings for this machine or for an emulated chip, and measured.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { cExporter } from '#exporters/c/index.js'
import type { Network } from '#src/network/types.js'
import type { Chip } from './chips.js'

const ROOT = resolve(import.meta.dirname, '../..')
const BENCH = join(ROOT, 'firmware-stubs/bench')

export const STRICT = [
  ...['-std=c11', '-Wall', '-Wextra', '-Wconversion', '-Wdouble-promotion', '-Werror', '-ffp-contract=off', '-fno-fast-math', '-fno-strict-aliasing'],
  ...['-ffunction-sections', '-fdata-sections'],
]

/** Exports into a folder, as `spikeport export` does. */
export const exportFolder = (network: Network<'integer'>, folder: string, kernels: string): void => {
  for (const [path, content] of Object.entries(cExporter.export(network, { kernels }))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

/** The library's C files: all but main.c, relative to the folder. */
export const librarySources = (folder: string): readonly string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((path) => path.endsWith('.c') && path !== 'main.c').sort()

export const includeKernels = (kernels: string): readonly string[] => (kernels === 'plain' ? [] : ['-I', `core/${kernels}`])

export const run = (command: string, arguments_: readonly string[], cwd: string): string =>
  execFileSync(command, arguments_, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

export interface ChipBuild {
  readonly path: string
  /** vectors, start, code, read-only and initialized data, without the network and its sample */
  readonly codeBytes: number
}

const COUNTED = /^\.(vectors|text|rodata|data)$/

const sectionBytes = (chip: Chip, path: string, cwd: string): number =>
  run(`${chip.compiler}-size`, ['-A', path], cwd)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .reduce((sum, [name, bytes]) => (COUNTED.test(name ?? '') ? sum + Number(bytes) : sum), 0)

const networkBytes = (chip: Chip, path: string, cwd: string): number => {
  const line = run(`${chip.compiler}-nm`, ['-S', path], cwd)
    .split('\n')
    .find((text) => text.endsWith(' model_network'))
  return Number.parseInt(line?.split(/\s+/)[1] ?? '', 16)
}

/**
 * Builds an exported folder with a program for an emulated chip, in -Os or another optimization. The start code, the mem* functions and the console are those
 * of firmware-stubs/bench and test/c.
 */
export const buildForChip = (chip: Chip, folder: string, program: readonly string[], optimization = '-Os'): ChipBuild => {
  const kernels = chip.kernels ?? 'plain'
  const specs = chip.compiler === 'riscv64-unknown-elf' ? ['--specs=picolibc.specs'] : []
  const start = ['machine-memory.c', chip.startup].map((name) => join(BENCH, name))
  const objects = [...librarySources(folder), ...program, ...start].map((source, i) => {
    const object = `${i}.o`
    const flags = [...chip.flags, ...specs, ...STRICT, '-ffreestanding', optimization, '-I', '.', ...includeKernels(kernels)]
    run(`${chip.compiler}-gcc`, [...flags, '-c', source, '-o', object], folder)
    return object
  })
  const link = ['-nostdlib', '-static', '-T', join(BENCH, chip.script), '-L', BENCH, '-Wl,--gc-sections', '-Wl,--no-warn-rwx-segments']
  run(`${chip.compiler}-gcc`, [...chip.flags, ...link, '-Wl,--defsym=batch_start=0', ...objects, '-lgcc', '-o', 'image.elf'], folder)
  const path = join(folder, 'image.elf')
  return { path, codeBytes: sectionBytes(chip, path, folder) - networkBytes(chip, path, folder) }
}

/** Runs an image in the emulator: what it printed, and the program's exit code. */
export const emulate = (chip: Chip, path: string): { readonly output: string; readonly status: number | null } => {
  const emulator = chip.compiler === 'arm-none-eabi' ? 'qemu-system-arm' : 'qemu-system-riscv32'
  const machine = ['-M', chip.machine, ...(chip.machine === 'virt' ? ['-bios', 'none'] : []), '-display', 'none', '-monitor', 'none', '-serial', 'none']
  const { stdout, stderr, status } = spawnSync(emulator, [...machine, '-semihosting-config', 'enable=on,target=native', '-kernel', path], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { output: `${stdout}${stderr}`.trim(), status }
}

/** A program that calls the interface once and prints nothing: for measuring code. */
export const BARE_PROGRAM = join(ROOT, 'test/c/bare-model.c')
/** puts() on the emulator's console. */
export const CONSOLE = join(ROOT, 'test/c/console.c')
