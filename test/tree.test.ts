// The dependency rule, as a literal table: which folder may import which. An import that is not listed here fails.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')

/** What everything may import. */
const EVERYONE = ['src/network', 'src/contracts', 'src/errors.ts', 'src/random.ts', 'src/crc32.ts', 'src/files.ts', 'src/package-root.ts', 'src/wasm-module.ts']

/** folder (longest prefix wins) -> folders and files it may import besides its own and, unless it is strict, EVERYONE. */
const ALLOWED: Readonly<Record<string, { readonly also: readonly string[]; readonly isStrict?: true }>> = {
  'src/network': { also: ['src/errors.ts', 'src/crc32.ts', 'src/random.ts'], isStrict: true },
  'src/contracts': { also: ['src/errors.ts', 'src/network'], isStrict: true },
  'src/formats': { also: ['src/errors.ts', 'src/crc32.ts'], isStrict: true },
  'src/events': { also: ['src/errors.ts', 'src/random.ts', 'src/formats/hdf5.ts'], isStrict: true },
  'src/features': { also: ['src/events'] },
  'src/view': { also: ['src/events', 'src/features'] },
  'src/protocol': { also: ['src/errors.ts', 'src/crc32.ts'], isStrict: true },
  'src/importers': { also: ['src/formats'] },
  'src/simplify': { also: [] },
  'src/convert': { also: [] },
  'src/encode': { also: [] },
  'src/quantize': { also: [] },
  'src/eventnet': { also: ['src/formats'] },
  'src/onnx': { also: ['src/formats'] },
  'src/plan': { also: ['src/eventnet'] },
  'src/check': { also: [] },
  'src/tune': { also: [] },
  'src/train': { also: ['src/formats'] },
  models: { also: ['src/train'] },
  exporters: { also: ['src/formats', 'src/eventnet', 'src/onnx', 'src/plan'] },
  runtimes: { also: ['src/formats', 'src/eventnet', 'src/onnx', 'src/plan', 'src/protocol'] },
  targets: { also: ['src/formats', 'src/eventnet', 'src/plan', 'src/protocol'] },
  'src/cli': { also: ['src', 'exporters', 'runtimes', 'targets', 'models'] },
  'src/index.ts': { also: ['src', 'exporters', 'runtimes'] },
  'src/errors.ts': { also: [], isStrict: true },
  'src/random.ts': { also: [], isStrict: true },
  'src/crc32.ts': { also: [], isStrict: true },
  'src/files.ts': { also: ['src/errors.ts'], isStrict: true },
  'src/package-root.ts': { also: [], isStrict: true },
  'src/wasm-module.ts': { also: ['src/errors.ts'], isStrict: true },
}

/** Packages with native code or great weight: the one folder that may load each. */
const HEAVY: Readonly<Record<string, string>> = {
  '@tensorflow/': 'src/train',
  'onnxruntime-node': 'runtimes/onnx',
  serialport: 'targets/transports',
  rp2040js: 'targets/transports',
  'onnx-proto': 'src/formats',
  h5wasm: 'src/formats',
}

const sources = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return sources(path)
    return path.endsWith('.ts') ? [path] : []
  })

const FOLDERS = ['src', 'exporters', 'runtimes', 'targets', 'models'].filter((folder) => existsSync(join(ROOT, folder)))
const FILES = FOLDERS.flatMap((folder) => sources(join(ROOT, folder)))

interface Import {
  readonly from: string
  /** a path of ours, or a package */
  readonly to: string
  readonly isOurs: boolean
  readonly isTypeOnly: boolean
}

const resolveTarget = (from: string, specifier: string): string => {
  if (specifier.startsWith('#')) return specifier.slice(1).replace(/\.js$/, '.ts')
  return relative(ROOT, resolve(dirname(join(ROOT, from)), specifier)).replace(/\.js$/, '.ts')
}

const importsOf = (path: string): Import[] => {
  const from = relative(ROOT, path)
  // comments and their code examples are not imports
  const text = readFileSync(path, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
  const statements = [...text.matchAll(/(?:import|export)\s+(type\s+)?[^'";]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|import\s+'([^']+)'/g)]
  return statements.map(([, type, a, b, c]) => {
    const specifier = (a ?? b ?? c) as string
    const isOurs = specifier.startsWith('.') || specifier.startsWith('#')
    return { from, to: isOurs ? resolveTarget(from, specifier) : specifier, isOurs, isTypeOnly: type !== undefined }
  })
}

const IMPORTS = FILES.flatMap(importsOf)
const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)
const ruleOf = (path: string): string | undefined =>
  Object.keys(ALLOWED)
    .filter((folder) => isWithin(path, folder))
    .sort((a, b) => b.length - a.length)[0]

describe('the tree', () => {
  test('every source file belongs to a folder of the table', () => {
    expect(FILES.map((path) => relative(ROOT, path)).filter((path) => ruleOf(path) === undefined)).toEqual([])
  })

  test('no folder imports what the table does not list', () => {
    const broken = IMPORTS.filter(({ from, to, isOurs }) => {
      const folder = ruleOf(from)
      if (!isOurs || folder === undefined || isWithin(to, folder)) return false
      const rule = ALLOWED[folder] as (typeof ALLOWED)[string]
      return ![...rule.also, ...(rule.isStrict ? [] : EVERYONE)].some((allowed) => isWithin(to, allowed))
    })
    expect(broken.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
  })

  test('heavy packages are loaded from one folder each', () => {
    const broken = IMPORTS.filter(({ from, to, isOurs, isTypeOnly }) => {
      const name = Object.keys(HEAVY).find((heavy) => to === heavy || (heavy.endsWith('/') && to.startsWith(heavy)) || to.startsWith(`${heavy}/`))
      return !isOurs && !isTypeOnly && name !== undefined && !isWithin(from, HEAVY[name] as string)
    })
    expect(broken.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
  })

  test('only src/cli and src/index.ts know every folder', () => {
    const wide = Object.entries(ALLOWED)
      .filter(([, { also }]) => also.includes('src'))
      .map(([folder]) => folder)
    expect(wide.sort()).toEqual(['src/cli', 'src/index.ts'])
  })

  test('files are named in kebab-case', () => {
    expect(FILES.map((path) => relative(ROOT, path)).filter((path) => !/^[a-z0-9/.-]+$/.test(path))).toEqual([])
  })
})
