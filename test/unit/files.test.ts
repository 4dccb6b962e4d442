// Reading and writing files: limits, gzip, whole files or none, also when the disk is full or the process is stopped.

import { execFile, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeFolder, readBytes, readText, writeBytes } from '#src/files.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikeport-files-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const at = (name: string): string => join(folder, name)
const isLinux = process.platform === 'linux'

describe('readBytes', () => {
  it('gives a file, empty or not', async () => {
    await writeFile(at('a'), 'hello')
    await writeFile(at('empty'), '')
    expect(Buffer.from(await readBytes(at('a'))).toString()).toBe('hello')
    expect(await readBytes(at('empty'))).toHaveLength(0)
  })

  it('unpacks gzip unless told otherwise', async () => {
    const packed = gzipSync('hello'.repeat(1000))
    await writeFile(at('a.gz'), packed)
    expect(await readText(at('a.gz'))).toBe('hello'.repeat(1000))
    expect(Buffer.from(await readBytes(at('a.gz'), { keepsGzip: true })).equals(packed)).toBe(true)
  })

  it('refuses more than the limit, packed or unpacked', async () => {
    await writeFile(at('a'), new Uint8Array(1001))
    await writeFile(at('a.gz'), gzipSync(new Uint8Array(1001)))
    await writeFile(at('b'), new Uint8Array(1000))
    const message = (name: string): object => ({
      code: 'FILE_MALFORMED',
      message: `${at(name)}: longer than 1000 bytes.`,
      note: 'Check that this is the right file, or split it.',
    })
    await expect(readBytes(at('a'), { maxBytes: 1000 })).rejects.toMatchObject(message('a'))
    await expect(readBytes(at('a.gz'), { maxBytes: 1000 })).rejects.toMatchObject(message('a.gz'))
    expect(await readBytes(at('b'), { maxBytes: 1000 })).toHaveLength(1000)
  })

  it.runIf(isLinux)('stops at the limit in a device that never ends', async () => {
    await expect(readBytes('/dev/zero', { maxBytes: 100_000 })).rejects.toMatchObject({ message: '/dev/zero: longer than 100000 bytes.' })
  })

  it('refuses broken gzip and text that is not UTF-8', async () => {
    await writeFile(at('a.gz'), gzipSync('hello').subarray(0, 15))
    await writeFile(at('b'), Uint8Array.of(0xff, 0xfe, 0xff))
    await expect(readBytes(at('a.gz'))).rejects.toMatchObject({
      code: 'FILE_MALFORMED',
      message: `${at('a.gz')}: the gzip data do not unpack (unexpected end of file).`,
    })
    await expect(readText(at('b'))).rejects.toMatchObject({ code: 'FILE_MALFORMED', message: `${at('b')}: not UTF-8 text.` })
  })

  it('says why a file cannot be read', async () => {
    await expect(readBytes(at('none'))).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: `cannot read ${at('none')}: ENOENT: no such file or directory.`,
      note: 'Check the path and its permissions.',
    })
    await expect(readBytes(folder)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: `cannot read ${folder}: EISDIR: illegal operation on a directory.`,
    })
  })
})

