// Writes src/formats/eventnet/codes.ts from the X-macro files of firmware-stubs/shared, so that C and TypeScript read one list of codes.
// `--check` only compares (exit 1 where the file is not current).
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const target = join(root, 'src/formats/eventnet/codes.ts')

const LISTS = [
  { file: 'operators.def', macro: 'OPERATOR', name: 'OPERATOR_CODES', comment: 'Operator codes of node records, by name.' },
  { file: 'emissions.def', macro: 'EMISSION', name: 'EMISSION_CODES', comment: 'Emission codes of node records, by name.' },
  { file: 'value-kinds.def', macro: 'VALUE_KIND', name: 'VALUE_KIND_CODES', comment: 'Codes of value kinds, by name.' },
  { file: 'status.def', macro: 'STATUS', name: 'STATUS_CODES', comment: 'Status codes of the C core, by what they mean.' },
]

/** [name, code, text] of each line MACRO(name, code, "text"). */
const entries = (file, macro) => {
  const text = readFileSync(join(root, 'firmware-stubs/shared', file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
  return [...text.matchAll(new RegExp(`^${macro}\\((\\w+), (\\d+), "([^"]*)"\\)$`, 'gm'))].map(([, name, code, meaning]) => ({
    name,
    code: Number(code),
    text: meaning,
  }))
}

const quote = (text) => (text.includes("'") ? `"${text}"` : `'${text}'`)

const table = ({ file, macro, name, comment }) => {
  const rows = entries(file, macro)
  if (macro === 'STATUS') {
    return [
      `/** The text of each status code of the C core. */`,
      'export const STATUS_TEXTS: Readonly<Record<number, string>> = {',
      ...rows.map((row) => `  ${row.code}: ${quote(row.text)},`),
      '}',
    ].join('\n')
  }
  return [`/** ${comment} */`, `export const ${name} = {`, ...rows.map((row) => `  ${row.text}: ${row.code},`), '} as const'].join('\n')
}

/** The text of src/formats/eventnet/codes.ts. */
export const generateCodes = () => {
  const origin = '// Made by scripts/generate-codes.mjs from firmware-stubs/shared/*.def; change those, then run `node scripts/generate-codes.mjs`.'
  return `${[origin, ...LISTS.map(table)].join('\n\n')}\n`
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const text = generateCodes()
  if (!process.argv.includes('--check')) writeFileSync(target, text)
  else if (readFileSync(target, 'utf8') !== text) {
    console.error('src/formats/eventnet/codes.ts is not current: run node scripts/generate-codes.mjs')
    process.exitCode = 1
  }
}
