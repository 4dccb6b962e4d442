// Options that several commands share, parsed once: counts, output paths, examples in help texts.

import { type Command, InvalidArgumentError } from 'commander'
import { writeBytes } from '../files.js'
import type { Io } from './io.js'

/** A whole number from `least`, for option parsers. */
export const count =
  (least: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < least) throw new InvalidArgumentError(`a whole number from ${least} is needed.`)
    return value
  }

/** A number, for option parsers. */
export const real = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('a number is needed.')
  return value
}

/** Adds --json and the example that every help text ends with. */
export const finish = (command: Command, example: string): Command =>
  command.option('--json', 'print JSON for scripts, one object a line').addHelpText('after', `\nExample:\n  $ ${example.split('\n').join('\n  $ ')}`)

/** Writes a result to a file, or to stdout for "-". */
export const writeResult = async (path: string, content: Uint8Array | string, io: Io): Promise<void> => {
  if (path === '-') io.raw(content)
  else await writeBytes(path, content)
}