describe('writeBytes', () => {
  it('writes and replaces a file and leaves nothing beside it', async () => {
    await writeBytes(at('a'), 'one')
    await writeBytes(at('a'), Uint8Array.of(116, 119, 111))
    expect(await readFile(at('a'), 'utf8')).toBe('two')
    expect(await readdir(folder)).toEqual(['a'])
  })

  it('keeps the permissions of the file it replaces and follows links', async () => {
    await writeFile(at('a'), 'one')
    await chmod(at('a'), 0o640)
    await symlink(at('a'), at('link'))
    await writeBytes(at('link'), 'two')
    expect(await readFile(at('a'), 'utf8')).toBe('two')
    expect((await stat(at('a'))).mode & 0o777).toBe(0o640)
  })

  it('says why a file cannot be written and leaves the old one', async () => {
    const note = 'Nothing was left half-written. Free some space or choose another place with -o.'
    await expect(writeBytes(at('none/a'), 'x')).rejects.toMatchObject({
      code: 'FILE_UNWRITABLE',
      message: `cannot write ${at('none/a')}: ENOENT: no such file or directory.`,
      note,
    })
    await mkdir(at('folder'))
    await expect(writeBytes(at('folder'), 'x')).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' })
    expect(await readdir(folder)).toEqual(['folder'])
  })

  it.runIf(isLinux)('a full disk gives FILE_UNWRITABLE', async () => {
    await expect(writeBytes('/dev/full', 'x')).rejects.toMatchObject({
      code: 'FILE_UNWRITABLE',
      message: 'cannot write /dev/full: ENOSPC: no space left on device.',
    })
    expect((await stat('/dev/full')).isCharacterDevice()).toBe(true)
  })

  /** A program that writes `bytes` bytes to a file; `before` runs first, `after` follows the start of the write. */
  const program = (bytes: number, after = ''): string[] => [
    '--conditions=spikeport-source',
    '--import',
    'tsx',
    '--input-type=module',
    '--eval',
    `import { writeBytes } from '#src/files.js'
     const done = writeBytes(${JSON.stringify(at('a'))}, new Uint8Array(${bytes}))
     ${after}
     await done.catch((error) => { console.log(error.code, error.message); process.exitCode = 1 })`,
  ]

  it.runIf(isLinux)('a limit on file sizes leaves the old file and no other', async () => {
    await writeFile(at('a'), 'old')
    const shell = `ulimit -f 16; exec "$0" "$@"`
    const run = promisify(execFile)('bash', ['-c', shell, process.execPath, ...program(1_000_000)])
    await expect(run).rejects.toMatchObject({ code: 1, stdout: `FILE_UNWRITABLE cannot write ${at('a')}: EFBIG: file too large.\n` })
    expect(await readFile(at('a'), 'utf8')).toBe('old')
    expect(await readdir(folder)).toEqual(['a'])
  })

  /** Runs a program to its end. */
  const ended = (args: readonly string[]): Promise<{ code: number | null; signal: string | null }> =>
    new Promise((resolve) => {
      spawn(process.execPath, args, { stdio: 'ignore' }).on('exit', (code, signal) => resolve({ code, signal }))
    })

  it.runIf(isLinux)('Ctrl-C in the middle leaves the old file and no other, and ends the process by the signal', async () => {
    await writeFile(at('a'), 'old')
    // a temporary file exists as soon as readdir sees it
    const stop = `const { readdirSync } = await import('node:fs')
      while (!readdirSync(${JSON.stringify(folder)}).some((name) => name.endsWith('.tmp'))) await new Promise((resolve) => setImmediate(resolve))
      process.kill(process.pid, 'SIGINT')`
    expect(await ended(program(100_000_000, stop))).toEqual({ code: null, signal: 'SIGINT' })
    expect(await readFile(at('a'), 'utf8')).toBe('old')
    expect(await readdir(folder)).toEqual(['a'])
  })

  it.runIf(isLinux)('process.exit() in the middle leaves the old file and no other', async () => {
    await writeFile(at('a'), 'old')
    const stop = `const { readdirSync } = await import('node:fs')
      while (!readdirSync(${JSON.stringify(folder)}).some((name) => name.endsWith('.tmp'))) await new Promise((resolve) => setImmediate(resolve))
      process.exit(3)`
    expect(await ended(program(100_000_000, stop))).toEqual({ code: 3, signal: null })
    expect(await readdir(folder)).toEqual(['a'])
  })

  it.runIf(isLinux)('a program that handles Ctrl-C itself keeps its file', async () => {
    const stop = `process.on('SIGINT', () => {}); process.kill(process.pid, 'SIGINT')`
    expect(await ended(program(1000, stop))).toEqual({ code: 0, signal: null })
    expect((await stat(at('a'))).size).toBe(1000)
  })
})

describe('makeFolder', () => {
  it('makes parents, accepts an existing folder, says why it cannot', async () => {
    await makeFolder(at('b/c'))
    await makeFolder(at('b/c'))
    await writeFile(at('file'), '')
    await expect(makeFolder(at('file/d'))).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' })
  })
})
