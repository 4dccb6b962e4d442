// The command line program: registers every command, turns errors into one message and an exit code (0 done, 1 failed, 2 wrong usage).

import { Command, CommanderError } from 'commander'
import pc from 'picocolors'
import { SpikeportError } from '../errors.js'
import { COMMANDS } from './commands/index.js'
import { version } from './version.js'

/** The whole program, for main() and for the docs that are printed from it. */
export const createProgram = (): Command => {
  const program = new Command('spikeport')
    .description('Deploy quantized and spiking networks from TensorFlow.js to chips, ONNX and flash files, with the same bytes everywhere.')
    .version(version())
    .showHelpAfterError('(spikeport <command> --help shows the options and an example)')
    .exitOverride()
  for (const register of COMMANDS) register(program)
  for (const command of program.commands) command.exitOverride()
  return program
}

const describe = (error: SpikeportError): string =>
  `${pc.red('error')} ${error.code}: ${error.message}${error.note === undefined ? '' : `\n  ${pc.cyan('note')}: ${error.note}`}\n`

const report = (error: unknown, isJson: boolean): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof SpikeportError) {
    const { code, message, note } = error
    process.stderr.write(isJson ? `${JSON.stringify({ error: { code, message, note } })}\n` : describe(error))
    return code === 'USAGE' ? 2 : code === 'INTERRUPTED' ? 130 : 1
  }
  if ((error as { code?: unknown } | null)?.code === 'EPIPE') return 0
  const text = error instanceof Error ? error.message : String(error)
  process.stderr.write(
    `${pc.red('error')} INTERNAL: ${text}\n  note: this is a fault in spikeport; please report it with the output of SPIKEPORT_DEBUG=1 spikeport ...\n`,
  )
  if (process.env['SPIKEPORT_DEBUG'] !== undefined) process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`)
  return 1
}

/** Runs the program with arguments (without node and script) and returns the exit code; never throws. */
export const main = async (args: readonly string[]): Promise<number> => {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
  })
  try {
    await createProgram().parseAsync([...args], { from: 'user' })
    return typeof process.exitCode === 'number' ? process.exitCode : 0
  } catch (error) {
    return report(error, args.includes('--json'))
  }
}
