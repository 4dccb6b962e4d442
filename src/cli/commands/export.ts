// spikeport export: an integer network in another tool's or a board's format.

import type { Command } from 'commander'
import { EXPORTERS, exporterOf, FLOAT_EXPORTERS, FORMAT_NAMES } from '#exporters/index.js'
import type { Folder } from '../../contracts/exporter.js'
import { usage } from '../../errors.js'
import { writeFolder } from '../folder.js'
import { type Io, processIo, thousands } from '../io.js'
import { openFloat, openInteger } from '../networks.js'
import { finish, writeResult } from '../options.js'

interface Options {
  readonly format: string
  readonly output: string
  readonly set: readonly string[]
  readonly force?: boolean
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

const isFile = (result: Uint8Array | Folder): result is Uint8Array => result instanceof Uint8Array

const sizeOf = (content: Uint8Array | string): number => (typeof content === 'string' ? Buffer.byteLength(content) : content.length)

const saveFile = async (bytes: Uint8Array, format: string, { output }: Options, io: Io): Promise<void> => {
  await writeResult(output, bytes, io)
  io.json({ output, format, bytes: bytes.length })
  if (output !== '-') io.print(`${output}: ${format}, ${thousands(bytes.length)} bytes`)
}

const saveFolder = async (folder: Folder, format: string, { output, force }: Options, io: Io): Promise<void> => {
  if (output === '-') throw usage(`the format "${format}" is a folder of files, stdout takes one.`, 'Name a folder with -o.')
  await writeFolder(output, folder, { force: force === true })
  const contents = Object.values(folder)
  const bytes = contents.reduce((sum, content) => sum + sizeOf(content), 0)
  io.json({ output, format, files: contents.length, bytes })
  io.print(`${output}: ${format}, ${contents.length} files, ${thousands(bytes)} bytes`)
}

const run = async (source: string, options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const floatExporter = Object.hasOwn(FLOAT_EXPORTERS, options.format) ? FLOAT_EXPORTERS[options.format] : undefined
  if (floatExporter !== undefined) {
    await saveFile(await floatExporter.export(await openFloat(source), parseSettings(options.set)), floatExporter.name, options, io)
    return
  }
  const exporter = exporterOf(options.format)
  const result = exporter.export(await openInteger(source), parseSettings(options.set))
  if (isFile(result)) await saveFile(result, exporter.name, options, io)
  else await saveFolder(result, exporter.name, options, io)
}

const settingsHelp = (): string =>
  [...Object.values(EXPORTERS), ...Object.values(FLOAT_EXPORTERS)]
    .map(({ name, description, options }) =>
      [`  ${name}: ${description}`, ...Object.entries(options).map(([key, text]) => `    --set ${key}=...  ${text}`)].join('\n'),
    )
    .join('\n')

export const registerExport = (program: Command): void => {
  finish(
    program
      .command('export')
      .description('write an integer network as ONNX, as a flash file (.evn) or as a folder of C, or a float network over time as NIR')
      .argument('<network>', 'an integer .net file (nir: a float one), or the name of a shipped model')
      .requiredOption('-f, --format <name>', `one of ${FORMAT_NAMES.join(', ')}`)
      .requiredOption('-o, --output <path>', 'the file to write, - is stdout; for c the folder')
      .option('--set <name=value>', 'a setting of the format, may be repeated', (value: string, all: string[]) => [...all, value], [])
      .option('--force', 'replace what is in the folder, whoever wrote it')
      .action(run)
      .addHelpText('after', `\nFormats:\n${settingsHelp()}`),
    'spikeport export digits.int8.net --format onnx -o digits.onnx',
  )
}
