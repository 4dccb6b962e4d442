// The docs keep up with the code: links lead somewhere, commands and their options exist, examples run.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createProgram } from '#src/cli/main.js'

const ROOT = resolve(import.meta.dirname, '..')

const markdown = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return markdown(path)
    return path.endsWith('.md') ? [path] : []
  })

const PAGES = ['README.md', 'CHANGELOG.md']
  .map((name) => join(ROOT, name))
  .concat(['docs', 'models', 'firmware-stubs'].flatMap((folder) => markdown(join(ROOT, folder))))
const nameOf = (path: string): string => path.slice(ROOT.length + 1)

const fences = (path: string, language: string): string[] =>
  [...readFileSync(path, 'utf8').matchAll(/```(\S+)[^\n]*\n([\s\S]*?)```/g)].filter(([, found]) => found === language).map(([, , body]) => body as string)

const commandLines = (path: string): string[] =>
  fences(path, 'sh')
    .flatMap((body) => body.split('\n'))
    .map((line) =>
      line
        .replace(/^\$ /, '')
        .replace(/\s+#.*$/, '')
        .trim(),
    )
    .flatMap((line) => line.split('&&').map((part) => part.trim()))
    .filter((line) => /^(npx )?spikeport /.test(line))

describe.each(PAGES.map((path) => [nameOf(path), path]))('%s', (_, path) => {
  test('links to files lead somewhere', () => {
    const links = [...readFileSync(path, 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
      .map(([, target]) => target as string)
      .filter((target) => !/^[a-z]+:/.test(target))
    expect(links.filter((target) => !existsSync(resolve(dirname(path), target)))).toEqual([])
  })

  test('commands and options exist', () => {
    const program = createProgram()
    for (const line of commandLines(path)) {
      const [, name = '', ...words] = line.replace(/^npx /, '').split(/\s+/)
      const command = program.commands.find((known) => known.name() === name)
      if (name.startsWith('-') || name === '<command>') continue
      expect(command, `"${line}": no command ${name}`).toBeDefined()
      const known = command?.options.flatMap(({ short, long }) => [short, long]) ?? []
      const used = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.split('=')[0])
      expect(
        used.filter((option) => !known.includes(option) && option !== '--help'),
        line,
      ).toEqual([])
    }
  })
})

test('npm run commands exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  for (const path of PAGES) {
    for (const [, name] of readFileSync(path, 'utf8').matchAll(/npm run ([\w:-]+)/g))
      expect(Object.keys(scripts), `${nameOf(path)}: npm run ${name}`).toContain(name)
  }
})

describe('examples', () => {
  const examples = PAGES.flatMap((path) => fences(path, 'ts').map((body, i) => [`${nameOf(path)} #${i + 1}`, body] as const))

  test('there are some', () => expect(examples.length).toBeGreaterThan(0))

  // An example imports the package by name, as a user does; the file lies inside the package, so Node resolves the name to this checkout.
  test.each(examples)('%s runs', (_, body) => {
    const file = join(ROOT, 'test', `.docs-example-${process.pid}.ts`)
    writeFileSync(file, body.replace(/'mnist-cnn\//g, `'${join(ROOT, 'models/mnist-cnn')}/`))
    try {
      const { status, stderr } = spawnSync(process.execPath, ['--conditions=spikeport-source', '--import', 'tsx', file], { cwd: ROOT, encoding: 'utf8' })
      expect(status, stderr).toBe(0)
    } finally {
      rmSync(file, { force: true })
    }
  })
})
