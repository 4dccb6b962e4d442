// The C core as it ships in firmware-stubs/: which kernel each operator of a kernel set runs, and the sources that given kernels need. Both are read
// from the sources themselves (the set's table of operators, includes and names), so that nothing here knows a kernel.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { unsupported } from '#src/errors.js'
import type { Rounding } from '#src/network/types.js'
import { packageRoot } from '#src/package-root.js'

/** Folders of firmware-stubs/core with kernels of a kind of chip; plain: the definition in C, for any machine. */
export type KernelSet = 'plain' | 'armv6m' | 'dsp' | 'mve' | 'rv32'

/** Path from firmware-stubs ("core/run.c") -> text. */
export type SourceTexts = Readonly<Record<string, string>>

export interface Kernel {
  /** the C function */
  readonly run: string
  readonly roundings: readonly Rounding[]
}

export type KernelTable = Readonly<Record<string, Kernel>>

export interface Core {
  readonly set: KernelSet
  /** where to look for a definition: the set's own folder first */
  readonly folders: readonly string[]
  readonly texts: SourceTexts
  /** the header that declares the set's kernels */
  readonly header: string
  /** the set's own kernels, by the names of its table ("AVERAGE_POOL", "DEPTHWISE_UNIT") */
  readonly own: KernelTable
  /** the plain ones, for what the set leaves to them */
  readonly plain: KernelTable
}

const readFolder = (root: string, folder: string): readonly (readonly [string, string])[] =>
  readdirSync(join(root, folder))
    .filter((name) => /\.(c|h|def)$/.test(name))
    .sort()
    .map((name) => [`${folder}/${name}`, readFileSync(join(root, folder, name), 'utf8')] as const)

/** A row names its roundings in C: absent 'single' alone, ROUNDING_BITS all, ROUNDING_BIT(EVN_ROUNDING_X) X. */
const roundingsOf = (row: string): readonly Rounding[] => {
  const bits = row.match(/\.roundings = ([^,}]+)/)?.[1]
  if (bits === undefined) return ['single']
  return bits.includes('ROUNDING_BITS') ? ['single', 'tflite'] : bits.includes('TFLITE') ? ['tflite'] : ['single']
}

/** Rows "[OPERATOR_X] = {... .run = f ...}" of the plain table, "#define ROW_X {... .run = f ...}" of a chip's or of all chips'. */
const readTable = (text: string): KernelTable =>
  Object.fromEntries(
    [...text.matchAll(/(?:\[OPERATOR_(\w+)\] =|#define ROW_(\w+)) (\{[^{}]*\.run = (\w+)[^{}]*\})/g)].map(([, plain, chip, row, run]) => [
      plain ?? chip,
      { run: run as string, roundings: roundingsOf(row as string) },
    ]),
  )

/** Reads the core with one set of kernels. */
export const readCore = (set: KernelSet): Core => {
  const root = join(packageRoot(), 'firmware-stubs')
  const folders = set === 'plain' ? ['core'] : [`core/${set}`, 'core/blocked', 'core']
  if (!folders.every((folder) => existsSync(join(root, folder))))
    throw unsupported(`the kernels "${set}" are not in this installation (${join(root, folders[0] as string)}).`, 'Install spikeport again.')
  const texts = Object.fromEntries([...folders, 'shared'].flatMap((folder) => readFolder(root, folder)))
  const plain = readTable(`${texts['core/operators.c']}\n${texts['core/operators.h']}`)
  if (set === 'plain') return { set, folders, texts, header: 'core/operators.h', own: plain, plain }
  const header = `core/${set}/rows.h`
  return { set, folders, texts, header, own: readTable(texts[header] ?? ''), plain }
}

/** Comments, prototypes and rows of tables name functions without needing them. */
const bodyOf = (text: string): string =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^[a-z][\w\s*]*\([^{};]*\);/gm, '')
    .replace(/^DECLARE_RUN\(\w+\);/gm, '')
    .replace(/^#define ROW_.*$/gm, '')

/** Functions with external linkage -> the file that defines them. */
const definitions = ({ texts, folders }: Core): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (const folder of folders) {
    for (const [path, text] of Object.entries(texts)) {
      if (dirname(path) !== folder || !path.endsWith('.c') || path.endsWith('/operators.c')) continue
      for (const [, name] of text.matchAll(/^(?!static|typedef)[a-z][\w *]*?(\w+)\([^;{}]*\) \{/gm))
        if (!found.has(name as string)) found.set(name as string, path)
    }
  }
  return found
}

const includesOf = ({ texts, set }: Core, path: string): readonly string[] =>
  [...(texts[path] as string).matchAll(/^#include "([^"]+)"/gm)].map(([, name]) => {
    const beside = posix.join(posix.dirname(path), name as string)
    return beside in texts ? beside : `core/${set}/${name}`
  })

/** Adds what `path` includes, and that in turn. */
const addIncludes = (core: Core, path: string, files: Set<string>): void => {
  for (const header of includesOf(core, path)) {
    if (files.has(header)) continue
    files.add(header)
    addIncludes(core, header, files)
  }
}

/** The sources that functions need: the files that define them, what these include, and what those name, to the end. Paths sorted. */
export const neededFiles = (core: Core, functions: readonly string[]): readonly string[] => {
  const defined = definitions(core)
  const files = new Set<string>([core.header])
  const scanned = new Set<string>()
  const queue = functions.map((name) => defined.get(name)).filter((path) => path !== undefined)
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (scanned.has(path)) continue
    scanned.add(path)
    files.add(path)
    const around = new Set<string>()
    addIncludes(core, path, around)
    for (const header of around) files.add(header)
    const names = [path, ...around].flatMap((file) => bodyOf(core.texts[file] as string).match(/\b[a-z]\w*\b/g) ?? [])
    queue.push(...new Set(names.map((name) => defined.get(name)).filter((other) => other !== undefined)))
  }
  addIncludes(core, core.header, files)
  return [...files].sort()
}
