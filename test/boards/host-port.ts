// The firmware's host port for tests: built once per test process with sanitizers, started on a pseudo terminal, ended with the tests.

import { type ChildProcess, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { OpenTransport, Transport } from '#src/contracts/transport.js'
import { vanishedPort } from '#src/errors.js'
import { endChild, spawnGuarded } from '#targets/transports/children.js'

export const ROOT = resolve(import.meta.dirname, '../..')
const STRICT = ['-std=c11', '-Wall', '-Wextra', '-Wconversion', '-Wdouble-promotion', '-Werror', '-ffp-contract=off', '-fno-fast-math']
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer']

const sources = (folder: string): string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.c'))
    .map((name) => join(ROOT, folder, name))

/** C sources of the core and of the device half of the protocol. */
export const FIRMWARE_SOURCES = [...sources('firmware-stubs/core'), ...sources('firmware-stubs/protocol')]

export interface Build {
  readonly path: string
  readonly remove: () => void
}

/** Compiles a program from the firmware's sources and one more file. @throws what the compiler says */
export const buildC = (compiler: string, main: string, flags: readonly string[]): Build => {
  const folder = mkdtempSync(join(tmpdir(), 'spikeport-c-'))
  const path = join(folder, 'program')
  const { status, stderr } = spawnSync(compiler, [...STRICT, ...flags, ...FIRMWARE_SOURCES, join(ROOT, main), '-o', path], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${compiler}: ${stderr}`)
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export const buildHostPort = (compiler: 'gcc' | 'clang-14'): Build =>
  buildC(compiler, 'firmware-stubs/ports/host/main.c', compiler === 'gcc' ? ['-O2'] : ['-O1', '-g', ...SANITIZERS])

export interface HostPort {
  /** "/dev/pts/3" or "tcp:127.0.0.1:4000" */
  readonly port: string
  readonly child: ChildProcess
  /** what it wrote to stderr: a sanitizer's finding */
  readonly complaints: () => string
  readonly end: () => Promise<void>
}

/** Starts the host port; resolves when its line is there. */
export const startHostPort = async (path: string, options: readonly string[] = ['--pty']): Promise<HostPort> => {
  const child = spawnGuarded(path, options, { stdio: ['ignore', 'pipe', 'pipe'] })
  let complaints = ''
  child.stderr?.on('data', (text) => {
    complaints += String(text)
  })
  const port = await new Promise<string>((resolveName, reject) => {
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`the host port ended: ${complaints}`)))
    if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', resolveName)
  })
  return { port, child, complaints: () => complaints, end: () => endChild(child) }
}

type Spoil = (bytes: Uint8Array) => Uint8Array

/** A line that changes bytes on their way, from the board and to it. */
export const spoiledLine =
  (open: OpenTransport, fromBoard: Spoil, toBoard: Spoil = fromBoard): OpenTransport =>
  async (listener) => {
    const inner = await open({ ...listener, onBytes: (bytes) => listener.onBytes(fromBoard(bytes)) })
    return { ...inner, write: (bytes) => inner.write(toBoard(bytes)) }
  }

/** A cable that is pulled once the host has sent so many bytes. */
export const cutLine =
  (open: OpenTransport, afterBytes: number): OpenTransport =>
  async (listener) => {
    let left = afterBytes
    let isCut = false
    const inner: Transport = await open({
      onBytes: (bytes) => {
        if (!isCut) listener.onBytes(bytes)
      },
      onClose: (error) => {
        if (!isCut) listener.onClose(error)
      },
    })
    const cut = async (): Promise<void> => {
      isCut = true
      await inner.close()
      listener.onClose(vanishedPort({ board: 'host', port: inner.port }))
    }
    return {
      ...inner,
      write: async (bytes) => {
        if (isCut) return
        if (bytes.length < left) {
          left -= bytes.length
          return inner.write(bytes)
        }
        await inner.write(bytes.subarray(0, left))
        await cut()
      },
    }
  }
