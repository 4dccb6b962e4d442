// spikeport monitor: shows what comes over a port, frames of the protocol as such, everything else as text and hex. It sends nothing.

import { setTimeout as wait } from 'node:timers/promises'
import type { Command } from 'commander'
import { boardOf, transportFor } from '#targets/index.js'
import { MESSAGES, STATUS_TEXTS } from '../../protocol/codes.js'
import { type Frame, frameReader, RESPONSE_BIT } from '../../protocol/frame.js'
import { processIo } from '../io.js'
import { count, finish } from '../options.js'

interface Options {
  readonly port: string
  readonly baud?: number
  readonly frames?: number
  readonly json?: boolean
}

const nameOf = (code: number): string => Object.entries(MESSAGES).find(([, known]) => known === (code & ~RESPONSE_BIT))?.[0] ?? `message ${code}`
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const describe = (frame: Frame | null): string => {
  if (frame === null) return 'damaged frame, or another program (is the baud rate right?)'
  const kind = (frame.message & RESPONSE_BIT) !== 0 ? 'answer to ' : ''
  const status = frame.status === 0 ? '' : `: ${STATUS_TEXTS[frame.status] ?? `status ${frame.status}`}`
  if (frame.message === MESSAGES.log) return 'the board started'
  return `${kind}${nameOf(frame.message)} #${frame.sequence}${status}${frame.payload.length === 0 ? '' : ` ${hex(frame.payload)}`}`
}

const run = async (options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const reader = frameReader()
  let left = options.frames ?? Number.POSITIVE_INFINITY
  const ending = new AbortController()
  let failure: unknown = null
  const onBytes = (bytes: Uint8Array): void => {
    for (const frame of reader.take(bytes)) {
      if (left-- <= 0) return
      io.json(
        frame === null ? { damaged: true } : { message: nameOf(frame.message), status: frame.status, sequence: frame.sequence, payload: hex(frame.payload) },
      )
      io.print(`${new Date().toISOString().slice(11, 23)}  ${describe(frame)}`)
      if (left === 0) ending.abort()
    }
  }
  const open = await transportFor(boardOf('host'), { port: options.port, ...(options.baud !== undefined && { baudRate: options.baud }) })
  const onClose = (error: unknown): void => {
    failure = error
    ending.abort()
  }
  const transport = await open({ onBytes, onClose })
  io.note(`listening on ${transport.port}; Ctrl-C ends`)
  await wait(2 ** 31 - 1, undefined, { signal: AbortSignal.any([io.signal, ending.signal]) }).catch(() => {})
  const ended = failure
  await transport.close()
  if (ended !== null) throw ended
}

export const registerMonitor = (program: Command): void => {
  finish(
    program
      .command('monitor')
      .description('show what a board sends')
      .requiredOption('--port <port>', 'serial port or tcp:host:port')
      .option('--baud <rate>', 'baud rate (default 115200)', count(1))
      .option('--frames <n>', 'end after so many frames', count(1))
      .action(run),
    'spikeport monitor --port /dev/ttyACM0',
  )
}
