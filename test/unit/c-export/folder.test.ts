// Writing an exported folder: it replaces what an export wrote and nothing else; the built program does so, too.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeFolder } from '#src/cli/folder.js'
import { jsonLines, spikeport, temporaryFolder } from '../../helpers/cli.js'

const FIRST = { 'a.c': 'int a;\n', 'core/x/b.c': 'int b;\n', 'data.bin': Uint8Array.of(1, 2, 3) }
const SECOND = { 'a.c': 'int a2;\n', 'core/c.c': 'int c;\n' }
const visible = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.includes('.') && !name.startsWith('.')).sort()

describe('writeFolder', () => {
  test('makes the folder and its parents', async () => {
    const folder = join(temporaryFolder(), 'new/model')
    await writeFolder(folder, FIRST, { force: false })
    expect(visible(folder)).toEqual(['a.c', 'core/x/b.c', 'data.bin'])
    expect(readFileSync(join(folder, 'data.bin'))).toEqual(Buffer.from([1, 2, 3]))
  })

  test('writes again over its own files, and removes those that are gone', async () => {
    const folder = temporaryFolder()
    await writeFolder(folder, FIRST, { force: false })
    await writeFolder(folder, SECOND, { force: false })
    expect(visible(folder)).toEqual(['a.c', 'core/c.c'])
    expect(existsSync(join(folder, 'core/x'))).toBe(false)
    expect(readFileSync(join(folder, 'a.c'), 'utf8')).toBe('int a2;\n')
  })

  test('leaves the files of others alone', async () => {
    const folder = temporaryFolder()
    await writeFolder(folder, FIRST, { force: false })
    writeFileSync(join(folder, 'mine.c'), 'mine')
    await writeFolder(folder, SECOND, { force: false })
    expect(readFileSync(join(folder, 'mine.c'), 'utf8')).toBe('mine')
  })

  test('refuses a folder that it did not write, a changed file and a file in the way, unless told to', async () => {
    const foreign = temporaryFolder()
    writeFileSync(join(foreign, 'thesis.tex'), 'x')
    await expect(writeFolder(foreign, FIRST, { force: false })).rejects.toThrow(`${foreign} is not empty and was not written by spikeport export.`)
    expect(readdirSync(foreign)).toEqual(['thesis.tex'])
    const folder = temporaryFolder()
    await writeFolder(folder, FIRST, { force: false })
    writeFileSync(join(folder, 'core/c.c'), 'mine')
    await expect(writeFolder(folder, SECOND, { force: false })).rejects.toThrow(`${join(folder, 'core/c.c')} was changed since it was exported.`)
    writeFileSync(join(folder, 'a.c'), 'changed')
    await expect(writeFolder(folder, FIRST, { force: false })).rejects.toThrow(`${join(folder, 'a.c')} was changed since it was exported.`)
    await writeFolder(folder, SECOND, { force: true })
    await writeFolder(foreign, FIRST, { force: true })
    expect(visible(foreign)).toEqual(['a.c', 'core/x/b.c', 'data.bin', 'thesis.tex'])
  })

  test('goes on where an export was interrupted', async () => {
    const folder = temporaryFolder()
    await writeFolder(folder, FIRST, { force: false })
    writeFileSync(join(folder, 'a.c'), SECOND['a.c'])
    await writeFolder(folder, SECOND, { force: false })
    expect(visible(folder)).toEqual(['a.c', 'core/c.c'])
  })

  test('a list that leads outside is no list', async () => {
    const parent = temporaryFolder()
    const folder = join(parent, 'model')
    mkdirSync(folder)
    writeFileSync(join(parent, 'precious'), 'x')
    writeFileSync(join(folder, '.spikeport-export.json'), JSON.stringify({ files: { '../precious': 0 } }))
    await expect(writeFolder(folder, FIRST, { force: false })).rejects.toThrow('was not written by spikeport export')
    await writeFolder(folder, FIRST, { force: true })
    expect(existsSync(join(parent, 'precious'))).toBe(true)
  })

  test('a file in place of the folder is an error', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    await expect(writeFolder(file, FIRST, { force: false })).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' })
  })
})

describe('spikeport export --format c', () => {
  test('writes a folder, again only what is its own, and --force anything', async () => {
    const cwd = temporaryFolder()
    const [result] = jsonLines(await spikeport(['export', 'mnist-mlp', '--format', 'c', '--set', 'kernels=dsp', '-o', 'model/', '--json'], { cwd }))
    expect(result).toMatchObject({ output: 'model/', format: 'c', files: visible(join(cwd, 'model')).length + 1 }) // LICENSE has no dot
    expect((await spikeport(['export', 'mnist-mlp', '--format', 'c', '-o', 'model'], { cwd })).status).toBe(0)
    expect(existsSync(join(cwd, 'model/core/dsp'))).toBe(false)
    writeFileSync(join(cwd, 'model/main.c'), '/* mine */')
    const refused = await spikeport(['export', 'mnist-mlp', '--format', 'c', '-o', 'model'], { cwd })
    expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining('main.c was changed since it was exported')])
    expect((await spikeport(['export', 'mnist-mlp', '--format', 'c', '-o', 'model', '--force'], { cwd })).status).toBe(0)
    expect(readFileSync(join(cwd, 'model/main.c'), 'utf8')).toContain('Self-test')
  })

  test('does not go to stdout', async () => {
    const { status, stderr } = await spikeport(['export', 'mnist-mlp', '--format', 'c', '-o', '-'])
    expect([status, stderr]).toEqual([2, expect.stringContaining('stdout takes one')])
  })
})
