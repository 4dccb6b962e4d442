// Children of this library never outlive the process that started them, whatever ends it.

import { spawn } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openQemu } from '#targets/transports/qemu.js'

const ROOT = resolve(import.meta.dirname, '../..')
const SCRIPT = join(ROOT, `test/boards/.children-${process.pid}.ts`)

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] !== 'Z'
  } catch {
    return false
  }
}

/** Polls until a process is gone; the test's own time-out is the limit. */
const untilGone = async (pid: number): Promise<void> => {
  while (isAlive(pid)) await new Promise((resolveLater) => setImmediate(resolveLater))
}

beforeAll(() => {
  writeFileSync(
    SCRIPT,
    `import { spawnGuarded, spawnWatched } from '#targets/transports/children.js'
const [how, ending] = process.argv.slice(2)
if (how === 'guarded') console.log(spawnGuarded('sleep', ['1000'], { stdio: 'ignore' }).pid)
else {
  const { child } = spawnWatched('/bin/sh', ['-c', 'echo $$; exec sleep 1000'])
  child.stdout.pipe(process.stdout)
}
process.stdin.once('data', () => {
  if (ending === 'exit') process.exit(0)
  if (ending === 'throw') throw new Error('on purpose')
})
`,
  )
})
afterAll(() => rmSync(SCRIPT, { force: true }))

const survives = async (how: string, ending: string): Promise<void> => {
  const parent = spawn(process.execPath, ['--conditions=spikeport-source', '--import', 'tsx', SCRIPT, how, ending], {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const ended = new Promise((resolveEnd) => parent.once('exit', resolveEnd))
  const pid = Number(await new Promise<string>((resolveLine) => createInterface({ input: parent.stdout }).once('line', resolveLine)))
  expect(isAlive(pid)).toBe(true)
  if (ending.startsWith('SIG')) parent.kill(ending as NodeJS.Signals)
  else parent.stdin.write('now\n')
  await ended
  await untilGone(pid)
}

describe('a child is gone when its parent', () => {
  test.each(['exit', 'throw', 'SIGINT', 'SIGTERM', 'SIGHUP'])('ends by %s (guarded)', (ending) => survives('guarded', ending))
  test.each(['exit', 'throw', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'])('ends by %s (watched)', (ending) => survives('watched', ending))
})

test('an emulator that is not installed is named, with the command that installs it', async () => {
  const qemu = { kind: 'qemu', program: 'qemu-system-none', machine: 'x', imageOption: '-kernel', ticksPerInstruction: 1 } as const
  const open = openQemu('mps2-an385', qemu, '/dev/null', 115_200)
  await expect(open({ onBytes: () => {}, onClose: () => {} })).rejects.toMatchObject({
    code: 'TOOL_MISSING',
    message: 'qemu-system-none is needed to emulate mps2-an385 and is not installed.',
  })
})

test('an emulator that refuses its options says why', async () => {
  const qemu = { kind: 'qemu', program: 'sh', machine: 'x', imageOption: '-kernel', ticksPerInstruction: 1 } as const
  const open = openQemu('mps2-an385', qemu, '/dev/null', 115_200)
  await expect(open({ onBytes: () => {}, onClose: () => {} })).rejects.toMatchObject({ code: 'DEVICE_EMULATOR_FAILED' })
})
