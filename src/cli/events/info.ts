// spikeport events info: format, sensor, counts, times, rates and the ledger of a recording.

import { type EventBatch, FORMATS, type FormatName, ledgerLines } from '../../events/index.js'
import { processIo, table, thousands } from '../io.js'
import { formatMicros } from './durations.js'
import { openSource, type SourceOptions } from './source.js'

interface Options extends SourceOptions {
  readonly json?: boolean
}

interface Summary {
  events: number
  on: number
  firstMicros: number | null
  lastMicros: number | null
  largestX: number
  largestY: number
}

const add = (summary: Summary, { count, timeMicros, x, y, polarity }: EventBatch): void => {
  summary.events += count
  for (let i = 0; i < count; i++) {
    const time = timeMicros[i] as number
    summary.firstMicros = Math.min(summary.firstMicros ?? time, time)
    summary.lastMicros = Math.max(summary.lastMicros ?? time, time)
    summary.largestX = Math.max(summary.largestX, x[i] as number)
    summary.largestY = Math.max(summary.largestY, y[i] as number)
    summary.on += polarity[i] as number
  }
}

/** Runs the command. */
export const runInfo = async (path: string, { json, ...options }: Options): Promise<void> => {
  const io = processIo(json === true)
  const source = openSource(path, options)
  const summary: Summary = { events: 0, on: 0, firstMicros: null, lastMicros: null, largestX: -1, largestY: -1 }
  for await (const { events } of source.parts) add(summary, events)
  const { events, on, firstMicros, lastMicros } = summary
  const durationMicros = firstMicros === null || lastMicros === null ? 0 : lastMicros - firstMicros
  const eventsPerSecond = durationMicros === 0 ? null : (1e6 * events) / durationMicros
  const { format, geometry, ledger } = source
  io.json({ name: source.name, format, geometry, ...summary, off: events - on, durationMicros, eventsPerSecond, ledger })
  const title = format === 'hdf5' ? 'HDF5 (Prophesee or DSEC)' : FORMATS[format as FormatName].title
  io.print(
    table(
      ['recording', source.name],
      [
        ['format', `${format} (${title})`],
        ['sensor', geometry === null ? `unknown, events up to x ${summary.largestX}, y ${summary.largestY}` : `${geometry.width} x ${geometry.height}`],
        ['events', `${thousands(events)} (${thousands(on)} on, ${thousands(events - on)} off)`],
        ['time', firstMicros === null ? '-' : `${formatMicros(firstMicros)} to ${formatMicros(lastMicros as number)}`],
        ['duration', formatMicros(durationMicros)],
        ['rate', eventsPerSecond === null ? '-' : `${thousands(Math.round(eventsPerSecond))} events/s`],
      ],
    ),
  )
  io.print('\nledger')
  for (const line of ledgerLines(ledger)) io.print(`  ${line}`)
}
