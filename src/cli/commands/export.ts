// spikeport export: an integer network in another tool's or a board's format.

import type { Command } from 'commander'
import { EXPORTERS, exporterOf } from '#exporters/index.js'
import { usage } from '../../errors.js'
import { processIo, thousands } from '../io.js'
import { openInteger } from '../networks.js'
import { finish, writeResult } from '../options.js'

interface Options {
  readonly format: string
  readonly output: string
  readonly set: readonly string[]
  readonly json?: boolean
}

const parseSettings = (settings: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    settings.map((setting) => {
      const at = setting.indexOf('=')
      if (at < 1) throw usage(`--set ${setting} is not of the form name=value.`, 'For example --set form=qdq; spikeport export --help lists the settings.')
      return [setting.slice(0, at), setting.slice(at + 1)]
    }),
  )

const run = async (source: string, options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const exporter = exporterOf(options.format)
  const network = await openInteger(source)
  const bytes = exporter.export(network, parseSettings(options.set))
  await writeResult(options.output, bytes, io)
  io.json({ output: options.output, format: exporter.name, bytes: bytes.length })
  if (options.output !== '-') io.print(`${options.output}: ${exporter.name}, ${thousands(bytes.length)} bytes`)
}

const settingsHelp = (): string =>
  Object.values(EXPORTERS)
    .map(({ name, description, options }) =>
      [`  ${name}: ${description}`, ...Object.entries(options).map(([key, text]) => `    --set ${key}=...  ${text}`)].join('\n'),
    )
    .join('\n')

export const registerExport = (program: Command): void => {
  finish(
    program
      .command('export')
      .description('write an integer network as ONNX or as a flash file (.evn)')
      .argument('<network>', 'an integer .net file, or the name of a shipped model')
      .requiredOption('-f, --format <name>', `one of ${Object.keys(EXPORTERS).join(', ')}`)
      .requiredOption('-o, --output <file>', 'the file to write; - is stdout')
      .option('--set <name=value>', 'a setting of the format, may be repeated', (value: string, all: string[]) => [...all, value], [])
      .action(run)
      .addHelpText('after', `\nFormats:\n${settingsHelp()}`),
    'spikeport export digits.int8.net --format onnx -o digits.onnx',
  )
}
