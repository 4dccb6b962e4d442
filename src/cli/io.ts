// The command line's only way to the outside: text and JSON on stdout, progress and notes on stderr, Ctrl-C as an AbortSignal.

import { SingleBar } from 'cli-progress'
import pc from 'picocolors'

/** Where a command writes. `isJson`: stdout carries JSON only, one object a line. */
export interface Io {
  readonly isJson: boolean
  /** a line for people; silent with --json */
  readonly print: (line?: string) => void
  /** one result object; silent without --json */
  readonly json: (result: object) => void
  /** bytes or text as they are, for `-o -` */
  readonly raw: (content: Uint8Array | string) => void
  /** a line on stderr */
  readonly note: (line: string) => void
  readonly progress: (label: string, total: number) => Progress
  /** aborted by the first Ctrl-C, the second one ends the process; who never reads it is ended by the first one */
  readonly signal: AbortSignal
}

export interface Progress {
  readonly update: (done: number, detail?: string) => void
  readonly stop: () => void
}

const silent: Progress = { update: () => {}, stop: () => {} }

const progressBar = (label: string, total: number): Progress => {
  if (!process.stderr.isTTY) return silent
  const bar = new SingleBar({ format: `${label} {bar} {percentage}% {detail}`, hideCursor: true, clearOnComplete: true, stream: process.stderr })
  bar.start(total, 0, { detail: '' })
  return { update: (done, detail = '') => bar.update(done, { detail }), stop: () => bar.stop() }
}

/** Ctrl-C once asks the running work to stop and keep what it has; twice ends the process with 130. */
const interruptSignal = (): AbortSignal => {
  const controller = new AbortController()
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
    process.stderr.write('\nstopping, press Ctrl-C again to stop at once ...\n')
  })
  return controller.signal
}

let signal: AbortSignal | undefined

/** The Io of this process. */
export const processIo = (isJson: boolean): Io => {
  return {
    isJson,
    print: (line = '') => {
      if (!isJson) process.stdout.write(`${line}\n`)
    },
    json: (result) => {
      if (isJson) process.stdout.write(`${JSON.stringify(result)}\n`)
    },
    raw: (content) => process.stdout.write(content),
    note: (line) => process.stderr.write(`${line}\n`),
    progress: progressBar,
    get signal() {
      signal ??= interruptSignal()
      return signal
    },
  }
}

/** Rows as aligned columns; numbers right, text left. The first row is the head. */
export const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string => {
  const text = [head, ...rows.map((row) => row.map(String))]
  const widths = head.map((_, column) => Math.max(...text.map((row) => (row[column] ?? '').length)))
  const isNumber = head.map(
    (_, column) => rows.length > 0 && rows.every((row) => /^[-<>]?[\d.,]+( ?[%x])?$/.test(String(row[column] ?? '')) || row[column] === ''),
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (isNumber[column] ? cell.padStart(widths[column] as number) : cell.padEnd(widths[column] as number)))
      .join('  ')
      .trimEnd()
  return [pc.bold(line(head)), ...text.slice(1).map(line)].join('\n')
}

/** 12,345 */
export const thousands = (n: number): string => n.toLocaleString('en-US')

/** 0.9876 -> "98.76 %" */
export const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)} %`
