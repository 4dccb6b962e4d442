// Runs the built command line program as a user does, in a folder of its own.

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'

export const ROOT = resolve(import.meta.dirname, '../..')
const BIN = join(ROOT, 'bin/spikeport.js')

export interface CliResult {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** called once with a function that sends a signal */
  readonly onStart?: (kill: (signal: NodeJS.Signals) => void) => void
}

/** A temporary folder that is removed when the test ends. */
export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'spikeport-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Runs `spikeport ...args` to its end. */
export const spikeport = (args: readonly string[], { cwd = ROOT, env = {}, onStart }: CliOptions = {}): Promise<CliResult> => {
  if (!existsSync(join(ROOT, 'dist/src/cli/main.js'))) throw new Error('dist/ is missing: run npm run build')
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [BIN, ...args], { cwd, env: { ...process.env, NO_COLOR: '1', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (data) => {
      stdout += data
    })
    child.stderr.on('data', (data) => {
      stderr += data
    })
    child.on('error', fail)
    child.on('close', (status) => done({ status, stdout, stderr }))
    onStart?.((signal) => child.kill(signal))
  })
}

/** The objects of --json output, one a line. */
export const jsonLines = ({ stdout }: CliResult): Record<string, unknown>[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
