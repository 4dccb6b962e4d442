// Child processes that never outlive this one: they are killed on every way out, an exception and Ctrl-C included.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import type { Writable } from 'node:stream'

const children = new Set<ChildProcess>()
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const killAll = (): void => {
  for (const child of children) child.kill('SIGKILL')
}

const onSignal = (signal: NodeJS.Signals): void => {
  killAll()
  unhook()
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal) // nobody else handles it: die of it
}

const hook = (): void => {
  process.on('exit', killAll)
  for (const signal of SIGNALS) process.on(signal, onSignal)
}

const unhook = (): void => {
  process.off('exit', killAll)
  for (const signal of SIGNALS) process.off(signal, onSignal)
}

const forget = (child: ChildProcess): void => {
  if (children.delete(child) && children.size === 0) unhook()
}

/** Starts a program that is killed when this process ends. */
export const spawnGuarded = (program: string, programArguments: readonly string[], options: SpawnOptions): ChildProcess => {
  const child = spawn(program, programArguments, options)
  if (children.size === 0) hook()
  children.add(child)
  child.once('exit', () => forget(child))
  child.once('error', () => forget(child))
  return child
}

/** Runs "$@" with this stdin; kills it when fd 3 ends, as it does when the process that started it is gone, by whatever death. */
const WATCHER = 'exec 4<&0; "$@" <&4 3<&- 4<&- & child=$!; (read -r _ <&3; kill -9 $child) 4<&- >/dev/null 2>&1 & exec 3<&- 4<&-; wait $child'

/** Starts a program that dies with this process even where that is killed by SIGKILL. Exit code 127: there is no such program. POSIX only. */
export const spawnWatched = (program: string, programArguments: readonly string[]): { readonly child: ChildProcess; readonly end: () => Promise<void> } => {
  const child = spawn('/bin/sh', ['-c', WATCHER, 'sh', program, ...programArguments], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] })
  const lifeline = child.stdio[3] as Writable
  child.stdin?.on('error', () => {})
  lifeline.on('error', () => {})
  const end = (): Promise<void> =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resolve()
      child.once('exit', () => resolve())
      lifeline.destroy()
    })
  return { child, end }
}

/** Kills a child and waits until it is gone. */
export const endChild = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })
