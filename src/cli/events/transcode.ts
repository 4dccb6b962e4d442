// The way that convert, cut and filter share: read, change, encode, write, part by part; then a report of what was lost, which refuses
// the output unless the user accepts it.

import { interrupted, lossyConversion, usage } from '../../errors.js'
import { type EventEncoder, FORMAT_NAMES, FORMATS, type FormatName, type Geometry, type Ledger, ledgerLines, tallied } from '../../events/index.js'
import { type Io, thousands } from '../io.js'
import { type Output, openOutput } from './output.js'
import { openSized, type Part, type SizedSource, type SourceOptions } from './source.js'

export interface TranscodeOptions extends SourceOptions {
  readonly output: string
  readonly to?: FormatName
  readonly force?: boolean
  readonly fromZero?: boolean
}

/** A change of parts between reading and writing. */
export interface Stage {
  readonly geometry: Geometry
  readonly change: (part: Part) => Part
  /** name and ledger of every step */
  readonly ledgers: readonly (readonly [string, Readonly<Ledger>])[]
}

/** The format that a file ending means where several have it and the input has none of them. */
const PREFERRED: Readonly<Record<string, FormatName>> = { raw: 'evt3', dat: 'dat', aedat: 'aedat2', es: 'es', bin: 'nmnist' }

/** The format of an output: --to, else by the ending of its name (the input's own format where that fits), else the input's. @throws USAGE */
export const targetFormat = (output: string, to: FormatName | undefined, inputFormat: string | null): FormatName => {
  if (to !== undefined) return to
  const ending = output === '-' ? '' : (/\.([^./\\]+)$/.exec(output.toLowerCase())?.[1] ?? '')
  const fits = FORMAT_NAMES.filter((name) => FORMATS[name].extensions.includes(ending))
  const own = FORMAT_NAMES.find((name) => name === inputFormat)
  if (own !== undefined && (fits.includes(own) || output === '-')) return own
  const chosen = PREFERRED[ending] ?? fits[0]
  if (chosen !== undefined) return chosen
  throw usage(
    `${output === '-' ? 'an HDF5 recording on stdout' : `"${output}"`} does not tell the format to write.`,
    `Name one of ${FORMAT_NAMES.join(', ')}: convert --to, cut and filter --as.`,
  )
}

/** Records that encoders get, or that are no content of their own. */
const NOT_LOST = ['trigger', 'exposure', 'reset', 'triggerBeforeTimeBase']

/** What the output lacks of the input, in words. */
const lossesOf = (read: Readonly<Ledger>, written: Readonly<Ledger>, isColourLost: boolean): string[] => [
  ...Object.entries(written.droppedEvents).map(([reason, n]) => `${thousands(n)} events (${reason})`),
  ...(isColourLost ? ['the colour'] : []),
  ...Object.entries(read.records)
    .filter(([kind]) => !NOT_LOST.includes(kind))
    .map(([kind, n]) => `${thousands(n)} records (${kind})`),
  ...Object.entries(written.records)
    .filter(([kind]) => kind.endsWith('NotWritten'))
    .map(([kind, n]) => `${thousands(n)} ${kind.replace('NotWritten', '')}s`),
]

const stopIfAborted = (io: Io): void => {
  if (io.signal.aborted) throw interrupted('the conversion was stopped.', 'Nothing was written; run the command again.')
}

/** Encodes every part; returns whether colour was lost. */
const pump = async (io: Io, { parts }: SizedSource, stage: Stage, encoder: EventEncoder, to: FormatName, output: Output): Promise<boolean> => {
  let isColourLost = false
  for await (const part of parts) {
    stopIfAborted(io)
    const { events, extras } = stage.change(part)
    if (events.rgb !== undefined && to !== 'es-colour') isColourLost = true
    await output.write(encoder.push(events, extras))
  }
  await output.write(encoder.end())
  return isColourLost
}

const report = (io: Io, path: string, format: FormatName, input: SizedSource, stages: Stage['ledgers'], losses: readonly string[]): void => {
  const { source } = input
  const ledgers = stages.map(([name, ledger]) => ({ name, ledger }))
  const print = path === '-' ? io.note : io.print
  if (path !== '-') io.json({ input: source.name, inputFormat: source.format, output: path, format, losses, ledgers })
  if (path === '-' && io.isJson) return
  print(`${source.name} (${source.format}) -> ${path === '-' ? 'stdout' : path} (${format})`)
  for (const { name, ledger } of ledgers) {
    print(`\n${name}`)
    for (const line of ledgerLines(ledger)) print(`  ${line}`)
  }
  if (losses.length > 0) print(`\nlost: ${losses.join(', ')}`)
}

/**
 * Reads a recording, changes it and writes it. Without `force` an output that lacks something of the input is refused.
 * @throws CONVERSION_LOSSY, and as reading and writing do
 */
export const transcode = async (io: Io, path: string, options: TranscodeOptions, stageOf: (input: SizedSource) => Stage | Promise<Stage>): Promise<void> => {
  const { output: outputPath, force = false } = options
  const { format, geometry } = options
  const input = await openSized(path, { ...(format && { format }), ...(geometry && { geometry }) })
  const to = targetFormat(outputPath, options.to, input.source.format)
  const stage = await stageOf(input)
  const encoder = FORMATS[to].createEncoder({ geometry: stage.geometry, ...(options.fromZero === true && { originMicros: 'first' as const }) })
  const output = await openOutput(outputPath, !force)
  try {
    const isColourLost = await pump(io, input, stage, encoder, to, output)
    const losses = lossesOf(input.source.ledger, encoder.ledger, isColourLost)
    if (losses.length > 0 && !force) throw lossyConversion(outputPath === '-' ? 'stdout' : outputPath, to, losses.join(', '))
    await output.commit()
    report(io, outputPath, to, input, [['read', input.source.ledger], ...stage.ledgers, ['written', encoder.ledger]], losses)
  } catch (error) {
    await output.discard()
    throw error
  }
  const dropped = tallied(input.source.ledger.droppedBytes) + tallied(input.source.ledger.droppedEvents)
  if (dropped > 0) io.note(`note: ${input.source.name} has parts that could not be read; see the ledger`)
}
