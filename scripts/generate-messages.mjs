// Writes src/protocol/codes.ts from firmware-stubs/shared/{messages,status}.def; with --check, fails where the file is not current.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const target = `${root}src/protocol/codes.ts`

const rows = (file, macro) =>
  [...readFileSync(`${root}firmware-stubs/shared/${file}`, 'utf8').matchAll(new RegExp(`^${macro}\\((\\w+), (0x[0-9a-f]+|\\d+), "([^"]*)"\\)`, 'gm'))].map(
    ([, name, code, text]) => ({ name, code: Number(code), text }),
  )

/** A string literal as the formatter wants it. */
const quoted = (text) => (text.includes("'") ? `"${text}"` : `'${text}'`)

const camelCase = (name) => name.toLowerCase().replace(/_(\w)/g, (_, letter) => letter.toUpperCase())

const table = (name, comment, entries) => `/** ${comment} */\nexport const ${name} = {\n${entries.map((entry) => `  ${entry},\n`).join('')}} as const\n`

/** The text of src/protocol/codes.ts. */
export const generate = () => {
  const messages = rows('messages.def', 'MESSAGE')
  const statuses = [...rows('status.def', 'STATUS'), ...rows('messages.def', 'REFUSAL')]
  return [
    '// Codes of the wire protocol. Written by scripts/generate-messages.mjs from firmware-stubs/shared; do not edit.\n',
    table(
      'MESSAGES',
      'Message -> its code; a response has bit 7 set.',
      messages.map(({ text, code }) => `${text}: ${code}`),
    ),
    table(
      'STATUSES',
      'Status -> its code: 0 done, below 128 from the core, from 128 on from the protocol.',
      statuses.map(({ name, code }) => `${camelCase(name)}: ${code}`),
    ),
    '/** What a status means, by code. */',
    `export const STATUS_TEXTS: Readonly<Record<number, string>> = {\n${statuses.map(({ code, text }) => `  ${code}: ${quoted(text)},\n`).join('')}}\n`,
    'export type MessageName = keyof typeof MESSAGES',
    'export type StatusName = keyof typeof STATUSES\n',
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes('--check')) writeFileSync(target, generate())
  else if (readFileSync(target, 'utf8') !== generate()) {
    console.error('src/protocol/codes.ts is not current: run "node scripts/generate-messages.mjs"')
    process.exit(1)
  }
}
