// The way that encode and simulate share: events made here are encoded in any format of recordings and written, with the ledger of every
// stage; what the format loses refuses the output unless the user accepts it.

import { interrupted, lossyConversion, usage } from '../../errors.js'
import { type EventBatch, FORMAT_NAMES, FORMATS, type FormatName, type Geometry, type Ledger, ledgerLines } from '../../events/index.js'
import { type Io, thousands } from '../io.js'
import { openOutput } from './output.js'
import { targetFormat } from './transcode.js'

export interface MadeOptions {
  readonly output: string
  readonly as?: FormatName
  readonly force?: boolean
  readonly json?: boolean
}

/** Events to write; the geometry is final once the first batch has come. */
export interface MadeEvents {
  /** what they are made of, for the report */
  readonly name: string
  readonly geometry: () => Geometry
  readonly batches: AsyncIterable<EventBatch> | Iterable<EventBatch>
  /** name and ledger of every step, called at the end */
  readonly ledgers: () => readonly (readonly [string, Readonly<Ledger>])[]
}

const formatOf = ({ output, as }: MadeOptions): FormatName => {
  if (as === undefined && output === '-') throw usage('stdout does not tell the format to write.', `Name one of ${FORMAT_NAMES.join(', ')} with --as.`)
  return targetFormat(output, as, null)
}

/** Writes events and reports. @throws CONVERSION_LOSSY, USAGE, INTERRUPTED, FILE_UNWRITABLE, and what making the events throws */
export const writeMade = async (io: Io, made: MadeEvents, options: MadeOptions): Promise<void> => {
  const format = formatOf(options)
  const path = options.output
  const output = await openOutput(path, options.force !== true)
  let encoder: ReturnType<(typeof FORMATS)[FormatName]['createEncoder']> | null = null
  try {
    for await (const batch of made.batches) {
      if (io.signal.aborted) throw interrupted('making the recording was stopped.', 'Nothing was written; run the command again.')
      encoder ??= FORMATS[format].createEncoder({ geometry: made.geometry() })
      await output.write(encoder.push(batch))
    }
    encoder ??= FORMATS[format].createEncoder({ geometry: made.geometry() })
    await output.write(encoder.end())
    const losses = Object.entries(encoder.ledger.droppedEvents).map(([reason, n]) => `${thousands(n)} events (${reason})`)
    if (losses.length > 0 && options.force !== true) throw lossyConversion(path === '-' ? 'stdout' : path, format, losses.join(', '))
    await output.commit()
    report(io, made, path, format, [...made.ledgers(), ['written', encoder.ledger]], losses)
  } catch (error) {
    await output.discard()
    throw error
  }
}

const report = (io: Io, made: MadeEvents, path: string, format: string, ledgers: ReturnType<MadeEvents['ledgers']>, losses: readonly string[]): void => {
  if (path !== '-')
    io.json({ input: made.name, output: path, format, geometry: made.geometry(), losses, ledgers: ledgers.map(([name, ledger]) => ({ name, ledger })) })
  if (path === '-' && io.isJson) return
  const print = path === '-' ? io.note : io.print
  print(`${made.name} -> ${path === '-' ? 'stdout' : path} (${format})`)
  for (const [name, ledger] of ledgers) {
    print(`\n${name}`)
    for (const line of ledgerLines(ledger)) print(`  ${line}`)
  }
  if (losses.length > 0) print(`\nlost: ${losses.join(', ')}`)
}
